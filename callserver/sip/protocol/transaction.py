"""The four transactions of RFC 3261 section 17, with the Accepted states of RFC 6026, as literal tables.

A transaction decides without doing: messages and times go in, lists of outputs come out. Each is one pair of tables:
moves, (state, event) -> (next state, actions), and the timers that may run in a state. Entering a state stops the timers
that it does not name and starts those that do not run yet; so E goes on from Trying into Proceeding. Transport errors end
a transaction from any state. An event without a row is not an error of ours but of the peer or of time: it changes
nothing and gives no output (a stray response, an ACK that was had). An order without a row (a response after the final
one) raises `IllegalMove`.

Timers A and E double from T1, E and G up to T2. B, F and H are 64 T1. Over reliable transports A, E and G do not run and
D, I, J and K end at once. Change together: a state's rows, its timers, and the matching test table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from callserver.sip.protocol.build import ack_for_failure
from callserver.sip.protocol.model import Message, Request, Response

MS = 1_000_000
T1 = 500 * MS
T2 = 4_000 * MS
T4 = 5_000 * MS
TIMER_B = TIMER_F = TIMER_H = TIMER_J = TIMER_L = TIMER_M = 64 * T1
TIMER_D = 32_000 * MS
TIMER_I = TIMER_K = T4


class IllegalMove(AssertionError):
    """We ordered what the transaction's state does not allow: a programmer's mistake, nothing changed."""


class State(StrEnum):
    """States of all four; each table uses its own."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Event(StrEnum):
    """What may happen: timers by their letter, what is received, what our side orders."""

    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741 - the RFC's name
    J = "J"
    K = "K"
    L = "L"
    M = "M"
    R1XX = "1xx"
    R2XX = "2xx"
    FAILURE = "300-699"
    REQUEST = "request again"
    ACK = "ACK"
    BROKEN = "transport error"


class Action(StrEnum):
    """What a row does besides changing the state."""

    DELIVER = "deliver"
    RESEND = "resend the request"
    ACK = "ack the failure"
    SEND = "send the response"
    RESEND_RESPONSE = "resend the last response"
    TIMED_OUT = "tell the timeout"
    FAILED = "tell the transport error"


@dataclass(frozen=True, slots=True)
class Send:
    """Put this message on the wire."""

    message: Request | Response


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give this message to the transaction user."""

    message: Request | Response


@dataclass(frozen=True, slots=True)
class TimedOut:
    """B or F: no answer came (a 408 for the user); H: no ACK came to a failure response."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The transport could not send (a 503 for the user)."""


@dataclass(frozen=True, slots=True)
class Done:
    """The transaction is over; forget it. Always the last output."""


Output = Send | Deliver | TimedOut | Failed | Done
Table = Mapping[tuple[State, Event], tuple[State, tuple[Action, ...]]]

_S, _E, _A = State, Event, Action

CLIENT_INVITE: Table = {
    (_S.CALLING, _E.A): (_S.CALLING, (_A.RESEND,)),
    (_S.CALLING, _E.B): (_S.TERMINATED, (_A.TIMED_OUT,)),
    (_S.CALLING, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.CALLING, _E.R1XX): (_S.PROCEEDING, (_A.DELIVER,)),
    (_S.CALLING, _E.R2XX): (_S.ACCEPTED, (_A.DELIVER,)),
    (_S.CALLING, _E.FAILURE): (_S.COMPLETED, (_A.ACK, _A.DELIVER)),
    (_S.PROCEEDING, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.PROCEEDING, _E.R1XX): (_S.PROCEEDING, (_A.DELIVER,)),
    (_S.PROCEEDING, _E.R2XX): (_S.ACCEPTED, (_A.DELIVER,)),
    (_S.PROCEEDING, _E.FAILURE): (_S.COMPLETED, (_A.ACK, _A.DELIVER)),
    (_S.COMPLETED, _E.FAILURE): (_S.COMPLETED, (_A.ACK,)),
    (_S.COMPLETED, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.COMPLETED, _E.D): (_S.TERMINATED, ()),
    (_S.ACCEPTED, _E.R2XX): (_S.ACCEPTED, (_A.DELIVER,)),
    (_S.ACCEPTED, _E.M): (_S.TERMINATED, ()),
}

