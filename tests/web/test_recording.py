"""Listening: reasons, ranges, and what the journal gets to know before a byte goes out."""

import io
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect

from callserver.web import ranges
from callserver.web.openings import MOST, WINDOW_S, Opening, Openings
from tests.web.desk import CALL, FLAC, Desk

PATH = f"/api/calls/{CALL}/recording"
SIZE = len(FLAC)


@pytest.mark.parametrize(
    ("header", "status", "body"),
    [
        (None, 200, FLAC),
        ("bytes=0-", 206, FLAC),
        ("bytes=0-0", 206, FLAC[:1]),
        ("bytes=100-199", 206, FLAC[100:200]),
        ("Bytes = 100-199", 206, FLAC[100:200]),
        (f"bytes={SIZE - 1}-", 206, FLAC[-1:]),
        (f"bytes=100-{SIZE * 9}", 206, FLAC[100:]),
        ("bytes=-7", 206, FLAC[-7:]),
        (f"bytes=-{SIZE * 9}", 206, FLAC),
        (f"bytes={SIZE}-", 416, b""),
        ("bytes=999999999-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=5-4", 200, FLAC),  # no range at all: ignored, RFC 9110 14.1.1
        ("bytes=0-1,5-6", 200, FLAC),  # several: the whole is a right answer
        ("lines=1-2", 200, FLAC),
        ("bytes=x-", 200, FLAC),
        ("bytes=-", 200, FLAC),
        ("bytes=" + "9" * 40 + "-", 200, FLAC),
    ],
)
async def test_ranges_are_those_of_http(desk: Desk, header: str | None, status: int, body: bytes) -> None:
    """RFC 9110 section 14; 416 names the size."""
    async with desk.signed_in("auditor") as client:
        answer = await client.get(PATH, params={"reason": "complaint 7"}, headers={"Range": header} if header else {})
    assert status == answer.status_code
    if status == 416:
        assert (f"bytes */{SIZE}", "no-such-range") == (answer.headers["content-range"], answer.json()["error"]["code"])
        assert desk.switchboard.noted("Listened") == []
        return
    assert (body, "audio/flac", "bytes") == (answer.content, answer.headers["content-type"], answer.headers["accept-ranges"])
    assert str(len(body)) == answer.headers["content-length"]
    first = FLAC.index(body) if status == 206 else 0
    wanted = f"bytes {first}-{first + len(body) - 1}/{SIZE}" if status == 206 else None
    assert header in ("bytes=-7", f"bytes={SIZE - 1}-") or wanted == answer.headers.get("content-range")


async def test_who_listens_and_why_is_journalled(desk: Desk) -> None:
    """With the name of the session, never one from the request."""
    async with desk.signed_in("auditor") as client:
        await client.get(PATH, params={"reason": "  complaint 7 ", "by": "somebody else"})
    wanted = [{"call": CALL, "by": "the-auditor", "reason": "complaint 7", "first_byte": 0, "leg": ""}]
    assert wanted == desk.switchboard.noted("Listened")


async def test_a_players_many_ranges_are_one_listening(desk: Desk) -> None:
    """Starting anew, another reason, another session or ten minutes later are others."""

    async def get(first: int, reason: str = "review") -> None:
        await client.get(PATH, params={"reason": reason}, headers={"Range": f"bytes={first}-{first + 9}"})

    async with desk.signed_in("auditor") as client:
        for first in (0, 100, 200):
            await get(first)
        await get(300, "another reason")
        await get(0)
        desk.now_s += WINDOW_S + 1
        await get(400)
    async with desk.signed_in("supervisor") as client:
        await get(500)
    assert [body["first_byte"] for body in desk.switchboard.noted("Listened")] == [0, 300, 0, 400, 500]


async def test_what_cannot_be_journalled_is_not_played(desk: Desk) -> None:
    """No evidence of listening, no listening."""
    async with desk.signed_in("auditor") as client:
        desk.switchboard.refuse["note_fact"] = "not now"
        refused = await client.get(PATH, params={"reason": "review"})
        await desk.server.stop()
        away = await client.get(PATH, params={"reason": "review"})
    assert [refused.status_code, away.status_code] == [409, 503]
    assert b"" not in (refused.content, away.content)
    assert FLAC[:10] not in refused.content + away.content


