"""The call-back list over HTTP: what is told of it, and who may ask what."""

from typing import Any

import pytest

from callserver.control import Verb
from callserver.control_handover import Handover, Listed, OpenIncident, Tried
from callserver.control_status import AlarmStatus, OperatorStatus, PointStatus
from tests.web.desk import INCIDENT, OPERATOR, PLAN, Desk, user_of

COLLEAGUE = next(id for id in PLAN.operators if id != OPERATOR)
SECOND = 1_000_000_000
WAITS = Listed(
    *("i1", "p1", "North gate", 0, "help", "waiting", "call-back", "the caller is gone"),
    *(1 * SECOND, 2 * SECOND, 302 * SECOND, "ann", "Ann", 122 * SECOND),
    (Tried(60 * SECOND, "ann", "busy (486)"),),
)
SHEET = Handover(
    made_utc_ns=100 * SECOND,
    plan="Town",
    listed=1,
    call_backs=(WAITS,),
    others=(OpenIncident("i2", "p2", "South gate", "attended", 50 * SECOND, "bob"),),
    on_duty=(OperatorStatus("bob", "Bob", state="talking", since_utc_ns=9 * SECOND),),
    points=(PointStatus("p3", "Car park"),),
    trunks=("trunk-a",),
    alarms=(AlarmStatus("disk:data", "the disk is full"),),
)


def owned_by(desk: Desk, owner: str) -> None:
    """The board says whose the incident is."""
    board = desk.app.state.service.present.board
    board.epoch = "e1"
    board.items = {f"incident/{INCIDENT}": {"id": INCIDENT, "owner": owner}}


def asked(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    """What the switchboard was asked to do."""
    return [one for one in desk.switchboard.asked if one[0] != Verb.NOTE_FACT]


async def test_the_list_is_told_with_owner_clock_and_attempts(desk: Desk) -> None:
    desk.switchboard.sheet = SHEET
    async with desk.signed_in("auditor") as client:
        told = (await client.get("/api/call-backs")).json()
    assert told["listed"] == 1
    item = told["items"][0]
    assert (item["class"], item["owner"], item["owner_name"], item["cause"]) == ("emergency", "ann", "Ann", "call-back")
    assert [item[name] for name in ("since", "due", "acknowledge_by")] == [
        "1970-01-01T00:00:02.000Z",
        "1970-01-01T00:05:02.000Z",
        "1970-01-01T00:02:02.000Z",
    ]
    assert item["attempts"] == [{"at": "1970-01-01T00:01:00.000Z", "operator": "ann", "result": "busy (486)"}]


async def test_the_sheet_has_what_the_next_shift_must_know(desk: Desk) -> None:
    desk.switchboard.sheet = SHEET
    async with desk.signed_in("operator") as client:
        told = (await client.get("/api/handover")).json()
    assert [one["id"] for one in told["items"] + told["others"]] == ["i1", "i2"]
    assert (told["on_duty"][0]["name"], told["points"][0]["place"], told["trunks"]) == ("Bob", "Car park", ["trunk-a"])
    assert told["alarms"] == [{"key": "disk:data", "text": "the disk is full"}]


async def test_without_a_switchboard_nothing_is_made_up(desk: Desk) -> None:
    await desk.server.stop()
    async with desk.signed_in("operator") as client:
        assert (await client.get("/api/call-backs")).status_code == 503


@pytest.mark.parametrize(("owner", "to", "status"), [(OPERATOR, COLLEAGUE, 200), ("", COLLEAGUE, 200), (COLLEAGUE, OPERATOR, 200),
                                                     (COLLEAGUE, "", 403), (COLLEAGUE, COLLEAGUE, 403)])  # fmt: skip
async def test_operators_give_away_their_own_and_take_what_they_want(desk: Desk, owner: str, to: str, status: int) -> None:
    owned_by(desk, owner)
    async with desk.signed_in("operator") as client:
        assert (await client.post(f"/api/incidents/{INCIDENT}/give", json={"to": to})).status_code == status
    given = [(Verb.GIVE_OWNER, {"incident": INCIDENT, "to": to, "by": OPERATOR})]
    assert asked(desk) == (given if status == 200 else [])


async def test_supervisors_give_whatever_it_is(desk: Desk) -> None:
    owned_by(desk, COLLEAGUE)
    async with desk.signed_in("supervisor") as client:
        assert (await client.post(f"/api/incidents/{INCIDENT}/give")).status_code == 200
    assert asked(desk) == [(Verb.GIVE_OWNER, {"incident": INCIDENT, "to": "", "by": user_of("supervisor")})]


async def test_one_or_all_is_acknowledged_in_ones_own_name(desk: Desk) -> None:
    owned_by(desk, OPERATOR)
    async with desk.signed_in("operator") as client:
        await client.post(f"/api/incidents/{INCIDENT}/acknowledge")
        await client.post("/api/call-backs/acknowledge")
    said = {"operator": OPERATOR, "by": OPERATOR}
    assert asked(desk) == [(Verb.ACKNOWLEDGE, said | {"incident": INCIDENT}), (Verb.ACKNOWLEDGE, said | {"incident": ""})]


async def test_operators_call_back_for_themselves_alone(desk: Desk) -> None:
    owned_by(desk, "")
    async with desk.signed_in("operator") as client:
        assert (await client.post(f"/api/incidents/{INCIDENT}/call-back", json={"operator": COLLEAGUE})).status_code == 403
        assert (await client.post(f"/api/incidents/{INCIDENT}/call-back")).status_code == 200
        assert (await client.post("/api/incidents/nothing/call-back")).status_code == 404
    assert asked(desk) == [(Verb.CALL_BACK, {"incident": INCIDENT, "operator": OPERATOR, "by": OPERATOR})]


async def test_who_pauses_may_name_who_gets_the_list(desk: Desk) -> None:
    async with desk.signed_in("operator") as client:
        assert (await client.post(f"/api/operators/{OPERATOR}/pause", json={"to": COLLEAGUE})).status_code == 200
    assert asked(desk) == [(Verb.PAUSE, {"operator": OPERATOR, "reason": "", "by": OPERATOR, "to": COLLEAGUE})]