CLIENT_OTHER: Table = {
    (_S.TRYING, _E.E): (_S.TRYING, (_A.RESEND,)),
    (_S.TRYING, _E.F): (_S.TERMINATED, (_A.TIMED_OUT,)),
    (_S.TRYING, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.TRYING, _E.R1XX): (_S.PROCEEDING, (_A.DELIVER,)),
    (_S.TRYING, _E.R2XX): (_S.COMPLETED, (_A.DELIVER,)),
    (_S.TRYING, _E.FAILURE): (_S.COMPLETED, (_A.DELIVER,)),
    (_S.PROCEEDING, _E.E): (_S.PROCEEDING, (_A.RESEND,)),
    (_S.PROCEEDING, _E.F): (_S.TERMINATED, (_A.TIMED_OUT,)),
    (_S.PROCEEDING, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.PROCEEDING, _E.R1XX): (_S.PROCEEDING, (_A.DELIVER,)),
    (_S.PROCEEDING, _E.R2XX): (_S.COMPLETED, (_A.DELIVER,)),
    (_S.PROCEEDING, _E.FAILURE): (_S.COMPLETED, (_A.DELIVER,)),
    (_S.COMPLETED, _E.K): (_S.TERMINATED, ()),
}

SERVER_INVITE: Table = {
    (_S.PROCEEDING, _E.REQUEST): (_S.PROCEEDING, (_A.RESEND_RESPONSE,)),
    (_S.PROCEEDING, _E.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _E.R2XX): (_S.ACCEPTED, (_A.SEND,)),
    (_S.PROCEEDING, _E.FAILURE): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.COMPLETED, _E.REQUEST): (_S.COMPLETED, (_A.RESEND_RESPONSE,)),
    (_S.COMPLETED, _E.G): (_S.COMPLETED, (_A.RESEND_RESPONSE,)),
    (_S.COMPLETED, _E.H): (_S.TERMINATED, (_A.TIMED_OUT,)),
    (_S.COMPLETED, _E.ACK): (_S.CONFIRMED, ()),
    (_S.COMPLETED, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.CONFIRMED, _E.I): (_S.TERMINATED, ()),
    (_S.ACCEPTED, _E.R2XX): (_S.ACCEPTED, (_A.SEND,)),
    (_S.ACCEPTED, _E.ACK): (_S.ACCEPTED, (_A.DELIVER,)),
    (_S.ACCEPTED, _E.L): (_S.TERMINATED, ()),
}

SERVER_OTHER: Table = {
    (_S.TRYING, _E.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.TRYING, _E.R2XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.TRYING, _E.FAILURE): (_S.COMPLETED, (_A.SEND,)),
    (_S.TRYING, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.PROCEEDING, _E.REQUEST): (_S.PROCEEDING, (_A.RESEND_RESPONSE,)),
    (_S.PROCEEDING, _E.R1XX): (_S.PROCEEDING, (_A.SEND,)),
    (_S.PROCEEDING, _E.R2XX): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _E.FAILURE): (_S.COMPLETED, (_A.SEND,)),
    (_S.PROCEEDING, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.COMPLETED, _E.REQUEST): (_S.COMPLETED, (_A.RESEND_RESPONSE,)),
    (_S.COMPLETED, _E.BROKEN): (_S.TERMINATED, (_A.FAILED,)),
    (_S.COMPLETED, _E.J): (_S.TERMINATED, ()),
}

# Which timers may run in a state, and how long they first take: (over UDP, over a reliable transport); None: not at all.
Timers = Mapping[State, Mapping[Event, tuple[int, int | None]]]

CLIENT_INVITE_TIMERS: Timers = {
    _S.CALLING: {_E.A: (T1, None), _E.B: (TIMER_B, TIMER_B)},
    _S.COMPLETED: {_E.D: (TIMER_D, 0)},
    _S.ACCEPTED: {_E.M: (TIMER_M, TIMER_M)},
}
CLIENT_OTHER_TIMERS: Timers = {
    _S.TRYING: {_E.E: (T1, None), _E.F: (TIMER_F, TIMER_F)},
    _S.PROCEEDING: {_E.E: (T2, None), _E.F: (TIMER_F, TIMER_F)},
    _S.COMPLETED: {_E.K: (TIMER_K, 0)},
}
SERVER_INVITE_TIMERS: Timers = {
    _S.COMPLETED: {_E.G: (T1, None), _E.H: (TIMER_H, TIMER_H)},
    _S.CONFIRMED: {_E.I: (TIMER_I, 0)},
    _S.ACCEPTED: {_E.L: (TIMER_L, TIMER_L)},
}
SERVER_OTHER_TIMERS: Timers = {_S.COMPLETED: {_E.J: (TIMER_J, 0)}}

