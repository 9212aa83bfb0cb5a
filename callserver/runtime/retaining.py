"""The archivist's part of retention: what is due becomes a fact, and what a fact says is gone goes from the disk.

In this order: the fact is journalled, it is read back from the store, then the files are taken away, as often as it takes until
none is left. So a crash between any two steps costs time only, and what a hold forbids has no fact. See docs/retention.md.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from audio.disk import DISK, Disk
from callserver.archive import deleting, retention
from callserver.archive.retention import DAY_NS, Due, Kept, Rule, Rules, Text
from callserver.config import Config
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.core.facts import RecordingDeleted, TextsErased
from callserver.core.holds import review_alarm
from callserver.core.ids import CallId, IncidentId
from callserver.runtime.clock_doubt import PATIENCE_NS, ClockDoubt
from callserver.store import queries, retained
from callserver.store.erase import MOST_ROWS
from dialplans.model import Priority

LOOK_EVERY_S = 3_600.0
SHORT_EVERY_S = 60.0  # where little of the disk is free
AGAIN_S = 60.0  # after a look that the switchboard or the store did not answer
CARRY_OUT_EVERY_S = 5.0
MOST_AT_ONCE = 300  # facts of one round, each of which waits for the journal
TIMEOUT_S = 5.0
BY = "retention"
ALARM = "retention"
WAITS = "retention:waits"
FILE = "retention.json"
log = structlog.get_logger()


def rules_of(config: Config) -> Rules:
    """The configuration's rules."""
    rules = [
        Rule(
            *(one.name, one.days, frozenset(int(Priority[name.upper()]) for name in one.classes)),
            *(frozenset(one.outcomes), frozenset(one.queues), one.silent),
        )
        for one in config.retention.rules
    ]
    return Rules(config.retention.days, config.retention.text_days, tuple(rules), config.retention.register_days)


def holds_of(engine: Engine) -> retention.Holds:
    """The holds that stand, by incident."""
    found: dict[IncidentId, list[str]] = defaultdict(list)
    for hold in retained.standing(engine):
        found[IncidentId(hold.incident)].append(hold.id)
    return found


def schedule_of(engine: Engine, config: Config, before_utc_ns: int) -> list[Due]:
    """Calls whose time is over by then, the oldest first, held or not."""
    rules = rules_of(config)
    shortest = min((days for days in (rules.days, *(rule.days for rule in rules.rules)) if days), default=0)
    if not shortest:
        return []
    rows = retained.kept(engine, before_utc_ns - shortest * DAY_NS)
    planned = retention.schedule((_kept(row) for row in rows), holds_of(engine), rules)
    return [one for one in planned if one.utc_ns <= before_utc_ns]


def deletion_of(engine: Engine, config: Config, call: CallId, rule: str, by: str) -> RecordingDeleted | None:
    """The fact that deletes all of a call, of the journal and on the disk; None where there is nothing."""
    made = queries.recording(engine, call)
    files, captures = deleting.lying(call, config.storage.recordings, config.storage.captures)
    files = tuple(sorted({*files, *(made.files if made else ())}))
    captures = tuple(sorted({*captures, *(made.captures if made else ())}))
    return RecordingDeleted(call, files, captures, rule, by) if files or captures else None


def texts_of(engine: Engine, config: Config, now_utc_ns: int) -> Iterator[TextsErased]:
    """Facts that erase the texts whose time is over."""
    rules, holds = rules_of(config), holds_of(engine)
    before = [now_utc_ns - days * DAY_NS if days else 0 for days in (rules.text_days, rules.register_days)]
    since = 0
    while rows := retained.texts(engine, before[0], before[1], since=since):
        since = rows[-1].row
        texts = [
            Text(row.row, IncidentId(row.incident) if row.incident else None, row.utc_ns, row.open, row.register) for row in rows
        ]
        for (incident, rule), numbers in retention.texts_due(texts, holds, rules, now_utc_ns).items():
            for part in _parts(numbers):
                yield TextsErased(incident, part, rule, BY)


