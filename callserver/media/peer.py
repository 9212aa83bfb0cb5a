"""One side of a numbered connection (see `callserver.media.protocol`), without the socket: both sides use it.

How a side works with it:

1. Connected: send `protocol.encode(0, Hello(had=peer.had, ...))`, wait for the other's `Hello`; then send what
   `hello(its.had)` gives. `Place` needs its sockets beside it again, so the message is given with the datagram.
2. `send(message)` gives a datagram and keeps the message until it is acknowledged. Without a connection it may be thrown
   away: `hello` gives it again.
3. `receive(datagram)` gives a message to act upon, or None: an `Ack`, or what was had before. `Hello` and `Beat` are given.
4. Acted upon everything that `receive` gave: send `ack_due()` unless it is None.

A connection that ends in between loses nothing, and nothing is acted upon twice. A side that starts anew (a restarted
switchboard) takes a new `Numbered` for a worker that lives on: its first `hello` numbers on from what the worker has had.
"""

from collections import deque
from typing import NamedTuple

from callserver.media.protocol import Ack, Beat, Hello, Message, decode, encode

MAX_WAITING = 10_000  # messages kept for a side that is away; past it the oldest go, and `lost` counts them


class Sending(NamedTuple):
    """A datagram and what it says."""

    datagram: bytes
    message: Message


class Numbered:
    """Outbox and inbox of one side, for the life of one worker."""

    def __init__(self) -> None:
        self.had = 0  # highest number received from the other side
        self.lost = 0
        self._acknowledged = 0  # highest number that we have told as acted upon
        self._next = 1
        self._greeted = False
        self._waiting: deque[tuple[int, Message]] = deque()

    @property
    def waiting(self) -> int:
        """How many messages the other side has not acknowledged."""
        return len(self._waiting)

    def send(self, message: Message) -> bytes:
        """Number a message. The datagram is to be sent when a connection is there and greeted."""
        number = self._next
        self._next += 1
        self._waiting.append((number, message))
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self.lost += 1
        return encode(number, message)

    def receive(self, datagram: bytes) -> Message | None:
        """What is to be acted upon, if anything. `ValueError` for a datagram that is none of ours."""
        envelope = decode(datagram)
        message = envelope.message
        if isinstance(message, Ack):
            self._forget(message.number)
            return None
        if isinstance(message, Hello | Beat):
            return message
        if envelope.number < 1:
            raise ValueError("a message that must be numbered is not")
        if envelope.number <= self.had:
            return None
        self.had = envelope.number
        return message

    def hello(self, had: int) -> list[Sending]:
        """The other side greeted and has had our numbers up to `had`: what it must be sent (again), in order."""
        if not self._greeted and had >= self._next - len(self._waiting):
            self._renumber(had + 1)
        self._greeted = True
        self._forget(had)
        return [Sending(encode(number, message), message) for number, message in self._waiting]

    def ack_due(self) -> bytes | None:
        """The acknowledgement of all received so far, once; None when there is nothing new."""
        if self.had <= self._acknowledged:
            return None
        self._acknowledged = self.had
        return encode(0, Ack(self.had))

    def _forget(self, number: int) -> None:
        while self._waiting and self._waiting[0][0] <= number:
            self._waiting.popleft()

    def _renumber(self, first: int) -> None:
        """We are new to a worker that has had `first - 1` messages from our predecessor."""
        self._waiting = deque((first + at, message) for at, (_, message) in enumerate(self._waiting))
        self._next = first + len(self._waiting)
