"""Which stretch of a recording was sent: told for whoever asks for ranges with a script, too."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.tracks import write_flac
from callserver.config import Config
from callserver.web.openings import Opening
from callserver.web.sent import AT_MOST_S, MOST_SPANS, QUIET_S, Sent
from callserver.web.spans import merged
from tests.eventually import eventually
from tests.web.desk import CALL, FLAC, FLAC_SUM, Desk, opened

PATH = f"/api/calls/{CALL}/recording"
ANNA = Opening("anna", 1.0, CALL, "review")
FILE = Path("call.flac")
_SPANS = st.lists(st.tuples(st.integers(-20, 120), st.integers(-20, 120)), max_size=12)


async def _told(desk: Desk) -> dict[str, object]:
    """What is told once it is quiet."""
    desk.now_s += QUIET_S
    found: object = await eventually(lambda: desk.switchboard.noted("RecordingSent"), 5)
    assert isinstance(found, list)
    (only,) = found
    return dict(only)


async def test_ranges_of_a_script_are_told_as_one_stretch_of_bytes(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        for wanted in ("bytes=100-199", "bytes=200-299", "bytes=5000-5009", "bytes=150-160"):
            await client.get(PATH, params={"reason": "review"}, headers={"Range": wanted})
    told = await _told(desk)
    who = {"call": CALL, "by": "the-auditor", "reason": "review", "leg": ""}
    assert told == {**who, "spans": [], "bytes": [[100, 300], [5000, 5010]], "size": len(FLAC)}


async def test_the_sound_in_what_was_sent_is_told(desk: Desk) -> None:
    """A real file: its second half holds the second half of the sound."""
    noise = np.random.default_rng(5).integers(-9000, 9000, 80_000).astype(np.int16)
    path = desk.config.storage.recordings / CALL / f"{CALL}.1.flac"
    write_flac(path, [noise], 8000)
    size = path.stat().st_size
    async with desk.signed_in("supervisor") as client:
        params = {"reason": "review", "leg": f"{CALL}.1"}
        await client.get(PATH, params=params, headers={"Range": f"bytes={size // 2}-"})
    told = await _told(desk)
    ((begin, end),) = told["spans"]  # type: ignore[misc]
    assert (told["leg"], end) == (f"{CALL}.1", 10_000)
    assert 4000 <= begin <= 5100


async def test_what_was_sent_is_told_when_the_service_ends(config: Config) -> None:
    async with opened(config) as desk:
        async with desk.signed_in("auditor") as client:
            await client.get(PATH, params={"reason": "review"}, headers={"Range": "bytes=0-9"})
        assert desk.switchboard.noted("RecordingSent") == []
    assert [body["bytes"] for body in desk.switchboard.noted("RecordingSent")] == [[[0, 10]]]


async def test_whoever_wants_the_file_as_such_takes_it_away(desk: Desk) -> None:
    """Without a range: a player asks for ranges. Told before the first byte, so nothing is sent where it cannot be told."""
    async with desk.signed_in("auditor") as client:
        await client.get(PATH, params={"reason": "review"})
        await client.get(PATH, params={"reason": "review", "leg": f"{CALL}.1"})
        await client.get(PATH, params={"reason": "review"}, headers={"Range": "bytes=0-"})
        desk.switchboard.refuse["note_fact"] = "not now"
        refused = await client.get(PATH, params={"reason": "review"})
    incident = CALL.rpartition(".")[0]
    common = {"by": "the-auditor", "call": CALL, "incident": incident}
    whole = {"what": "recording", "digest": FLAC_SUM, "leg": "", **common}
    assert desk.switchboard.noted("Downloaded")[:2] == [
        whole, {"what": "leg", "digest": "b" * 64, "leg": f"{CALL}.1", **common}
    ]  # fmt: skip
    assert len(desk.switchboard.noted("Downloaded")) == 2
    assert FLAC[:10] not in refused.content


def test_an_opening_is_told_when_it_is_quiet_and_at_the_latest_after_a_minute() -> None:
    sent = Sent()
    sent.note(ANNA, FILE, 1000, (0, 10), 0)
    sent.note(ANNA, FILE, 1000, (500, 510), 10)
    assert sent.due(10 + QUIET_S - 1) == []
    (one,) = sent.due(10 + QUIET_S)
    assert (one.opening, one.bytes) == (ANNA, ((0, 10), (500, 510)))
    assert sent.due(10_000) == []
    for now in range(0, int(AT_MOST_S) + 1, 5):
        sent.note(ANNA, FILE, 1000, (now, now + 1), float(now))
    assert len(sent.due(AT_MOST_S)) == 1


def test_many_stretches_are_told_before_they_are_too_many_and_a_clock_that_was_set_back_holds_nothing_up() -> None:
    sent = Sent()
    for n in range(MOST_SPANS + 1):
        sent.note(ANNA, FILE, 10_000, (n * 10, n * 10 + 1), 100)
    assert len(sent.due(100)) == 1
    sent.note(ANNA, FILE, 10_000, (0, 1), 100)
    assert len(sent.due(50)) == 1


def test_nothing_sent_is_nothing_told() -> None:
    sent = Sent()
    sent.note(ANNA, FILE, 1000, (10, 10), 0)
    assert sent.due(1000, all=True) == []


@given(_SPANS, st.integers(0, 100))
def test_merged_spans_are_the_same_ground_sorted_and_apart(spans: list[tuple[int, int]], end: int) -> None:
    found = merged(spans, end)
    ground = {n for first, last in spans for n in range(first, last) if 0 <= n < end}
    assert {n for first, last in found for n in range(first, last)} == ground
    assert all(first < last for first, last in found)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


@pytest.mark.parametrize("header", ["bytes=0-99", None])
async def test_who_is_refused_was_sent_nothing(desk: Desk, header: str | None) -> None:
    """Without a reason, or for a leg that is none."""
    async with desk.signed_in("auditor") as client:
        headers = {"Range": header} if header else {}
        await client.get(PATH, params={"reason": " "}, headers=headers)
        await client.get(PATH, params={"reason": "review", "leg": "nobody"}, headers=headers)
    assert desk.app.state.service.sent.due(0, all=True) == []
