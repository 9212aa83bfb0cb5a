"""Listening to what lies encrypted: the same bytes at any range, clear words without the key."""

import hashlib

import pytest

from audio.peaks import pack, peaks_of
from callserver.archive.sealing import Sealing
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId
from callserver.sealed import CHUNK_BYTES, SiteKey
from tests.audio.sounds import noise
from tests.store.months import note
from tests.web.desk import CALL, INCIDENT, Desk, keep, user_of

PATH = f"/api/calls/{CALL}/recording"
OCTETS = bytes(range(32))
CONTENT = bytes(n * 7 % 251 for n in range(3 * CHUNK_BYTES + 99))
SIZE = len(CONTENT)


@pytest.fixture(autouse=True)
def closed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recording and its shape, encrypted under a key of the environment."""
    folder = desk.config.storage.recordings / CALL
    (folder / "call.flac").write_bytes(CONTENT)
    (folder / "call.peaks").write_bytes(pack(peaks_of([noise(8000, 2.0, -30), noise(8000, 2.0, -20, 0.5)], 8000, 0)))
    for name in ("call.flac", "call.peaks"):
        Sealing(lambda: (SiteKey(OCTETS),)).seal(folder / name)
    monkeypatch.setenv("CALLSERVER_SITE_KEY", OCTETS.hex())


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        (None, 0, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        (f"bytes={CHUNK_BYTES - 3}-{CHUNK_BYTES + 3}", CHUNK_BYTES - 3, CHUNK_BYTES + 3),
        ("bytes=100000-150000", 100_000, 150_000),
        ("bytes=-7", SIZE - 7, SIZE - 1),
    ],
)
async def test_any_range_is_that_of_the_content(desk: Desk, header: str | None, first: int, last: int) -> None:
    async with desk.signed_in("auditor") as client:
        answer = await client.get(PATH, params={"reason": "complaint 7"}, headers={"Range": header} if header else {})
    assert (answer.status_code, answer.content) == (206 if header else 200, CONTENT[first : last + 1])
    assert answer.headers["content-length"] == str(last + 1 - first)
    assert answer.headers.get("content-range", f"bytes {first}-{last}/{SIZE}") == f"bytes {first}-{last}/{SIZE}"


async def test_past_the_end_is_past_the_content_s_end(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        answer = await client.get(PATH, params={"reason": "complaint 7"}, headers={"Range": f"bytes={SIZE}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")


async def test_the_shape_is_drawn_of_what_lies_encrypted(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        answer = await client.get(f"/api/calls/{CALL}/peaks", params={"width": 10})
    assert (answer.status_code, answer.json()["duration_ms"]) == (200, 2000)


@pytest.mark.parametrize("key", ["", bytes(32).hex(), "no key"])
async def test_without_the_key_it_is_said_so_and_nobody_listened(desk: Desk, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("CALLSERVER_SITE_KEY", key)
    async with desk.signed_in("auditor") as client:
        answer = await client.get(PATH, params={"reason": "complaint 7"})
        shape = await client.get(f"/api/calls/{CALL}/peaks", params={"width": 10})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "recording-encrypted")
    assert "site's key is missing" in answer.json()["error"]["message"]
    assert desk.switchboard.noted("Listened") == []
    assert shape.status_code == 503


async def test_a_copy_to_take_away_is_in_the_clear_and_none_goes_out_without_the_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    wished = f.ExportAsked("e1", IncidentId(INCIDENT), "recording", user_of("auditor"), "why", CALL)
    sums = {f"{CALL}/call.flac": hashlib.sha256(CONTENT).hexdigest()}
    note(desk.config.storage.data, "made-again", f.RecordingMade(CallId(CALL), sums, {}, 4000, 0), 1_772_366_400 * 10**9)
    keep(desk, wished)
    async with desk.signed_in("auditor") as client:
        answer = await client.get("/api/exports/e1/file")
        assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, CONTENT, str(SIZE))
        assert answer.headers["content-disposition"] == f'attachment; filename="{CALL}-recording.flac"'
        monkeypatch.setenv("CALLSERVER_SITE_KEY", "")
        closed = await client.get("/api/exports/e1/file")
    assert (closed.status_code, closed.json()["error"]["code"]) == (503, "recording-encrypted")
    assert len(desk.switchboard.noted("ExportFetched")) == 1


async def test_the_shape_without_the_key_says_what_is_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSERVER_SITE_KEY", bytes(32).hex())
    async with desk.signed_in("auditor") as client:
        shape = await client.get(f"/api/calls/{CALL}/peaks", params={"width": 10})
    assert (shape.status_code, shape.json()["error"]["code"]) == (503, "recording-encrypted")
