"""Signing in and out: the cookie, the limits, and accounts that go."""

import asyncio

import httpx
import pytest
from typer.testing import CliRunner

from callserver.cli import app as cli
from callserver.core.ids import OperatorId
from callserver.store.directory import remove_web, set_web
from callserver.store.engine import open_store
from callserver.web import links
from callserver.web.limits import PER_SOURCE, PER_USER_AND_SOURCE, WINDOW_S, SignInLimits
from callserver.web.sessions import COOKIE, MAX_SESSIONS, Sessions
from tests.eventually import eventually
from tests.web.desk import OPERATOR, PLAN, Desk, opened, password_of, user_of

GOOD = {"user": user_of("supervisor"), "password": password_of("supervisor")}


async def _try(client: httpx.AsyncClient, user: str = "the-supervisor", password: str = "wrong") -> httpx.Response:
    return await client.post("/api/session", json={"user": user, "password": password})


async def test_the_cookie_is_closed_to_scripts_and_other_sites(desk: Desk) -> None:
    """HttpOnly, SameSite=Strict, for the configured hours; Secure behind TLS."""
    async with desk.client() as client:
        answer = await client.post("/api/session", json=GOOD)
        cookie = answer.headers["set-cookie"].lower()
        known = {"user": GOOD["user"], "name": GOOD["user"], "role": "supervisor", "operator": None}
        assert {**known, "expires": "2026-03-02T01:00:00.000Z"} == answer.json()
        assert (await client.get("/api/session")).json() == answer.json()
    for part in ("httponly", "samesite=strict", "max-age=43200", "path=/"):
        assert part in cookie
    assert "secure" not in cookie
    async with desk.client() as client:
        client.base_url = "https://help.test"
        assert "secure" in (await client.post("/api/session", json=GOOD)).headers["set-cookie"].lower()


async def test_signing_out_ends_the_session_at_the_server(desk: Desk) -> None:
    """A kept cookie is worth nothing afterwards."""
    async with desk.signed_in("supervisor") as client:
        token = client.cookies[COOKIE]
        assert (await client.delete("/api/session")).status_code == 204
    async with desk.client(cookies={COOKIE: token}) as client:
        assert (await client.get("/api/calls")).status_code == 401


async def test_a_session_ends_by_itself(desk: Desk) -> None:
    """After [web] sign_in_hours."""
    async with desk.signed_in("supervisor") as client:
        desk.now_s += 12 * 3600 - 1
        assert (await client.get("/api/session")).status_code == 200
        desk.now_s += 2
        assert (await client.get("/api/session")).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a" * 4000, "../../etc/passwd"])
async def test_an_invented_cookie_is_nobody(desk: Desk, token: str) -> None:
    """Whatever it holds."""
    async with desk.client(cookies={COOKIE: token}) as client:
        assert (await client.get("/api/session")).status_code == 401


async def test_failures_are_limited_for_a_user_and_source(desk: Desk) -> None:
    """The sixth is refused even with the right password; a minute later it is taken; another source was never stopped."""
    async with desk.client() as client, desk.client(source="192.0.2.8") as elsewhere:
        statuses = [(await _try(client)).status_code for _ in range(PER_USER_AND_SOURCE)]
        refused = await client.post("/api/session", json=GOOD)
        assert statuses == [401] * PER_USER_AND_SOURCE
        assert (
            refused.status_code,
            refused.json()["error"]["code"],
            refused.headers["retry-after"],
        ) == (429, "too-many-failures", "60")
        assert (await elsewhere.post("/api/session", json=GOOD)).status_code == 200
        desk.now_s += WINDOW_S + 1
        assert (await client.post("/api/session", json=GOOD)).status_code == 200


async def test_unknown_users_and_wrong_passwords_look_the_same(desk: Desk) -> None:
    """Nobody learns who has an account."""
    async with desk.client() as client:
        unknown, wrong = await _try(client, "nobody"), await _try(client)
    assert (401, unknown.json()) == (wrong.status_code, wrong.json())


async def test_sign_ins_are_journalled_whatever_came_of_them(desk: Desk) -> None:
    """With the source, which can be erased."""
    async with desk.client() as client:
        await _try(client)
        await client.post("/api/session", json=GOOD)
    wanted = [{"user": GOOD["user"], "accepted": accepted, "source": "192.0.2.7"} for accepted in (False, True)]
    await eventually(lambda: desk.switchboard.noted("SignedIn") == wanted, 5)


