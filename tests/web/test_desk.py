"""The auditor's desk by the API: exports with and without a second person, the register, requests for access."""

import csv
import hashlib
import io
from pathlib import Path

import httpx
import pytest

from callserver.core import facts as f
from callserver.core.desk import PACKS, PREFIX
from callserver.core.ids import IncidentId
from callserver.store.register import id_of
from tests.web.desk import CALL, FLAC, FLAC_SUM, INCIDENT, Desk, config_in, fill, keep, opened, user_of

SUPERVISOR, AUDITOR = user_of("supervisor"), user_of("auditor")
WHY = {"reason": "the police ask"}


def asked(what: str = "pack", by: str = AUDITOR, four_eyes: bool = True) -> f.ExportAsked:
    return f.ExportAsked("e1", IncidentId(INCIDENT), what, by, "why", "" if what == "pack" else CALL, four_eyes=four_eyes)


def sum_of(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/api/incidents/{INCIDENT}/pack", {"redacted": True}),
        (f"/api/calls/{CALL}/redaction", {"spans_ms": [[2000, 3500], [10, 20]], "party": "point", "cover": "silence"}),
        (f"/api/calls/{CALL}/export", {}),
    ],
)
async def test_what_is_asked_for_is_journalled_with_its_reason(desk: Desk, path: str, body: dict[str, object]) -> None:
    async with desk.signed_in("auditor") as client:
        answer = await client.post(path, json={**body, **WHY})
        refused = await client.post(path, json=body)
        blank = await client.post(path, json={**body, "reason": "  "})
    assert (answer.status_code, refused.status_code, blank.status_code) == (202, 422, 422)
    (noted,) = desk.switchboard.noted("ExportAsked")
    assert (noted["by"], noted["reason"], noted["incident"]) == (AUDITOR, "the police ask", INCIDENT)
    assert answer.json()["state"] == ("ready" if path.endswith("/export") else "queued")
    if "redaction" in path:
        assert (noted["spans"], noted["party"], noted["cover"]) == ([[10, 20], [2000, 3500]], "point", "silence")
    ids = [args["id"] for _verb, args in desk.switchboard.asked if args.get("kind") == "ExportAsked"]
    assert ids == [f"{PREFIX}export:{answer.json()['id']}"]


