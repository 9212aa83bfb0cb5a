"""Every role at every route: the table is the only place that decides, and it is what the service does."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.core.quality import seed_id
from callserver.web.roles import RULES, Role, Rule, allowed, check_complete
from tests.eventually import eventually
from tests.store.months import note
from tests.web.desk import CALL, INCIDENT, OPERATOR, PLAN, POINT, ROLES, START_NS, Desk, keep, user_of
from tests.web.wire import Wire

PARTY = next(iter(PLAN.parties))
OUTCOME = next(iter(PLAN.outcomes))
LEG = f"{CALL}.2"
BODIES = {
    "/api/incidents/{id}/close": {"outcome": OUTCOME},
    "/api/incidents/{id}/class": {"class": "high"},
    "/api/incidents/{id}/hold": {"why": "the police ask for it", "review": "2026-09-01"},
    "/api/incidents/{id}/release": {"hold": "h1"},
    "/api/calls/{id}/escalate": {"party": PARTY},
    "/api/calls/{id}/hold": {"on": True},
    "/api/calls/{id}/mute": {"leg": LEG, "on": True},
    "/api/calls/{id}/drop": {"leg": LEG},
    "/api/calls/{id}/bring": {"operator": OPERATOR, "mode": "join"},
    "/api/calls/{id}/mode": {"leg": LEG, "mode": "private"},
    "/api/calls/{id}/transfer": {"to": OPERATOR},
    "/api/calls/{id}/bring-point": {"point": POINT},
    "/api/calls/{id}/control": {"control": "beacon"},
    "/api/incidents/{id}/pack": {"reason": "the police ask"},
    "/api/calls/{id}/redaction": {"reason": "a child's name"},
    "/api/calls/{id}/export": {"reason": "the police ask"},
    "/api/calls/{id}/played": {"reason": "review", "spans": [[0, 1000]]},
    "/api/disclosures": {"incident": INCIDENT, "what": "a pack", "recipient": "the police", "legal_basis": "a court's order"},
    "/api/access-requests": {"subject": "Jane Doe"},
    "/api/access-requests/{id}/answer": {"how": "given"},
    "/api/searches": {"name": "long waits", "of": "calls", "filters": "min_wait_s=60"},
    "/api/calls/{id}/sheet": {"scores": {"calm": 2}},
}
# route -> who gets through; written out by hand, so that a slip in the table is seen here
EXPECTED = {
    ("GET", "/api/session"): ROLES,
    ("DELETE", "/api/session"): ROLES,
    ("GET", "/api/incidents"): ROLES,
    ("GET", "/api/incidents.csv"): ("supervisor", "auditor"),
    ("GET", "/api/incidents/{id}"): ROLES,
    ("POST", "/api/incidents/{id}/close"): ("operator", "supervisor"),
    ("POST", "/api/incidents/{id}/class"): ("operator", "supervisor"),
    ("POST", "/api/incidents/{id}/climb"): ("operator", "supervisor"),
    ("GET", "/api/calls"): ROLES,
    ("GET", "/api/calls.csv"): ("supervisor", "auditor"),
    ("GET", "/api/calls/{id}"): ROLES,
    ("GET", "/api/calls/{id}/timeline"): ROLES,
    ("GET", "/api/calls/{id}/recording"): ("supervisor", "auditor"),
    ("POST", "/api/calls/{id}/played"): ("supervisor", "auditor"),
    ("GET", "/api/calls/{id}/peaks"): ("supervisor", "auditor"),
    ("GET", "/api/exports"): ("supervisor", "auditor"),
    ("POST", "/api/incidents/{id}/pack"): ("supervisor", "auditor"),
    ("POST", "/api/calls/{id}/redaction"): ("supervisor", "auditor"),
    ("POST", "/api/calls/{id}/export"): ("supervisor", "auditor"),
    ("POST", "/api/exports/{id}/approve"): ("supervisor", "auditor"),
    ("GET", "/api/exports/{id}/file"): ("supervisor", "auditor"),
    ("GET", "/api/disclosures"): ("supervisor", "auditor"),
    ("GET", "/api/disclosures.csv"): ("supervisor", "auditor"),
    ("POST", "/api/disclosures"): ("supervisor", "auditor"),
    ("GET", "/api/access-requests"): ("supervisor", "auditor"),
    ("POST", "/api/access-requests"): ("supervisor", "auditor"),
    ("POST", "/api/access-requests/{id}/answer"): ("supervisor", "auditor"),
    ("GET", "/api/quality"): ("supervisor", "auditor"),
    ("GET", "/api/quality.csv"): ("supervisor", "auditor"),
    ("GET", "/api/calls/{id}/sheet"): ("supervisor", "auditor"),
    ("POST", "/api/calls/{id}/sheet"): ("supervisor", "auditor"),
    ("GET", "/api/names"): ROLES,
    ("GET", "/api/holds"): ("supervisor", "auditor", "administrator"),
    ("GET", "/api/incidents/{id}/holds"): ("supervisor", "auditor", "administrator"),
    ("POST", "/api/incidents/{id}/hold"): ("supervisor", "auditor"),
    ("POST", "/api/incidents/{id}/release"): ("supervisor", "auditor"),
    ("POST", "/api/calls/{id}/hangup"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/escalate"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/hold"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/mute"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/drop"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/bring"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/mode"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/take-over"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/transfer"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/park"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/renew"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/bring-point"): ("operator", "supervisor"),
    ("POST", "/api/calls/{id}/control"): ("operator", "supervisor"),
    ("POST", "/api/incidents/{id}/take"): ("operator", "supervisor"),
    ("POST", "/api/points/{id}/call"): ("operator", "supervisor"),
    ("POST", "/api/point-groups/{id}/call"): ("operator", "supervisor"),
    ("GET", "/api/call-backs"): ROLES,
    ("GET", "/api/handover"): ROLES,
    ("POST", "/api/call-backs/acknowledge"): ("operator", "supervisor"),
    ("POST", "/api/incidents/{id}/acknowledge"): ("operator", "supervisor"),
    ("POST", "/api/incidents/{id}/give"): ("operator", "supervisor"),
    ("POST", "/api/incidents/{id}/call-back"): ("operator", "supervisor"),
    ("GET", "/api/count/calls"): ROLES,
    ("GET", "/api/count/incidents"): ROLES,
    ("GET", "/api/searches"): ROLES,
    ("POST", "/api/searches"): ROLES,
    ("DELETE", "/api/searches/{id}"): ROLES,
    ("GET", "/api/points"): ROLES,
    ("GET", "/api/operators"): ROLES,
    ("POST", "/api/operators/{id}/available"): ("operator", "supervisor"),
    ("POST", "/api/operators/{id}/pause"): ("operator", "supervisor"),
    ("GET", "/api/queues"): ROLES,
    ("GET", "/api/alarms"): ROLES,
    ("GET", "/api/disks"): ROLES,
    ("GET", "/api/audit"): ("supervisor", "auditor", "administrator"),
    ("GET", "/api/looks"): ("supervisor", "auditor", "administrator"),
    ("GET", "/api/plans"): ("supervisor", "auditor", "administrator"),
    ("GET", "/api/plans/{id}"): ("supervisor", "auditor", "administrator"),
    ("POST", "/api/plans/reload"): ("supervisor", "administrator"),
}
# the same for WebSockets; /api/seat is for operators of the plan besides, see tests/web/test_seat.py
SOCKETS = {
    ("WS", "/api/live"): ROLES,
    ("WS", "/api/seat"): ("operator", "supervisor"),
}
PAGES = {("GET", path) for path in ("/", "/replay", "/console/{path:path}")}
PROBES = {("GET", path) for path in ("/healthz", "/readyz", "/metrics", "/openapi.json")}
SIGNING_IN = {("POST", path) for path in ("/api/session", "/api/session/link")}


def test_every_route_is_expected_here() -> None:
    """A new route needs a line above."""
    assert set(RULES) == set(EXPECTED) | set(SOCKETS) | PAGES | PROBES | SIGNING_IN


async def _ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    ids = {"incidents": INCIDENT, "calls": CALL, "operators": OPERATOR, "plans": "1", "points": POINT, "point-groups": "square"}
    ids |= {"exports": "e1", "access-requests": "a1", "searches": "s1"}
    id = ids.get(path.split("/")[2] if path.count("/") > 1 else "", "")
    params = {"reason": "review"} if path.endswith("/recording") else None
    path = path.replace("{path:path}", "tokens.css")
    return await client.request(method, path.replace("{id}", id), params=params, json=BODIES.get(path))


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_gets_through_where_it_should(desk: Desk, role: str) -> None:
    """Where the table says so 200 (201 for what is new, 202 and 204 without an answer), else 403, and no command is given."""
    keep(
        desk, f.ExportAsked("e1", IncidentId(INCIDENT), "recording", "somebody", "why", CALL), f.AccessAsked("a1", 1, 2, "J", "o")
    )
    note(desk.config.storage.data, seed_id("2026-03"), f.SampleSeeded("2026-03", "UTC", 20, "a" * 64, 2), START_NS)
    async with desk.signed_in(role) as client:
        got = {}
        for method, path in EXPECTED:
            if method != "DELETE":  # of a session and of a search: see their own tests
                before = len(desk.switchboard.asked)
                status = (await _ask(client, method, path)).status_code
                got[method, path] = 200 if status in (201, 202, 204) else status
                assert status != 403 or len(desk.switchboard.asked) == before
        wanted = {route: 200 if role in roles else 403 for route, roles in EXPECTED.items() if route[0] != "DELETE"}
        assert wanted == got


@pytest.mark.parametrize("route", sorted(EXPECTED))
async def test_without_a_session_there_is_401(desk: Desk, route: tuple[str, str]) -> None:
    """Nothing of the API but signing in is open."""
    async with desk.client() as client:
        answer = await _ask(client, *route)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not-signed-in")
    assert desk.switchboard.asked == []


@pytest.mark.parametrize("path", sorted(path for _, path in SOCKETS))
async def test_a_role_has_the_sockets_that_it_should(wire: Wire, path: str) -> None:
    """Who may not is told by the code, as is who is not signed in; and nothing is sent to either."""
    for role in ROLES:
        wire.peer.change({f"operator/{user_of(role)}": {"id": user_of(role), "name": role}})
    await eventually(lambda: wire.desk.app.state.service.present.board.operator(user_of(ROLES[-1])), 5)
    for role in ROLES:
        page = await wire.connect(path, await wire.cookie(role))
        if role in SOCKETS["WS", path]:
            await page.say("watch" if path == "/api/live" else "invent", epoch="", number=0)
            await page.hears("snapshot" if path == "/api/live" else "refused")
        else:
            assert (await page.ended(), page.told) == (4403, [])
    for cookie in ("", "invented"):
        page = await wire.connect(path, cookie)
        assert (await page.ended(), page.told) == (4401, [])


async def test_there_is_no_other_socket(wire: Wire) -> None:
    """A path of the API that is no WebSocket, or nothing at all."""
    cookie = await wire.cookie("supervisor")
    for path in ("/api/calls", "/nothing", "/api/live/"):
        with pytest.raises(InvalidStatus, match="403"):
            await wire.connect(path, cookie)


@pytest.mark.parametrize("route", sorted(PROBES | PAGES))
async def test_public_routes_need_no_session(desk: Desk, route: tuple[str, str]) -> None:
    """Probes, integrators' descriptions, and pages, which hold no data."""
    async with desk.client() as client:
        assert (await _ask(client, *route)).status_code == 200


