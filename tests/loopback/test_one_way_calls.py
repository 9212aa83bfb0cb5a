"""Calls whose sound goes one way only: told within five seconds at the console, and mended by asking the device."""

import contextlib
import struct
from collections.abc import Iterator

import pytest

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import legs_of, now_s
from tests.loopback.rtp_peer import RtpPeer
from tests.loopback.wire_desk import Caller, WireService, both_hear, wire
from tests.peers.baresip import Baresip
from tests.peers.linphone import Linphone
from tests.peers.ports import Ports
from tests.sip.edge_peer import Call

pytestmark = pytest.mark.real

WITHIN_S = 5.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports, WireService(tmp_path_factory.mktemp("one-way"), ports).serving() as service:
        yield service


def _found(service: WireService, leg: str) -> list[dict[str, object]]:
    return [fact for fact in service.journal("OneWayFound") if fact["leg"] == leg]


def _alarm(service: WireService, key: str) -> str:
    """The words of an alarm that rings now, "" when it does not."""
    assert service.web_client is not None
    return next((one["text"] for one in service.web_client.get("/api/alarms").json()["items"] if one["key"] == key), "")


async def _answer_again(point: Caller, call: Call, host: str = "127.0.0.1") -> None:
    """Its device takes the re-INVITE, naming where its sound is now."""
    await eventually(lambda: point.count("INVITE"), WITHIN_S)
    invite = [got for got in point.inbox if got.start.startswith("INVITE")][-1]
    assert invite.one("Call-ID") == call.call_id and "m=audio" in invite.body
    point.hear(invite)
    acks = point.count("ACK")
    point.reply(invite, 200, "OK", body=point.sdp(version=call.cseq + 5).replace("IP4 127.0.0.1", f"IP4 {host}"))
    await eventually(lambda: point.count("ACK") > acks, 3)


async def test_a_closed_port_is_told_and_mended_by_the_devices_new_answer(service: WireService) -> None:
    """ICMP says that nobody listens; asked for its media anew, the device names another port, and both hear each other."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.talk()
        await both_hear(point, operator)
        leg = legs_of(service, "p1")[-1]
        point.sound.close()
        closed = now_s()
        await eventually(lambda: _found(service, leg), WITHIN_S)
        assert now_s() - closed < WITHIN_S
        assert _found(service, leg)[0]["side"] == "out" and _found(service, leg)[0]["renewed"]
        await eventually(
            lambda: "the caller at Place p1 cannot hear us: nobody listens" in _alarm(service, f"one-way-out:{leg}"), 2
        )
        point.sound = RtpPeer(point.hz, point.codec)
        await _answer_again(point, call)
        await both_hear(point, operator)
        await eventually(lambda: [fact for fact in service.journal("OneWayEnded") if fact["leg"] == leg], 8)
        await eventually(lambda: not _alarm(service, f"one-way-out:{leg}"), 2)
        assert await point.bye(call) == 200
        await eventually(lambda: operator.call.state == "ended", 5)


async def test_a_device_that_reports_that_nothing_arrives_is_told(service: WireService) -> None:
    """Receiver reports with all lost, while its own sound is heard: the operator reads it and hears on; a good report ends it."""
    async with wire(service) as people:
        operator = await people.operator(2)
        point = await people.caller("p2")
        call = await point.talk()
        await both_hear(point, operator)
        leg = legs_of(service, "p2")[-1]
        await eventually(lambda: len(point.sound.heard) > 170, 6)
        _report(point, fraction=255)
        await eventually(lambda: _found(service, leg), 2)
        assert operator.hears(point.hz)
        assert service.web_client is not None
        assert "everything is lost on the way" in str(_found(service, leg)[0]["why"])
        await _answer_again(point, call)
        _report(point, fraction=0)
        await eventually(lambda: not _alarm(service, f"one-way-out:{leg}"), 3)
        assert await point.bye(call) == 200
        await eventually(lambda: operator.call.state == "ended", 5)


async def test_sound_from_another_host_is_told_and_taken_once_the_device_names_it(service: WireService) -> None:
    """By `sdp-host` only the host that the SDP names may be heard. Its new answer names the new one."""
    async with wire(service) as people:
        operator = await people.operator(3)
        point = await people.caller("p3")
        call = await point.talk()
        await both_hear(point, operator)
        leg = legs_of(service, "p3")[-1]
        to = point.sound._to
        point.sound.close()
        point.sound = RtpPeer(point.hz, point.codec, host="127.0.0.77")
        point.sound.start(to)
        await eventually(lambda: [fact for fact in _found(service, leg) if fact["side"] == "in"], WITHIN_S)
        found = next(fact for fact in _found(service, leg) if fact["side"] == "in")
        assert str(found["why"]).startswith("audio arrives from 127.0.0.77:") and "expected 127.0.0.1" in str(found["why"])
        await eventually(lambda: "the caller at Place p3 is not heard" in _alarm(service, f"one-way-in:{leg}"), 2)
        await _answer_again(point, call, "127.0.0.77")
        await both_hear(point, operator)
        await eventually(lambda: not _alarm(service, f"one-way-in:{leg}"), 3)
        assert await point.bye(call) == 200
        await eventually(lambda: operator.call.state == "ended", 5)


def _report(point: Caller, fraction: int) -> None:
    """What its device says of our line, by RTCP."""
    line, to = point.sound.heard[-1], point.sound._to
    assert to is not None
    block = struct.pack("!IIIIII", line.ssrc, fraction << 24, line.sequence, 0, 0, 0)
    point.sound.socket.sendto(struct.pack("!BBHI", 0x81, 201, 7, 5) + block, (to[0], to[1] + 1))


@pytest.mark.parametrize("kind", ["baresip", "linphone"])
async def test_a_real_telephone_that_hears_is_never_said_to_be_deaf(service: WireService, peers: Peers, kind: str) -> None:
    """Its own reports, over two of its intervals, with a hold in between after which numbers leap."""
    async with wire(service) as people:
        user = "op5" if kind == "baresip" else "op6"
        before = len(service.journal("SeatChanged"))
        make = peers.baresip if kind == "baresip" else peers.linphone
        operator: Baresip | Linphone = make(
            user, password=f"secret-{user}", server=service.server, hz=1000.0, answer="auto"
        ).start()
        await eventually(lambda: people.seated(user, before), 10)
        point = await people.caller("p4")
        call = await point.talk()
        await eventually(lambda: point.hears(1000.0), 5)
        button = operator.command if isinstance(operator, Baresip) else operator.order
        button("hold" if isinstance(operator, Baresip) else "pause")
        await eventually(lambda: not point.hears(1000.0), 5)
        held = now_s()
        await eventually(lambda: now_s() - held > 5, 6)
        button("resume")
        await eventually(lambda: point.hears(1000.0), 5)
        resumed = now_s()
        await eventually(lambda: now_s() - resumed > 11, 12)
        assert _found(service, legs_of(service, user)[-1]) == []
        assert await point.bye(call) == 200
        await eventually(operator.idle if isinstance(operator, Baresip) else operator.ended, 8)
        operator.stop()
