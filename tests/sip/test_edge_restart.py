"""The edge is killed and another goes on with what was stored, on the same sockets."""

import pytest

from callserver.sip.interface import LegRecord, Target
from tests.eventually import eventually
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import sdp
from tests.sip.test_edge_calls import SHOWN, answered, bench_up, pressed, rung, taken


async def quiet(bench: Bench, leg: str) -> None:
    """Everything that was put for the leg is stored and done."""
    await eventually(lambda: not bench.edge._gear.outbox.busy(leg), 3.0)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_bye_sent_while_nobody_was_there_is_served(tcp: bool) -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1", tcp)
        call, _ = await answered(bench, point)
        await bench_up(bench, "c.1")
        await quiet(bench, "c.1")
        bench.die()
        point.in_dialog(call, "BYE")
        await bench.reborn()
        assert (await point.final("BYE")).status == 200
        await bench.heard("ended", "c.1", 0, True, True)
        assert bench.ears.of("ended") == [("ended", "c.1", 0, True, True)]


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_ringing_point_is_answered_by_the_successor_with_the_same_media(tcp: bool) -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1", tcp)
        call = await pressed(bench, point)
        await quiet(bench, "c.1")
        bench.die()
        await bench.reborn()
        assert bench.edge.live_legs() == {"c.1"}
        bench.edge.answer("c.1")
        ok = await point.final("INVITE")
        early = next(got for got in point.inbox if got.status == 183)
        assert (ok.body, ok.to_tag) == (early.body, early.to_tag)
        point.learn(call, ok)
        point.in_dialog(call, "ACK")
        await bench_up(bench, "c.1")
        bench.edge.end("c.1", 480, "over")
        point.reply(await point.request("BYE"), 200, "OK")
        await bench.heard("ended", "c.1", 0, False, True)


async def test_a_cancel_after_the_restart_finds_its_invite() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await pressed(bench, point)
        await quiet(bench, "c.1")
        bench.die()
        point.in_dialog(call, "CANCEL")
        await bench.reborn()
        assert (await point.final("CANCEL")).status == 200
        assert (await point.final("INVITE")).status == 487
        await bench.heard("ended", "c.1", 487, True, False)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_press_sent_while_nobody_was_there_is_served(tcp: bool) -> None:
    async with Bench() as bench:
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        point = await bench.peer("hp1", tcp)
        if tcp:
            await eventually(lambda: bench.kept.sockets, 3.0)
        bench.die()
        await point.invite(authorize=False)
        await bench.reborn()
        assert bench.edge.adopt(await bench.dialog(), "c.1")
        await point.response(180)


async def test_a_press_that_had_its_100_and_was_never_adopted_is_told_again() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await point.invite()
        dialog = await bench.dialog()
        await point.response(100)
        bench.die()
        bench.ears.heard.clear()
        await bench.reborn()
        bench.skip(0.6)
        await bench.heard("pressed", dialog, "hp1", True)
        assert bench.edge.adopt(dialog, "c.1")
        await point.response(180)
        await quiet(bench, "c.1")
        assert set(bench.shelf.legs) == {"c.1"}


async def test_a_seats_200_after_the_restart_is_taken_and_its_invite_not_sent_again() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        invite = await rung(bench, operator)
        await quiet(bench, "c.2")
        bench.die()
        await bench.reborn()
        bench.skip(3)
        operator.reply(invite, 200, "OK", "t1", sdp(41000))
        await operator.request("ACK")
        await bench.heard("answered", "c.2")
        assert sum(got.method == "INVITE" for got in operator.inbox) == 1
        operator.in_dialog(operator.callee(invite, "t1"), "BYE")
        assert (await operator.final("BYE")).status == 200


async def test_an_invite_that_nobody_had_answered_goes_out_again_with_its_branch() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        first = await operator.request("INVITE")
        bench.die()
        await bench.reborn()
        assert (await operator.request("INVITE")).text == first.text


async def test_a_conversation_is_hung_up_by_the_successor_with_the_next_number() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", tcp=True, register=True)
        await taken(bench, operator)
        await quiet(bench, "c.2")
        bench.die()
        await bench.reborn()
        assert bench.edge.bindings_of("op1")
        bench.edge.end("c.2", 480, "over")
        bye = await operator.request("BYE")
        assert bye.one("CSeq") == "2 BYE"
        operator.reply(bye, 200, "OK")
        await bench.heard("ended", "c.2", 0, False, True)


async def test_a_200_whose_ack_was_missed_is_repeated_by_the_successor() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await pressed(bench, point)
        bench.edge.answer("c.1")
        ok = await point.response(200, "INVITE")
        bench.die()
        await bench.reborn()
        again = await point.response(200, "INVITE")
        assert again.text == ok.text
        point.learn(call, again)
        point.in_dialog(call, "ACK")
        await bench_up(bench, "c.1")


async def test_a_bye_sent_again_to_a_dialog_that_ended_before_the_restart_gets_its_200() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call, _ = await answered(bench, point)
        text = point.in_dialog(call, "BYE")
        await point.final("BYE")
        await quiet(bench, "c.1")
        bench.die()
        await bench.reborn()
        point.send(text)
        assert (await point.final("BYE")).status == 200
        assert len(bench.ears.of("ended")) == 1
        bench.skip(33)
        assert bench.shelf.legs == {}, "forgotten after its 32 s"


async def test_unreadable_records_cost_nobody_else_anything() -> None:
    async with Bench() as bench:
        await bench.peer("op1", register=True)
        bench.die()
        bench.shelf.legs["c.9"] = LegRecord("c.9", True, None, None, b"\xc1nonsense")
        bench.shelf.bindings["op2"] = b"nonsense"
        await bench.reborn()
        assert bench.edge.bindings_of("op1") and not bench.edge.bindings_of("op2")
