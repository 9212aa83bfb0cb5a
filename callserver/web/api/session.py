"""Signing in and out."""

import asyncio
import math

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from callserver.core.facts import SignedIn
from callserver.store.directory import verify_password
from callserver.web.errors import ApiError
from callserver.web.gate import signed_in
from callserver.web.limits import WINDOW_S
from callserver.web.service import Service, service
from callserver.web.sessions import COOKIE
from callserver.web.times import rfc3339

router = APIRouter()


class Credentials(BaseModel):
    """What a person types."""

    model_config = ConfigDict(extra="forbid", strict=True)
    user: str = Field(min_length=1, max_length=128)
    password: str = Field(min_length=1, max_length=1024)


class SessionAnswer(BaseModel):
    """Who is signed in, until when."""

    user: str
    role: str
    expires: str


@router.post("/api/session")
async def sign_in(credentials: Credentials, request: Request, response: Response) -> SessionAnswer:
    """Sign in. Sets the session cookie."""
    the = service(request)
    user, source = credentials.user, request.client.host if request.client else ""
    wait_s = the.limits.wait_s(user, source, the.now_s())
    if wait_s > 0:
        what_to_do = f"Wait {math.ceil(wait_s)} s. Somebody who forgot the password asks the administrator."
        headers = {"Retry-After": str(math.ceil(wait_s))}
        raise ApiError(429, "too-many-failures", f"Too many failed sign-ins within {WINDOW_S:.0f} s.", what_to_do, headers)
    the.limits.failed(user, source, the.now_s())  # counted before the check, so that many at once count too
    async with the.password_checks:
        account = await asyncio.to_thread(verify_password, the.engine, user, credentials.password)
    the.notes.soon(SignedIn(user, account is not None, source))
    if account is None:
        raise ApiError(401, "wrong-password", "User and password do not fit.", "Check both and try again.")
    the.limits.succeeded(user, source)
    the.forget_roles()
    return _begin(the, account.user, account.role, request, response)


def _begin(the: Service, user: str, role: str, request: Request, response: Response) -> SessionAnswer:
    hours = the.config.web.sign_in_hours
    expires_s = the.now_s() + hours * 3600
    token = the.sessions.begin(user, role, expires_s, the.now_s())
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
    response.set_cookie(COOKIE, token, max_age=hours * 3600, httponly=True, samesite="strict", secure=secure)
    return SessionAnswer(user=user, role=role, expires=rfc3339(int(expires_s * 1e9)) or "")


@router.get("/api/session")
async def who_am_i(request: Request) -> SessionAnswer:
    """Who is signed in."""
    session = signed_in(request)
    return SessionAnswer(user=session.user, role=session.role, expires=rfc3339(int(session.expires_s * 1e9)) or "")


@router.delete("/api/session", status_code=204)
async def sign_out(request: Request, response: Response) -> None:
    """Sign out."""
    service(request).sessions.end(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
