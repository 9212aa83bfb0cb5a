"""Session timers (RFC 4028), reliable provisional responses (RFC 3262) and sound that changes its source, with real peers.

One service serves the whole file. Nobody is on duty unless a test says so: a press then goes at once to the police, who are
behind a trunk. pjsip knows both extensions; SIPp and our own scripted ends do what a polite telephone would not.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from callserver.control import Verb, ask_sync
from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import legs_of, now_s
from tests.loopback.service import Service, plan_text
from tests.loopback.wire_desk import WireService, both_hear, wire
from tests.peers.pjsip import Pjsip
from tests.peers.ports import Ports
from tests.peers.sipp_line import line_that_answers_early
from tests.peers.tones import heard, strength

pytestmark = pytest.mark.real

SHORTEST_S = 90  # RFC 4028 5
UNREFRESHED_S = 60  # after so long a call that nobody refreshes is lost (RFC 4028 10)
POLICE_HZ = 800.0


class TrunkService(WireService):
    """Its police are behind a trunk that is asked for the shortest session timer."""

    def __init__(self, directory: Path, ports: Ports) -> None:
        self.police = ports.take()
        uri = f"sip:police@127.0.0.1:{self.police}"
        plan = plan_text([uri], route_ring="15s").replace(f'uri = "{uri}"', f'uri = "{uri}"\ntrunk = "carrier"')
        plan += f'\n[trunks.carrier]\nhost = "127.0.0.1"\nport = {self.police}\nprobe = "0s"\n'
        Service.__init__(self, directory, ports, plan, spares=3)
        self.web_client = None
        file = directory / "callserver.toml"
        file.write_text(file.read_text().replace("[sip]\n", f"[sip]\nsession_expires_s = {SHORTEST_S}\n", 1))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrunkService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports, TrunkService(tmp_path_factory.mktemp("timers"), ports).serving() as service:
        yield service


def police(peers: Peers, service: TrunkService, **options: object) -> Pjsip:
    """A pjsip that takes every call."""
    return peers.pjsip("police", sip_port=service.police, hz=POLICE_HZ, **options).start()


def ends(service: WireService, party: str) -> list[str]:
    """How the legs of a party ended."""
    legs = legs_of(service, party)
    moved = service.journal("LegMoved")
    return [fact["termination"]["kind"] for fact in moved if fact["leg"] in legs and fact["termination"]]


# ---- reliable provisional responses -----------------------------------------------------------------------------


async def test_a_telephone_that_insists_on_reliable_responses_presses_talks_and_hangs_up(
    service: TrunkService, peers: Peers
) -> None:
    """180 and 183 each have their PRACK; both tones are heard; the 200 agrees on the timer that the telephone asks for."""
    async with wire(service) as people:
        operator = await people.operator(1)
        options = {"password": "secret-p3", "server": service.server, "prack": "mandatory", "timer_s": SHORTEST_S}
        point = peers.pjsip("p3", hz=500.0, **options).start()
        point.order(f"call {service.help}")
        await eventually(point.established, 8)
        await eventually(lambda: operator.hears(500.0), 5)
        await eventually(lambda: heard(point.received_wav(), operator.hz), 8)
        assert (point.sent("PRACK"), point.got("SIP/2.0 180"), point.got("SIP/2.0 183")) == (2, 1, 1)
        assert f"Session-Expires: {SHORTEST_S};refresher=uac" in point.log_text()
        point.order("hangup")
        await eventually(lambda: point.ended() and operator.call.state == "ended", 5)
        assert ends(service, "p3") == ["normal"]


async def test_police_with_reliable_early_media_are_heard_when_they_have_answered(service: TrunkService, peers: Peers) -> None:
    """180 and 183 through the trunk get their PRACK from us, in order and once; then point and police hear each other."""
    async with wire(service) as people:
        answering = police(peers, service, prack="mandatory", timer_s=SHORTEST_S)
        point = await people.caller("p4")
        call = await point.press()
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await eventually(lambda: point.hears(POLICE_HZ), 5)
        await eventually(lambda: heard(answering.received_wav(), point.hz), 8)
        assert (answering.got("PRACK"), answering.sent("SIP/2.0 180"), answering.sent("SIP/2.0 183")) == (2, 1, 1)
        assert f"Session-Expires: {SHORTEST_S}" in answering.log_text()
        assert await point.bye(call) == 200
        await eventually(answering.ended, 5)


async def test_sdp_of_a_reliable_183_serves_a_200_without_any(service: TrunkService) -> None:
    """The sound before the 200 is not the point's; after it both hear each other. A repeated 183 gets its PRACK again."""
    async with wire(service) as people:
        line = await people.caller("police", hz=POLICE_HZ, listen=service.police)
        point = await people.caller("p4")
        call = await point.press()
        invite = await line.request("INVITE", within=5)
        numbered = ("Require: 100rel", "RSeq: 4000000000")
        line.reply(invite, 183, "Session Progress", "t1", line.sdp(), numbered)
        line.hear(invite)
        prack = await line.request("PRACK")
        assert prack.one("RAck") == f"4000000000 {invite.one('CSeq')}"
        line.reply(invite, 183, "Session Progress", "t1", line.sdp(), numbered)
        assert (await line.request("PRACK")).text == prack.text
        line.reply(prack, 200, "OK")
        began = now_s()
        await eventually(lambda: now_s() - began > 0.7, 3)
        assert not point.hears(POLICE_HZ)
        line.reply(invite, 200, "OK", "t1")
        await line.request("ACK")
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await eventually(lambda: point.hears(POLICE_HZ) and line.hears(point.hz), 5)
        assert await point.bye(call) == 200
        line.reply(await line.request("BYE"), 200, "OK")


