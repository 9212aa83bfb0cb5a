"""Who can be reached where: bindings by REGISTER, stored before their 200, ended by time.

A connection that closes does not end its binding by itself (the phone may connect again any moment): it is probed at
once, and the probe says whether it is still there.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from callserver.sip.flow import Flow
from callserver.sip.gear import Gear
from callserver.sip.protocol import bindings as rules
from callserver.sip.protocol.message import Request, SipError, parse_uri
from callserver.sip.routes import towards
from callserver.sip.wire import Served

log = structlog.get_logger(__name__)


class Watcher(Protocol):
    """Who looks after those that are bound."""

    def watch(self, user: str, contact: str) -> None:
        """Registered, for the first time or again."""

    def forget(self, user: str) -> None:
        """No binding is left."""

    def doubt(self, user: str) -> None:
        """There is reason to ask at once."""


class Registrar:
    """All bindings, by user."""

    def __init__(self, gear: Gear, watcher: Watcher) -> None:
        self._gear, self._watcher = gear, watcher
        self._bindings: dict[str, rules.Bindings] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        config = gear.config
        self._limits = rules.Limits(config.min_expires_s, config.max_expires_s, config.default_expires_s)

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """The bindings of before a restart. A blob that cannot be read costs that user its binding, nobody else."""
        for user, blob in stored.items():
            try:
                self._bindings[user] = tuple(self._within(binding) for binding in rules.from_bytes(blob))
            except ValueError as error:
                log.error("bindings_unreadable", user=user, error=str(error))

    def _within(self, binding: rules.Binding) -> rules.Binding:
        """The host may have started anew, and its clock with it: nothing lasts longer than it could have been granted."""
        longest = self._gear.clock() + self._limits.max_s * rules.SECOND
        return msgspec.structs.replace(binding, expires_ns=min(binding.expires_ns, longest))

    def start(self) -> None:
        """Let time run for what was restored, and tell it."""
        for user in list(self._bindings):
            self._expire(user)
            if self._bindings.get(user):
                self._gear.listener.bound(user, self._bindings[user][-1].contact)

    def users(self) -> tuple[str, ...]:
        """Everybody with a binding."""
        return tuple(user for user, bound in self._bindings.items() if bound)

    def of(self, user: str) -> rules.Bindings:
        """Those that stand now."""
        return rules.expire(self._bindings.get(user, ()), self._gear.clock())

    def places(self, user: str) -> list[tuple[str, Flow]]:
        """Request-URI and way for each binding."""
        return [(binding.contact, flow_of_binding(binding)) for binding in self.of(user)]

    def register(self, served: Served, user: str) -> None:
        """An authenticated REGISTER for `user`."""
        gear, request = self._gear, served.request
        before = self.of(user)
        try:
            self._check(request)
            source = rules.Source(served.flow.host, served.flow.port, served.flow.kind.upper(), served.flow.connection)
            after, contacts = rules.apply_register(before, request, gear.clock(), source, self._limits)
        except SipError as error:
            gear.wire.respond(served, gear.composer.answer(request, error.status, error.reason, headers=error.headers))
            return
        self._bindings[user] = after
        self._arm(user)
        task = asyncio.get_running_loop().create_task(self._save_and_answer(served, user, after, contacts, after != before))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._legs_follow(user, served.flow)
        if after and not before:
            log.info("bound", user=user, contact=after[-1].contact, source=str(served.flow))
            gear.listener.bound(user, after[-1].contact)
        if after:
            self._watcher.watch(user, after[-1].contact)
        elif before:
            self._gone(user, "unregistered")

    def _legs_follow(self, user: str, flow: Flow) -> None:
        """Dialogs of a device whose connection was lost go on over the one by which it registers again (RFC 5626 5.3)."""
        if not flow.stream:
            return
        for leg in self._gear.legs.all():
            lost = leg.flow is not None and leg.flow.host == flow.host and not self._gear.wire.reaches(leg.flow)
            if leg.user == user and lost:
                leg.flow = leg.heard = flow

    def _check(self, request: Request) -> None:
        for contact in request.contacts:
            if contact.uri.is_sip and self._gear.composer.is_our_address(contact.uri.host, contact.uri.port):
                raise SipError(403, "A Contact may not be this server", request)

    async def _save_and_answer(
        self, served: Served, user: str, after: rules.Bindings, contacts: list[tuple[str, str]], changed: bool
    ) -> None:
        gear = self._gear
        if changed:
            await gear.storage.save_binding(user, rules.to_bytes(after) if after else b"")
        gear.wire.respond(served, gear.composer.answer(served.request, 200, headers=contacts))

    def disconnected(self, flow: Flow) -> None:
        """A connection is closed: whoever registered over it is asked at once whether he is still there."""
        for user, bound in self._bindings.items():
            if any(binding.source.connection == flow.connection for binding in bound if binding.source.connection):
                self._watcher.doubt(user)

    def _arm(self, user: str) -> None:
        due = rules.next_expiry_ns(self._bindings.get(user, ()))
        self._gear.timers.set(("binding", user), due, lambda now: self._expire(user))

    def _expire(self, user: str) -> None:
        before, after = self._bindings.get(user, ()), self.of(user)
        self._bindings[user] = after
        self._arm(user)
        if before and not after:
            self._gone(user, "registration expired")
            task = asyncio.get_running_loop().create_task(self._gear.storage.save_binding(user, b""))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _gone(self, user: str, why: str) -> None:
        log.info("unbound", user=user, reason=why)
        self._watcher.forget(user)
        self._gear.listener.unbound(user, why)

    async def settled(self) -> None:
        """Returns when all is stored."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def flow_of_binding(binding: rules.Binding) -> Flow:
    """The way to a binding."""
    source = binding.source
    heard = Flow(source.transport.lower(), source.host, source.port, source.connection)
    return towards(parse_uri(binding.contact), heard)