async def test_one_leg_can_be_asked_for(desk: Desk) -> None:
    """By its id; the default is the file of no single leg."""
    async with desk.signed_in("auditor") as client:
        await client.get(PATH, params={"reason": "review"})
        leg = await client.get(PATH, params={"reason": "review", "leg": f"{CALL}.1"}, headers={"Range": "bytes=0-"})
        other = await client.get(PATH, params={"reason": "review", "leg": "../../callserver.db"})
    assert (FLAC[:100], 404) == (leg.content, other.status_code)
    assert [body["leg"] for body in desk.switchboard.noted("Listened")] == ["", f"{CALL}.1"]


async def test_a_file_that_is_gone_is_said_so(desk: Desk) -> None:
    """The journal knows it, the disk does not."""
    (desk.config.storage.recordings / CALL / "call.flac").unlink()
    async with desk.signed_in("auditor") as client:
        answer = await client.get(PATH, params={"reason": "review"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "recording-unreadable")
    assert desk.switchboard.noted("Listened") == []


def test_a_name_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    """Not by dots, not by a link, not by a root."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    assert tmp_path / "in" / "a" / "b.flac" == ranges.inside(tmp_path / "in", "a/b.flac")
    for name in ("../x", "a/../../x", "/etc/passwd", "link/x"):
        with pytest.raises(ValueError, match="outside"):
            ranges.inside(tmp_path / "in", name)


def test_a_file_that_shrinks_ends_early() -> None:
    """And is closed."""
    file = io.BytesIO(b"abc")
    assert b"".join(ranges.read(file, ranges.Span(1, 99, 100, True))) == b"bc"
    assert file.closed


def test_an_empty_file_has_no_range() -> None:
    """But it has a whole."""
    assert ranges.span(None, 0).length == 0
    for header in ("bytes=0-", "bytes=-1"):
        with pytest.raises(ranges.NotSatisfiable):
            ranges.span(header, 0)


def test_openings_are_bounded() -> None:
    """The oldest is forgotten first."""
    openings = Openings()
    for n in range(MOST + 1):
        openings.note(Opening("anna", 1.0, str(n), "r"), 0.0)
    assert [openings.recent(Opening("anna", 1.0, str(n), "r"), 1.0) for n in (0, MOST)] == [False, True]
    assert [openings.known(Opening("anna", 1.0, str(n), "r")) for n in (0, MOST)] == [False, True]


@pytest.mark.parametrize("sent", [0, 1, 2])
async def test_a_player_that_breaks_off_leaves_no_file_open(desk: Desk, sent: int) -> None:
    """Before the head of the answer, before the first byte, or in the middle."""
    path = desk.config.storage.recordings / CALL / "call.flac"
    path.write_bytes(bytes(10 * ranges.PART_BYTES))
    async with desk.signed_in("auditor") as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    messages: list[object] = []

    async def send(message: object) -> None:
        if len(messages) == sent:
            raise OSError("the player is gone")
        messages.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": PATH,
        "query_string": b"reason=review",
        "scheme": "http",
        "http_version": "1.1",
    }
    scope |= {
        "headers": [(b"host", b"help.test"), (b"cookie", cookie.encode())],
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
    with pytest.raises((OSError, ClientDisconnect)):
        await desk.app(scope, receive, send)
    assert _open_at(path) == []
    told = sum(end - first for one in desk.app.state.service.sent.due(0, all=True) for first, end in one.bytes)
    arrived = max(0, sent - 1) * ranges.PART_BYTES
    assert arrived <= told <= arrived + ranges.PART_BYTES  # at most what was on its way when the player was gone


def _open_at(path: Path) -> list[Path]:
    """This process's descriptors of a file."""
    return [link for link in Path("/proc/self/fd").iterdir() if link.exists() and link.resolve() == path.resolve()]
