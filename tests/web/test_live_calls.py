"""Live control over HTTP: whose call it is, who may listen, and what the switchboard is asked then."""

from typing import Any

import pytest

from callserver.control import Verb
from tests.web.desk import CALL, INCIDENT, OPERATOR, PLAN, POINT, Desk, user_of

LEG = f"{CALL}.2"
COLLEAGUE = next(id for id in PLAN.operators if id != OPERATOR)
BOSS = user_of("supervisor")

Body = dict[str, Any] | None


def on_board(desk: Desk, *legs: dict[str, str], operator: str = "") -> None:
    """The board says that this is who is in the call now."""
    board = desk.app.state.service.present.board
    board.epoch = "e1"
    board.items = {
        f"call/{CALL}": {"id": CALL, "operator": operator, "legs": list(legs)},
        f"incident/{INCIDENT}": {"id": INCIDENT},
        f"point/{POINT}": {"id": POINT},
    }


def leg(party: str, role: str = "operator", state: str = "up") -> dict[str, str]:
    """One leg of that call."""
    return {"id": LEG, "party": party, "role": role, "state": state}


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        (f"/api/calls/{CALL}/mute", {"leg": LEG, "on": True}, (Verb.MUTE, {"call": CALL, "leg": LEG, "on": True})),
        (f"/api/calls/{CALL}/drop", {"leg": LEG}, (Verb.DROP, {"call": CALL, "leg": LEG})),
        (
            f"/api/calls/{CALL}/bring",
            {"operator": COLLEAGUE, "mode": "private"},
            (Verb.BRING, {"call": CALL, "operator": COLLEAGUE, "mode": "private"}),
        ),
        (f"/api/calls/{CALL}/mode", {"leg": LEG, "mode": "join"}, (Verb.SET_MODE, {"call": CALL, "leg": LEG, "mode": "join"})),
        (f"/api/calls/{CALL}/take-over", None, (Verb.TAKE_OVER, {"call": CALL, "operator": BOSS})),
        (f"/api/calls/{CALL}/take-over", {"operator": COLLEAGUE}, (Verb.TAKE_OVER, {"call": CALL, "operator": COLLEAGUE})),
        (f"/api/calls/{CALL}/transfer", {"to": "desk"}, (Verb.TRANSFER, {"call": CALL, "to": "desk"})),
        (f"/api/calls/{CALL}/park", None, (Verb.PARK, {"call": CALL})),
        (f"/api/calls/{CALL}/renew", None, (Verb.RENEW, {"call": CALL})),
        (f"/api/incidents/{INCIDENT}/take", None, (Verb.TAKE, {"incident": INCIDENT, "operator": BOSS})),
        (f"/api/points/{POINT}/call", {"operator": OPERATOR}, (Verb.CALL_OUT, {"point": POINT, "operator": OPERATOR})),
        ("/api/point-groups/square/call", None, (Verb.CALL_GROUP, {"group": "square", "operator": BOSS})),
        (f"/api/calls/{CALL}/bring-point", {"point": POINT}, (Verb.BRING_POINT, {"call": CALL, "point": POINT})),
        (
            f"/api/calls/{CALL}/control",
            {"control": "beacon"},
            (Verb.SEND_CONTROL, {"call": CALL, "control": "beacon", "leg": ""}),
        ),
    ],
)
async def test_a_command_of_live_control_is_asked_once_in_the_name_of_the_session(
    desk: Desk, path: str, body: Body, asked: tuple[str, dict[str, Any]]
) -> None:
    async with desk.signed_in("supervisor") as client:
        assert (await client.post(path, json=body)).json() == {"done": True}
    verb, args = asked
    assert [one for one in desk.switchboard.asked if one[0] != "note_fact"] == [(verb, {**args, "by": BOSS})]


