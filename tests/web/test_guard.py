"""Origins, sizes, headers, and the one shape of errors."""

from collections.abc import AsyncIterator

import pytest

from callserver.config import Config
from callserver.web.guard import MAX_BODY_BYTES
from callserver.web.headers import HEADERS
from tests.web.desk import BASE, CALL, INCIDENT, Desk, opened, user_of

COMMAND = f"/api/calls/{CALL}/hangup"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a script
        ({"Origin": BASE}, 200),
        ({"Origin": BASE.upper().replace("HTTP", "http")}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "https://help.test"}, 403),
        ({"Origin": "http://help.test:81"}, 403),
        ({"Origin": "http://help.test.evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_commands_come_from_our_own_pages(desk: Desk, headers: dict[str, str], status: int) -> None:
    """A foreign page cannot use a person's cookie; and what is refused reaches nobody."""
    async with desk.signed_in("supervisor") as client:
        answer = await client.post(COMMAND, headers=headers)
        assert status == answer.status_code
        assert [("hang_up", {"call": CALL, "by": "the-supervisor"})][: status == 200] == [
            one for one in desk.switchboard.asked if one[0] == "hang_up"
        ]


async def test_reading_is_not_bound_to_an_origin(desk: Desk) -> None:
    """The answer is not readable to a foreign page anyhow: no CORS header is ever sent."""
    async with desk.signed_in("supervisor") as client:
        answer = await client.get("/api/calls", headers={"Origin": "http://evil.test"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_configured_origin_is_ours(config: Config) -> None:
    """For a proxy that changes the Host header."""
    web = config.web.model_copy(update={"origins": ("https://desk.example",)})
    async with opened(config.model_copy(update={"web": web})) as desk, desk.signed_in("supervisor") as client:
        assert (await client.post(COMMAND, headers={"Origin": "https://desk.example"})).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/api/calls", "/nothing", "/openapi.json", "/metrics"])
async def test_every_answer_has_the_headers(desk: Desk, path: str) -> None:
    """Also errors and figures."""
    async with desk.client() as client:
        answer = await client.get(path)
    assert dict(HEADERS) == {name: answer.headers.get(name) for name in HEADERS}
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def _parts(part: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield part


async def test_bodies_are_bounded(desk: Desk) -> None:
    """By what they say, and they must say it."""
    async with desk.signed_in("supervisor") as client:
        close = f"/api/incidents/{INCIDENT}/close"
        long = await client.post(close, content=b" " * (MAX_BODY_BYTES + 1), headers={"Content-Type": "application/json"})
        silent = await client.post(close, content=_parts(b"{}", 2))
        liar = await client.post(close, content=b"{}", headers={"Content-Length": "-1"})
    assert [long.status_code, silent.status_code, liar.status_code] == [413, 411, 400]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/api/calls/", 404, "not-found"),
        ("PUT", "/api/calls", 405, "method-not-allowed"),
        ("GET", "/api/calls/nope", 404, "not-found"),
        ("GET", "/api/calls/nope/timeline", 404, "not-found"),
        ("GET", "/api/calls/nope/recording?reason=x", 404, "not-found"),
        ("GET", f"/api/calls/{CALL}/recording", 400, "reason-required"),
        ("GET", f"/api/calls/{CALL}/recording?reason=%20", 400, "reason-required"),
        ("GET", f"/api/calls/{CALL}/recording?reason=x&leg=nope", 404, "not-found"),
        ("GET", "/api/incidents/nope", 404, "not-found"),
        ("GET", "/api/calls?limit=0", 422, "invalid"),
        ("GET", "/api/calls?limit=x", 422, "invalid"),
        ("POST", "/api/calls/nope/hangup", 404, "not-found"),
        ("POST", f"/api/calls/{CALL}/escalate", 422, "invalid"),
        ("POST", "/api/operators/nope/pause", 404, "not-found"),
        ("POST", "/api/incidents/nope/close", 422, "invalid"),
    ],
)
async def test_every_error_has_one_shape(desk: Desk, method: str, path: str, status: int, code: str) -> None:
    """Code, message, what to do: all in words."""
    async with desk.signed_in("supervisor") as client:
        answer = await client.request(method, path)
    assert (status, {"error"}) == (answer.status_code, set(answer.json()))
    error = answer.json()["error"]
    assert code == error["code"]
    assert error["message"]
    assert error["what_to_do"]


async def test_a_failure_of_ours_has_the_shape_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says nothing of its inside."""
    from callserver.store import queries

    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(queries, "alarms", broken)
    async with desk.signed_in("supervisor") as client:
        answer = await client.get("/api/alarms")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "default-src" in answer.headers["content-security-policy"]


async def test_without_switchboard_or_store_the_answer_says_so(desk: Desk) -> None:
    """503 with a code for each; health does not mind."""
    async with desk.signed_in("supervisor") as client:
        await desk.server.stop()
        command = await client.post(COMMAND)
        (desk.config.storage.data / "callserver.db").unlink()
        desk.app.state.service.engine.dispose()
        read = await client.get("/api/incidents")
        health = await client.get("/healthz")
    assert (command.status_code, command.json()["error"]["code"]) == (503, "switchboard-unavailable")
    assert (read.status_code, read.json()["error"]["code"]) == (503, "store-unreadable")
    assert (health.status_code, health.json()["alive"]) == (200, True)


async def test_what_the_switchboard_refuses_is_a_conflict(desk: Desk) -> None:
    """In its own words."""
    desk.switchboard.refuse["hang_up"] = "the call is over"
    async with desk.signed_in("supervisor") as client:
        answer = await client.post(COMMAND)
    assert (answer.status_code, *list(answer.json()["error"].values())[:2]) == (409, "refused", "the call is over")


async def test_hold_says_which_way(desk: Desk) -> None:
    """On and off, by whom; nothing else is a wish."""
    path = f"/api/calls/{CALL}/hold"
    async with desk.signed_in("operator") as client:
        answers = [await client.post(path, json=body) for body in ({"on": True}, {"on": False}, {"on": 1}, {})]
        unknown = await client.post("/api/calls/nope/hold", json={"on": True})
    assert [answer.status_code for answer in answers] == [200, 200, 422, 422]
    assert unknown.status_code == 404
    held = [args for verb, args in desk.switchboard.asked if verb == "hold"]
    assert [{"call": CALL, "on": on, "by": user_of("operator")} for on in (True, False)] == held
