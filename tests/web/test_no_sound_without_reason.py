"""Every route of the service, asked for sound: none gives a byte of it without a reason that stands in the journal by then.

The recordings of this store are marked, so that sound is known wherever it comes out, whatever the answer says that it is.
"""

import hashlib
import zipfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from callserver.core import facts as f
from callserver.core.desk import PACKS
from callserver.core.ids import CallId, IncidentId
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from callserver.web.roles import RULES
from tests.web.desk import CALL, INCIDENT, OPERATOR, POINT, ROLES, SECOND, Desk, keep, user_of

MARK = b"THE-SOUND-ITSELF" * 64
GIVE_SOUND = {("GET", "/api/calls/{id}/recording"), ("GET", "/api/exports/{id}/file")}
"""What is known to give sound, where a reason was given. Another route that does fails the first test."""
IDS = (CALL, INCIDENT, OPERATOR, POINT, "1", "pack", "copy", "cut")
BODIES: tuple[dict[str, Any], ...] = ({}, {"spans": [[0, 1000]], "reason": "r"}, {"reason": "the police ask"})


@pytest.fixture
async def marked(desk: Desk) -> AsyncIterator[Desk]:
    """Recordings, a pack, a copy and a redaction, all of which sound the mark. Nobody has asked for one of the three yet."""
    folder = desk.config.storage.recordings / CALL
    for path in folder.glob("*.flac"):
        path.write_bytes(MARK)
    packs = desk.config.storage.data / PACKS
    packs.mkdir()
    with zipfile.ZipFile(packs / "pack.zip", "w") as pack:
        pack.writestr("call.flac", MARK)
    (folder / "redacted-cut-call.flac").write_bytes(MARK)
    yield desk


def asked_for(desk: Desk) -> None:
    """The three exports, each with its reason in the journal, and made."""
    incident, by = IncidentId(INCIDENT), user_of("auditor")
    for name, what, of in (("pack", "pack", ""), ("copy", "recording", CALL), ("cut", "redaction", CALL)):
        keep(desk, f.ExportAsked(name, incident, what, by, f"reason of {name}", of))
    pack = hashlib.sha256((desk.config.storage.data / PACKS / "pack.zip").read_bytes()).hexdigest()
    keep(desk, f.PackMade("pack", incident, pack, 1, by, "reason of pack"))
    sum = hashlib.sha256(MARK).hexdigest()
    made = f.RecordingMade(CallId(CALL), {f"{CALL}/{name}.flac": sum for name in (f"{CALL}.1", "call")}, {}, 4000, 0)
    engine = open_store(desk.config.storage.data)
    commit(engine, [append_op("made-again", made, 0, round(desk.now_s * SECOND), 1)])
    engine.dispose()
    files = {f"{CALL}/redacted-cut-call.flac": sum}
    keep(desk, f.RedactionMade("cut", incident, CALL, {}, files, (), "point", "tone", by, "reason of cut"))


def sounds(answer: httpx.Response) -> bool:
    """Whether sound came out: in the open, or in a zip."""
    if zipfile.is_zipfile(BytesIO(answer.content)):
        with zipfile.ZipFile(BytesIO(answer.content)) as pack:
            return any(MARK[:16] in pack.read(name) for name in pack.namelist())
    return MARK[:16] in answer.content


async def ask(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    return await client.request(method, path.replace("{path:path}", "../../data/recordings"), **more)


def everywhere() -> list[tuple[str, str, str]]:
    """Every route with everything that it could be about: (method, route, address)."""
    plain = [(method, path) for method, path in RULES if method != "WS" and (method, path) != ("DELETE", "/api/session")]
    return [(method, path, path.replace("{id}", id)) for method, path in plain for id in (IDS if "{id}" in path else ("",))]


@pytest.mark.parametrize("role", ROLES)
async def test_without_a_reason_no_route_gives_a_byte_of_sound(marked: Desk, role: str) -> None:
    """Not by another method or range, not with an empty reason, not as a file, for nobody."""
    async with marked.signed_in(role) as client:
        for method, _, address in everywhere():
            body = {"json": BODIES[0]} if method == "POST" else {}
            for params in ({}, {"reason": "  "}, {"leg": f"{CALL}.1"}):
                answer = await ask(client, method, address, params=params, headers={"Range": "bytes=0-"}, **body)
                assert not sounds(answer), (method, address, params)
        head = await client.head(f"/api/calls/{CALL}/recording")
    assert head.content == b""
    assert marked.switchboard.noted("Listened") == marked.switchboard.noted("ExportFetched") == []


async def test_what_gives_sound_with_a_reason_is_known_and_its_reason_stands_in_the_journal(marked: Desk) -> None:
    """Told by then by whoever listens, or before by whoever asked for the export, which names the export that is fetched."""
    asked_for(marked)
    gave = set()
    async with marked.signed_in("auditor") as client:
        for method, route, address in everywhere():
            if method != "GET":
                continue
            for params in ({"reason": "complaint 7"}, {"reason": "complaint 7", "leg": f"{CALL}.1"}):
                before = len(marked.switchboard.asked)
                answer = await ask(client, method, address, params=params, headers={"Range": "bytes=0-99"})
                if sounds(answer):
                    gave.add((method, route))
                    told = marked.switchboard.asked[before:]
                    kinds = [args["kind"] for verb, args in told if verb == "note_fact"]
                    bodies = [args["body"] for verb, args in told if verb == "note_fact"]
                    assert kinds in (["Listened"], ["ExportFetched"]), address
                    for body in bodies:
                        assert body.get("reason", "complaint 7") == "complaint 7"
                        assert body["by"] == user_of("auditor")
    assert gave == GIVE_SOUND
    assert [body["leg"] for body in marked.switchboard.noted("Listened")] == ["", f"{CALL}.1"]
    assert {body["export"] for body in marked.switchboard.noted("ExportFetched")} == {"pack", "copy", "cut"}


async def test_where_the_journal_takes_nothing_no_route_gives_sound_whatever_the_reason(marked: Desk) -> None:
    asked_for(marked)
    marked.switchboard.refuse["note_fact"] = "not now"
    async with marked.signed_in("supervisor") as client:
        for method, _, address in everywhere():
            for body in BODIES if method == "POST" else (None,):
                more = {} if body is None else {"json": body}
                answer = await ask(client, method, address, params={"reason": "complaint 7"}, **more)
                assert not sounds(answer), (method, address)


def test_every_answer_that_says_it_is_sound_is_known(desk: Desk, tmp_path: Path) -> None:
    """By the description that integrators read: nothing else speaks of audio or of a zip."""
    described = desk.app.openapi()["paths"]
    said = {
        (method.upper(), path)
        for path, methods in described.items()
        for method, operation in methods.items()
        for answer in operation.get("responses", {}).values()
        for kind in answer.get("content", {})
        if kind.startswith("audio/") or kind == "application/zip"
    }
    assert said <= GIVE_SOUND
    assert ("GET", "/api/calls/{id}/recording") in said
