"""What the routes stand on, made once by `create_app` and found by `service(request)`."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy import Engine

from callserver.config import Config
from callserver.control import CommandClient, Status, Unavailable, Verb, status_from
from callserver.web.limits import SignInLimits
from callserver.web.notes import Notes
from callserver.web.sessions import Sessions

STATUS_TIMEOUT_S = 1.0
PASSWORD_CHECKS_AT_ONCE = 2  # each takes a core for some 50 ms and 64 MB, by design


@dataclass(slots=True)
class Service:
    """Everything that outlives a request."""

    config: Config
    engine: Engine
    commands: CommandClient
    sessions: Sessions
    notes: Notes
    metrics_token: str = ""
    now_s: Callable[[], float] = time.time  # UTC seconds
    limits: SignInLimits = field(default_factory=SignInLimits)
    password_checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PASSWORD_CHECKS_AT_ONCE))

    async def status(self) -> Status:
        """How the switchboard is. Raises `Unavailable`, `CommandRefused`."""
        return status_from(await self.commands.ask(Verb.STATUS, {}, STATUS_TIMEOUT_S))

    async def status_or_none(self) -> Status | None:
        """The same, None without an answer."""
        try:
            return await self.status()
        except Unavailable:
            return None


def service(request: Request) -> Service:
    """The app's service, for a route."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found
