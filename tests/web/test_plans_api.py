"""Plans by the API: every version, what it changed, and the wish for another."""

from dataclasses import replace
from typing import Any

from callserver.core.facts import PlanAdopted
from callserver.store import plan_texts
from callserver.store.plan_texts import PlanText
from callserver.store.writer import Entry, JournalWriter
from tests.web.desk import INCIDENT, OPERATOR, PLAN, START_NS, Desk

DIGEST = "c" * 64


def _asked(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    return [asked for asked in desk.switchboard.asked if asked[0] != "note_fact"]


def _adopt_another(desk: Desk) -> None:
    storage = desk.config.storage
    writer = JournalWriter(storage.data, spool=storage.spool / "journal.spool")
    writer.start()
    fact = PlanAdopted(2, DIGEST, replace(PLAN, name="Another"), "the-supervisor")
    writer.append([Entry("t-another", fact, 10**12, START_NS + 10**12, 1)]).result(10)
    writer.close()
    plan_texts.keep(storage.data, DIGEST, (PlanText("plan.toml", "# another\n"),))


async def test_every_version_is_there_with_what_it_said_and_changed(desk: Desk) -> None:
    """The newest first; a version is compared with the one before it, or with any other."""
    _adopt_another(desk)
    async with desk.signed_in("auditor") as client:
        items = (await client.get("/api/plans")).json()["items"]
        second = (await client.get("/api/plans/2")).json()
        first = (await client.get("/api/plans/1")).json()
        back = (await client.get("/api/plans/1", params={"against": 2})).json()
        missing = [(await client.get(path)).status_code for path in ("/api/plans/7", "/api/plans/1?against=7")]
    assert [(item["version"], item["by"]) for item in items] == [(2, "the-supervisor"), (1, "start")]
    assert (second["name"], second["files"], second["against"]) == ("Another", [{"name": "plan.toml", "text": "# another\n"}], 1)
    assert second["changes"] == [{"where": "plan.name", "old": PLAN.name, "new": "Another"}]
    assert (first["files"], first["against"], first["changes"]) == ([], None, [])
    assert back["changes"] == [{"where": "plan.name", "old": "Another", "new": PLAN.name}]
    assert missing == [404, 404]


async def test_a_reload_goes_to_the_switchboard_with_who_wants_it(desk: Desk) -> None:
    async with desk.signed_in("supervisor") as client:
        answer = await client.post("/api/plans/reload")
    assert answer.json() == {"version": 2, "name": "Another", "changed": True, "warnings": ["the bench has no camera"]}
    assert _asked(desk) == [("reload_plan", {"by": "the-supervisor"})]


async def test_a_refused_plan_comes_back_with_every_fault(desk: Desk) -> None:
    desk.switchboard.refuse["reload_plan"] = "plan.toml:3: one\nplan.toml:9: two"
    async with desk.signed_in("administrator") as client:
        answer = await client.post("/api/plans/reload")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (422, "plan-refused", "plan.toml:3: one\nplan.toml:9: two")


async def test_class_and_ladder_are_asked_of_the_switchboard(desk: Desk) -> None:
    """By whoever is signed in; a class that there is not, or an incident, is refused before."""
    async with desk.signed_in("operator") as client:
        path = f"/api/incidents/{INCIDENT}"
        good = [(await client.post(f"{path}/class", json={"class": "high"})).status_code]
        good.append((await client.post(f"{path}/climb")).status_code)
        bad = [(await client.post(f"{path}/class", json={"class": "urgent"})).status_code]
        bad.append((await client.post("/api/incidents/none/class", json={"class": "high"})).status_code)
        bad.append((await client.post("/api/incidents/none/climb")).status_code)
    assert (good, bad) == ([200, 200], [422, 404, 404])
    assert _asked(desk) == [
        ("classify", {"incident": INCIDENT, "priority": 1, "by": OPERATOR}),
        ("climb", {"incident": INCIDENT, "by": OPERATOR}),
    ]
