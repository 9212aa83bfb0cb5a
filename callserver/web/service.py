"""What the routes stand on, made once by `create_app` and found by `service(request)`."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection

from callserver.config import Config
from callserver.control import CommandClient, CommandRefused, Status, Unavailable, Verb, status_from
from callserver.store.directory import web_accounts
from callserver.web.limits import SignInLimits
from callserver.web.looked import Looked
from callserver.web.metrics import WebCounts
from callserver.web.notes import Notes
from callserver.web.openings import Openings
from callserver.web.present import Present
from callserver.web.sent import Sent
from callserver.web.sessions import Session, Sessions

STATUS_TIMEOUT_S = 1.0
PASSWORD_CHECKS_AT_ONCE = 2  # each takes a core for some 50 ms and 64 MB, by design
ROLES_KNOWN_S = 2.0  # an account that is removed or changed is noticed so soon

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Service:
    """Everything that outlives a request."""

    config: Config
    engine: Engine
    commands: CommandClient
    sessions: Sessions
    notes: Notes
    present: Present
    metrics_token: str = ""
    now_s: Callable[[], float] = time.time  # UTC seconds
    limits: SignInLimits = field(default_factory=SignInLimits)
    openings: Openings = field(default_factory=Openings)
    looked: Looked = field(default_factory=Looked)
    sent: Sent = field(default_factory=Sent)
    counts: WebCounts = field(default_factory=WebCounts)
    password_checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PASSWORD_CHECKS_AT_ONCE))
    _roles: dict[str, str] | None = None
    _roles_at_s: float = 0.0

    async def read(self, query: Callable[Concatenate[Engine, P], T], *args: P.args, **named: P.kwargs) -> T:
        """A query of the store, away from the event loop."""
        return await asyncio.to_thread(query, self.engine, *args, **named)

    async def session(self, token: str) -> Session | None:
        """The live session of a cookie, while its account still has its role."""
        session = self.sessions.find(token, self.now_s())
        if session is None:
            return None
        roles = await self._present_roles()
        if roles is not None and roles.get(session.user) != session.role:
            self.sessions.end_user(session.user)
            return None
        return session

    async def status(self) -> Status:
        """How the switchboard is. Raises `Unavailable`, `CommandRefused`."""
        return status_from(await self.commands.ask(Verb.STATUS, {}, STATUS_TIMEOUT_S))

    async def status_or_none(self) -> Status | None:
        """The same, None without a good answer."""
        try:
            return await self.status()
        except (Unavailable, CommandRefused):
            return None

    async def _present_roles(self) -> dict[str, str] | None:
        """User -> role, at most `ROLES_KNOWN_S` old; older while the store cannot be read."""
        if self._roles is None or not 0 <= self.now_s() - self._roles_at_s < ROLES_KNOWN_S:
            try:
                accounts = await self.read(web_accounts)
            except SQLAlchemyError:
                return self._roles
            self._roles = {user: account.role for user, account in accounts.items()}
            self._roles_at_s = self.now_s()
        return self._roles

    def forget_roles(self) -> None:
        """Look anew: somebody has just signed in."""
        self._roles = None


def service(request: HTTPConnection) -> Service:
    """The app's service, for a route."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found