async def test_people_sign_in_while_the_switchboard_is_away(desk: Desk) -> None:
    """The fact waits and is told once when it is back."""
    await desk.server.stop()
    async with desk.signed_in("supervisor") as client:
        assert (await client.get("/api/calls")).status_code == 200
    await desk.server.start()
    await eventually(lambda: len(desk.switchboard.noted("SignedIn")) == 1, 8)


async def test_an_account_that_is_removed_or_changed_is_out_at_once(desk: Desk) -> None:
    """Within seconds, not at the end of the session."""
    engine = open_store(desk.config.storage.data)
    async with desk.signed_in("supervisor") as client, desk.signed_in("auditor") as auditor:
        remove_web(engine, user_of("supervisor"))
        set_web(engine, user_of("auditor"), "operator", password_of("auditor"))
        desk.now_s += 3
        assert (await client.get("/api/calls")).status_code == 401
        assert (await auditor.get("/api/audit")).status_code == 401
    engine.dispose()


async def test_sessions_outlive_the_web_process(desk: Desk) -> None:
    """A successor knows who is signed in; the file holds no token and only its owner may read it."""
    async with desk.signed_in("auditor") as client:
        token = client.cookies[COOKIE]
    await desk.server.stop()
    file = desk.config.storage.run / "web-sessions.json"
    assert (file.stat().st_mode & 0o777, token in file.read_text()) == (0o600, False)
    async with opened(desk.config) as successor, successor.client(cookies={COOKIE: token}) as client:
        assert user_of("auditor") == (await client.get("/api/session")).json()["user"]


def test_a_broken_file_of_sessions_signs_people_out_and_no_more() -> None:
    """And one that cannot be written leaves sessions in memory."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        file = Path(name) / "gone" / "sessions.json"
        sessions = Sessions(file)
        token = sessions.begin("anna", "auditor", 100.0, 0.0)
        assert sessions.find(token, 1.0) is not None
        file.parent.mkdir()
        file.write_text("{broken")
        assert Sessions(file).find(token, 1.0) is None


def test_sessions_are_bounded() -> None:
    """The one that ends first goes."""
    sessions = Sessions(None)
    tokens = [sessions.begin("anna", "auditor", 1000.0 + n, 0.0) for n in range(MAX_SESSIONS + 1)]
    assert [sessions.find(tokens[n], 1.0) is not None for n in (0, 1, MAX_SESSIONS)] == [False, True, True]


def test_a_source_is_limited_over_all_users() -> None:
    """Trying one password on many users is noticed too; success takes nothing from others."""
    limits = SignInLimits()
    for n in range(PER_SOURCE - 1):
        limits.failed(f"user{n}", "192.0.2.7", float(n))
    assert limits.wait_s("fresh", "192.0.2.7", 30.0) == 0
    limits.failed("fresh", "192.0.2.7", 30.0)
    assert limits.wait_s("another", "192.0.2.7", 30.0) == WINDOW_S - 30.0
    limits.succeeded("fresh", "192.0.2.7")
    assert limits.wait_s("another", "192.0.2.7", 30.0) == 0
    assert limits.wait_s("another", "192.0.2.9", 30.0) == 0


def _link(desk: Desk, user: str, once: bool = True, minutes: int = 5) -> str:
    return links.make(desk.config.storage.run, links.Link(user, desk.now_s + minutes * 60, once), desk.now_s)


async def _follow(client: httpx.AsyncClient, token: str) -> int:
    return (await client.post("/api/session/link", json={"token": token})).status_code


async def test_a_link_signs_its_user_in_once(desk: Desk) -> None:
    """As a password does, with a cookie and a fact; the second time it is void. The file holds no token."""
    token = _link(desk, user_of("operator"))
    file = desk.config.storage.run / links.FILE
    assert (file.stat().st_mode & 0o777, token in file.read_text()) == (0o600, False)
    async with desk.client() as client, desk.client() as other:
        answer = await client.post("/api/session/link", json={"token": token})
        assert (answer.status_code, answer.json()["user"], answer.json()["operator"]) == (200, OPERATOR, OPERATOR)
        assert "httponly" in answer.headers["set-cookie"].lower()
        assert (await client.get("/api/calls")).status_code == 200
        assert [await _follow(other, one) for one in (token, "invented")] == [401, 401]
    wanted = [(OPERATOR, True), ("", False), ("", False)]
    await eventually(lambda: [(o["user"], o["accepted"]) for o in desk.switchboard.noted("SignedIn")] == wanted, 5)


async def test_a_link_for_many_times_ends_too(desk: Desk) -> None:
    """By its time, or with its user's account."""
    token, of_nobody = _link(desk, user_of("auditor"), once=False), _link(desk, "nobody", once=False)
    async with desk.client() as client:
        assert [await _follow(client, one) for one in (token, token, of_nobody)] == [200, 200, 401]
        desk.now_s += 301
        assert await _follow(client, token) == 401