@pytest.mark.parametrize("path", ["park", "hangup", "hold", "mute", "bring", "control"])
async def test_operators_act_on_the_calls_that_they_are_in(desk: Desk, path: str) -> None:
    """By having it or by a seat that was brought in; not by having been in it, nor while it only rings at their seat."""
    bodies: dict[str, Body] = {"hold": {"on": True}, "mute": {"leg": LEG, "on": True}, "control": {"control": "beacon"}}
    body = {**bodies, "bring": {"operator": COLLEAGUE, "mode": "join"}}.get(path)
    got = []
    async with desk.signed_in("operator") as client:
        for legs, operator in (
            ([leg(COLLEAGUE)], COLLEAGUE),
            ([leg(OPERATOR, state="ringing")], ""),
            ([leg(OPERATOR)], OPERATOR),
            ([leg(COLLEAGUE), leg(OPERATOR, "supervisor")], COLLEAGUE),
        ):
            on_board(desk, *legs, operator=operator)
            got.append((await client.post(f"/api/calls/{CALL}/{path}", json=body)).status_code)
    assert got == [403, 403, 200, 200]
    assert len([one for one in desk.switchboard.asked if one[0] != "note_fact"]) == 2


async def test_supervisors_act_on_any_call(desk: Desk) -> None:
    on_board(desk, leg(COLLEAGUE), operator=COLLEAGUE)
    async with desk.signed_in("supervisor") as client:
        assert (await client.post(f"/api/calls/{CALL}/park")).status_code == 200


@pytest.mark.parametrize("mode", ["listen", "whisper"])
async def test_who_takes_part_unheard_says_why_and_that_is_journalled_first(desk: Desk, mode: str) -> None:
    """Bringing a seat in and changing its part alike; without a reason nothing is asked."""
    bring = {"operator": BOSS, "mode": mode}
    change = {"leg": LEG, "mode": mode}
    async with desk.signed_in("supervisor") as client:
        for path, body in (("bring", bring), ("mode", change)):
            refused = await client.post(f"/api/calls/{CALL}/{path}", json={**body, "reason": "  "})
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "reason-required")
            assert [one[0] for one in desk.switchboard.asked if one[0] in (Verb.BRING, Verb.SET_MODE)] == []
            assert (await client.post(f"/api/calls/{CALL}/{path}", json={**body, "reason": "a new colleague"})).status_code == 200
            asked = [verb for verb, _ in desk.switchboard.asked]
            assert asked[-2:] == [Verb.NOTE_FACT, Verb.BRING if path == "bring" else Verb.SET_MODE]
            desk.switchboard.asked.clear()


async def test_what_cannot_be_journalled_is_not_listened_to(desk: Desk) -> None:
    desk.switchboard.refuse[Verb.NOTE_FACT] = "the journal is away"
    async with desk.signed_in("supervisor") as client:
        wanted = {"operator": BOSS, "mode": "listen", "reason": "a complaint"}
        assert (await client.post(f"/api/calls/{CALL}/bring", json=wanted)).status_code == 409
    assert Verb.BRING not in [verb for verb, _ in desk.switchboard.asked]


@pytest.mark.parametrize("mode", ["listen", "whisper"])
async def test_operators_do_not_listen_in(desk: Desk, mode: str) -> None:
    """Nor by changing how a seat of theirs takes part."""
    on_board(desk, leg(OPERATOR), operator=OPERATOR)
    async with desk.signed_in("operator") as client:
        for path, body in (("bring", {"operator": COLLEAGUE}), ("mode", {"leg": LEG})):
            wanted = {**body, "mode": mode, "reason": "curious"}
            assert (await client.post(f"/api/calls/{CALL}/{path}", json=wanted)).status_code == 403
    assert [verb for verb, _ in desk.switchboard.asked if verb in (Verb.BRING, Verb.SET_MODE)] == []


@pytest.mark.parametrize(
    "path", [f"/api/incidents/{INCIDENT}/take", f"/api/points/{POINT}/call", "/api/point-groups/square/call"]
)
async def test_operators_take_and_call_for_themselves_only(desk: Desk, path: str) -> None:
    async with desk.signed_in("operator") as client:
        assert (await client.post(path, json={"operator": COLLEAGUE})).status_code == 403
        assert (await client.post(path, json={"operator": OPERATOR})).status_code == 200
        assert (await client.post(path)).status_code == 200


@pytest.mark.parametrize("path", ["/api/incidents/none/take", "/api/points/none/call", "/api/calls/none/park"])
async def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    on_board(desk)
    async with desk.signed_in("supervisor") as client:
        assert (await client.post(path)).status_code == 404
