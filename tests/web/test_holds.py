"""Legal holds by the API, and what it says of a recording that was deleted."""

import pytest

from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from tests.web.desk import CALL, INCIDENT, START_NS, Desk

HOLD = f"/api/incidents/{INCIDENT}/hold"
RELEASE = f"/api/incidents/{INCIDENT}/release"
WANTED = {"why": " the police ask for it ", "review": "2026-09-01"}
REVIEW_NS = 1_788_220_800_000_000_000  # 2026-09-01T00:00:00Z
DAY_NS = 86_400_000_000_000


def happened(desk: Desk, *facts: f.Fact) -> None:
    """In the journal, a day after the story."""
    engine = open_store(desk.config.storage.data)
    commit(engine, [append_op(f"kept-{n}", fact, n, START_NS + DAY_NS, 1) for n, fact in enumerate(facts)])
    engine.dispose()


DELETED = f.RecordingDeleted(CallId(CALL), (f"{CALL}/call.flac",), (), "default", "retention")


@pytest.mark.parametrize("role", ["supervisor", "auditor"])
async def test_a_hold_is_journalled_with_its_owner_reason_and_review(desk: Desk, role: str) -> None:
    async with desk.signed_in(role) as client:
        answer = await client.post(HOLD, json=WANTED)
    assert (answer.status_code, answer.json()["late"]) == (200, [])
    (told,) = desk.switchboard.noted("HoldPlaced")
    assert (told["hold"], told["incident"], told["by"]) == (answer.json()["hold"], INCIDENT, f"the-{role}")
    assert (told["review_utc_ns"], told["why"]) == (REVIEW_NS, "the police ask for it")


async def test_two_holds_have_two_names(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        names = [(await client.post(HOLD, json=WANTED)).json()["hold"] for _ in range(2)]
    assert len(set(names)) == 2


@pytest.mark.parametrize("review", ["2026-03-01", "2020-01-01", "2046-01-01"])
async def test_a_hold_without_a_day_to_come_is_refused(desk: Desk, review: str) -> None:
    async with desk.signed_in("auditor") as client:
        answer = await client.post(HOLD, json={**WANTED, "review": review})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no-review-date")
    assert desk.switchboard.noted("HoldPlaced") == []


@pytest.mark.parametrize("wanted", [{"why": "x"}, {"review": "2026-09-01"}, {**WANTED, "why": ""}, {**WANTED, "review": "soon"}])
async def test_a_hold_without_reason_or_review_is_refused(desk: Desk, wanted: dict[str, str]) -> None:
    async with desk.signed_in("auditor") as client:
        assert (await client.post(HOLD, json=wanted)).status_code == 422
        assert (await client.post(HOLD.replace(INCIDENT, "nothing"), json=WANTED)).status_code == 404
    assert desk.switchboard.noted("HoldPlaced") == []


async def test_a_hold_that_comes_too_late_says_for_which_calls(desk: Desk) -> None:
    happened(desk, DELETED)
    async with desk.signed_in("supervisor") as client:
        answer = await client.post(HOLD, json=WANTED)
    assert (answer.status_code, answer.json()["late"]) == (200, [CALL])


async def test_holds_are_listed_while_they_stand_and_remembered_afterwards(desk: Desk) -> None:
    incident = IncidentId(INCIDENT)
    happened(
        desk,
        f.HoldPlaced("h1", incident, "sue", REVIEW_NS, "asked"),
        f.HoldPlaced("h2", incident, "paul", REVIEW_NS, "a complaint"),
        f.HoldLifted("h1", incident, "sue", "over"),
    )
    async with desk.signed_in("auditor") as client:
        standing = (await client.get("/api/holds")).json()["items"]
        all_of_it = (await client.get(f"/api/incidents/{INCIDENT}/holds")).json()["items"]
    assert standing == [
        {
            "hold": "h2",
            "incident": INCIDENT,
            "by": "paul",
            "placed": "2026-03-02T12:00:00.000Z",
            "review": "2026-09-01T00:00:00.000Z",
            "why": "a complaint",
            "lifted": None,
            "lifted_by": None,
        }
    ]
    assert [(one["hold"], one["lifted_by"]) for one in all_of_it] == [("h1", "sue"), ("h2", None)]


async def test_a_release_is_journalled_and_a_wrong_one_is_told(desk: Desk) -> None:
    async with desk.signed_in("supervisor") as client:
        assert (await client.post(RELEASE, json={"hold": "h1", "why": "the case is closed"})).status_code == 200
        (told,) = desk.switchboard.noted("HoldLifted")
        assert told == {"hold": "h1", "incident": INCIDENT, "by": "the-supervisor", "why": "the case is closed"}
        desk.switchboard.refuse["note_fact"] = "incident has no hold h9"
        answer = await client.post(RELEASE, json={"hold": "h9"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (409, "incident has no hold h9")


@pytest.mark.parametrize("path", [f"/api/calls/{CALL}/recording?reason=review", f"/api/calls/{CALL}/peaks"])
async def test_a_deleted_recording_is_gone_with_its_day_and_rule(desk: Desk, path: str) -> None:
    """Also while the file is still there."""
    happened(desk, DELETED)
    async with desk.signed_in("auditor") as client:
        answer = await client.get(path)
        call = (await client.get(f"/api/calls/{CALL}")).json()
        timeline = (await client.get(f"/api/calls/{CALL}/timeline")).json()["items"]
    told = answer.json()["error"]
    assert (answer.status_code, told["code"]) == (410, "recording-deleted")
    assert told["message"] == "The recording was deleted on 2026-03-02 by the rule 'default'."
    assert call["deleted"] == {"at": "2026-03-02T12:00:00.000Z", "rule": "default", "by": "retention"}
    assert [fact["kind"] for fact in timeline][-1] == "RecordingDeleted"
    assert desk.switchboard.noted("Listened") == []


async def test_a_recording_that_somebody_asked_to_delete_says_so(desk: Desk) -> None:
    happened(desk, f.RecordingDeleted(CallId(CALL), (), (), "request", "sue"))
    async with desk.signed_in("auditor") as client:
        answer = await client.get(f"/api/calls/{CALL}/peaks")
    assert answer.json()["error"]["message"] == "The recording was deleted on 2026-03-02 on request, by sue."
