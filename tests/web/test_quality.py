"""The quality sample by the API: drawn when the month is over, sheets by those who may, figures without ranks."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from callserver.core import facts as f
from callserver.core import quality as q
from callserver.core.ids import CallId
from callserver.store import sampling
from callserver.store.directory import set_web
from callserver.store.engine import open_store, read_only
from tests.store import months
from tests.store.months import OLIVE, PAUL, autumn, note, utc_ns
from tests.web.desk import ROLES, Desk, config_in, opened, password_of, user_of

DECEMBER_NS = utc_ns("2026-12-05T09:00:00")
SCORES = {"place": 2, "listened": 1, "calm": 2}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The service over an autumn of calls, in December; nothing is drawn yet."""
    config = config_in(tmp_path)
    autumn(config.storage.data)
    engine = open_store(config.storage.data)
    for role in ROLES:
        set_web(engine, user_of(role), role, password_of(role))
    set_web(engine, OLIVE, "supervisor", password_of("supervisor"))  # who answers at times
    engine.dispose()
    async with opened(config) as it:
        it.now_s = DECEMBER_NS / 1e9
        yield it


def seed(desk: Desk) -> None:
    """What the archivist does."""
    data = desk.config.storage.data
    engine = read_only(data)
    for month, row, hash in sampling.due(engine, months.PLAN.time_zone, 12):
        note(data, q.seed_id(month), f.SampleSeeded(month, months.PLAN.time_zone, row, hash, 2), DECEMBER_NS)
    engine.dispose()


def keep(desk: Desk, fact: f.CallScored, fresh: str) -> None:
    """A sheet in the journal."""
    note(desk.config.storage.data, q.sheet_id(fact.of, fresh), fact, DECEMBER_NS)


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_the_last_month_that_is_over_is_shown_and_before_its_draw_only_counts(desk: Desk) -> None:
    async with desk.signed_in("auditor") as client:
        found = (await client.get("/api/quality")).json()
        assert (found["month"], found["drawn"], found["items"], found["seed"]) == ("2026-11", False, [], None)
        assert [(one["operator"], one["answered"], one["drawn"]) for one in found["lines"]] == sorted(
            [(OLIVE, 10, 0), (PAUL, 10, 0)]
        )
        running = (await client.get("/api/quality", params={"month": "2026-12"})).json()
        assert (running["drawn"], running["end"], running["lines"][0]["answered"]) == (False, "2027-01-01T00:00:00.000Z", 1)
        for wrong in ("2026-13", "november", "2026-1"):
            assert (await client.get("/api/quality", params={"month": wrong})).status_code == 422


async def test_two_calls_of_each_operator_are_drawn_and_are_to_be_done(desk: Desk) -> None:
    seed(desk)
    async with desk.signed_in("supervisor") as client:
        found = (await client.get("/api/quality", params={"month": "2026-11"})).json()
    assert (found["drawn"], found["doubt"], found["calls_per_operator"]) == (True, "", 2)
    assert sorted(one["operator"] for one in found["items"]) == sorted([OLIVE, OLIVE, PAUL, PAUL])
    assert {one["state"] for one in found["items"]} == {"to-do"}
    assert [one["id"] for one in found["criteria"]] == ["place", "listened", "escalation", "calm", "record"]


async def test_a_sheet_is_journalled_with_what_there_was_to_have(desk: Desk) -> None:
    seed(desk)
    async with desk.signed_in("auditor") as client:
        call = (await client.get("/api/quality")).json()["items"][0]["call"]
        answer = await client.post(f"/api/calls/{call}/sheet", json={"scores": SCORES, "comment": " quick, and kind "})
        assert answer.status_code == 200, answer.text
    assert desk.switchboard.noted("CallScored") == [
        {
            "of": call,
            "month": "2026-11",
            "by": user_of("auditor"),
            "scores": SCORES,
            "most": {"place": 2, "listened": 2, "calm": 2},
            "comment": "quick, and kind",
        }
    ]
    ids = [args["id"] for _verb, args in desk.switchboard.asked if args.get("kind") == "CallScored"]
    assert ids[0].startswith(f"quality:sheet:{call}:")