_REPEATING = {_E.A: 64 * T1, _E.E: T2, _E.G: T2}  # the longest pause of each


class _Transaction:
    """One door for every change: `_move`."""

    def __init__(self, request: Request, reliable: bool, table: Table, timers: Timers, state: State) -> None:
        self.request = request
        self.reliable = reliable
        self.state = state
        self.last_response: Response | None = None
        self._table = table
        self._timers = timers
        self._deadlines: dict[Event, int] = {}
        self._pauses: dict[Event, int] = {}

    def next_deadline(self) -> int | None:
        """When `timer` is to be called next, in ns; None: no timer runs."""
        return min(self._deadlines.values(), default=None)

    def timer(self, now_ns: int) -> list[Output]:
        """Fires what is due."""
        outputs: list[Output] = []
        while self._deadlines:
            event = min(self._deadlines, key=lambda timer: self._deadlines[timer])
            if self._deadlines[event] > now_ns:
                break
            del self._deadlines[event]
            outputs += self._move(event, None, now_ns)
            if event in _REPEATING and self.state is not State.TERMINATED:
                grown = 2 * self._pauses[event]
                self._pauses[event] = min(T2 if self._at_t2(event) else grown, _REPEATING[event])
                self._deadlines[event] = now_ns + self._pauses[event]
        return outputs

    def _at_t2(self, event: Event) -> bool:
        return event is Event.E and self.state is State.PROCEEDING

    def transport_failed(self, now_ns: int) -> list[Output]:
        """The last Send could not be carried out."""
        return self._move(Event.BROKEN, None, now_ns)

    def _move(self, event: Event, message: Request | Response | None, now_ns: int) -> list[Output]:
        row = self._table.get((self.state, event))
        if row is None:
            return []
        before, (self.state, actions) = self.state, row
        if isinstance(message, Response):
            self.last_response = message
        outputs = [output for action in actions if (output := self._perform(action, message)) is not None]
        if self.state is not before:
            self._set_timers(now_ns)
            if self.state is State.TERMINATED:
                outputs.append(Done())
            else:
                outputs += [] if self.next_deadline() != now_ns else self.timer(now_ns)
        return outputs

    def _set_timers(self, now_ns: int) -> None:
        allowed = self._timers.get(self.state, {})
        self._deadlines = {timer: at for timer, at in self._deadlines.items() if timer in allowed}
        for timer, (unreliable_ns, reliable_ns) in allowed.items():
            pause_ns = reliable_ns if self.reliable else unreliable_ns
            if pause_ns is not None and timer not in self._deadlines:
                self._pauses[timer] = pause_ns
                self._deadlines[timer] = now_ns + pause_ns

    def _perform(self, action: Action, message: Request | Response | None) -> Output | None:
        makers: dict[Action, Callable[[], Output | None]] = {
            Action.DELIVER: lambda: Deliver(message) if message is not None else None,
            Action.SEND: lambda: Send(message) if message is not None else None,
            Action.RESEND: lambda: Send(self.request),
            Action.RESEND_RESPONSE: lambda: Send(self.last_response) if self.last_response is not None else None,
            Action.ACK: lambda: Send(ack_for_failure(self.request, message)) if isinstance(message, Response) else None,
            Action.TIMED_OUT: TimedOut,
            Action.FAILED: Failed,
        }
        return makers[action]()


def _class_of(status: int) -> Event:
    return Event.R1XX if status < 200 else Event.R2XX if status < 300 else Event.FAILURE


