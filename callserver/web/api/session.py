"""Signing in and out."""

import asyncio
import math

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection

from callserver.core.facts import SignedIn
from callserver.store import queries
from callserver.store.directory import verify_password, web_accounts
from callserver.web import links
from callserver.web.errors import ApiError
from callserver.web.gate import signed_in
from callserver.web.limits import WINDOW_S
from callserver.web.roles import RULES, allowed
from callserver.web.service import Service, service
from callserver.web.sessions import COOKIE, Session
from callserver.web.times import rfc3339

BY_LINK = ""  # the user of a link that nobody knows, in the journal

router = APIRouter()


class Credentials(BaseModel):
    """What a person types."""

    model_config = ConfigDict(extra="forbid", strict=True)
    user: str = Field(min_length=1, max_length=128)
    password: str = Field(min_length=1, max_length=1024)


class LinkToken(BaseModel):
    """What stands behind `#link=` in a sign-in link."""

    model_config = ConfigDict(extra="forbid", strict=True)
    token: str = Field(min_length=1, max_length=256)


class SessionAnswer(BaseModel):
    """Who is signed in, until when. `operator`: the plan's operator whose seat this person may open, null for none."""

    user: str
    name: str
    role: str
    operator: str | None
    expires: str


@router.post("/api/session")
async def sign_in(credentials: Credentials, request: Request, response: Response) -> SessionAnswer:
    """Sign in. Sets the session cookie."""
    the = service(request)
    user, source = credentials.user, _source(request)
    _limit(the, user, source)
    the.limits.failed(user, source, the.now_s())  # counted before the check, so that many at once count too
    async with the.password_checks:
        account = await asyncio.to_thread(verify_password, the.engine, user, credentials.password)
    the.notes.soon(SignedIn(user, account is not None, source))
    if account is None:
        raise ApiError(401, "wrong-password", "User and password do not fit.", "Check both and try again.")
    the.limits.succeeded(user, source)
    return await _begin(the, account.user, account.role, request, response)


@router.post("/api/session/link")
async def sign_in_by_link(link: LinkToken, request: Request, response: Response) -> SessionAnswer:
    """Sign in by a link's token. Sets the session cookie."""
    the, source = service(request), _source(request)
    _limit(the, BY_LINK, source)
    the.limits.failed(BY_LINK, source, the.now_s())
    try:
        found = await asyncio.to_thread(links.take, the.config.storage.run, link.token, the.now_s())
    except (OSError, ValueError) as error:
        what_to_do = f"Sign in with a password; the administrator looks at {links.FILE} in the run directory."
        raise ApiError(503, "links-unreadable", "Sign-in links do not work now.", what_to_do) from error
    account = (await the.read(web_accounts)).get(found.user) if found is not None else None
    the.notes.soon(SignedIn(found.user if found is not None else BY_LINK, account is not None, source))
    if account is None:
        what_to_do = "Ask for a new link, or sign in with a password."
        raise ApiError(401, "link-void", "The link is not valid: unknown, used, or too old.", what_to_do)
    the.limits.succeeded(BY_LINK, source)
    return await _begin(the, account.user, account.role, request, response)


@router.get("/api/session")
async def who_am_i(request: Request) -> SessionAnswer:
    """Who is signed in."""
    return await _answer(service(request), signed_in(request))


@router.delete("/api/session", status_code=204)
async def sign_out(request: Request, response: Response) -> None:
    """Sign out."""
    service(request).sessions.end(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def _source(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""


def _limit(the: Service, user: str, source: str) -> None:
    wait_s = the.limits.wait_s(user, source, the.now_s())
    if wait_s > 0:
        what_to_do = f"Wait {math.ceil(wait_s)} s. Somebody who forgot the password asks the administrator."
        headers = {"Retry-After": str(math.ceil(wait_s))}
        raise ApiError(429, "too-many-failures", f"Too many failed sign-ins within {WINDOW_S:.0f} s.", what_to_do, headers)


async def _begin(the: Service, user: str, role: str, request: Request, response: Response) -> SessionAnswer:
    the.forget_roles()
    hours = the.config.web.sign_in_hours
    session = Session(user, role, the.now_s() + hours * 3600)
    token = the.sessions.begin(user, role, session.expires_s, the.now_s())
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
    response.set_cookie(COOKIE, token, max_age=hours * 3600, httponly=True, samesite="strict", secure=secure)
    return await _answer(the, session)


async def _answer(the: Service, session: Session) -> SessionAnswer:
    name = await _name_in_plan(the, session.user)
    seat = name is not None and allowed(RULES["WS", "/api/seat"], session.role, session.user, "")
    return SessionAnswer(
        user=session.user,
        name=name or session.user,
        role=session.role,
        operator=session.user if seat else None,
        expires=rfc3339(int(session.expires_s * 1e9)) or "",
    )


async def _name_in_plan(the: Service, user: str) -> str | None:
    """What the plan calls an operator, None for a user who is none; by the board, without one by the store."""
    if the.present.board.epoch:
        item = the.present.board.operator(user)
        return None if item is None else str(item.get("name") or user)
    adopted = await the.read(queries.plan)
    operator = adopted[1].operators.get(user) if adopted else None
    return None if operator is None else operator.name or user