async def test_guessing_links_is_limited(desk: Desk) -> None:
    """Like passwords, for the source."""
    async with desk.client() as client, desk.client(source="192.0.2.8") as elsewhere:
        assert [await _follow(client, f"guess {n}") for n in range(6)] == [401] * 5 + [429]
        assert await _follow(elsewhere, _link(desk, user_of("auditor"))) == 200


async def test_a_links_file_that_others_can_read_is_not_believed(desk: Desk) -> None:
    """Nor a symbolic link, nor what is no JSON; passwords go on."""
    token = _link(desk, user_of("auditor"), once=False)
    file = desk.config.storage.run / links.FILE
    async with desk.client() as client:
        file.chmod(0o640)
        assert await _follow(client, token) == 503
        file.chmod(0o600)
        moved = file.rename(file.with_suffix(".moved"))
        file.symlink_to(moved)
        assert await _follow(client, token) == 503
        file.unlink()
        file.write_text("{broken")
        file.chmod(0o600)
        assert await _follow(client, token) == 503
        assert (await client.post("/api/session", json=GOOD)).status_code == 200


async def test_one_of_many_at_once_gets_in_by_a_link(desk: Desk) -> None:
    """Nobody else can use it at the same moment."""
    token = _link(desk, user_of("auditor"))
    async with desk.client(source="192.0.2.1") as first, desk.client(source="192.0.2.2") as second:
        got = await asyncio.gather(*(_follow(client, token) for client in (first, second, first, second)))
    assert sorted(got) == [200, 401, 401, 401]


async def test_links_come_from_our_own_pages(desk: Desk) -> None:
    """A foreign page cannot sign somebody in as another."""
    async with desk.client(headers={"Origin": "http://evil.test"}) as client:
        assert await _follow(client, _link(desk, user_of("auditor"))) == 403


async def test_the_name_is_known_without_a_switchboard(desk: Desk) -> None:
    """By the plan in the store."""
    async with desk.signed_in("operator") as client:
        known = (await client.get("/api/session")).json()
    assert (known["operator"], known["name"]) == (OPERATOR, PLAN.operators[OperatorId(OPERATOR)].name)


@pytest.mark.parametrize(("tls", "address"), [(False, "http://127.0.0.1:8080"), (True, "https://127.0.0.1:8443")])
async def test_a_link_from_the_command_line_signs_in(desk: Desk, tls: bool, address: str) -> None:
    """Once, and only somebody who has an account. Who made it stands in the journal."""
    storage = [f"--set=storage.{name}={getattr(desk.config.storage, name)}" for name in ("data", "run", "spool")]
    storage += ["--set=web.tls_cert=/x", "--set=web.tls_key=/y"] * tls
    told = await asyncio.to_thread(CliRunner().invoke, cli, ["users", "link", user_of("auditor"), *storage])
    assert (told.exit_code, told.output.partition("/#link=")[0]) == (0, address)
    (made,) = desk.switchboard.noted("AccountChanged")
    assert (made["user"], made["what"]) == (user_of("auditor"), "sign-in link made, good for 15 minutes")
    assert made["by"].startswith("command line (")
    async with desk.client() as client:
        assert await _follow(client, told.output.strip().partition("#link=")[2]) == 200
    nobody = CliRunner().invoke(cli, ["users", "link", "nobody", *storage])
    assert (nobody.exit_code, "no web account" in nobody.output) == (1, True)
