"""Calls through the edge with real sockets: presses, answers, hanging up, and what crosses."""

import pytest

from callserver.sip.interface import Shown, Target
from tests.eventually import eventually
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import Call, Got, Peer, sdp

SHOWN = Shown("hp1", "Platform 1")


async def pressed(bench: Bench, peer: Peer, leg: str = "c.1", **how: object) -> Call:
    """A press that was adopted and plays early media."""
    call = await peer.invite(**how)  # type: ignore[arg-type]
    assert bench.edge.adopt(await bench.dialog(), leg)
    await peer.response(180)
    remote = bench.edge.progress(leg, local())
    assert remote is not None and remote.rtp_port == 40000
    await peer.response(183)
    return call


async def answered(bench: Bench, peer: Peer, leg: str = "c.1") -> tuple[Call, Got]:
    call = await pressed(bench, peer, leg)
    bench.edge.answer(leg)
    ok = await peer.final("INVITE")
    assert ok.status == 200
    peer.learn(call, ok)
    peer.in_dialog(call, "ACK")
    return call, ok


async def rung(bench: Bench, operator: Peer, leg: str = "c.2") -> Got:
    bench.edge.dial(leg, Target(user=operator.user), SHOWN, local(31000), ("PCMA", "PCMU"))
    invite = await operator.request("INVITE")
    operator.reply(invite, 180, "Ringing", "t1")
    await bench.heard("rang", leg)
    return invite


async def taken(bench: Bench, operator: Peer, leg: str = "c.2") -> Call:
    invite = await rung(bench, operator, leg)
    operator.reply(invite, 200, "OK", "t1", sdp(41000))
    await operator.request("ACK")
    await bench.heard("answered", leg)
    return operator.callee(invite, "t1")


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_press_is_rung_played_to_answered_and_ended_by_the_point(tcp: bool) -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1", tcp)
        call = await pressed(bench, point)
        assert [got.status for got in point.inbox] == [401, 100, 180, 183]
        assert bench.edge.live_legs() == {"c.1"}
        early = next(got for got in point.inbox if got.status == 183)
        bench.edge.answer("c.1")
        ok = await point.final("INVITE")
        assert early.body == ok.body and "m=audio 30000 RTP/AVP 0 101" in ok.body
        assert early.to_tag == ok.to_tag != ""
        point.learn(call, ok)
        point.in_dialog(call, "ACK")
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200
        await bench.heard("ended", "c.1", 0, True, True)
        assert bench.edge.live_legs() == set()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_an_answered_press_is_ended_by_us(tcp: bool) -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1", tcp)
        await answered(bench, point)
        await bench_up(bench, "c.1")
        bench.edge.end("c.1", 480, "wrapped up")
        bye = await point.request("BYE")
        assert bye.one("Reason") == 'Q.850;cause=16;text="wrapped up"'
        point.reply(bye, 200, "OK")
        await bench.heard("ended", "c.1", 0, False, True)


async def bench_up(bench: Bench, leg: str) -> None:
    await eventually(lambda: bench.shelf.legs[leg].up and bench.edge._gear.legs.get(leg).phase.value == "up", 3.0)  # type: ignore[union-attr]


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_an_operator_is_rung_with_the_point_shown_answers_and_hangs_up(tcp: bool) -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", tcp, register=True)
        call = await taken(bench, operator)
        assert call.invite is not None
        assert call.invite.one("From").startswith('"Platform 1" <sip:hp1@help.test>;tag=')
        assert "m=audio 31000 RTP/AVP 8 0 101" in call.invite.body
        assert bench.ears.media["c.2"].rtp_port == 41000
        assert bench.ears.media["c.2"].source_host == "127.0.0.1"
        operator.in_dialog(call, "BYE")
        assert (await operator.final("BYE")).status == 200
        await bench.heard("ended", "c.2", 0, True, True)
        words = [entry[0] for entry in bench.ears.heard if entry[0] != "bound"]
        assert words == ["rang", "answered", "ended"]


async def test_a_cancelled_press_gets_200_and_487_and_one_end() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await pressed(bench, point)
        point.in_dialog(call, "CANCEL")
        assert (await point.final("CANCEL")).status == 200
        assert (await point.final("INVITE")).status == 487
        await bench.heard("ended", "c.1", 487, True, False)
        bench.edge.answer("c.1")
        bench.edge.end("c.1", 480, "")
        assert len(bench.ears.of("ended")) == 1


async def test_a_press_cancelled_before_its_adoption_ends_after_it() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await point.invite()
        dialog = await bench.dialog()
        await point.response(100)
        point.in_dialog(call, "CANCEL")
        assert (await point.final("INVITE")).status == 487
        assert bench.edge.adopt(dialog, "c.1")
        await bench.heard("ended", "c.1", 487, True, False)
        assert not bench.edge.adopt("dialog-nobody", "c.9")


@pytest.mark.parametrize(
    ("to", "extra", "button"),
    [("help", (), ""), ("info", (), "info"), ("help", ("X-Button: blue", "x-button: two"), "blue,two")],
    ids=["neither", "by the user that is called", "by a header, whatever its case"],
)
async def test_a_press_says_by_which_button_it_came(to: str, extra: tuple[str, ...], button: str) -> None:
    """Also when it is told again after a restart, for it stands in the stored INVITE."""
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await point.invite(to, extra=extra)
        await bench.dialog()
        await point.response(100)
        bench.die()
        await bench.reborn()
        bench.skip(1)
        await bench.dialog(number=1)
        assert bench.ears.buttons == [button, button]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("", {}),
        ("call-info", {"Call-Info": "<sip:help.test>;answer-after=0", "Answer-Mode": "Auto"}),
        ("alert-info", {"Alert-Info": "<http://127.0.0.1>;info=alert-autoanswer", "Answer-Mode": "Auto"}),
    ],
)
async def test_a_device_is_asked_to_answer_by_itself_in_the_words_of_its_maker(kind: str, sent: dict[str, str]) -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1", register=True)
        bench.edge.dial("c.1", Target(user="hp1"), Shown("control-room", "Help point", kind), local(), ("PCMA",))
        invite = await point.request("INVITE")
        names = ("Call-Info", "Alert-Info", "Answer-Mode")
        assert {name: invite.one(name) for name in names if invite.one(name)} == sent
