"""Session timers of live dialogs (RFC 4028): who refreshes by what, and what becomes of a side that is silent."""

import pytest

from callserver.sip.interface import Target, TrunkAccess
from tests.eventually import eventually
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import Call, Got, Peer, sdp
from tests.sip.test_edge_calls import SHOWN, answered, bench_up, pressed, taken
from tests.sip.test_edge_restart import quiet

TIMER = ("Supported: timer", "Session-Expires: 600")
OURS = ("Supported: timer", "Session-Expires: 600;refresher=uas")
UPDATES = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE"
SECONDS = "Session-Expires"


async def up(bench: Bench, *lines: str) -> tuple[Peer, Call, Got]:
    """A press whose INVITE has these lines, in conversation."""
    point = await bench.peer("hp1")
    call = await pressed(bench, point, extra=lines)
    bench.edge.answer("c.1")
    ok = await point.final("INVITE")
    point.learn(call, ok)
    point.in_dialog(call, "ACK")
    await bench_up(bench, "c.1")
    return point, call, ok


async def trunk(bench: Bench, password: str = "") -> Peer:
    """An outside line that is dialled as c.5."""
    line = await bench.peer("line")
    bench.directory.trunk_access["t1"] = TrunkAccess("t1", "127.0.0.1", line.port, "udp", "us", password, 0)
    uri = f"sip:999@127.0.0.1:{line.port}"
    bench.edge.dial("c.5", Target(trunk="t1", uri=uri), SHOWN, local(31000), ("PCMA",))
    return line


# ---- the device refreshes ---------------------------------------------------------------------------------------


async def test_a_device_that_offers_a_timer_refreshes_it_and_is_told_so() -> None:
    async with Bench() as bench:
        _, _, ok = await up(bench, *TIMER)
        assert (ok.one("Require"), ok.one(SECONDS)) == ("timer", "600;refresher=uac")


async def test_a_device_without_a_timer_gets_none() -> None:
    async with Bench() as bench:
        _, _, ok = await up(bench)
        assert (ok.one("Require"), ok.one(SECONDS)) == ("", "")
        bench.skip(100_000)
        assert bench.ears.of("ended") == []


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
async def test_a_device_that_refreshes_keeps_its_call_and_one_that_stops_is_a_lost_line(method: str) -> None:
    """Told at once as lost, 32 s before its time is up, and ended by BYE."""
    async with Bench() as bench:
        point, call, ok = await up(bench, *TIMER)
        for _ in range(3):
            bench.skip(500)
            point.in_dialog(call, method, "" if method == "UPDATE" else sdp(), lines=TIMER)
            refreshed = await point.response(200, method)
            assert refreshed.one(SECONDS) == "600;refresher=uac"
            if method == "INVITE":
                point.in_dialog(call, "ACK")
                assert refreshed.body == ok.body, "what has not changed keeps its version"
                await eventually(lambda: not bench.edge._gear.retransmits, 3)
        bench.skip(567)
        assert bench.ears.of("ended") == []
        bench.skip(2)
        await bench.heard("ended", "c.1", 408, True, True)
        bye = await point.request("BYE")
        assert "line lost" in bye.one("Reason")
        point.reply(bye, 200, "OK")
        assert len(bench.ears.of("ended")) == 1


async def test_a_refresh_without_a_timer_turns_it_off() -> None:
    async with Bench() as bench:
        point, call, _ = await up(bench, *TIMER)
        point.in_dialog(call, "UPDATE", lines=("Supported: timer",))
        assert (await point.final("UPDATE")).one(SECONDS) == ""
        bench.skip(100_000)
        assert bench.ears.of("ended") == []


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
async def test_too_short_an_interval_is_422_and_the_old_one_goes_on(method: str) -> None:
    async with Bench() as bench:
        point, call, _ = await up(bench, *TIMER)
        lines = ("Supported: timer", "Session-Expires: 60")
        point.in_dialog(call, method, "" if method == "UPDATE" else sdp(), lines=lines)
        refused = await point.response(422, method)
        assert refused.one("Min-SE") == "90"
        bench.skip(567)
        assert bench.ears.of("ended") == []
        bench.skip(2)
        await bench.heard("ended", "c.1", 408, True, True)


