"""The call-back list with real telephones: who hung up is somebody's, is passed on by who goes, and outlives the host."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.eventually import eventually
from tests.loopback.desk import Desk, desk
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import CODECS
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports
from tests.peers.tones import strength
from tests.voipbench.ua import Call

pytestmark = pytest.mark.real

PLAN = plan_text(["sip:police@127.0.0.1:9"])
SPOKEN = 0.01  # RMS; silence is below a hundredth of it
CUT_S = 3.0


def _list(service: Service) -> dict[str, dict[str, Any]]:
    """The call-back list, by point."""
    with service.client() as client:
        return {item["point"]: item for item in client.get("/api/call-backs").raise_for_status().json()["items"]}


async def _ask(service: Service, who: str, path: str, body: dict[str, str] | None = None) -> None:
    """One command over HTTP, away from the telephones' loop."""

    def ask() -> None:
        with service.client(who) as client:
            client.post(path, json=body or {}).raise_for_status()

    await asyncio.to_thread(ask)


async def _gone(people: Desk, user: str) -> Phone:
    """A caller who pressed, heard that it was received, and hung up before anybody answered."""
    point = await people.phone(user, 620.0)
    pressing = point.pressing(30)
    await eventually(lambda: len(point.rtp.heard) > 10, 5)
    point.call.cancel()
    await eventually(pressing.done, 5)
    return point


async def _dial(phone: Phone, code: str) -> float:
    """Call a service code; how loud the third second and the fourth of the answer are, as RMS."""
    call = Call(phone.ua, "uac", phone.stream())
    phone.calls.append(call)
    await phone.ua.invite(f"sip:{code}@{phone.server[0]}:{phone.server[1]}", phone.server, timeout=5, call=call)
    await eventually(lambda: phone.rtp.heard, 5)
    began = phone.rtp.heard[0].at_s
    await eventually(lambda: phone.rtp.heard[-1].at_s - began > 4.0, 8)
    _, _, decode, _ = CODECS[phone.rtp.codec]
    late = [decode(packet.payload) for packet in phone.rtp.heard if 2.0 < packet.at_s - began < 4.0]
    return float(np.sqrt(np.mean(np.concatenate(late).astype(np.float64) ** 2)))


async def test_who_hung_up_is_somebodys_until_called_back_in_the_same_incident(tmp_path: Path, ports: Ports) -> None:
    """Owner and clock at once; taken by hand, called back from there, off the list when both hear each other."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"], strategy="longest-idle")) as service:
        async with desk(service) as people:
            phones = [await people.phone(user, 1000.0 + 40 * n, answer_after_s=None) for n, user in enumerate(("op1", "op2"))]
            await people.on_duty(*phones)
            point = await _gone(people, "p1")
            taker = next(phone for phone in phones if not phone.rang())  # the other one's seat rings
            found = await eventually(lambda: _list(service), 5)
            assert isinstance(found, dict)
            item = found["p1"]
            assert (item["cause"], item["owner"] in ("op1", "op2"), item["attempts"]) == ("call-back", True, [])
            await _ask(service, taker.user, f"/api/incidents/{item['id']}/give", {"to": taker.user})
            assert (_list(service)["p1"]["owner"], _list(service)["p1"]["since"]) == (taker.user, item["since"])
            await _ask(service, taker.user, f"/api/incidents/{item['id']}/call-back")
            await eventually(taker.rang, 5)
            taker.call.answer()
            await eventually(lambda: taker.hears(point.hz) and point.hears(taker.hz), 10)
            assert _list(service) == {} and len(service.journal("IncidentOpened")) == 1


async def test_who_pauses_by_telephone_hears_that_it_is_passed_and_the_next_acknowledges_it(tmp_path: Path, ports: Ports) -> None:
    """By the code for a pause; the sheet for the next shift says whose it is."""
    with running(tmp_path / "s", ports, PLAN) as service:
        async with desk(service) as people:
            first = await people.phone("op1", 1000.0, answer_after_s=None)
            await people.on_duty(first)
            await _gone(people, "p1")
            await eventually(lambda: _list(service).get("p1", {}).get("owner") == "op1", 5)
            second = await people.phone("op2", 1040.0, answer_after_s=None)
            await people.on_duty(second)
            assert await _dial(first, "*2") > SPOKEN
            await eventually(lambda: _list(service)["p1"]["owner"] == "op2", 5)
            incident = _list(service)["p1"]
            assert incident["acknowledge_by"] is not None
            await _ask(service, "op2", "/api/call-backs/acknowledge")
            assert _list(service)["p1"]["acknowledge_by"] is None
            with service.client("auditor") as client:
                sheet = client.get("/api/handover").json()
            assert [one["owner_name"] for one in sheet["items"]] == ["op2"] and [one["id"] for one in sheet["on_duty"]] == ["op2"]


async def test_the_last_one_who_goes_leaves_it_to_the_room_and_the_first_who_comes_owns_it(tmp_path: Path, ports: Ports) -> None:
    """With an alarm as long as it is nobody's."""
    with running(tmp_path / "s", ports, PLAN) as service:
        async with desk(service) as people:
            first = await people.phone("op1", 1000.0, answer_after_s=None)
            await people.on_duty(first)
            await _gone(people, "p1")
            await eventually(lambda: _list(service).get("p1", {}).get("owner") == "op1", 5)
            await _ask(service, "op1", "/api/operators/op1/pause")
            await eventually(lambda: _list(service)["p1"]["owner"] is None, 5)
            key = f"unowned:{_list(service)['p1']['id']}"
            assert key in [fact["key"] for fact in service.journal("AlarmRaised")]
            await people.on_duty(await people.phone("op2", 1040.0, answer_after_s=None))
            await eventually(lambda: _list(service)["p1"]["owner"] == "op2", 5)
            assert key in [fact["key"] for fact in service.journal("AlarmCleared")]


