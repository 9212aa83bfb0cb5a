"""What people tell of their listening, and the list of who looked."""

import hashlib
import uuid

import httpx
import pytest

from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.looks import KINDS
from callserver.store.ops import append_op
from callserver.store.schema import LOOK_KINDS
from callserver.web.api.looks import WHATS
from callserver.web.csv_text import MARK
from tests.eventually import eventually
from tests.web.desk import CALL, INCIDENT, SECOND, Desk

PATH = f"/api/calls/{CALL}/played"
OTHER = f"{INCIDENT}.2"
LOOKS = (
    f.SignedIn("anna", True, "192.0.2.1"),
    f.Searched("anna", "calls", "point=p1", 3),
    f.Listened(CallId(CALL), "anna", "complaint", 0),
    f.Played(CallId(CALL), "anna", ((0, 1000),), "complaint"),
    f.Listened(CallId(OTHER), "otto", "training"),
    f.ExportAsked("e1", IncidentId(INCIDENT), "pack", "otto", "the police ask"),
    f.AccountChanged("anna", "web password changed", "command line (root)"),
    f.ConfigurationRead("a" * 64, "b" * 64, ("web.port",)),
    f.AlarmCleared("disk", "there is room"),
)


def journal(desk: Desk, *facts: f.Fact) -> None:
    """Facts in the journal, a second apart, from the desk's time on."""
    engine = open_store(desk.config.storage.data)
    for n, fact in enumerate(facts):
        commit(engine, [append_op(uuid.uuid4().hex, fact, 0, round((desk.now_s + n) * SECOND), 1)])
    engine.dispose()


async def hear(client: httpx.AsyncClient, spans: object, reason: str = "review", leg: str = "") -> httpx.Response:
    return await client.post(PATH, json={"reason": reason, "leg": leg, "spans": spans})


async def test_what_was_heard_is_journalled_sorted_merged_and_cut_to_the_recording(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        await client.get(f"/api/calls/{CALL}/recording", params={"reason": "review"})
        answer = await hear(client, [[3000, 9000], [0, 500], [400, 900]])
    assert (answer.status_code, answer.content) == (204, b"")
    (told,) = await eventually(lambda: desk.switchboard.noted("Played"), 5)  # type: ignore[misc]
    assert told == {"call": CALL, "by": "the-auditor", "spans": [[0, 900], [3000, 4000]], "reason": "review", "leg": ""}


@pytest.mark.parametrize(("reason", "leg"), [("another", ""), ("review", f"{CALL}.1")])
async def test_who_did_not_open_the_recording_so_tells_nothing_of_it(desk: Desk, reason: str, leg: str) -> None:
    """Neither under another reason nor of another file, and never for somebody else."""
    async with desk.signed_in("auditor") as client:
        await client.get(f"/api/calls/{CALL}/recording", params={"reason": "review"})
        assert (await hear(client, [[0, 1000]], reason, leg)).status_code == 403
    async with desk.signed_in("supervisor") as client:
        answer = await hear(client, [[0, 1000]])
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not-opened")
    assert desk.switchboard.noted("Played") == []


async def test_a_web_process_that_was_replaced_takes_the_report_by_what_the_journal_has(desk: Desk) -> None:
    journal(desk, f.Listened(CallId(CALL), "the-auditor", "review"))
    async with desk.signed_in("auditor") as client:
        assert (await hear(client, [[0, 1000]])).status_code == 204
        assert (await hear(client, [[0, 1000]], "another")).status_code == 403


@pytest.mark.parametrize("spans", [[[-1, 5]], [[0]], [["a", 5]], [[0, 1]] * 201, [[0, 10**12]], "all", None])
async def test_spans_that_are_none_are_refused(desk: Desk, spans: object) -> None:
    async with desk.signed_in("auditor") as client:
        await client.get(f"/api/calls/{CALL}/recording", params={"reason": "review"})
        assert (await hear(client, spans)).status_code == 422


async def test_spans_without_ground_are_taken_and_tell_nothing(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        await client.get(f"/api/calls/{CALL}/recording", params={"reason": "review"})
        assert (await hear(client, [[500, 500], [900, 100], [50_000, 60_000]])).status_code == 204
        assert (await client.post(f"/api/calls/{INCIDENT}.9/played", json={"reason": "r", "spans": []})).status_code == 404
    assert desk.switchboard.noted("Played") == []


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({}, ["ConfigurationRead", "AccountChanged", "ExportAsked", "Listened", "Played", "Listened", "Searched", "SignedIn"]),
        ({"by": "anna"}, ["Played", "Listened", "Searched", "SignedIn"]),
        ({"by": "ann"}, []),
        ({"by": "command line (root)"}, ["AccountChanged"]),
        ({"call": CALL}, ["ExportAsked", "Played", "Listened"]),
        ({"what": "listened"}, ["Listened", "Listened"]),
        ({"what": "heard", "by": "otto"}, []),
        ({"what": "settings"}, ["ConfigurationRead"]),
        ({"from": "2026-03-01T13:00:06Z"}, ["ConfigurationRead", "AccountChanged"]),
        ({"to": "2026-03-01T13:00:01Z"}, ["SignedIn"]),
        ({"limit": "2"}, ["ConfigurationRead", "AccountChanged"]),
    ],
)
async def test_looks_are_found_by_person_call_kind_and_time(desk: Desk, params: dict[str, str], wanted: list[str]) -> None:
    """The plan of the story, which was adopted before, is left out by the time."""
    journal(desk, *LOOKS)
    async with desk.signed_in("administrator") as client:
        answer = await client.get("/api/looks", params={"from": "2026-03-01T13:00:00Z", **params})
    assert [item["kind"] for item in answer.json()["items"]] == wanted


