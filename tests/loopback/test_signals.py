"""Keys that a point is sent, and groups of points, in a real service: what the device gets, and that sound goes on around it."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from audio.tracks import read_sound
from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import now_s
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import CODECS, Heard, strength
from tests.loopback.wire_desk import Caller, Wire, WireService, both_hear, wire
from tests.peers.ports import Ports
from tests.sip.edge_peer import Call

pytestmark = pytest.mark.real

EVENT, STEP = 101, 160
GAP_MS = 120
_KEYS = f"""acknowledge = "*"
on_end = "#"
digit_gap = "{GAP_MS}ms"
[profiles.PROFILE.controls.beacon]
name = "Beacon on"
digits = "71"
[profiles.PROFILE.controls.story]
name = "A long row"
digits = "0123456789012345"
"""
_GROUP = """
[point_groups.square]
name = "Square"
points = ["p1", "p2", "p3"]
"""


class SignalService(WireService):
    """Devices of the profile `plain` have keys as events, those of `back` by INFO."""

    def __init__(self, directory: Path, ports: Ports) -> None:
        super().__init__(directory, ports)
        plan = directory / "plan.toml"
        text = plan.read_text()
        for profile, more in (("plain", ""), ("back", 'dtmf = "info"\n')):
            head = re.search(rf'\[profiles\.{profile}\]\npoint_bye = "[a-z-]+"\n', text)
            assert head is not None
            text = text.replace(head[0], head[0] + more + _KEYS.replace("PROFILE", profile))
        plan.write_text(text + _GROUP)

    def post(self, path: str, **body: object) -> int:
        """One request of a supervisor; its status."""
        assert self.web_client is not None
        return self.web_client.post(path, json=body).status_code

    def call(self) -> str:
        """The latest call's id."""
        return str(self.journal("CallOpened")[-1]["call"])

    def settled(self, since: int) -> list[tuple[str, bool]]:
        """What came of keys since so many of these facts."""
        return [(fact["digits"], fact["whole"]) for fact in self.journal("DigitsSettled")[since:]]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignalService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports:
        service = SignalService(tmp_path_factory.mktemp("signals"), ports)
        with service.serving():
            yield service


def keys_of(packets: list[Heard]) -> str:
    """The keys in what a device was sent, each by its marker."""
    return "".join("0123456789*#ABCD"[one.payload[0]] for one in packets if one.payload_type == EVENT and one.marker)


def begins_s(packets: list[Heard]) -> list[float]:
    """When each of them began."""
    return [one.at_s for one in packets if one.payload_type == EVENT and one.marker]


@contextlib.asynccontextmanager
async def talking(service: SignalService, user: str) -> AsyncIterator[tuple[Wire, Caller, Call, Phone]]:
    """A point that pressed and the operator who answered."""
    async with wire(service) as people:
        operator = await people.operator(1, 1_000.0)
        point = await people.caller(user)
        call = await point.talk()
        yield people, point, call, operator


async def ended(service: SignalService, point: Caller, within: float = 4.0) -> None:
    """A supervisor hangs up; the device gets its BYE and takes it."""
    assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/hangup") == 200
    point.reply(await point.request("BYE", within), 200, "OK")


async def test_a_device_has_keys_as_events_and_the_sound_is_whole_around_them(service: SignalService) -> None:
    """A person is there: *. The beacon: 71. The end: #, before the BYE. One line of packets all the while."""
    since = len(service.journal("DigitsSettled"))
    async with talking(service, "p1") as (_, point, _, operator):
        await eventually(lambda: keys_of(point.sound.heard) == "*", 3)
        await both_hear(point, operator)
        await eventually(lambda: service.settled(since) == [("*", True)], 5)
        first = len(point.sound.heard)
        assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/control", control="beacon") == 200
        await eventually(lambda: service.settled(since)[1:] == [("71", True)], 5)
        await eventually(lambda: point.hears(operator.hz), 3)
        await ended(service, point)
        packets = list(point.sound.heard)
    assert keys_of(packets) == "*71#"
    assert service.settled(since)[2:] == [("#", True)]
    _is_one_line(packets)
    _events_are_real(packets)
    seven, one = begins_s(packets)[1:3]
    assert 0.12 + GAP_MS / 1_000 - 0.03 < one - seven < 0.12 + GAP_MS / 1_000 + 0.06
    sound = [packet for packet in packets[first:] if packet.payload_type == point.sound.payload_type]
    decode = CODECS["PCMA"][2]
    levels = [strength(decode(packet.payload), 1_000.0, 8_000) for packet in sound[:-5]]
    assert min(levels) > 0.12, "the tone is in each packet of sound"