async def test_a_redaction_of_what_is_not_there_is_refused(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        for body, code in (
            ({"party": "nobody"}, "unknown-party"),
            ({"spans_ms": [[5, 5]]}, "bad-span"),
            ({"cover": "music"}, "invalid"),
        ):
            assert error(await client.post(f"/api/calls/{CALL}/redaction", json={**body, **WHY})) == (422, code)
        assert error(await client.post("/api/calls/nothing.1/redaction", json=WHY)) == (404, "not-found")
        assert error(await client.post("/api/incidents/nothing/pack", json=WHY)) == (404, "not-found")
    assert desk.switchboard.noted("ExportAsked") == []


async def test_with_four_eyes_nothing_is_given_out_to_one_person_alone(desk: Desk) -> None:
    keep(desk, asked("recording"))
    async with desk.signed_in("auditor") as client:
        (item,) = (await client.get("/api/exports")).json()["items"]
        assert (item["state"], item["needs_approval"]) == ("waiting", True)
        assert "Another supervisor or auditor approves it" in item["what_to_do"]
        assert error(await client.get("/api/exports/e1/file")) == (403, "second-person-needed")
        assert error(await client.post("/api/exports/e1/approve")) == (403, "not-yours-to-approve")
    assert [desk.switchboard.noted(kind) for kind in ("ExportApproved", "ExportFetched")] == [[], []]


async def test_the_configuration_says_whether_a_second_person_is_needed(tmp_path: Path) -> None:
    """Also of what was asked for before; and what is asked for says so for good."""
    config = config_in(tmp_path, **{"evidence.four_eyes": True})
    fill(config)
    async with opened(config) as desk, desk.signed_in("auditor") as client:
        keep(desk, asked("recording", four_eyes=False))
        assert error(await client.get("/api/exports/e1/file")) == (403, "second-person-needed")
        answer = await client.post(f"/api/calls/{CALL}/export", json=WHY)
        assert (answer.json()["state"], (await client.get("/api/exports")).json()["four_eyes"]) == ("waiting", True)
        assert desk.switchboard.noted("ExportAsked")[0]["four_eyes"] is True


async def test_with_four_eyes_a_player_plays_and_nobody_saves_the_file_alone(tmp_path: Path) -> None:
    config = config_in(tmp_path, **{"evidence.four_eyes": True})
    fill(config)
    path, why = f"/api/calls/{CALL}/recording", {"reason": "a complaint"}
    async with opened(config) as desk, desk.signed_in("auditor") as client:
        assert error(await client.get(path, params=why)) == (403, "second-person-needed")
        one_leg = await client.get(path, params={**why, "leg": f"{CALL}.1"}, headers={"Range": "bytes=0-"})
        assert error(one_leg) == (403, "second-person-needed")
        assert desk.switchboard.noted("Listened") == []
        assert (await client.get(path, params=why, headers={"Range": "bytes=0-"})).status_code == 206


async def test_another_person_approves_and_both_may_fetch(desk: Desk) -> None:
    keep(desk, asked("recording"))
    async with desk.signed_in("supervisor") as client:
        assert (await client.post("/api/exports/e1/approve")).status_code == 200
    assert desk.switchboard.noted("ExportApproved") == [{"export": "e1", "incident": INCIDENT, "by": SUPERVISOR}]
    (row,) = [args["id"] for _verb, args in desk.switchboard.asked if args.get("kind") == "ExportApproved"]
    assert row.startswith(f"{PREFIX}approved:e1:") and SUPERVISOR not in row  # packs of others have the names of rows
    keep(desk, f.ExportApproved("e1", IncidentId(INCIDENT), SUPERVISOR))
    for role in ("auditor", "supervisor"):
        async with desk.signed_in(role) as client:
            answer = await client.get("/api/exports/e1/file")
            assert (answer.status_code, answer.content) == (200, FLAC)
            assert answer.headers["content-disposition"] == f'attachment; filename="{CALL}-recording.flac"'
    assert [one["by"] for one in desk.switchboard.noted("ExportFetched")] == [AUDITOR, SUPERVISOR]
    rows = [args["id"] for _verb, args in desk.switchboard.asked if args.get("kind") == "ExportFetched"]
    assert len(set(rows)) == 2 and all(row.startswith(f"{PREFIX}fetched:e1:") for row in rows)
    keep(desk, f.ExportFetched("e1", IncidentId(INCIDENT), FLAC_SUM, AUDITOR))
    async with desk.signed_in("auditor") as client:
        assert (await client.get("/api/exports")).json()["items"][0]["fetched"] == 1
    assert {one["digest"] for one in desk.switchboard.noted("ExportFetched")} == {FLAC_SUM}


async def test_a_third_person_fetches_nothing_of_theirs(desk: Desk) -> None:
    keep(desk, asked("recording", "olive"), f.ExportApproved("e1", IncidentId(INCIDENT), "paul"))
    async with desk.signed_in("supervisor") as client:
        assert error(await client.get("/api/exports/e1/file")) == (403, "not-yours")


async def test_nothing_goes_out_that_cannot_be_journalled(desk: Desk) -> None:
    keep(desk, asked("recording", four_eyes=False))
    desk.switchboard.refuse["note_fact"] = "no"
    async with desk.signed_in("auditor") as client:
        answer = await client.get("/api/exports/e1/file")
    assert (answer.status_code, FLAC in answer.content) == (409, False)


async def test_a_pack_is_fetched_when_it_is_made_and_is_gone_after_its_day(desk: Desk) -> None:
    keep(desk, asked(four_eyes=False))
    (desk.config.storage.run / "desk.json").write_text('{"e1": [3, 9]}')
    async with desk.signed_in("auditor") as client:
        (item,) = (await client.get("/api/exports")).json()["items"]
        assert (item["state"], item["done"], item["all"]) == ("queued", 3, 9)
        assert error(await client.get("/api/exports/e1/file")) == (409, "export-queued")
        keep(desk, f.PackMade("e1", IncidentId(INCIDENT), sum_of(b"zip"), 3, AUDITOR, "why"))
        assert error(await client.get("/api/exports/e1/file")) == (404, "export-gone")
        (desk.config.storage.data / PACKS).mkdir()
        (desk.config.storage.data / PACKS / "e1.zip").write_bytes(b"zip")
        answer = await client.get("/api/exports/e1/file")
        assert (answer.content, answer.headers["x-sha256"], answer.headers["content-type"]) == (
            b"zip",
            sum_of(b"zip"),
            "application/zip",
        )
    desk.now_s += 86_400
    async with desk.signed_in("auditor") as client:
        assert error(await client.get("/api/exports/e1/file")) == (410, "export-expired")


async def test_a_file_that_is_not_what_the_journal_says_does_not_go_out_under_its_digest(desk: Desk) -> None:
    keep(desk, asked("recording", four_eyes=False))
    (desk.config.storage.recordings / CALL / "call.flac").write_bytes(FLAC + b"more")
    async with desk.signed_in("auditor") as client:
        assert error(await client.get("/api/exports/e1/file")) == (409, "export-altered")
    assert desk.switchboard.noted("ExportFetched") == []


async def test_more_than_can_be_made_is_not_taken(desk: Desk) -> None:
    for number in range(50):
        keep(desk, f.ExportAsked(f"e{number}", IncidentId(INCIDENT), "pack", "olive", "why"))
    async with desk.signed_in("auditor") as client:
        assert error(await client.post(f"/api/incidents/{INCIDENT}/pack", json=WHY)) == (429, "too-many-exports")
        keep(desk, f.ExportFailed("e7", IncidentId(INCIDENT), "no"))
        assert (await client.post(f"/api/incidents/{INCIDENT}/pack", json=WHY)).status_code == 202


async def test_what_failed_says_why(desk: Desk) -> None:
    keep(desk, asked(four_eyes=False), f.ExportFailed("e1", IncidentId(INCIDENT), "the key is gone"))
    async with desk.signed_in("auditor") as client:
        answer = await client.get("/api/exports/e1/file")
    assert error(answer) == (409, "export-failed")
    assert "the key is gone" in answer.json()["error"]["message"]


async def test_a_redaction_is_fetched_by_its_file_for_listening(desk: Desk) -> None:
    name = f"{CALL}/redacted-e1-call.flac"
    made = f.RedactionMade(
        "e1",
        IncidentId(INCIDENT),
        CALL,
        {},
        {name: sum_of(b"covered"), f"{CALL}/redacted-e1-x.flac": "f" * 64},
        (),
        "point",
        "tone",
        "o",
        "w",
    )
    keep(desk, asked("redaction", four_eyes=False), made)
    (desk.config.storage.recordings / name).write_bytes(b"covered")
    async with desk.signed_in("auditor") as client:
        answer = await client.get("/api/exports/e1/file")
        assert (answer.content, answer.headers["x-sha256"]) == (b"covered", sum_of(b"covered"))
        entry = {
            "incident": INCIDENT,
            "what": "a redacted copy",
            "recipient": "the press",
            "legal_basis": "consent",
            "export": "e1",
        }
        assert (await client.post("/api/disclosures", json=entry)).status_code == 200
    assert desk.switchboard.noted("DisclosureMade")[0]["digest"] == sum_of(b"covered")


async def test_the_register_is_kept_told_and_exported(desk: Desk) -> None:
    entry = {"incident": INCIDENT, "what": "the pack", "recipient": "=the police", "legal_basis": "section 12", "why": "a theft"}
    async with desk.signed_in("supervisor") as client:
        name = (await client.post("/api/disclosures", json=entry)).json()["id"]
        assert error(await client.post("/api/disclosures", json={**entry, "incident": "nothing"})) == (404, "not-found")
        assert error(await client.post("/api/disclosures", json={**entry, "export": "nothing"})) == (404, "not-found")
        assert error(await client.post("/api/disclosures", json={**entry, "recipient": " "})) == (422, "invalid")
        (noted,) = desk.switchboard.noted("DisclosureMade")
        keep(desk, f.DisclosureMade(**noted))
        (item,) = (await client.get("/api/disclosures")).json()["items"]
        text = (await client.get("/api/disclosures.csv")).content.decode("utf-8-sig")
    assert (item["id"], item["by"], item["recipient"], item["why"]) == (name, SUPERVISOR, "=the police", "a theft")
    head, line = csv.reader(io.StringIO(text))
    assert dict(zip(head, line, strict=True))["recipient"] == "'=the police"  # no formula in somebody's spreadsheet


async def test_a_request_for_access_has_a_month_and_one_answer(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        entry = {"subject": "Jane Doe", "received": "2026-01-31T10:00:00Z"}
        name = (await client.post("/api/access-requests", json=entry)).json()["id"]
        (noted,) = desk.switchboard.noted("AccessAsked")
        keep(desk, f.AccessAsked(**noted))
        (item,) = (await client.get("/api/access-requests")).json()["items"]
        assert (item["id"], item["due"], item["state"]) == (name, "2026-02-28T23:59:59.000Z", "late")
        desk.now_s -= 5 * 86_400  # 24 February
        assert (await client.get("/api/access-requests")).json()["items"][0]["state"] == "due"
        desk.now_s -= 5 * 86_400
        assert (await client.get("/api/access-requests")).json()["items"][0]["state"] == "open"
        assert (
            await client.post(f"/api/access-requests/{name}/answer", json={"how": "given", "note": "by mail"})
        ).status_code == 200
        keep(desk, f.AccessAnswered(**desk.switchboard.noted("AccessAnswered")[0]))
        assert error(await client.post(f"/api/access-requests/{name}/answer", json={"how": "refused"})) == (409, "answered")
        future = {"subject": "Jane Doe", "received": "2031-01-31T10:00:00Z"}
        assert error(await client.post("/api/access-requests", json=future)) == (422, "not-received-yet")


def test_facts_told_twice_are_one_row() -> None:
    assert id_of(asked()) == f"{PREFIX}export:e1"
    assert id_of(f.AccessAnswered("a1", "given", "", "o")) == f"{PREFIX}access-answered:a1"
