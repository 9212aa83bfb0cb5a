"""The transaction layer around the pure machines: matches what arrives, sends what they order, keeps their deadlines.

A request that has no transaction goes to `Above.request`, which looks at limits and identity first and makes a transaction
(`serve`) only for what it means to answer properly; a refusal before that is stateless (`reply`), so that strangers cost
no memory (RFC 3261 8.2.7). Responses that match nothing are dropped, except a 2xx to an INVITE, which a dialog may
still have to acknowledge.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from callserver.sip.flow import Flow
from callserver.sip.protocol import transaction as tx
from callserver.sip.protocol.message import Keepalive, Request, Response, SipError, Stream, is_keepalive, parse_message, stamp_via
from callserver.sip.routes import is_address
from callserver.sip.timers import Timers
from callserver.sip.trace import Trace
from callserver.sip.transport import Incoming, Transport

log = structlog.get_logger(__name__)

Outcome = Response | tx.TimedOut | tx.Failed
OnOutcome = Callable[[Outcome], None]


class Above(Protocol):
    """Who is asked about what belongs to no transaction."""

    def request(self, request: Request, flow: Flow) -> None:
        """A new request (Via stamped), neither ACK nor CANCEL."""

    def acknowledged(self, request: Request, flow: Flow) -> None:
        """An ACK to a 2xx, or to nothing."""

    def cancelled(self, cancel: Request, flow: Flow, invite: "Served | None") -> None:
        """A CANCEL and the INVITE's transaction that it means."""

    def late_success(self, response: Response, flow: Flow) -> None:
        """A 2xx to an INVITE whose transaction is gone."""

    def malformed(self, error: SipError, flow: Flow) -> None:
        """What could not be read; `error.request` can be answered when it is there."""

    def disconnected(self, flow: Flow) -> None:
        """A connection is closed."""


@dataclass(eq=False, slots=True)
class Served:
    """A server transaction with the way back to its peer."""

    machine: tx.ServerTransaction
    flow: Flow
    on_unacknowledged: Callable[[], None] | None = None

    @property
    def request(self) -> Request:
        """The request as received, Via stamped."""
        return self.machine.request

    @property
    def answered(self) -> bool:
        """Whether a final response went out."""
        return self.machine.state not in (tx.State.TRYING, tx.State.PROCEEDING)


@dataclass(eq=False, slots=True)
class Asked:
    """A client transaction and who waits for its outcome."""

    machine: tx.ClientTransaction
    flow: Flow
    tell: OnOutcome