async def test_what_does_not_fit_the_sheet_is_refused(desk: Desk) -> None:
    seed(desk)
    async with desk.signed_in("auditor") as client:
        path = f"/api/calls/{(await client.get('/api/quality')).json()['items'][0]['call']}/sheet"
        for scores, code in (
            ({"calm": 3}, "bad-points"),
            ({"speed": 1}, "bad-points"),
            ({}, "invalid"),
            ({"calm": "2x"}, "invalid"),
        ):
            assert error(await client.post(path, json={"scores": scores})) == (422, code)
        assert error(await client.post("/api/calls/nothing.1/sheet", json={"scores": SCORES})) == (404, "not-found")
    assert desk.switchboard.noted("CallScored") == []


async def test_a_call_that_was_not_drawn_cannot_be_scored(desk: Desk) -> None:
    """Whoever picks calls bends the figures."""
    async with desk.signed_in("auditor") as client:
        assert error(await client.post(f"/api/calls/{months.call_of(100)}/sheet", json={"scores": SCORES})) == (409, "not-drawn")
        seed(desk)
        found = (await client.get("/api/quality")).json()
        drawn = {one["call"] for one in found["items"]}
        other = next(months.call_of(n) for n in range(100, 120) if months.call_of(n) not in drawn)
        assert error(await client.post(f"/api/calls/{other}/sheet", json={"scores": SCORES})) == (409, "not-drawn")
        sheet = (await client.get(f"/api/calls/{other}/sheet")).json()
        assert (sheet["month"], sheet["drawn"]) == ("2026-11", False)


async def test_nobody_scores_their_own_call(desk: Desk) -> None:
    seed(desk)
    async with desk.client() as client:
        await client.post("/api/session", json={"user": OLIVE, "password": password_of("supervisor")})
        items = (await client.get("/api/quality")).json()["items"]
        own = next(one["call"] for one in items if one["operator"] == OLIVE)
        other = next(one["call"] for one in items if one["operator"] == PAUL)
        assert error(await client.post(f"/api/calls/{own}/sheet", json={"scores": SCORES})) == (403, "own-call")
        assert "does not judge it" in (await client.get(f"/api/calls/{own}/sheet")).json()["refused"]
        assert (await client.get(f"/api/calls/{other}/sheet")).json()["refused"] == ""
        assert (await client.post(f"/api/calls/{other}/sheet", json={"scores": SCORES})).status_code == 200
    assert [one["of"] for one in desk.switchboard.noted("CallScored")] == [other]


async def test_the_report_has_means_with_their_numbers_and_keeps_both_sheets(desk: Desk) -> None:
    seed(desk)
    async with desk.signed_in("auditor") as client:
        call = (await client.get("/api/quality")).json()["items"][0]
        for fresh, points in (("a", 0), ("b", 2)):
            keep(desk, f.CallScored(CallId(call["call"]), "2026-11", "sue", {"calm": points}, {"calm": 2}, fresh), fresh)
        found = (await client.get("/api/quality")).json()
        item = next(one for one in found["items"] if one["call"] == call["call"])
        assert (item["state"], [one["comment"] for one in item["sheets"]]) == ("done", ["a", "b"])
        line = next(one for one in found["lines"] if one["operator"] == call["operator"])
        assert (line["drawn"], line["scored"], line["means"]) == (2, 1, {"calm": {"share": 1.0, "calls": 1}})
        assert [one["operator"] for one in found["lines"]] == sorted([OLIVE, PAUL])  # by name, whatever their figures
        text = (await client.get("/api/quality.csv")).content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["operator"] for row in rows] == sorted([OLIVE, PAUL])
    row = next(row for row in rows if row["operator"] == call["operator"])
    assert (row["calm_percent"], row["calm_calls"], row["place_percent"], row["place_calls"]) == ("100", "1", "", "0")


async def test_a_drawn_call_without_sound_any_more_is_told_beside_the_next(desk: Desk) -> None:
    seed(desk)
    async with desk.signed_in("auditor") as client:
        gone = (await client.get("/api/quality")).json()["items"][0]
        note(desk.config.storage.data, "gone", f.RecordingDeleted(CallId(gone["call"]), ("x",), (), "default", "a"), DECEMBER_NS)
        found = (await client.get("/api/quality")).json()
        answer = await client.post(f"/api/calls/{gone['call']}/sheet", json={"scores": SCORES})
        assert error(answer) == (409, "not-drawn")
    own = [one for one in found["items"] if one["operator"] == gone["operator"]]
    assert sorted(one["state"] for one in own) == ["passed", "to-do", "to-do"]
    assert next(one["call"] for one in own if one["state"] == "passed") == gone["call"]
    assert next(one["passed_over"] for one in found["lines"] if one["operator"] == gone["operator"]) == 1
