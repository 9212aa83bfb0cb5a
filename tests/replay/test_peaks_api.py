"""The shape of a recording by the API: each side on its own, at its time; stored, or made when asked, with nobody held up."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import pytest

from callserver.config import Config
from tests.replay import night
from tests.replay.night import CALL, GOING_ON, NIGHT_NS, OLDER, SOUND_S, UNRECORDED
from tests.web.desk import Desk, config_in, opened

HOUR_S = 3600
LONGEST_PAUSE_S = 0.25


@pytest.fixture
async def desk(night_config: Config) -> AsyncIterator[Desk]:
    """The service over the night's store."""
    async with opened(night_config) as desk:
        yield desk


async def shape(client: httpx.AsyncClient, call: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/calls/{call}/peaks", params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def loud(side: dict[str, Any]) -> list[int]:
    return [number for number, (low, high) in enumerate(side["peaks"]) if low < -30 and high > 30]


async def test_each_side_has_its_own_shape_at_its_time(desk: Desk) -> None:
    """A bucket a second: the seconds in which each speaks, and no other but where its last word ends."""
    async with desk.signed_in("auditor") as client:
        told = await shape(client, CALL, width=int(SOUND_S))
    point, heard = told["sides"]
    assert (point["name"], heard["name"]) == ("point", "heard")
    for side, says in ((point, night.POINT_SAYS), (heard, night.POINT_HEARS)):
        spoken = {second for begin, end in says for second in range(int(begin), int(end))}
        assert spoken <= set(loud(side)) <= spoken | {int(end) for _begin, end in says}
    assert (told["duration_ms"], told["losses_ms"], told["report"]) == (152_000, 420, "segment 2 begins at 0:75")
    assert told["began"] == "2026-11-22T02:43:00.300Z"
    assert NIGHT_NS % 1_000_000_000 == 0


async def test_a_stretch_is_as_fine_as_it_is_asked_for(desk: Desk) -> None:
    """And what lies past the end is left out, or refused where nothing is left."""
    async with desk.signed_in("auditor") as client:
        told = await shape(client, CALL, width=20, from_ms=8_000, to_ms=10_000)
        last = await shape(client, CALL, width=10, from_ms=150_000, to_ms=999_000)
        past = await client.get(f"/api/calls/{CALL}/peaks", params={"from_ms": 152_000})
    assert loud(told["sides"][1]) == list(range(15, 20))
    assert (last["to_ms"], len(last["sides"][0]["peaks"])) == (152_000, 10)
    assert (past.status_code, past.json()["error"]["code"]) == (422, "no-such-stretch")


async def test_a_leg_has_a_shape_of_its_own_with_the_clock_of_the_whole(desk: Desk) -> None:
    """One side, from the recording's beginning on, as long as its own file; a leg without one is told as not there."""
    async with desk.signed_in("auditor") as client:
        told = await shape(client, CALL, width=122, leg=f"{CALL}.4")
        none = await client.get(f"/api/calls/{CALL}/peaks", params={"leg": f"{CALL}.3"})
    (said,) = told["sides"]
    spoken = {second for begin, end in night.POLICE_SAYS for second in range(begin, end)}
    assert (said["name"], told["duration_ms"]) == ("said", 122_000)
    assert spoken <= set(loud(said)) <= spoken | {end for _begin, end in night.POLICE_SAYS}
    assert none.status_code == 404


async def test_nobody_is_asked_for_a_reason_and_nothing_is_journalled(desk: Desk) -> None:
    """It is who may listen that may look; docs/replay.md says why."""
    async with desk.signed_in("supervisor") as supervisor, desk.signed_in("operator") as operator:
        await shape(supervisor, CALL)
        assert (await operator.get(f"/api/calls/{CALL}/peaks")).status_code == 403
    assert desk.switchboard.noted("Listened") == []


async def test_a_recording_without_peaks_has_them_made_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several that ask at once get the same; when it began nobody knows."""
    async with desk.signed_in("auditor") as client:
        told = await asyncio.gather(*(shape(client, OLDER, width=9) for _ in range(5)))
        monkeypatch.setattr("callserver.web.shelf.peaks_of_file", lambda path: pytest.fail(f"{path} was read again"))
        told += [await shape(client, OLDER, width=9)]
    assert [one["began"] for one in told] == [None] * 6
    assert {str(one["sides"]) for one in told} == {str(told[0]["sides"])}
    assert [loud(side) for side in told[0]["sides"]] == [[1, 2, 3], [5, 6, 7]]


async def test_damaged_peaks_are_made_anew_and_a_damaged_recording_is_said_so(night_config: Config) -> None:
    """The sound is the evidence, its shape only follows."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        folder = config.storage.recordings / CALL
        (folder / "call.peaks").write_bytes(b"CSPEAKS\x01 cut")
        async with opened(config) as desk, desk.signed_in("auditor") as client:
            assert len(loud((await shape(client, CALL, width=152))["sides"][0])) > 50
            (folder / "call.flac").write_bytes(b"no sound")
            broken = await client.get(f"/api/calls/{CALL}/peaks")
    assert (broken.status_code, broken.json()["error"]["code"]) == (503, "recording-unreadable")


@pytest.mark.parametrize(
    ("call", "code"), [(UNRECORDED, "no-recording-yet"), (GOING_ON, "no-recording-yet"), ("nowhere", "not-found")]
)
async def test_what_has_no_recording_has_no_shape(desk: Desk, call: str, code: str) -> None:
    """The codes are those of the recording."""
    async with desk.signed_in("auditor") as client:
        answer = await client.get(f"/api/calls/{call}/peaks")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


async def test_names_are_those_of_a_plan(desk: Desk) -> None:
    """The newest, or the one that an incident is frozen under."""
    async with desk.signed_in("operator") as client:
        newest = (await client.get("/api/names")).json()
        first = (await client.get("/api/names", params={"version": 1})).json()
        none = await client.get("/api/names", params={"version": 7})
    assert newest == first
    assert (newest["points"]["dl-bondgate"], newest["outcomes"]["medical"], newest["classes"]["0"]) == (
        night.PLACE,
        "Ambulance called",
        "emergency",
    )
    assert none.status_code == 404


@pytest.mark.long
async def test_an_hour_without_peaks_keeps_nobody_waiting() -> None:
    """While it is made the service answers others; the next view of it costs next to nothing."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        noise = (np.random.default_rng(1).standard_normal(HOUR_S * night.RATE_HZ) * 3000).astype(np.int16)
        night.record(config.storage.recordings, OLDER, [noise, noise], None)
        async with opened(config) as desk, desk.signed_in("auditor") as client:
            making = asyncio.ensure_future(shape(client, OLDER, width=2000))
            pauses_s, began_s = [], time.perf_counter()
            while not making.done():
                asked_s = time.perf_counter()
                assert (await client.get("/healthz")).status_code == 200
                pauses_s.append(time.perf_counter() - asked_s)
            made_s = time.perf_counter() - began_s
            asked_s = time.perf_counter()
            await shape(client, OLDER, width=2000, from_ms=1_000_000, to_ms=1_060_000)
            again_s = time.perf_counter() - asked_s
    print(f"an hour made in {made_s:.2f} s, longest pause {max(pauses_s) * 1000:.0f} ms, again {again_s * 1000:.1f} ms")
    assert max(pauses_s) < LONGEST_PAUSE_S
    assert again_s < LONGEST_PAUSE_S