class Wire:
    """See the module. All methods are of the event loop's thread and return at once."""

    def __init__(self, above: Above, trace: Trace, clock: Callable[[], int], timers: Timers) -> None:
        self._above, self._trace, self._clock, self._timers = above, trace, clock, timers
        self._served: dict[tuple[str, ...], Served] = {}
        self._asked: dict[tuple[str, str], Asked] = {}
        self._merges: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self._streams: dict[int, Stream] = {}
        self._transport: Transport | None = None
        self.incoming = Incoming(self._datagram, self._piece, self._closed)

    def attach(self, transport: Transport) -> None:
        """Where messages go out."""
        self._transport = transport

    # ---- out ----------------------------------------------------------------------------------------------------

    def send(self, message: Request | Response, flow: Flow) -> bool:
        """One message, no transaction: an ACK to a 2xx, a 2xx again."""
        assert self._transport is not None, "the wire is attached before anything is sent"
        flow = self._way(message, flow) if isinstance(message, Request) else flow
        data = message.to_bytes()
        self._trace.note(message.call_id, True, str(flow), data, self._clock())
        return self._transport.send(data, flow)

    def _way(self, request: Request, flow: Flow) -> Flow:
        """By a stream: the connection that the peer was heard on; when it is closed, its own address (RFC 3261 18.1.1).

        By TLS only where the address has a name that can be proven: the one that we connected to before.
        """
        if flow.kind != "tcp" or self._transport is None or self._transport.reaches(flow):
            return flow
        hop = request.routes[0].uri if request.routes else request.uri
        return Flow("tcp", hop.host, hop.port or 5060) if hop.is_sip and is_address(hop.host) else flow

    def reaches(self, flow: Flow) -> bool:
        """Whether something sent there now finds its way: always by UDP, else on a connection that is there."""
        return not flow.stream or (self._transport is not None and self._transport.reaches(flow))

    def trouble(self, flow: Flow) -> str:
        """Why the last connection that we made there failed, or ""."""
        return self._transport.trouble(flow) if self._transport is not None else ""

    def names(self, flow: Flow) -> frozenset[str]:
        """Whom a verified certificate of the other side names; see `tls.Sealed.names`."""
        return self._transport.names(flow) if self._transport is not None and flow.kind == "tls" else frozenset()

    def close(self, flow: Flow, why: str) -> None:
        """End a connection that carries nothing any more; the next request makes another."""
        if flow.stream and self._transport is not None:
            self._transport.close(flow, why)

    def reply(self, response: Response, flow: Flow) -> None:
        """A stateless response to what came over `flow`."""
        self.send(response, _back(response, flow))

    def serve(self, request: Request, flow: Flow) -> Served:
        """Make the request's transaction."""
        machine = tx.ServerTransaction(request, self._clock(), flow.stream)
        served = self._served[machine.key] = Served(machine, flow)
        if request.to.tag is None:
            self._merges[_merge_key(request)] = machine.key
        return served

    def respond(self, served: Served, response: Response) -> None:
        """Answer within the transaction. One that has its final answer keeps it."""
        if served.answered and not (response.status < 300 and served.machine.state is tx.State.ACCEPTED):
            log.info("response_too_late", status=response.status, call_id=response.call_id)
            return
        self._do_served(served, served.machine.respond(response, self._clock()))

    def ask(self, request: Request, flow: Flow, tell: OnOutcome, silent: bool = False) -> Asked:
        """Send a request; `tell` hears each response and the failure. `silent`: it went out before a restart."""
        machine = tx.ClientTransaction(request, self._clock(), flow.stream, silent=silent)
        asked = self._asked[machine.key] = Asked(machine, self._way(request, flow), tell)
        self._do_asked(asked, machine.start())
        return asked

    def resume(self, request: Request, flow: Flow, last: Response | None) -> Served:
        """A server transaction of before a restart, with what it was answered; nothing is sent."""
        served = self.serve(request, flow)
        if last is not None:
            served.machine.respond(last, self._clock())
        self._arm_served(served)
        return served

    def is_merged(self, request: Request) -> bool:
        """Whether the same request came by another way too (RFC 3261 8.2.2.2)."""
        return request.to.tag is None and _merge_key(request) in self._merges

    # ---- in -----------------------------------------------------------------------------------------------------

    def _datagram(self, data: bytes, flow: Flow) -> None:
        if is_keepalive(data):
            return  # a NAT keepalive by UDP wants no answer (RFC 5626 3.5.1 asks it of streams)
        try:
            message = parse_message(data)
        except SipError as error:
            self._above.malformed(error, flow)
            return
        self._message(message, data, flow)

    def _piece(self, data: bytes, flow: Flow) -> bool:
        assert self._transport is not None, "the wire is attached before anything arrives"
        stream = self._streams.setdefault(flow.connection, Stream())
        try:
            items = stream.feed(data)
            for item in items:
                self._item(item, flow)
            if stream.fault is not None:
                raise stream.fault
        except SipError as error:
            self._above.malformed(error, flow)
            self._transport.close(flow, f"framing: {error.reason}")
            return False
        return stream.pending > 0

    def _item(self, item: Request | Response | Keepalive | SipError, flow: Flow) -> None:
        assert self._transport is not None, "the wire is attached before anything arrives"
        if isinstance(item, Keepalive):
            self._transport.send(b"\r\n", flow)
        elif isinstance(item, SipError):
            self._above.malformed(item, flow)
        else:
            self._message(item, item.to_bytes(), flow)

    def _message(self, message: Request | Response, data: bytes, flow: Flow) -> None:
        self._trace.note(message.call_id, False, str(flow), data, self._clock())
        if isinstance(message, Response):
            self._response(message, flow)
            return
        request = stamp_via(message, flow.host, flow.port)
        served = self._served.get(tx.server_key(request))
        if served is not None:
            self._do_served(served, served.machine.receive(request, self._clock()))
        elif request.method == "ACK":
            self._above.acknowledged(request, flow)
        elif request.method == "CANCEL":
            self._above.cancelled(request, flow, self._served.get(tx.server_key(request, "INVITE")))
        else:
            self._above.request(request, flow)

    def _response(self, response: Response, flow: Flow) -> None:
        asked = self._asked.get(tx.client_key(response))
        if asked is not None and len(response.via) == 1:
            self._do_asked(asked, asked.machine.receive(response, self._clock()))
        elif response.cseq.method == "INVITE" and 200 <= response.status < 300:
            self._above.late_success(response, flow)
        else:
            log.debug("stray_response", source=str(flow), status=response.status)

    def _closed(self, flow: Flow) -> None:
        self._streams.pop(flow.connection, None)
        waiting = (tx.State.CALLING, tx.State.TRYING)
        for asked in list(self._asked.values()):
            if asked.flow.far == flow.far and asked.machine.state in waiting:
                self._do_asked(asked, asked.machine.transport_failed(self._clock()))
        self._above.disconnected(flow)

    # ---- the machines' orders -----------------------------------------------------------------------------------

    def _do_served(self, served: Served, outputs: list[tx.Output]) -> None:
        for output in outputs:
            match output:
                case tx.Send(message):
                    assert isinstance(message, Response)
                    if not self.send(message, _back(message, served.flow)):
                        self._do_served(served, served.machine.transport_failed(self._clock()))
                case tx.Deliver(message) if isinstance(message, Request):
                    self._above.acknowledged(message, served.flow)
                case tx.Done():
                    self._forget(served)
                case _:
                    log.debug("server_transaction", outcome=type(output).__name__, call_id=served.request.call_id)
        self._arm_served(served)

    def _arm_served(self, served: Served) -> None:
        due = served.machine.next_deadline() if served.machine.key in self._served else None
        self._timers.set(("server", served.machine.key), due, lambda now: self._do_served(served, served.machine.timer(now)))

    def _forget(self, served: Served) -> None:
        self._served.pop(served.machine.key, None)
        merge = _merge_key(served.request)
        if self._merges.get(merge) == served.machine.key:
            del self._merges[merge]

    def _do_asked(self, asked: Asked, outputs: list[tx.Output]) -> None:
        for output in outputs:
            match output:
                case tx.Send(message):
                    if not self.send(message, asked.flow):
                        self._do_asked(asked, asked.machine.transport_failed(self._clock()))
                case tx.Deliver(message) if isinstance(message, Response):
                    asked.tell(message)
                case tx.TimedOut() | tx.Failed():
                    asked.tell(output)
                case tx.Done():
                    self._asked.pop(asked.machine.key, None)
        due = asked.machine.next_deadline() if asked.machine.key in self._asked else None
        self._timers.set(("client", asked.machine.key), due, lambda now: self._do_asked(asked, asked.machine.timer(now)))


def _merge_key(request: Request) -> tuple[str, str, str]:
    return request.call_id, request.from_.tag or "", str(request.cseq)


def _back(response: Response, flow: Flow) -> Flow:
    """Where a response goes: to the source (RFC 3261 18.2.2, RFC 3581), over a stream on the connection it came by."""
    if flow.stream:
        return flow
    host, port = response.via[0].answer_address
    return Flow("udp", host, port)