def _is_one_line(packets: list[Heard]) -> None:
    """The same SSRC, each number once and in order, and sound bears the time of its place."""
    assert len({packet.ssrc for packet in packets}) == 1
    numbers = np.array([packet.sequence for packet in packets], np.int64)
    assert set(np.diff(numbers) & 0xFFFF) == {1}
    places = np.cumsum(np.concatenate([[0], np.diff(numbers) & 0xFFFF]))
    offsets = {
        (packet.timestamp - int(place) * STEP) & 0xFFFFFFFF
        for packet, place in zip(packets, places, strict=True)
        if packet.payload_type != EVENT
    }
    assert len(offsets) <= 2, "at most the answer to the call began a new count"


def _events_are_real(packets: list[Heard]) -> None:
    """Each: one marker, growing durations, three end packets of the same duration, all with the time of its beginning."""
    events: dict[int, list[Heard]] = {}
    for packet in packets:
        if packet.payload_type == EVENT:
            events.setdefault(packet.timestamp, []).append(packet)
    for event in events.values():
        lasted = [int.from_bytes(packet.payload[2:4], "big") for packet in event]
        ends = [bool(packet.payload[1] & 0x80) for packet in event]
        assert [packet.marker for packet in event] == [True] + [False] * (len(event) - 1)
        assert lasted == sorted(lasted) and lasted[-3:] == [lasted[-1]] * 3 and lasted[-1] == 6 * STEP
        assert ends == [False] * (len(event) - 3) + [True] * 3


async def test_a_device_has_keys_by_info_each_in_a_request_of_its_own(service: SignalService) -> None:
    async with talking(service, "p5") as (_, point, _, _):
        got = [await _taken(point)]
        assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/control", control="beacon") == 200
        got += [await _taken(point), await _taken(point)]
        assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/hangup") == 200
        got.append(await _taken(point))
        point.reply(await point.request("BYE"), 200, "OK")
    assert "".join(got) == "*71#"
    assert keys_of(point.sound.heard) == ""


async def _taken(point: Caller) -> str:
    """The key of the next INFO, which is answered."""
    asked = await point.request("INFO")
    point.reply(asked, 200, "OK")
    found = re.search(r"Signal=(.)\r\n", asked.body)
    assert found is not None, asked.body
    return found[1]


async def test_a_device_that_does_not_take_keys_delays_the_end_by_a_second_at_most(service: SignalService) -> None:
    async with talking(service, "p5") as (_, point, _, _):
        await point.request("INFO")  # the acknowledgement stays without a reply, and so does what is behind it
        began = now_s()
        await ended(service, point)
        assert now_s() - began < 2.0


async def test_keys_whose_process_is_killed_are_told_as_failed_and_not_sent_again(service: SignalService) -> None:
    async with talking(service, "p2") as (_, point, _, operator):
        await eventually(lambda: keys_of(point.sound.heard) == "*", 3)
        await both_hear(point, operator)
        since = len(service.journal("DigitsSettled"))
        assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/control", control="story") == 200
        await eventually(lambda: keys_of(point.sound.heard).startswith("*01"), 3)
        (worker,) = service.workers()
        os.kill(worker, signal.SIGKILL)
        await eventually(lambda: service.settled(since) == [("0123456789012345", False)], 3)
        killed = len(keys_of(point.sound.heard))
        await both_hear(point, operator)
        await eventually(lambda: point.hears(operator.hz), 5)
        assert len(keys_of(point.sound.heard)) <= killed + 1
        await ended(service, point)


