"""Which plan is in force: how the first one comes, and how another takes its place while calls go on.

A file is read, checked and proven in a process apart (`plan_reading`); only then the core hears of it, as one event. Whatever is
wrong with it leaves the plan in force where it is, with an alarm until a good one comes. Only the very first plan is not waited
for: a service that proves before it answers would help nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from callserver.core.events import ConditionCleared, ConditionRaised, Event, PlanLoaded
from callserver.core.facts import Fact, Refused
from callserver.core.state import State
from callserver.runtime.plan_reading import NotRead, Reading
from callserver.store import plan_texts
from dialplans.faults import PlanError
from dialplans.load import loaded

REFUSED, HOLES = "plan:refused", "plan:holes"
Read = Callable[[Path, int, str], Awaitable[Reading]]
log = structlog.get_logger()


class PlanRefused(ValueError):
    """The file's plan does not come into force; `faults` says why, a sentence each."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The plan in force after a good reading. `changed` is false when the file says what was in force already."""

    version: int
    name: str
    changed: bool
    warnings: tuple[str, ...] = ()


def first_plan(path: Path | None, state: State) -> PlanLoaded | None:
    """The event to post where no plan was ever in force; None where one is, or no file is named. Raises PlanError, OSError."""
    if path is None or state.plan_version in state.plans:
        return None
    try:
        found = loaded(path)
    except (PlanError, OSError) as error:
        log.error("plan.unusable", file=str(path), error=str(error))
        raise
    return PlanLoaded(state.plan_version + 1, found.digest, found.plan, "start")


class Plans:
    """See the module. `read` is `plan_reading.read_apart`; `ask` gives an event to the core and tells the facts."""

    def __init__(
        self,
        file: Path | None,
        data_dir: Path,
        state: Callable[[], State],
        ask: Callable[[Event], Awaitable[list[Fact]]],
        post: Callable[[Event], None],
        utc_ns: Callable[[], int],
        read: Read,
    ) -> None:
        self.file, self.data_dir = file, data_dir
        self.state, self.ask, self.post, self.utc_ns, self.read = state, ask, post, utc_ns, read
        self._one = asyncio.Lock()

    async def begin(self, first: bool) -> None:
        """At the start of a switchboard: take up a file that has changed; prove the `first` plan, which is in force unproven."""
        if self.file is None:
            return
        try:
            if first:
                await self._prove_first()
            else:
                await self.reload("start")
        except PlanRefused as refusal:
            log.error("plan.refused", file=str(self.file), faults=refusal.faults)

    async def reload(self, by: str) -> Reloaded:
        """Put the file's plan in force if it is another one. Raises PlanRefused: an alarm rings then, and nothing changes."""
        if self.file is None:
            raise PlanRefused(("the configuration names no plan: set [plan] file",))
        async with self._one:
            return await self._take(await self._reading(self.state().plan_digest), by)

    async def _take(self, reading: Reading, by: str) -> Reloaded:
        plan, state = reading.plan, self.state()
        if plan is None or reading.faults or reading.holes:
            raise self._refused((*reading.faults, *reading.holes))
        changed = reading.digest != state.plan_digest and plan != state.plans.get(state.plan_version)
        if changed or reading.digest == state.plan_digest:
            await self._keep(reading)
        if changed:
            await self._adopt(PlanLoaded(state.plan_version + 1, reading.digest, plan, by))
            self.post(ConditionCleared(HOLES))
        self.post(ConditionCleared(REFUSED))
        version = self.state().plan_version
        log.info("plan.reloaded", version=version, changed=changed, by=by, warnings=len(reading.warnings))
        return Reloaded(version, plan.name, changed, reading.warnings)

    async def _prove_first(self) -> None:
        async with self._one:
            reading = await self._reading("")
            if reading.digest != self.state().plan_digest:  # the file was changed in this very moment
                await self._take(reading, "start")
                return
            await self._keep(reading)
            if reading.holes:
                self._say(HOLES, f"the first plan is in force, but a press could fall through: {_first_of(reading.holes)}")
            else:
                self.post(ConditionCleared(HOLES))

    async def _reading(self, known: str) -> Reading:
        assert self.file is not None
        try:
            return await self.read(self.file, self.utc_ns(), known)
        except NotRead as error:
            raise self._refused((str(error),)) from error

    async def _adopt(self, loaded: PlanLoaded) -> None:
        facts = await self.ask(loaded)
        refused = next((fact for fact in facts if isinstance(fact, Refused)), None)
        if refused is not None:
            raise self._refused((refused.why,))

    async def _keep(self, reading: Reading) -> None:
        """The texts beside the journal; a disk that does not take them keeps no plan from coming into force."""
        try:
            await asyncio.to_thread(plan_texts.keep, self.data_dir, reading.digest, reading.texts)
        except (OSError, ValueError) as error:
            log.warning("plan.text_not_kept", digest=reading.digest, error=str(error))

    def _refused(self, faults: tuple[str, ...]) -> PlanRefused:
        version = self.state().plan_version
        self._say(REFUSED, f"{self.file} is refused, plan v{version} stays in force: {_first_of(faults)}")
        return PlanRefused(faults)

    def _say(self, key: str, text: str) -> None:
        """An alarm whose text may change while it stands."""
        known = self.state().alarms.get(key)
        if known is not None and known != text:
            self.post(ConditionCleared(key))
        self.post(ConditionRaised(key, text))


def _first_of(sentences: tuple[str, ...]) -> str:
    more = f" (and {len(sentences) - 1} more; callserver check tells them)" if len(sentences) > 1 else ""
    return f"{sentences[0]}{more}"
