"""What is malformed, oversized, unauthenticated or foreign gets the right answer and never reaches a worker."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.loopback.desk import captured, desk, legs_of, now_s
from tests.loopback.rtp_peer import RtpPeer
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    """A UDP socket at an address that nobody knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.7", 0))
        sock.settimeout(1.0)
        yield sock


def _message(method: str, user: str, service: Service, here: socket.socket, **more: str) -> bytes:
    host, port = here.getsockname()
    uri = more.get("uri", service.help)
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{more.get('branch', 'x1')}",
        f"From: <sip:{user}@127.0.0.1>;tag=abc",
        f"To: <{uri}>",
        f"Call-ID: {more.get('call_id', 'c1')}@test",
        f"CSeq: 1 {method}",
        f"Contact: <sip:{user}@{host}:{port}>",
        "Max-Forwards: 70",
        *([more["header"]] if "header" in more else []),
    ]
    body = more.get("body", "")
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {more.get('length', str(len(body)))}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def _answer(here: socket.socket, service: Service, data: bytes) -> int:
    """The final status that a message gets; 0 for silence."""
    here.sendto(data, service.server)
    while True:
        try:
            reply = here.recv(65_535)
        except TimeoutError:
            return 0
        status = int(reply.split(b" ", 2)[1])
        if status >= 200:
            return status


@pytest.mark.real
async def test_requests_that_may_not_are_answered_and_reach_no_worker(
    tmp_path: Path, ports: Ports, stranger: socket.socket
) -> None:
    """Each gets its own status; no incident opens, no worker is taken."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.7\r\ns=-\r\nc=IN IP4 127.0.0.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
        cases = {
            "no credentials": (_message("INVITE", "p1", service, stranger, body=sdp, branch="a", call_id="a"), 401),
            "unknown user": (_message("INVITE", "nobody", service, stranger, body=sdp, branch="b", call_id="b"), 401),
            "broken length": (_message("INVITE", "p1", service, stranger, length="999", branch="c", call_id="c"), 400),
            "twice": (_message("OPTIONS", "p1", service, stranger, header="Call-ID: again", branch="d", call_id="d"), 400),
            "huge": (_message("OPTIONS", "p1", service, stranger, header="X-A: " + "a" * 40_000, branch="e", call_id="e"), 513),
            "no dialog": (
                _message("BYE", "p1", service, stranger, branch="f", call_id="f").replace(b">\r\nCall", b">;tag=q\r\nCall"),
                481,
            ),
            "unknown method": (_message("FROBNICATE", "p1", service, stranger, branch="g", call_id="g"), 401),
            "subscribe": (_message("SUBSCRIBE", "p1", service, stranger, branch="h", call_id="h"), None),
            "refer": (_message("REFER", "p1", service, stranger, branch="i", call_id="i"), None),
        }
        got = {name: await asyncio.to_thread(_answer, stranger, service, data) for name, (data, _) in cases.items()}
        wanted = {name: status for name, (_, status) in cases.items() if status is not None}
        assert {name: got[name] for name in wanted} == wanted
        assert all(400 <= got[name] < 700 for name in ("subscribe", "refer")), got
        await asyncio.to_thread(stranger.sendto, b"\0" * 700, service.server)
        assert service.workers() == [] and service.journal("IncidentOpened") == []


@pytest.mark.real
async def test_a_flood_from_one_source_keeps_no_point_from_pressing(
    tmp_path: Path, ports: Ports, stranger: socket.socket
) -> None:
    """Two thousand bad requests, and in the middle of them a press that rings within a second."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            operator = await people.phone("op1", 1000.0)
            await people.on_duty(operator)
            point = await people.phone("p1", 440.0)

            def flood() -> None:
                for number in range(2_000):
                    data = _message("REGISTER", f"u{number}", service, stranger, branch=f"f{number}", call_id=f"f{number}")
                    stranger.sendto(data if number % 2 else data[:-40], service.server)

            flooding = asyncio.create_task(asyncio.to_thread(flood))
            at = now_s()
            call = await point.press()
            assert now_s() - at < 3.0
            await flooding
            assert await call.bye() == 200


@pytest.mark.real
async def test_a_strangers_rtp_changes_nothing_and_gets_nothing(tmp_path: Path, ports: Ports) -> None:
    """Bursts of 15 packets from elsewhere: no recording holds them, no packet goes to them."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            thief = RtpPeer(2500.0, "PCMA")
            try:
                at = now_s()
                for burst in range(100):
                    for step in range(15):
                        thief.send(b"\xd5" * 160, 8, (burst * 15 + step) * 160, to=talk.point.sends_to)
                    await eventually(lambda burst=burst: now_s() - at > 0.03 * burst, 2)
                assert talk.both_hear()
                assert not talk.operator.hears(2500.0)
                assert (thief.heard, talk.operator.sequence_lost(at)) == ([], 0)
                assert talk.operator.tone_holes(talk.point.hz, at) == []
            finally:
                thief.close()
            sent = talk.point.rtp.sent
            await talk.point.call.bye()
            await eventually(lambda: service.journal("RecordingMade"), 20)
            kept = captured(service.data, legs_of(service, "p1")[0])
            assert len(kept) <= sent + 50, "more was filed than the point sent"
