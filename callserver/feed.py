"""The feed between switchboard and web process: the board of what is live, and what browser seats say and are told.

A Unix stream socket (`run/feed.sock`, mode 0600), listened to by the switchboard; a message is a length (4 bytes, big-endian) and
so many bytes of JSON, tagged by its `type`. The web process speaks first (`Watch`); there is one such connection at a time for
each web process. Nothing is resent: who connects anew gets a `Snapshot` and opens its seats again.

The board is a flat mapping from keys such as `incident/261125-104504-ab12cd` to plain JSON objects; docs/console-protocol.md
describes each. `number` counts the facts of the journal that the board has taken in, `epoch` is the switchboard's run: within one
epoch the numbers grow by what changed, and a new epoch begins with a snapshot.
"""

import struct
from collections.abc import Mapping
from typing import Any

import msgspec

MAX_MESSAGE_BYTES = 16 << 20
PULSE_S = 0.5
_LENGTH = struct.Struct(">I")

Item = dict[str, Any]


class _Message(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base: tagged by class name."""


# ---- web process to switchboard -----------------------------------------------------------------------------


class Watch(_Message, frozen=True):
    """First message of a connection. A `Snapshot` follows, then `Changes` and `Pulse`s."""


class SeatOpened(_Message, frozen=True):
    """A page of this operator wants to be the operator's seat, or its connection came back: `seat` is then what it was."""

    seat: str
    operator: str


class SeatSaid(_Message, frozen=True):
    """What the page of a seat said; docs/console-protocol.md has the messages."""

    seat: str
    message: Item


class SeatClosed(_Message, frozen=True):
    """The page's connection is gone. The seat lives on for as long as its sound does."""

    seat: str


class Here(_Message, frozen=True):
    """The answer to a `Pulse`: the loop that serves the pages goes round."""


# ---- switchboard to web process -----------------------------------------------------------------------------


class Snapshot(_Message, frozen=True):
    """The whole board."""

    epoch: str
    number: int
    utc_ms: int
    items: Mapping[str, Item]


class Changes(_Message, frozen=True):
    """What changed; None for what is gone. `number` is the board's from here on."""

    number: int
    utc_ms: int
    items: Mapping[str, Item | None]


class Pulse(_Message, frozen=True):
    """Every PULSE_S: the switchboard lives, and its board is at `number`. Answered by `Here`."""

    number: int
    utc_ms: int


class SeatTold(_Message, frozen=True):
    """For the page of a seat. A seat that is not connected here ignores it."""

    seat: str
    message: Item


Message = Watch | SeatOpened | SeatSaid | SeatClosed | Here | Snapshot | Changes | Pulse | SeatTold

_DECODER = msgspec.json.Decoder(Message)


def frame(message: Message) -> bytes:
    """One message with its length. Raises `ValueError` past `MAX_MESSAGE_BYTES`."""
    body = msgspec.json.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"message of {len(body)} bytes, the limit is {MAX_MESSAGE_BYTES}")
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Whole messages out of what a stream gives piece by piece."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete. `ValueError` for what is none of ours: the connection is to be ended."""
        self._waiting += data
        found: list[Message] = []
        while len(self._waiting) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._waiting)
            if length > MAX_MESSAGE_BYTES:
                raise ValueError(f"message of {length} bytes, the limit is {MAX_MESSAGE_BYTES}")
            end = _LENGTH.size + length
            if len(self._waiting) < end:
                break
            found.append(_DECODER.decode(bytes(self._waiting[_LENGTH.size : end])))
            del self._waiting[:end]
        return found