async def test_a_press_with_too_short_an_interval_is_served_at_once_without_a_timer() -> None:
    async with Bench() as bench:
        _, _, ok = await up(bench, "Supported: timer", "Session-Expires: 30")
        assert ok.one(SECONDS) == ""
        bench.skip(100_000)
        assert bench.ears.of("ended") == []


# ---- we refresh -------------------------------------------------------------------------------------------------


async def test_we_refresh_by_update_where_the_device_takes_it() -> None:
    async with Bench() as bench:
        point, _, ok = await up(bench, *OURS, UPDATES)
        assert (ok.one("Require"), ok.one(SECONDS)) == ("timer", "600;refresher=uas")
        bench.skip(299)
        assert not any(got.method == "UPDATE" for got in point.inbox)
        for _ in range(3):
            bench.skip(2)
            update = await point.request("UPDATE")
            assert (update.one(SECONDS), update.body) == ("600;refresher=uac", "")
            assert "timer" in update.one("Supported")
            point.reply(update, 200, "OK", lines=("Require: timer", "Session-Expires: 600;refresher=uac"))
            await quiet(bench, "c.1")
            await eventually(lambda: not bench.edge._refresh._asked, 3)
            bench.skip(299)
        assert bench.ears.of("ended") == [] and bench.ears.of("changed") == []


async def test_we_refresh_by_reinvite_with_the_same_sdp_where_it_does_not() -> None:
    async with Bench() as bench:
        point, call, ok = await up(bench, *OURS)
        bench.skip(301)
        invite = await point.request("INVITE")
        assert (invite.body, invite.one(SECONDS)) == (ok.body, "600;refresher=uac")
        point.reply(invite, 200, "OK", body=sdp(40000), lines=("Session-Expires: 600;refresher=uac",))
        ack = await point.request("ACK")
        assert ack.one("CSeq").split()[0] == invite.one("CSeq").split()[0]
        point.reply(invite, 200, "OK", body=sdp(40000), lines=("Session-Expires: 600;refresher=uac",))
        await point.request("ACK")
        assert bench.ears.of("changed") == []
        bench.skip(301)
        again = await point.request("INVITE")
        point.reply(again, 200, "OK", body=sdp(40040), lines=("Session-Expires: 600;refresher=uac",))
        await bench.heard("changed", "c.1")
        assert bench.ears.media["c.1"].rtp_port == 40040
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200


async def test_a_device_that_refuses_update_after_all_gets_a_reinvite() -> None:
    async with Bench() as bench:
        point, _, _ = await up(bench, *OURS, UPDATES)
        bench.skip(301)
        point.reply(await point.request("UPDATE"), 405, "Method Not Allowed")
        invite = await point.request("INVITE")
        point.reply(invite, 200, "OK", body=sdp(40000), lines=("Session-Expires: 600;refresher=uac",))
        await point.request("ACK")


async def test_a_422_to_our_refresh_makes_the_interval_longer() -> None:
    async with Bench() as bench:
        point, _, _ = await up(bench, *OURS, UPDATES)
        bench.skip(301)
        point.reply(await point.request("UPDATE"), 422, "Session Interval Too Small", lines=("Min-SE: 2400",))
        longer = await point.request("UPDATE")
        assert (longer.one(SECONDS), longer.one("Min-SE")) == ("2400;refresher=uac", "2400")


@pytest.mark.parametrize(("status", "told"), [(481, 481), (408, 408)])
async def test_a_device_that_does_not_know_the_dialog_when_it_is_refreshed_is_lost(status: int, told: int) -> None:
    async with Bench() as bench:
        point, _, _ = await up(bench, *OURS, UPDATES)
        bench.skip(301)
        point.reply(await point.request("UPDATE"), status, "Gone")
        await bench.heard("ended", "c.1", told, True, True)
        point.reply(await point.request("BYE"), 200, "OK")


async def test_a_device_that_does_not_answer_a_refresh_is_lost() -> None:
    async with Bench() as bench:
        point, _, _ = await up(bench, *OURS, UPDATES)
        bench.skip(301)
        await point.request("UPDATE")
        bench.skip(33)
        await bench.heard("ended", "c.1", 408, True, True)


