"""After any number of calls the edge holds what it held after the first few: a service runs for years."""

from callserver.sip.interface import Target
from tests.eventually import eventually
from tests.holding import grown, held
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import Call, Got, Peer, sdp
from tests.sip.test_edge_calls import SHOWN

ROUNDS = 3
LONG_S = 320  # dialogs linger for 32 s, transactions too, nonces live for 300 s
APART = ("trace",)  # the last messages of the last legs, so many and no more; `test_trace` holds that


class _Round:
    """Everything that can become of a call, at one point and one seat."""

    def __init__(self, bench: Bench, point: Peer, seat: Peer) -> None:
        self.bench, self.point, self.seat, self.presses, self.legs = bench, point, seat, 0, 0
        self.rung: set[str] = set()  # Call-IDs; an INVITE may come again

    def _leg(self) -> str:
        self.legs += 1
        return f"c.{self.legs}"

    async def _pressed(self, body: str | None = None) -> tuple[Call, str]:
        call, leg = await self.point.invite(body=body), self._leg()
        assert self.bench.edge.adopt(await self.bench.dialog("pressed", self.presses), leg)
        self.presses += 1
        self.bench.edge.progress(leg, local())
        await self.point.response(180, "INVITE")
        return call, leg

    async def _ended(self, leg: str) -> None:
        await eventually(lambda: leg in [entry[1] for entry in self.bench.ears.of("ended")], 3)

    async def _talking(self, body: str | None = None) -> tuple[Call, str]:
        call, leg = await self._pressed(body)
        self.bench.edge.answer(leg, local())
        ok = await self.point.until(lambda got: got.status == 200 and got.one("Call-ID") == call.call_id, what="200")
        self.point.learn(call, ok)
        self.point.in_dialog(call, "ACK", sdp() if body == "" else "")
        await eventually(lambda: self.bench.edge._gear.legs.get(leg).phase.value == "up", 3)  # type: ignore[union-attr]
        return call, leg

    async def hung_up_by_the_point(self) -> None:
        for body in (None, ""):
            call, leg = await self._talking(body)
            self.point.in_dialog(call, "BYE")
            assert (await self.point.final("BYE")).status == 200
            await self._ended(leg)

    async def hung_up_by_us(self) -> None:
        _, leg = await self._talking()
        self.bench.edge.end(leg, 480, "over")
        self.point.reply(await self.point.request("BYE"), 200, "OK")
        await self._ended(leg)

    async def given_up_by_the_point(self) -> None:
        call, leg = await self._pressed()
        self.point.in_dialog(call, "CANCEL")
        assert (await self.point.final("CANCEL")).status == 200
        await self.point.response(487, "INVITE")
        self.point.in_dialog(call, "ACK")
        await self._ended(leg)

    async def refused_by_us(self) -> None:
        call, leg = await self._pressed()
        self.bench.edge.end(leg, 503, "no media port")
        await self.point.response(503, "INVITE")
        self.point.in_dialog(call, "ACK")
        await self._ended(leg)

    async def never_adopted(self) -> None:
        await self.point.invite()
        await self.bench.dialog("pressed", self.presses)
        self.presses += 1

    async def lost(self) -> None:
        _, leg = await self._talking()
        self.point.answer_probes = False
        self.bench.edge.doubt(leg)
        self.point.reply(await self.point.request("OPTIONS"), 481, "Gone")
        self.point.answer_probes = True
        self.point.reply(await self.point.request("BYE"), 481, "Gone")
        await self._ended(leg)

    async def asked_for_its_media_and_hung_up(self) -> None:
        """Our re-INVITE gets 491, is let be, and the next one is open as the point hangs up."""
        call, leg = await self._talking()
        self.bench.edge.renew_media(leg)
        self.point.reply(await self.point.request("INVITE"), 491, "Request Pending")
        await self.point.request("ACK")
        self.bench.edge.renew_media(leg)
        invite = await self.point.request("INVITE")
        self.point.in_dialog(call, "BYE")
        assert (await self.point.final("BYE")).status == 200
        self.point.reply(invite, 481, "Gone")
        await self._ended(leg)

    def _dial(self) -> str:
        leg = self._leg()
        target = Target(uri=f"sip:{self.seat.user}@127.0.0.1:{self.seat.port}")
        self.bench.edge.dial(leg, target, SHOWN, local(31000), ("PCMA", "PCMU"))
        return leg

    async def _invited(self) -> Got:
        invite = await self.seat.until(lambda got: got.method == "INVITE" and got.one("Call-ID") not in self.rung, what="INVITE")
        self.rung.add(invite.one("Call-ID"))
        return invite

    async def answered_at_the_seat(self) -> None:
        leg = self._dial()
        invite = await self._invited()
        self.seat.reply(invite, 200, "OK", leg, sdp(41000))
        await self.seat.request("ACK")
        call = self.seat.callee(invite, leg)
        self.seat.in_dialog(call, "BYE")
        assert (await self.seat.final("BYE")).status == 200
        await self._ended(leg)

    async def refused_at_the_seat(self) -> None:
        leg = self._dial()
        self.seat.reply(await self._invited(), 486, "Busy Here", leg)
        await self.seat.request("ACK")
        await self._ended(leg)

    async def rung_in_vain(self) -> None:
        """Its 200 crosses our CANCEL."""
        leg = self._dial()
        invite = await self._invited()
        self.seat.reply(invite, 180, "Ringing", leg)
        await self.bench.heard("rang", leg)
        self.bench.edge.end(leg, 487, "answered elsewhere")
        self.seat.reply(await self.seat.request("CANCEL"), 200, "OK", leg)
        self.seat.reply(invite, 200, "OK", leg, sdp(41000))
        await self.seat.request("ACK")
        self.seat.reply(await self.seat.request("BYE"), 200, "OK")
        await self._ended(leg)

    async def unanswered_at_the_seat(self) -> None:
        leg = self._dial()
        await self._invited()
        self.bench.skip(33)
        await self._ended(leg)

    async def all(self) -> None:
        for what in (
            *(self.hung_up_by_the_point, self.hung_up_by_us, self.given_up_by_the_point, self.refused_by_us, self.never_adopted),
            *(
                self.lost,
                self.asked_for_its_media_and_hung_up,
                self.answered_at_the_seat,
                self.refused_at_the_seat,
                self.rung_in_vain,
                self.unanswered_at_the_seat,
            ),
        ):
            await what()
        for _ in (1, 2):
            await self.bench.edge._gear.outbox.settled()
            self.bench.skip(LONG_S)


async def test_after_calls_of_every_kind_the_edge_holds_no_more_than_before() -> None:
    """Legs, dialogs, transactions, timers, retransmissions, nonces, whatever there is: by every container of every part."""
    async with Bench() as bench:
        calls = _Round(bench, await bench.peer("hp1"), await bench.peer("op1"))
        await calls.all()
        before = held(bench.edge, apart=APART)
        assert any("nonce" in path or "counts" in path for path in before), "the walk reaches the parts"
        for _ in range(ROUNDS):
            await calls.all()
        assert grown(before, held(bench.edge, apart=APART)) == {}
        assert bench.shelf.legs == {}