async def test_an_update_before_the_answer_moves_the_sound_of_the_police(service: TrunkService) -> None:
    """RFC 3311: their announcement server hands over to a person at another port, then the 200 comes without SDP."""
    async with wire(service) as people:
        line = await people.caller("police", hz=POLICE_HZ, listen=service.police)
        person = await people.caller("person", hz=1_250.0)
        point = await people.caller("p4")
        call = await point.press()
        invite = await line.request("INVITE", within=5)
        line.reply(invite, 183, "Session Progress", "t1", line.sdp(), ("Require: 100rel", "RSeq: 1"))
        line.reply(await line.request("PRACK"), 200, "OK")
        theirs = line.callee(invite, "t1")
        line.in_dialog(theirs, "UPDATE", person.sdp(version=2))
        answer = await line.final("UPDATE")
        assert answer.status == 200
        person.hear(answer)
        line.reply(invite, 200, "OK", "t1")
        await line.request("ACK")
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await eventually(lambda: point.hears(1_250.0) and person.hears(point.hz), 5)
        assert await point.bye(call) == 200
        line.reply(await line.request("BYE"), 200, "OK")


async def test_sipp_as_a_line_that_answers_reliably_and_refuses_a_short_timer(service: TrunkService, peers: Peers) -> None:
    """422 with a longer Min-SE, then a reliable 183 with SDP, PRACK, 200 without SDP: the line is answered and hung up."""
    async with wire(service) as people:
        sipp = peers.sipp("line", line_that_answers_early(), service.server, sip_port=service.police).start()
        point = await people.caller("p4")
        call = await point.press()
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        assert await point.bye(call) == 200
        await eventually(sipp.done, 10)
        assert sipp.process is not None and sipp.process.returncode == 0, sipp.errors()
        assert "Session-Expires: 120" in sipp.messages() and "Min-SE: 120" in sipp.messages()


# ---- session timers ---------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_telephone_refreshes_its_call_and_the_call_goes_on(service: TrunkService, peers: Peers) -> None:
    """After 45 s of 90: one that does not is lost after 60 s. The sound goes on as it was, in the same leg."""
    async with wire(service) as people:
        operator = await people.operator(1)
        options = {"password": "secret-p5", "server": service.server, "timer_s": SHORTEST_S}
        point = peers.pjsip("p5", hz=500.0, **options).start()
        point.order(f"call {service.help}")
        await eventually(point.established, 8)
        await eventually(lambda: operator.hears(500.0), 5)
        leg, began = legs_of(service, "p5")[-1], now_s()
        await eventually(lambda: now_s() - began > UNREFRESHED_S + 5, UNREFRESHED_S + 10, 0.5)
        assert operator.hears(500.0) and legs_of(service, "p5")[-1] == leg and leg in service.live_legs()
        asked = _asked_by_device(service, "p5")
        assert any((at - asked[0]) % 86_400 > SHORTEST_S / 2 - 5 for at in asked), "it has refreshed"
        point.order("hangup")
        await eventually(lambda: operator.call.state == "ended", 5)