async def test_a_refused_refresh_is_the_word_of_a_device_that_is_there() -> None:
    """The call goes on, and the refresh is tried again."""
    async with Bench() as bench:
        point, _, _ = await up(bench, *OURS, UPDATES)
        bench.skip(301)
        for _ in range(12):
            point.reply(await point.request("UPDATE"), 500, "Server Internal Error")
            await eventually(lambda: not bench.edge._refresh._asked, 3)
            bench.skip(76)
        assert bench.ears.of("ended") == []


async def test_refreshes_that_cross_are_491_and_ours_comes_again() -> None:
    async with Bench() as bench:
        point, call, _ = await up(bench, *OURS)
        bench.skip(301)
        ours = await point.request("INVITE")
        point.in_dialog(call, "INVITE", sdp())
        assert (await point.response(491, "INVITE")).status == 491
        point.in_dialog(call, "UPDATE", sdp())
        assert (await point.final("UPDATE")).status == 491
        point.reply(ours, 491, "Request Pending")
        await point.request("ACK")
        bench.skip(2.1)
        again = await point.request("INVITE")
        assert int(again.one("CSeq").split()[0]) == int(ours.one("CSeq").split()[0]) + 1


async def test_ours_waits_while_the_device_has_an_invite_open() -> None:
    async with Bench() as bench:
        point, call, _ = await up(bench, *OURS)
        bench.skip(299)
        point.in_dialog(call, "INVITE", sdp(40010), lines=OURS)
        await point.response(200, "INVITE")
        bench.skip(1.5)
        assert not any(got.method == "INVITE" for got in point.inbox)
        point.in_dialog(call, "ACK")
        await eventually(lambda: not bench.edge._gear.retransmits, 3)
        bench.skip(301)
        await point.request("INVITE")


# ---- outside lines ----------------------------------------------------------------------------------------------


async def test_a_trunk_is_asked_for_a_timer_and_refreshed_as_its_answer_says() -> None:
    async with Bench() as bench:
        line = await trunk(bench)
        invite = await line.request("INVITE")
        assert (invite.one(SECONDS), invite.one("Min-SE")) == ("1800", "")
        assert {"timer", "100rel"} <= set(invite.one("Supported").split(", "))
        line.reply(invite, 200, "OK", "t1", sdp(41000), lines=(UPDATES, "Require: timer", "Session-Expires: 1800;refresher=uac"))
        await bench.heard("answered", "c.5")
        bench.skip(901)
        line.reply(await line.request("UPDATE"), 200, "OK", lines=("Session-Expires: 1800;refresher=uac",))


async def test_a_trunk_that_refreshes_and_stops_is_lost() -> None:
    async with Bench() as bench:
        line = await trunk(bench)
        line.reply(await line.request("INVITE"), 200, "OK", "t1", sdp(41000), lines=("Session-Expires: 1800;refresher=uas",))
        await bench.heard("answered", "c.5")
        bench.skip(1769)
        await bench.heard("ended", "c.5", 408, True, True)


async def test_a_trunk_that_wants_a_longer_interval_is_asked_again_with_it() -> None:
    """Twice at the most, with credentials for each try."""
    async with Bench() as bench:
        line = await trunk(bench, "secret")
        for _ in (1, 2):
            invite = await line.request("INVITE")
            challenge = 'WWW-Authenticate: Digest realm="t", nonce="n", qop="auth", algorithm=MD5'
            line.reply(invite, 401, "Unauthorized", "x", lines=(challenge,))
            invite = await line.request("INVITE")
            assert invite.one("Authorization")
            line.reply(invite, 422, "Session Interval Too Small", "x", lines=("Min-SE: 3600",))
        last = await line.request("INVITE")
        assert (last.one(SECONDS), last.one("Min-SE"), last.one("Authorization")) == ("3600", "3600", "")
        assert last.one("CSeq") == "5 INVITE"
        line.reply(last, 422, "Session Interval Too Small", "x", lines=("Min-SE: 7200",))
        await bench.heard("ended", "c.5", 422, True, False)


async def test_devices_are_not_asked_for_a_timer_and_nobody_is_where_it_is_off() -> None:
    async with Bench(session_expires_s=0) as bench:
        operator = await bench.peer("op1", register=True)
        call = await taken(bench, operator)
        assert call.invite is not None and call.invite.one(SECONDS) == ""
        line = await trunk(bench)
        assert (await line.request("INVITE")).one(SECONDS) == ""