async def test_operators_act_for_themselves_only(desk: Desk) -> None:
    """Another's state is the supervisor's to change."""
    other = next(id for id in PLAN.operators if id != OPERATOR)
    async with desk.signed_in("operator") as operator, desk.signed_in("supervisor") as supervisor:
        assert (await operator.post(f"/api/operators/{other}/pause")).status_code == 403
        assert (await operator.post(f"/api/operators/{OPERATOR}/pause")).status_code == 200
        assert (await supervisor.post(f"/api/operators/{other}/pause", json={"reason": "meal"})).status_code == 200
    commands = [(verb, args["operator"], args["by"]) for verb, args in desk.switchboard.asked if verb == "pause"]
    assert [("pause", OPERATOR, OPERATOR), ("pause", other, user_of("supervisor"))] == commands


def test_a_route_without_a_rule_does_not_start() -> None:
    """The table and the app are compared when the app is made."""
    with pytest.raises(AssertionError, match="without a rule"):
        check_complete([*RULES, ("POST", "/api/forgotten")])
    with pytest.raises(AssertionError, match="without a rule"):
        check_complete([*RULES, ("WS", "/api/calls")])
    with pytest.raises(AssertionError, match="without a route"):
        check_complete(list(RULES)[1:])


def test_own_only_means_the_user_that_is_named() -> None:
    """Case and neighbours do not match."""
    rule = Rule(frozenset(Role), own_only=frozenset({Role.OPERATOR}))
    assert allowed(rule, "operator", "anna", "anna")
    assert not allowed(rule, "operator", "anna", "Anna")
    assert allowed(rule, "auditor", "anna", "bert")
    assert not allowed(rule, "stranger", "anna", "anna")