def _asked_by_device(service: WireService, point: str) -> list[float]:
    """When the device of a point with one call sent INVITE and UPDATE, in seconds of the day."""
    lines = ask_sync(service.run / "control.sock", Verb.TRACE, {"of": point}, 5.0)["lines"]
    asked = "".join(f"{line}\n" for line in lines if "<-" in line and ("INVITE sip:help@" in line or "UPDATE sip:" in line))
    return [3600 * int(h) + 60 * int(m) + float(s) for h, m, s in re.findall(r"(\d\d):(\d\d):(\d\d\.\d+)Z", asked)]


@pytest.mark.long
async def test_we_refresh_a_call_through_a_trunk(service: TrunkService, peers: Peers) -> None:
    """By UPDATE at 45 s of 90, which pjsip takes; point and police go on hearing each other."""
    async with wire(service) as people:
        answering = police(peers, service, timer_s=SHORTEST_S)
        point = await people.caller("p4")
        call = await point.talk()
        await eventually(lambda: point.hears(POLICE_HZ), 5)
        refreshed = lambda: answering.got("UPDATE") + answering.sent("UPDATE")  # noqa: E731 - whoever of the two it is
        await eventually(lambda: refreshed() >= 1, 60, 0.5)
        began = now_s()
        await eventually(lambda: now_s() - began > 1, 3)
        assert point.hears(POLICE_HZ) and not answering.ended()
        assert await point.bye(call) == 200
        await eventually(answering.ended, 5)


@pytest.mark.long
async def test_a_point_that_stops_refreshing_is_called_back(service: TrunkService) -> None:
    """Its sound goes on, its session timer runs out: BYE, a lost line, and a new call to it with the same operator."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p4")
        await point.register()
        call = await point.invite(body=point.sdp(), extra=("Supported: timer", f"Session-Expires: {SHORTEST_S}"))
        await point.begun(call, 183)
        answer = await point.begun(call, 200)
        assert answer.one("Session-Expires") == f"{SHORTEST_S};refresher=uac"
        point.in_dialog(call, "ACK")
        await both_hear(point, operator)
        bye = await point.request("BYE", within=SHORTEST_S - 20)
        point.reply(bye, 200, "OK")
        invite = await point.request("INVITE", within=5)
        assert invite.one("Call-ID") != call.call_id and ends(service, "p4")[-1] == "lost"
        point.reply(invite, 486, "Busy Here")
        await operator.call.bye()
        await point.register(expires=0)


# ---- sound that changes -----------------------------------------------------------------------------------------


async def test_a_new_ssrc_in_mid_call_goes_on_being_heard_and_recorded(service: TrunkService) -> None:
    """A device that was reset begins another RTP line (SSRC, sequence, time) without a word: sound and recording go on."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p4", hz=440.0)
        call = await point.talk()
        await both_hear(point, operator)
        leg = legs_of(service, "p4")[-1]
        began = now_s()
        await eventually(lambda: now_s() - began > 1, 3)
        point.sound.renew(700.0)
        await eventually(lambda: operator.hears(700.0) and not operator.hears(440.0), 5)
        began = now_s()
        await eventually(lambda: now_s() - began > 1, 3)
        assert point.hears(operator.hz) and operator.hears(700.0)
        assert legs_of(service, "p4")[-1] == leg and ends(service, "p4")[-1:] != ["lost"]
        assert await point.bye(call) == 200
        name = leg.rpartition(".")[0]
        await eventually(lambda: [fact for fact in service.journal("RecordingMade") if fact["call"] == name], 15)
        samples, rate = soundfile.read(service.data / "recordings" / name / "call.flac", dtype="float64")
        left, half = samples[:, 0], len(samples) // 2
        assert _loudest(left[:half], rate, 440.0) > 0.05 and _loudest(left[half:], rate, 700.0) > 0.05


def _loudest(side: object, rate: int, hz: float) -> float:
    step = rate // 2
    return max((strength(side[at : at + step], hz, rate) for at in range(0, len(side) - step, step)), default=0.0)  # type: ignore[index, arg-type]