async def test_a_baresip_point_says_which_keys_it_was_sent(service: SignalService, peers: Peers) -> None:
    since = len(service.journal("DigitsSettled"))
    async with wire(service) as people:
        await people.operator(1, 1_000.0)
        point = peers.baresip("p3", password="secret-p3", server=service.server, domain="127.0.0.1").start()
        await eventually(point.registered, 5)
        point.dial(f"sip:help@{service.server[0]}:{service.server[1]}")
        await eventually(lambda: point.seen("CALL_ESTABLISHED"), 5)
        await eventually(lambda: _told(point) == "*" and service.settled(since) == [("*", True)], 5)
        assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/control", control="beacon") == 200
        await eventually(lambda: _told(point) == "*71" and service.settled(since)[1:] == [("71", True)], 5)
        assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/hangup") == 200
        await eventually(lambda: point.seen("CALL_CLOSED"), 5)
        assert _told(point) == "*71#"


def _told(point: object) -> str:
    events = point.events  # type: ignore[attr-defined]
    return "".join(event.param for event in events if event.type == "CALL_DTMF_START")


# ---- groups -----------------------------------------------------------------------------------------------------------

TONES = {"op1": 1_000.0, "p1": 440.0, "p2": 700.0, "p3": 1_600.0}


async def test_an_operator_calls_a_group_and_all_hear_each_other(service: SignalService) -> None:
    """Four legs in one call, all recorded. Each is told that a person is there, by INFO: these phones agree to no events."""
    async with wire(service) as people:
        phones = [await people.operator(1, TONES["op1"]), *[await people.phone(p, TONES[p]) for p in ("p1", "p2", "p3")]]
        assert await asyncio.to_thread(service.post, "/api/point-groups/square/call", operator="op1") == 200
        await eventually(lambda: _all_hear(phones), 8)
        for phone in phones[1:]:
            await eventually(lambda phone=phone: _asked(phone) == 1, 3)  # type: ignore[misc]
        await eventually(lambda: _all_hear(phones), 3)
        call = service.call()
        legs = {fact["leg"]: (fact["party"], fact["role"]) for fact in service.journal("LegCreated") if fact["call"] == call}
        assert sorted(legs.values()) == [("op1", "operator"), ("p1", "point"), ("p2", "brought"), ("p3", "brought")]
        assert await asyncio.to_thread(service.post, f"/api/calls/{call}/hangup") == 200
        made = await eventually(lambda: [one for one in service.journal("RecordingMade") if one["call"] == call], 20)
        assert isinstance(made, list)
        _holds_all_voices(service, made[-1]["files"], {leg: party for leg, (party, _) in legs.items()})


def _asked(phone: Phone) -> int:
    """How many INFOs it was sent."""
    return sum(line.startswith("INFO") for _, way, line in phone.sip if way == "<")


def _all_hear(phones: list[Phone]) -> bool:
    return all(one.hears(other.hz) for one in phones for other in phones if one is not other)


def _holds_all_voices(service: SignalService, files: list[str], party_of: dict[str, str]) -> None:
    found = {}
    for path in (service.data / "recordings" / name for name in files):
        party = party_of.get(path.name.removesuffix(".flac"))
        if party is not None:
            samples, rate_hz = read_sound(path)
            steps = (samples[at : at + rate_hz // 5, 0] for at in range(0, len(samples), rate_hz // 5))
            found[party] = max(strength(step, TONES[party], rate_hz) for step in steps)
    assert set(found) == set(TONES) and min(found.values()) > 0.12, found


async def test_a_point_that_is_busy_is_told_and_the_others_go_on(service: SignalService) -> None:
    async with wire(service) as people:
        operator = await people.operator(1, TONES["op1"])
        first = await people.phone("p1", TONES["p1"])
        await people.phone("p2", TONES["p2"], refuse=486)
        third = await people.phone("p3", TONES["p3"])
        known = len(service.journal("PointGivenUp"))
        assert await asyncio.to_thread(service.post, "/api/point-groups/square/call", operator="op1") == 200
        await eventually(lambda: _all_hear([operator, first, third]), 8)
        await eventually(lambda: [fact["point"] for fact in service.journal("PointGivenUp")[known:]] == ["p2"], 5)
        assert await asyncio.to_thread(service.post, f"/api/calls/{service.call()}/hangup") == 200
