"""What the API reads from the store, and what its commands say to the switchboard."""

import pytest

from callserver.config import Config
from callserver.control import AlarmStatus, DiskStatus
from callserver.web.times import rfc3339
from tests.web.desk import CALL, INCIDENT, OPERATOR, PLAN, POINT, Desk, opened, story

OUTCOME = next(iter(PLAN.outcomes))
PARTY = next(iter(PLAN.parties))


async def test_calls_are_listed_newest_first(desk: Desk) -> None:
    """With incident, point, state and times."""
    async with desk.signed_in("operator") as client:
        items = (await client.get("/api/calls", params={"limit": 1})).json()["items"]
        older = (await client.get("/api/calls", params={"before": items[0]["number"]})).json()["items"]
    wanted = {
        "id": CALL,
        "incident": INCIDENT,
        "point": POINT,
        "state": "ended",
        "operator": OPERATOR,
        "started": "2026-03-01T12:00:05.000Z",
        "answered": "2026-03-01T12:00:08.000Z",
        "ended": "2026-03-01T12:00:16.000Z",
    }
    assert [wanted] == [{key: item[key] for key in wanted} for item in items]
    assert older == []


async def test_a_call_has_its_legs_and_its_recording(desk: Desk) -> None:
    """Who was there, why each ended, which files there are."""
    async with desk.signed_in("operator") as client:
        call = (await client.get(f"/api/calls/{CALL}")).json()
    assert [(leg["role"], leg["party"], leg["end_class"]) for leg in call["legs"]] == [
        ("point", POINT, "normal"),
        ("operator", OPERATOR, "normal"),
    ]
    assert (call["recording"]["duration_ms"], len(call["recording"]["files"])) == (4000, 2)


async def test_a_timeline_is_the_journal_of_a_call(desk: Desk) -> None:
    """In order, with bodies; facts of other things stay out."""
    async with desk.signed_in("operator") as client:
        items = (await client.get(f"/api/calls/{CALL}/timeline")).json()["items"]
    assert [type(fact).__name__ for fact in story()[4:19]] == [item["kind"] for item in items]
    assert items[0]["at"] == "2026-03-01T12:00:04.000Z"


async def test_incidents_have_their_calls_beneath(desk: Desk) -> None:
    """And can be filtered to those that are open."""
    async with desk.signed_in("operator") as client:
        listed = (await client.get("/api/incidents", params={"open": "true"})).json()["items"]
        whole = (await client.get(f"/api/incidents/{INCIDENT}")).json()
        elsewhere = (await client.get("/api/incidents", params={"point": "elsewhere"})).json()["items"]
    assert [item["id"] for item in listed] == [INCIDENT]
    assert ([call["id"] for call in whole["calls"]], whole["state"], whole["operator"]) == ([CALL], "wrap-up", OPERATOR)
    assert elsewhere == []


async def test_points_operators_and_queues_are_those_of_the_plan(desk: Desk) -> None:
    """Also those of whom nothing was heard; what was heard is beside them."""
    async with desk.signed_in("operator") as client:
        points = (await client.get("/api/points")).json()["items"]
        operators = (await client.get("/api/operators")).json()["items"]
        queues = (await client.get("/api/queues")).json()["items"]
    assert [list(PLAN.points), list(PLAN.operators), list(PLAN.queues)] == [
        [item["id"] for item in items] for items in (points, operators, queues)
    ]
    assert (points[0]["reachable"], points[0]["incident"], points[1]["reachable"]) == (True, INCIDENT, None)
    assert (operators[0]["state"], operators[0]["reachable"], operators[1]["state"]) == ("available", True, None)
    assert (queues[0]["waiting"], queues[0]["available"]) == (0, 1)


async def test_disks_are_told_with_the_hours_that_are_left_and_are_figures(desk: Desk) -> None:
    desk.switchboard.disks = (DiskStatus("data", 5, 10), DiskStatus("captures", 100, 1_000, 20, 5.0, 1_772_366_400_000_000_000))
    async with desk.signed_in("operator") as client:
        items = (await client.get("/api/disks")).json()["items"]
        await desk.server.stop()
        assert (await client.get("/api/disks")).json() == {"items": []}
    assert [(one["id"], one["bytes_per_hour"], one["hours_left"]) for one in items] == [
        ("data", None, None),
        ("captures", 20, 5.0),
    ]
    assert items[1]["measured"] == "2026-03-01T12:00:00.000Z"


async def test_alarms_are_the_switchboards_and_without_it_the_journals(desk: Desk) -> None:
    """One that could not be journalled is seen; one that is only stored counts while nobody can be asked."""
    desk.switchboard.alarms = (AlarmStatus("disk", "the disk is nearly full"), AlarmStatus("journal", "the disk is full"))
    async with desk.signed_in("operator") as client:
        live = (await client.get("/api/alarms")).json()
        await desk.server.stop()
        stored = (await client.get("/api/alarms")).json()
    assert (live["live"], [(one["key"], one["raised"]) for one in live["items"]]) == (
        True,
        [("disk", "2026-03-01T12:00:19.000Z"), ("journal", None)],
    )
    assert (stored["live"], [one["key"] for one in stored["items"]]) == (False, ["disk"])


