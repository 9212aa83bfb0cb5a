"""Browser seats as the switchboard leads them: pages by the feed, sound by seat workers, legs for the core.

It decides nothing about calls: it rings what it is told to ring and tells what became of it. What it does judge, by
`seat_fitness`, is whether a seat is one. An operator has one seat; a newer page takes it over, conversation included. A worker
that dies is replaced and the page is asked to connect anew; its legs stay as they are, for only their far address changes.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import structlog

from callserver.core.events import Event, LegAnswered, LegEnded, LegRang, SeatBound, SeatUnbound
from callserver.core.ids import LegId, OperatorId, call_of_leg
from callserver.core.termination import By, Class, Termination
from callserver.media import protocol
from callserver.runtime import supervision
from callserver.runtime.clock import boottime_ns
from callserver.runtime.seat import RINGING, UP, LegNote, Seat, SeatLeg, remote_of
from callserver.runtime.seat_fitness import Signs, given_up, unfit
from callserver.runtime.sound import Sound
from callserver.runtime.supervisor_link import SupervisorLink
from callserver.runtime.worker_link import WorkerLink

SHOWN_WITHIN_NS = 2_000_000_000
AGAIN_WITHIN_NS = 60_000_000_000  # a call lost at a seat is offered there as one that it had
ASK_AGAIN_NS = 1_000_000_000
JUST_OFFERED_NS = 1_500_000_000  # a page that has just made a new connection need not be asked for one
log = structlog.get_logger()

Message = dict[str, Any]


class Seats:
    """See the module. `tell(seat, message)` reaches the page; `softphone(operator)` says whether one is registered."""

    def __init__(
        self,
        supervisor: SupervisorLink,
        sound: Sound,
        post: Callable[[Event], None],
        tell: Callable[[str, Message], None],
        softphone: Callable[[str], str],
    ) -> None:
        self.supervisor, self.sound, self.post, self.tell, self.softphone = supervisor, sound, post, tell, softphone
        self.seats: dict[str, Seat] = {}  # by operator
        self.workers: dict[str, WorkerLink] = {}
        self.spares: dict[str, WorkerLink] = {}
        self._asked_ns = 0

    # ---- the core's orders ------------------------------------------------------------------------------------

    def serves(self, operator: str) -> bool:
        """Whether the operator's seat is a browser, and fit."""
        seat = self.seats.get(operator)
        return seat is not None and seat.fit

    def live_legs(self) -> set[LegId]:
        """Legs that ring or are talked at a seat."""
        return {LegId(leg) for seat in self.seats.values() for leg in seat.legs}

    def ring(self, operator: str, leg: LegId, ring: Message, role: str = "operator") -> None:
        """Ring at the operator's page; `ring` says what is shown. Raises OSError when there is no media port."""
        seat = self.seats[operator]
        call = call_of_leg(leg)
        local = self.sound.open_leg(leg, role, "sdp", inside=True)
        now_ns = boottime_ns()
        again = seat.lost_call == call and now_ns - seat.lost_ns < AGAIN_WITHIN_NS
        message = {"type": "ring", "leg": leg, "call": call, "again": again, **ring}
        seat.legs[leg] = SeatLeg(leg, call, RINGING, local, message, now_ns)
        self.tell(seat.id, message)

    def end(self, leg: LegId, reason: str) -> None:
        """The leg is over, by the core's order: `LegEnded` follows."""
        seat = self._seat_of(leg)
        if seat is not None:
            up = seat.legs[leg].state == UP
            self._drop(seat, leg, reason)
            self.post(LegEnded(leg, Termination(Class.NORMAL if up else Class.CANCELLED, By.US, reason)))

    def placed(self, leg: str) -> None:
        """The call's worker carries the leg: both sides hear each other."""
        seat = self._seat_of(leg)
        if seat is not None and seat.legs[leg].state == UP:
            self.tell(seat.id, {"type": "talking", "leg": leg, "call": seat.legs[leg].call})

    def _seat_of(self, leg: str) -> Seat | None:
        return next((seat for seat in self.seats.values() if leg in seat.legs), None)

    def muted(self, leg: str) -> bool:
        """Whether the operator of a leg muted the microphone at the page."""
        seat = self._seat_of(leg)
        return seat is not None and seat.muted

    def _drop(self, seat: Seat, leg: str, reason: str) -> None:
        gone = seat.legs.pop(leg)
        self.sound.remove(leg)
        if seat.link is not None and gone.state == UP:
            seat.link.send(protocol.SeatDisconnect(leg))
        self.tell(seat.id, {"type": "stop", "leg": leg, "call": gone.call, "reason": reason})

    def _lose(self, seat: Seat, leg: str, kind: Class, why: str) -> None:
        """A leg ended by itself."""
        self._drop(seat, leg, why)
        self.post(LegEnded(LegId(leg), Termination(kind, By.PARTY, why)))

    # ---- pages ------------------------------------------------------------------------------------------------

    def opened(self, id: str, operator: str) -> None:
        """A page is the operator's seat from now on."""
        now_ns = boottime_ns()
        seat = self.seats.get(operator)
        if seat is None:
            seat = self.seats[operator] = Seat(id, operator)
        elif seat.id != id:
            self.tell(seat.id, {"type": "displaced", "why": "another page has become your seat"})
            seat.id = id
        seat.signs.page, seat.signs.page_ns = True, now_ns
        seat.signs.troubles.clear()
        self._give_worker(seat)
        self.tell(id, {"type": "opened", "seat": id})
        self.tell(id, {"type": "fit", "fit": seat.fit, "why": seat.why})
        for leg in seat.legs.values():
            self.tell(id, leg.ring if leg.state == RINGING else {"type": "talking", "leg": leg.leg, "call": leg.call})
        self._judge(seat)

    def closed(self, id: str) -> None:
        """The page's connection is gone."""
        seat = self._by_id(id)
        if seat is not None and seat.signs.page:
            seat.signs.page, seat.signs.page_ns = False, boottime_ns()
            self._judge(seat)

    def pages_lost(self) -> None:
        """The web process is gone: every page's connection with it."""
        for seat in self.seats.values():
            self.closed(seat.id)

    def said(self, id: str, message: Message) -> None:
        """A page's message; see docs/console-protocol.md. What cannot be followed is refused in words."""
        seat = self._by_id(id)
        if seat is None:
            self.tell(id, {"type": "displaced", "why": "this page is no seat any more"})
            return
        act = self._verbs.get(str(message.get("type", "")))
        if act is None:
            self.tell(id, {"type": "refused", "what": str(message.get("type", ""))[:40], "why": "unknown message"})
            return
        try:
            act(self, seat, message)
        except (KeyError, TypeError, ValueError) as error:
            self.tell(id, {"type": "refused", "what": message["type"], "why": f"it does not fit: {error}"})

    def _by_id(self, id: str) -> Seat | None:
        return next((seat for seat in self.seats.values() if seat.id == id), None)

    def _sdp_offer(self, seat: Seat, message: Message) -> None:
        number, sdp = int(message["number"]), str(message["sdp"])
        self._unheard(seat, "its sound is being connected")
        seat.offer, seat.offered_ns = (number, sdp), boottime_ns()
        if seat.link is not None:
            self._offer(seat, seat.link)

    def _offer(self, seat: Seat, link: WorkerLink) -> None:
        if seat.offer is not None:
            (number, sdp), seat.offer = seat.offer, None
            link.send(protocol.SeatOffer(number, sdp))

    def _beat(self, seat: Seat, message: Message) -> None:
        seat.signs.beat_ns = boottime_ns()
        seat.muted = bool(message.get("muted"))
        if not seat.fit:
            self._judge(seat)

    def _ringing(self, seat: Seat, message: Message) -> None:
        leg = seat.legs.get(str(message["leg"]))
        if leg is not None and leg.state == RINGING and not leg.shown:
            leg.shown = True
            self.post(LegRang(LegId(leg.leg)))

    def _accept(self, seat: Seat, message: Message) -> None:
        leg = seat.legs.get(str(message["leg"]))
        if leg is None or leg.state != RINGING:
            self.tell(seat.id, {"type": "refused", "what": "accept", "why": "this call does not ring here any more"})
        elif seat.link is None or not seat.signs.heard:
            self.tell(seat.id, {"type": "refused", "what": "accept", "why": "your sound is not connected"})
        else:
            leg.state = UP
            self._connect(seat.link, leg)
            self.post(LegAnswered(LegId(leg.leg)))

    def _connect(self, link: WorkerLink, leg: SeatLeg) -> None:
        self.sound.agreed(leg.leg, remote_of(link))
        link.send(protocol.SeatConnect(leg.leg, leg.local.rtp_port, leg.note()))

    def _trouble(self, seat: Seat, message: Message) -> None:
        what, text = str(message["what"])[:40], str(message["text"])[:200]
        if text:
            seat.signs.troubles[what] = text
        else:
            seat.signs.troubles.pop(what, None)
        self._judge(seat)

    def _leave(self, seat: Seat, message: Message) -> None:
        self._close(seat, "the operator has left the seat")

    def _close(self, seat: Seat, why: str) -> None:
        for leg in list(seat.legs):
            self._lose(seat, leg, Class.LOST if seat.legs[leg].state == UP else Class.REFUSED, why)
        del self.seats[seat.operator]
        if seat.link is not None:
            seat.link.send(protocol.Close())
        self._unbound(seat, why)

    _verbs = {
        "sdp_offer": _sdp_offer,
        "beat": _beat,
        "ringing": _ringing,
        "accept": _accept,
        "trouble": _trouble,
        "leave": _leave,
    }

    # ---- fitness ----------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Every 50 ms: hanging workers, seats that have become unfit, pages that do not ring, conversations to be given up."""
        now_ns = boottime_ns()
        for link in list(self.workers.values()):
            link.check()
        for seat in list(self.seats.values()):
            self._judge(seat)
            for leg in list(seat.legs.values()):
                self._watch_leg(seat, leg, now_ns)
            if seat.link is None and now_ns - self._asked_ns >= ASK_AGAIN_NS:
                self._give_worker(seat)
            if not seat.signs.page and not seat.signs.heard and not seat.legs and now_ns - seat.signs.page_ns > AGAIN_WITHIN_NS:
                self._close(seat, "nobody came back to the seat")

    def _watch_leg(self, seat: Seat, leg: SeatLeg, now_ns: int) -> None:
        if leg.state == RINGING and not leg.shown and now_ns - leg.since_ns > SHOWN_WITHIN_NS:
            self._lose(seat, leg.leg, Class.UNREACHABLE, "the page did not ring")
        elif leg.state == UP and given_up(seat.signs, now_ns):
            seat.lost_call, seat.lost_ns = leg.call, now_ns
            self._lose(seat, leg.leg, Class.LOST, f"the seat was lost: {seat.why}")

    def _judge(self, seat: Seat) -> None:
        now_ns = boottime_ns()
        why = unfit(seat.signs, seat.busy, now_ns)
        fit = not why
        if fit:
            seat.signs.unfit_ns = 0
        elif not seat.signs.unfit_ns:
            seat.signs.unfit_ns = now_ns
        if (fit, why) == (seat.fit, seat.why):
            return
        changed = fit != seat.fit
        seat.fit, seat.why = fit, why
        self.tell(seat.id, {"type": "fit", "fit": fit, "why": why})
        if not changed:
            return
        log.info("seat.fit" if fit else "seat.unfit", operator=seat.operator, why=why)
        if fit:
            self.post(SeatBound(OperatorId(seat.operator), "browser", "browser"))
        else:
            self._unbound(seat, why)

    def _unbound(self, seat: Seat, why: str) -> None:
        """No browser any more: what rang there is given up; a registered softphone takes its place."""
        for leg in [leg for leg in seat.legs.values() if leg.state == RINGING]:
            self._lose(seat, leg.leg, Class.UNREACHABLE, f"the seat was lost: {why}")
        contact = self.softphone(seat.operator)
        operator = OperatorId(seat.operator)
        self.post(SeatBound(operator, contact) if contact else SeatUnbound(operator, why))

    def tell_fit(self) -> None:
        """Another plan is in force: the core hears again which operators have a fit browser."""
        for seat in self.seats.values():
            if seat.fit:
                self.post(SeatBound(OperatorId(seat.operator), "browser", "browser"))

    def _unheard(self, seat: Seat, why: str) -> None:
        seat.signs.heard, seat.signs.unheard_why = False, why
        self._judge(seat)

    # ---- workers ----------------------------------------------------------------------------------------------

    def worker_ready(self, ready: supervision.WorkerReady) -> None:
        """A seat worker listens: connect to it."""
        if ready.worker not in self.workers:
            link = WorkerLink(ready.worker, ready.pid, ready.path, self._told, self._gone, boottime_ns)
            self.workers[ready.worker] = link
            link.connect()

    def _give_worker(self, seat: Seat) -> None:
        if seat.link is not None:
            return
        spare = next(iter(self.spares.values()), None)
        if spare is None:
            self._asked_ns = boottime_ns()
            self.supervisor.need_worker("seat")
            return
        del self.spares[spare.id]
        self.supervisor.take_worker(spare.id)
        seat.link = spare
        spare.send(protocol.SeatOpen(seat.id, seat.operator))
        for leg in seat.talks:
            self._connect(spare, leg)
        self._offer(seat, spare)

    def _told(self, link: WorkerLink, message: protocol.Message) -> None:
        if isinstance(message, protocol.Hello):
            self._greeted(link, message)
            return
        seat = next((one for one in self.seats.values() if one.link is link), None)
        if seat is None:
            return
        match message:
            case protocol.SeatAnswer():
                self.tell(seat.id, {"type": "sdp_answer", "number": message.number, "sdp": message.sdp})
            case protocol.SeatHeard():
                seat.signs.heard = True
                self._judge(seat)
            case protocol.SeatSilent():
                why = message.why or "nothing comes from the browser any more"
                self._unheard(seat, why)
                if boottime_ns() - seat.offered_ns > JUST_OFFERED_NS:
                    self.tell(seat.id, {"type": "renew", "why": why})
            case protocol.Refused():
                log.warning("seat.refused", seat=seat.id, order=message.order, why=message.why)
                self.tell(seat.id, {"type": "refused", "what": "sdp_offer", "why": message.why})
            case _:
                log.debug("seat.told", worker=link.id, message=type(message).__name__)

    def _greeted(self, link: WorkerLink, hello: protocol.Hello) -> None:
        if not hello.seat:
            self.spares[link.id] = link
            for seat in self.seats.values():
                self._give_worker(seat)
            return
        known = self.seats.get(hello.operator)
        if known is not None and known.link not in (None, link):
            link.send(protocol.Close())
            return
        now_ns = boottime_ns()
        signs = Signs(page_ns=now_ns, beat_ns=now_ns, heard=hello.heard)
        seat = known or Seat(hello.seat, hello.operator, signs=signs)
        seat.link, seat.fit = link, hello.heard
        self.seats[hello.operator] = seat
        for note in hello.notes:
            kept = msgspec.json.decode(note, type=LegNote)
            seat.legs[kept.leg] = SeatLeg(kept.leg, kept.call, UP, kept.local, since_ns=now_ns, shown=True)

    def _gone(self, link: WorkerLink, why: str) -> None:
        self.workers.pop(link.id, None)
        self.spares.pop(link.id, None)
        seat = next((one for one in self.seats.values() if one.link is link), None)
        if seat is not None:
            log.warning("seat.worker_gone", operator=seat.operator, why=why)
            seat.link = None
            self._unheard(seat, f"its sound process was lost: {why}")
            self._give_worker(seat)
            self.tell(seat.id, {"type": "renew", "why": "the sound process of your seat was lost and is replaced"})

    # ---- after a restart --------------------------------------------------------------------------------------

    def restored(self) -> Iterable[tuple[SeatLeg, WorkerLink]]:
        """The legs that outlived the last switchboard, with the workers that carry them."""
        return [(leg, seat.link) for seat in self.seats.values() if seat.link is not None for leg in seat.talks]

    def forget(self, leg: str) -> None:
        """A restored leg whose sockets are gone."""
        seat = self._seat_of(leg)
        if seat is not None:
            self._drop(seat, leg, "its sockets were lost")

    def tell_lost(self, operators: Iterable[OperatorId]) -> None:
        """Of these, which the core takes for reachable browsers, some may have gone meanwhile."""
        for operator in operators:
            if not self.serves(operator):
                self.post(SeatUnbound(operator, "the browser was gone after a restart"))