# ---- death of the edge ------------------------------------------------------------------------------------------


async def test_a_timer_goes_on_in_the_successor_with_its_true_time() -> None:
    async with Bench() as bench:
        point, _, _ = await up(bench, *OURS, UPDATES)
        await quiet(bench, "c.1")
        bench.skip(200)
        bench.die()
        bench.clock.ahead_ns += 50 * 10**9
        await bench.reborn()
        bench.skip(45)
        assert not any(got.method == "UPDATE" for got in point.inbox)
        bench.skip(6)
        point.reply(await point.request("UPDATE"), 200, "OK", lines=("Session-Expires: 600;refresher=uac",))


async def test_a_device_that_refreshed_while_nobody_was_there_has_32_s_to_ask_again() -> None:
    async with Bench() as bench:
        point, call, _ = await up(bench, *TIMER)
        await quiet(bench, "c.1")
        bench.die()
        bench.clock.ahead_ns += 590 * 10**9
        await bench.reborn()
        bench.skip(30)
        assert bench.ears.of("ended") == []
        point.in_dialog(call, "UPDATE", lines=TIMER)
        assert (await point.final("UPDATE")).status == 200
        bench.skip(560)
        assert bench.ears.of("ended") == []
        bench.skip(10)
        await bench.heard("ended", "c.1", 408, True, True)


async def test_a_200_to_our_reinvite_that_comes_after_the_restart_is_acknowledged() -> None:
    async with Bench() as bench:
        point, _, _ = await up(bench, *OURS)
        bench.skip(301)
        invite = await point.request("INVITE")
        await quiet(bench, "c.1")
        bench.die()
        point.reply(invite, 200, "OK", body=sdp(40000), lines=("Session-Expires: 600;refresher=uac",))
        await bench.reborn()
        ack = await point.request("ACK")
        assert ack.one("CSeq").split()[0] == invite.one("CSeq").split()[0]


async def test_the_end_of_a_call_ends_its_timer() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call, _ = await answered(bench, point)
        point.in_dialog(call, "UPDATE", lines=TIMER)
        await point.final("UPDATE")
        point.in_dialog(call, "BYE")
        await point.final("BYE")
        bench.skip(700)
        assert [entry[2] for entry in bench.ears.of("ended")] == [0]


# ---- renewed on order -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [(), OURS, TIMER], ids=["no timer", "ours", "theirs"])
async def test_a_device_is_asked_for_its_media_anew_by_reinvite_and_its_timer_stays(lines: tuple[str, ...]) -> None:
    async with Bench() as bench:
        point, _, ok = await up(bench, *lines, UPDATES)
        bench.edge.renew_media("c.1")
        bench.edge.renew_media("c.1")
        invite = await point.request("INVITE")
        assert invite.body == ok.body
        asked = {(): "", OURS: "600;refresher=uac", TIMER: "600;refresher=uas"}[lines]
        assert invite.one(SECONDS) == asked
        answer = (f"Session-Expires: {asked}",) if asked else ()
        point.reply(invite, 200, "OK", body=sdp(40_800), lines=answer)
        await point.request("ACK")
        await bench.heard("changed", "c.1")
        assert bench.ears.media["c.1"].rtp_port == 40_800
        assert sum(got.method == "INVITE" for got in point.inbox) == 1
        leg = bench.edge._gear.legs.get("c.1")
        assert leg is not None and (leg.timer.ours if leg.timer else None) == {(): None, OURS: True, TIMER: False}[lines]


async def test_a_device_that_refuses_to_be_asked_stays_in_its_call_and_one_that_is_gone_is_lost() -> None:
    async with Bench() as bench:
        point, _, _ = await up(bench)
        for status in (488, 491):
            bench.edge.renew_media("c.1")
            point.reply(await point.request("INVITE"), status, "No")
            await point.request("ACK")
            await eventually(lambda: not bench.edge._refresh._asked, 3)
        assert bench.ears.of("ended") == []
        bench.edge.renew_media("c.1")
        point.reply(await point.request("INVITE"), 481, "Gone")
        await bench.heard("ended", "c.1", 481, True, True)