@pytest.mark.timeout(120)
async def test_after_the_host_died_all_that_was_open_is_on_the_list_and_the_recording_is_whole_up_to_the_cut(
    tmp_path: Path, ports: Ports
) -> None:
    """All processes killed at once, while one has hung up and one talks; started again with the same store."""
    with running(tmp_path / "s", ports, PLAN) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            await _gone(people, "p2")
            before = await eventually(lambda: _list(service), 5)
            assert isinstance(before, dict) and before["p2"]["owner"] == "op1"
            call = service.journal("CallOpened")[0]["call"]
            talking_since = service.journal("CallMoved")[0]["utc"]
            await eventually(lambda: talk.operator.rtp.heard[-1].at_s > talking_since / 1e9 + CUT_S + 1.0, 10)
            talk.operator.answer_after_s = None
            _kill(service)
            service.start()
            await eventually(lambda: set(_list(service)) == {"p1", "p2"}, 10)
            after = _list(service)
            kept = ("owner", "since", "due")
            assert [after["p2"][name] for name in kept] == [before["p2"][name] for name in kept]
            assert after["p1"]["owner"] == "op1", "who had it, lost a moment ago"
            await eventually(lambda: talk.operator.rang() > 1, 8)
            await eventually(lambda: talk.operator.call.state == "early", 8)
            talk.operator.call.answer()
            await eventually(talk.both_hear, 10)
            await talk.point.call.bye()
            await eventually(lambda: [one for one in service.journal("RecordingMade") if one["call"] == call], 30)
            _whole(service.data / "recordings" / call / "call.flac", talk.point.hz, talk.operator.hz)


def _kill(service: Service) -> None:
    """As a power cut does to the host's processes."""
    assert service.process is not None
    for pid in [row["pid"] for row in service.processes()]:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()


def _whole(path: Path, point_hz: float, operator_hz: float) -> None:
    """Both tones are there without a hole, each on its side, in every half second of the conversation before the cut."""
    samples, rate = soundfile.read(path, dtype="float64")
    for side, hz in ((samples[:, 0], point_hz), (samples[:, 1], operator_hz)):
        heard = [strength(side[at : at + rate // 2], hz, rate) > 0.03 for at in range(0, len(side) - rate // 2, rate // 2)]
        first = heard.index(True)
        assert all(heard[first + 1 : first + 1 + int(2 * CUT_S)]), (hz, heard)