def request_of(engine: Engine, config: Config, incident: IncidentId, by: str, why: str) -> list[TextsErased | RecordingDeleted]:
    """Facts that erase the texts of an incident and delete the recordings of all its calls, whatever their age.

    The register's texts stay: they tell what was done with what is gone.
    """
    found = retained.texts_of_incident(engine, incident)
    rows, others = ([row.row for row in found if bool(row.incident) == own] for own in (True, False))
    facts: list[TextsErased | RecordingDeleted] = [
        *(TextsErased(incident, part, retention.REQUEST, by, why) for part in _parts(rows) or [()]),
        *(TextsErased(None, part, retention.REQUEST, by, why) for part in _parts(others)),
    ]
    for row in retained.kept(engine, 0, incident):
        deletion = deletion_of(engine, config, CallId(row.call), retention.REQUEST, by)
        facts += [deletion] if deletion else []
    return facts


def _parts(rows: Sequence[int]) -> list[tuple[int, ...]]:
    """As many as one fact names."""
    return [tuple(rows[start : start + MOST_ROWS]) for start in range(0, len(rows), MOST_ROWS)]


class Retaining:
    """`go` is one round; it raises nothing that a store, a disk or a switchboard that is away brings about."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        now_s: Callable[[], float] = time.monotonic,
        utc_ns: Callable[[], int] = time.time_ns,
        disk: Disk = DISK,
        ask: Callable[[str, dict[str, Any]], object] | None = None,
        patience_ns: int = PATIENCE_NS,
    ) -> None:
        self._config, self._engine, self._disk = config, engine, disk
        self._now_s, self._utc_ns = now_s, utc_ns
        self._ask = ask or (lambda verb, args: ask_sync(config.storage.control_socket, verb, args, TIMEOUT_S))
        self._look_s = self._carry_s = now_s()  # when it is done next
        self._done = 0  # deletions up to this row were carried out
        self._redacted = 0  # redactions up to this row came before the deletion of what they are of, or were looked at
        self._left: dict[CallId, str] = {}  # what could not be taken away, and why
        self._recent: set[CallId] = set()  # taken away since the last look; what others were writing may have come since
        self._told = self._waits = True  # a predecessor may have raised these alarms
        self._doubt = ClockDoubt(Path(config.storage.data) / FILE, patience_ns)

    def go(self) -> None:
        """Look, if it is time; carry out what was decided."""
        try:
            if self._now_s() >= self._carry_s:
                self._carry_s = self._now_s() + CARRY_OUT_EVERY_S
                self.carry_out()
            if self._now_s() >= self._look_s:
                self._look_s = self._now_s() + AGAIN_S
                whole = self.look()
                self._left.update(dict.fromkeys(self._recent, "it is looked at again"))
                self._recent.clear()
                self.carry_out()
                self._look_s = self._now_s() + (0 if not whole else SHORT_EVERY_S if self._is_short() else LOOK_EVERY_S)
        except (DBAPIError, Unavailable, CommandRefused, OSError) as error:
            log.warning("retention.round_failed", error=str(error))

    def look(self) -> bool:
        """What is due becomes a fact, so much of it that recordings do not wait for long; whether that was all. Reviews ring."""
        now_utc_ns = self._utc_ns()
        for hold in retained.standing(self._engine):
            if hold.review_utc_ns <= now_utc_ns:
                text = (
                    f"the hold on incident {hold.incident}, by {hold.placed_by}, is to be reviewed: release it or place another"
                )
                self._ask(Verb.RAISE_ALARM, {"key": review_alarm(hold.id), "text": text})
        until_utc_ns = self._doubt.until(now_utc_ns)
        if now_utc_ns < until_utc_ns:
            self._wait(now_utc_ns, until_utc_ns)
            return True
        if self._waits:
            self._ask(Verb.CLEAR_ALARM, {"key": WAITS})
        self._waits = False
        some = list(islice(self._due(now_utc_ns), MOST_AT_ONCE))
        for id, fact in some:
            self._note(id, fact)
        return len(some) < MOST_AT_ONCE

    def _wait(self, now_utc_ns: int, until_utc_ns: int) -> None:
        """What is due by a clock that is not believed yet stays, and people are told before it goes."""
        calls = sum(not one.held for one in schedule_of(self._engine, self._config, now_utc_ns))
        if calls:
            day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(until_utc_ns / 1e9))
            text = f"{calls} recordings are due, and go from {day} on: if that is not right, look at the clock and at [retention]"
            self._ask(Verb.RAISE_ALARM, {"key": WAITS, "text": text})

    def _due(self, now_utc_ns: int) -> Iterator[tuple[str, RecordingDeleted | TextsErased]]:
        """(what it is called, fact), the oldest recordings first."""
        for one in schedule_of(self._engine, self._config, now_utc_ns):
            fact = None if one.held else deletion_of(self._engine, self._config, one.call, one.rule, BY)
            if fact is not None:
                yield f"deleted:{one.call}", fact
        for erasure in texts_of(self._engine, self._config, now_utc_ns):
            yield f"erased:{erasure.rows[0]}:{erasure.rows[-1]}:{len(erasure.rows)}", erasure

    def carry_out(self) -> None:
        """Take away what facts say is deleted, those since the last time and those that failed; at the start all."""
        again, self._left = self._left, {}
        self._take_redactions()
        for call in again:
            if (row := retained.deletion(self._engine, call)) is not None:
                self._take_away(row)
        while rows := retained.deletions(self._engine, self._done):
            for row in rows:
                self._take_away(row)
                self._done = row.number
        self._tell()

    def _take_redactions(self) -> None:
        """Redactions that were told when what they are of was deleted: gone or not, a later fact has to say that they go too."""
        for number, call in retained.redacted(self._engine, self._redacted):
            row = retained.deletion(self._engine, call)
            if row is not None and row.number < number:
                self._delete_again(row)
            self._redacted = number

    def _take_away(self, row: retained.DeletionRow) -> None:
        call, storage = CallId(row.call), self._config.storage
        try:
            if retained.made_since(self._engine, call, row.number):
                self._delete_again(row)  # a recording that was being made; its files go when a fact behind it says so
                return
            count = deleting.delete(call, row.files, row.captures, storage.recordings, storage.captures, self._disk)
            if count:
                self._recent.add(call)
                log.info("retention.deleted", call=call, files=count, rule=row.rule)
            if not deleting.is_gone(call, storage.recordings, storage.captures):
                self._delete_again(row)
        except OSError as error:
            self._left[call] = f"{error.filename or call}: {error.strerror}"

    def _delete_again(self, row: retained.DeletionRow) -> None:
        """What came since. Where a hold came too, it is asked for at each look."""
        fact = deletion_of(self._engine, self._config, CallId(row.call), row.rule, row.deleted_by)
        if fact is not None and not self._note(f"deleted:{row.call}:{row.number}", fact):
            self._recent.add(fact.call)

    def _tell(self) -> None:
        if self._left:
            call, why = next(iter(self._left.items()))
            text = f"{len(self._left)} deleted recordings are still on the disk, the first of call {call}: {why}"
            self._ask(Verb.RAISE_ALARM, {"key": ALARM, "text": text})
        elif self._told:
            self._ask(Verb.CLEAR_ALARM, {"key": ALARM})
        self._told = bool(self._left)

    def _note(self, id: str, fact: RecordingDeleted | TextsErased) -> bool:
        """Refused (False): a hold came meanwhile, which is right. The same deletion told twice is one fact."""
        try:
            self._ask(Verb.NOTE_FACT, {"id": id, "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)})
        except CommandRefused as refused:
            log.info("retention.refused", id=id, why=refused.message)
            return False
        return True

    def _is_short(self) -> bool:
        """Whether less is free than what rings: then what expires meanwhile is not kept for the rest of the hour."""
        try:
            found = os.statvfs(Path(self._config.storage.data))
        except OSError:
            return False
        return found.f_bavail * 100 < found.f_blocks * self._config.storage.alarm_percent


def _kept(row: retained.KeptRow) -> Kept:
    closed = row.closed_utc_ns if row.ended else None
    return Kept(CallId(row.call), IncidentId(row.incident), closed, row.priority, row.outcome, row.queue, not row.confirmed)