class ClientTransaction(_Transaction):
    """A request of ours. Call `start` once for what to send first; then feed responses that match `client_key`.

    `silent` restores one after a restart whose request had gone out and (for INVITE) had a provisional response: it
    begins in Proceeding, so an INVITE is never sent again and waits for its final response without a timer.
    A 2xx to an INVITE is delivered each time it comes (its ACK is the dialog's); the ACK to a failure is sent here.
    """

    def __init__(self, request: Request, now_ns: int, reliable: bool, *, silent: bool = False) -> None:
        invite = request.method == "INVITE"
        state = State.PROCEEDING if silent else State.CALLING if invite else State.TRYING
        tables = (CLIENT_INVITE, CLIENT_INVITE_TIMERS) if invite else (CLIENT_OTHER, CLIENT_OTHER_TIMERS)
        super().__init__(request, reliable, *tables, state)
        self.key = client_key(request)
        self._silent = silent
        self._set_timers(now_ns)

    def start(self) -> list[Output]:
        """What goes out first: the request, or nothing for a restored one."""
        return [] if self._silent else [Send(self.request)]

    def receive(self, response: Response, now_ns: int) -> list[Output]:
        """A response that matches."""
        return self._move(_class_of(response.status), response, now_ns)


class ServerTransaction(_Transaction):
    """A request of a peer; the first copy is the user's already, further ones and the ACK come in by `receive`."""

    def __init__(self, request: Request, now_ns: int, reliable: bool) -> None:
        invite = request.method == "INVITE"
        tables = (SERVER_INVITE, SERVER_INVITE_TIMERS) if invite else (SERVER_OTHER, SERVER_OTHER_TIMERS)
        super().__init__(request, reliable, *tables, State.PROCEEDING if invite else State.TRYING)
        self.key = server_key(request)
        self._set_timers(now_ns)

    def receive(self, request: Request, now_ns: int) -> list[Output]:
        """A retransmission, or the ACK to a failure response."""
        return self._move(Event.ACK if request.method == "ACK" else Event.REQUEST, request, now_ns)

    def respond(self, response: Response, now_ns: int) -> list[Output]:
        """Send a response. Raises `IllegalMove` after the final one (further 2xx to an INVITE are allowed)."""
        event = _class_of(response.status)
        if (self.state, event) not in self._table:
            raise IllegalMove(f"{event} in {self.state}")
        return self._move(event, response, now_ns)


class Retransmit2xx:
    """Sends a 2xx to an INVITE again until its ACK comes (RFC 3261 13.3.1.4), over any transport. 64 T1 at the longest.

    Made when the 2xx has been sent. `TimedOut` means that no ACK came: the dialog is to be ended with BYE.
    """

    def __init__(self, response: Response, now_ns: int) -> None:
        self.response = response
        self._pause_ns = T1
        self._next_ns: int | None = now_ns + T1
        self._end_ns = now_ns + 64 * T1

    def next_deadline(self) -> int | None:
        """When `timer` is to be called; None: it is over."""
        return None if self._next_ns is None else min(self._next_ns, self._end_ns)

    def acked(self) -> None:
        """The ACK came."""
        self._next_ns = None

    def timer(self, now_ns: int) -> list[Output]:
        """Fires what is due."""
        if self._next_ns is None or now_ns < min(self._next_ns, self._end_ns):
            return []
        if now_ns >= self._end_ns:
            self._next_ns = None
            return [TimedOut(), Done()]
        self._pause_ns = min(2 * self._pause_ns, T2)
        self._next_ns = now_ns + self._pause_ns
        return [Send(self.response)]


def client_key(message: Message) -> tuple[str, str]:
    """What a response and its request share (RFC 3261 17.1.3): topmost branch and CSeq's method."""
    return message.via[0].branch, message.cseq.method


def server_key(request: Request, method: str = "") -> tuple[str, ...]:
    """What copies of a request share (17.2.3); an ACK has its INVITE's. `method` INVITE finds what a CANCEL means.

    Without the magic cookie the fields of RFC 2543 serve.
    """
    top = request.via[0]
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    if top.branch.lower().startswith("z9hg4bk") and len(top.branch) > 7:
        return top.branch, top.host, str(top.port or ""), method
    sent_by = f"{top.transport} {top.host}:{top.port or ''};{top.branch}"
    return sent_by, request.uri.raw, request.call_id, request.from_.tag or "", str(request.cseq.number), method