async def test_the_audit_pages_through_the_whole_journal(desk: Desk) -> None:
    """Newest first, without gap or repetition; the plan itself is left out."""
    numbers: list[int] = []
    async with desk.signed_in("auditor") as client:
        before = None
        while items := (await client.get("/api/audit", params={"limit": 7, **({"before": before} if before else {})})).json()[
            "items"
        ]:
            numbers += [item["number"] for item in items]
            before = numbers[-1]
            last = items[-1]
    assert list(range(len(story()), 0, -1)) == numbers
    assert ("PlanAdopted", {"version", "digest", "by"}) == (last["kind"], set(last["body"]))


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        (
            f"/api/incidents/{INCIDENT}/close",
            {"outcome": OUTCOME, "note": "calm"},
            ("give_outcome", {"incident": INCIDENT, "outcome": OUTCOME, "note": "calm", "by": "the-supervisor"}),
        ),
        (f"/api/calls/{CALL}/hangup", None, ("hang_up", {"call": CALL, "by": "the-supervisor"})),
        (
            f"/api/calls/{CALL}/escalate",
            {"party": PARTY},
            ("escalate", {"call": CALL, "party": PARTY, "by": "the-supervisor"}),
        ),
        (
            f"/api/operators/{OPERATOR}/available",
            None,
            ("make_available", {"operator": OPERATOR, "by": "the-supervisor"}),
        ),
        (
            f"/api/operators/{OPERATOR}/pause",
            {"reason": "meal"},
            ("pause", {"operator": OPERATOR, "reason": "meal", "by": "the-supervisor", "to": ""}),
        ),
    ],
)
async def test_a_command_is_asked_once_in_the_name_of_the_session(desk: Desk, path: str, body: object, asked: object) -> None:
    """The body cannot name another person."""
    async with desk.signed_in("supervisor") as client:
        assert (await client.post(path, json=body)).json() == {"done": True}
    assert [asked] == [one for one in desk.switchboard.asked if one[0] != "note_fact"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (f"/api/incidents/{INCIDENT}/close", {"outcome": "nonsense"}, "unknown-outcome"),
        (f"/api/incidents/{INCIDENT}/close", {"outcome": OUTCOME, "by": "somebody else"}, "invalid"),
        (f"/api/incidents/{INCIDENT}/close", {"outcome": 5}, "invalid"),
        (f"/api/incidents/{INCIDENT}/close", {"outcome": OUTCOME, "note": "x" * 4001}, "invalid"),
        (f"/api/calls/{CALL}/escalate", {"party": "the moon"}, "unknown-party"),
        (f"/api/operators/{OPERATOR}/pause", {"reason": "x" * 201}, "invalid"),
        (f"/api/operators/{OPERATOR}/pause", {"reason": "lunch"}, "unknown-reason"),
    ],
)
async def test_a_command_that_makes_no_sense_asks_nothing(desk: Desk, path: str, body: object, code: str) -> None:
    """422, and the switchboard never hears of it."""
    async with desk.signed_in("supervisor") as client:
        answer = await client.post(path, json=body)
    assert (422, code) == (answer.status_code, answer.json()["error"]["code"])
    assert [one for one in desk.switchboard.asked if one[0] != "note_fact"] == []


async def test_readiness_says_why_not(desk: Desk) -> None:
    """Switchboard away, not ready, store gone."""
    async with desk.client() as client:
        good = await client.get("/readyz")
        desk.switchboard.ready = False
        unready = await client.get("/readyz")
        await desk.server.stop()
        (desk.config.storage.data / "callserver.db").unlink()
        desk.app.state.service.engine.dispose()
        away = await client.get("/readyz")
    assert (good.status_code, good.json()) == (200, {"ready": True, "reasons": []})
    assert (unready.status_code, unready.json()["reasons"]) == (503, ["no plan is in force"])
    assert (away.status_code, away.json()["reasons"]) == (503, ["the switchboard does not answer", "the store cannot be read"])
    assert "the store cannot be read" in away.json()["error"]["message"]


async def test_figures_are_of_store_switchboard_and_web(desk: Desk) -> None:
    """And they are there when the others are not."""
    async with desk.client() as client:
        text = (await client.get("/metrics")).text
        await desk.server.stop()
        without = (await client.get("/metrics")).text
    for line in (
        'callserver_incidents{state="wrap-up"} 1.0',
        'callserver_operators{state="available"} 1.0',
        "callserver_switchboard_up 1.0",
        "callserver_ready 1.0",
        "callserver_workers 5.0",
        "callserver_store_readable 1.0",
    ):
        assert line in text.splitlines()
    assert "callserver_switchboard_up 0.0" in without
    assert 'callserver_web_requests_total{method="GET",status="200"} 1.0' in without


async def test_figures_can_want_a_token(config: Config) -> None:
    """By constant-time comparison of the whole header."""
    async with opened(config, metrics_token="s3cret") as desk, desk.client() as client:
        statuses = [
            (await client.get("/metrics", headers={"Authorization": given} if given else {})).status_code
            for given in ("", "s3cret", "Bearer s3cre", "Bearer s3cret")
        ]
    assert statuses == [401, 401, 401, 200]


def test_times_are_utc_to_the_millisecond() -> None:
    """Cut, never rounded up into the future."""
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_772_366_400_999_999_999) == "2026-03-01T12:00:00.999Z"
    assert rfc3339(None) is None