async def test_a_look_has_its_reason_and_its_spans_and_pages_follow_each_other(desk: Desk) -> None:
    journal(desk, *LOOKS)
    async with desk.signed_in("auditor") as client:
        first = (await client.get("/api/looks", params={"limit": 5})).json()["items"]
        second = (await client.get("/api/looks", params={"limit": 5, "before": first[-1]["number"]})).json()["items"]
    assert (first[4]["body"]["reason"], first[4]["body"]["spans"]) == ("complaint", [[0, 1000]])
    assert [item["kind"] for item in second] == ["Listened", "Searched", "SignedIn", "PlanAdopted"]
    assert "plan" not in second[-1]["body"]


async def test_asking_who_looked_is_a_look_and_its_next_page_is_not(desk: Desk) -> None:
    journal(desk, *LOOKS)
    async with desk.signed_in("supervisor") as client:
        for params in ({"by": "anna"}, {"by": "anna"}, {"by": "anna", "before": "30"}, {"by": "otto"}):
            await client.get("/api/looks", params=params)
    told = await eventually(lambda: len(found := desk.switchboard.noted("Searched")) >= 2 and found, 5)
    assert told == [
        {"by": "the-supervisor", "of": "looks", "what": "by=anna", "found": 4},
        {"by": "the-supervisor", "of": "looks", "what": "by=otto", "found": 2},
    ]


async def test_reading_the_journal_is_a_look_once_for_all_its_pages(desk: Desk) -> None:
    async with desk.signed_in("administrator") as client:
        for params in ({}, {"before": "5"}, {"before": "2"}, {"limit": "3"}):
            await client.get("/api/audit", params=params)
    told = await eventually(lambda: desk.switchboard.noted("Searched"), 5)
    assert told == [{"by": "the-administrator", "of": "journal", "what": "", "found": 20}]


@pytest.mark.parametrize(("path", "what"), [("/api/disclosures.csv", "disclosures"), ("/api/quality.csv", "quality")])
async def test_a_file_that_is_taken_away_stands_in_the_journal_or_does_not_go_out(desk: Desk, path: str, what: str) -> None:
    async with desk.signed_in("auditor") as client:
        answer = await client.get(path)
        desk.switchboard.refuse["note_fact"] = "not now"
        refused = await client.get(path)
    assert answer.content.startswith(MARK.encode())  # a spreadsheet would show names wrong without it
    digest = hashlib.sha256(answer.content).hexdigest()
    told = [(body["by"], body["what"], body["digest"]) for body in desk.switchboard.noted("Downloaded")]
    assert told == [("the-auditor", what, digest)] * 2
    assert (refused.status_code, answer.content in refused.content) == (409, False)


def test_every_kind_that_is_found_is_indexed_and_has_a_name() -> None:
    assert sorted(kind for kinds in KINDS.values() for kind in kinds) == sorted(LOOK_KINDS)
    assert set(LOOK_KINDS) <= set(f.KINDS)
    assert WHATS.__args__ == tuple(KINDS)  # type: ignore[attr-defined]
