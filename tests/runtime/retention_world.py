"""A store with its files, a switchboard that journals what it may, and an archivist that may die at any step of its work."""

import contextlib
import functools
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from audio.disk import Disk
from audio.tones import tone
from audio.tracks import write_flac
from callserver.config import Config
from callserver.config_sections import StorageConfig
from callserver.control import CommandRefused, Unavailable, Verb
from callserver.core import decide
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, LegId, PointId
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.runtime.desk_work import DeskWork, packs_of
from callserver.runtime.retaining import Retaining
from callserver.store.commit import commit
from callserver.store.engine import open_store, read_only
from callserver.store.evidence.keys import make_key
from callserver.store.ops import append_op
from callserver.store.upgrade import upgrade
from tests.runtime.verdict import fault_of

DAY_NS = 86_400_000_000_000


class Killed(BaseException):
    """The process is gone, at once."""


class Steps:
    """Counts what the archivist does to the outside; at number `dies_at` it is killed, before or after the step."""

    def __init__(self) -> None:
        self.count = 0
        self.dies_at, self.after = -1, False

    def kill_at(self, number: int, after: bool) -> None:
        self.count, self.dies_at, self.after = 0, number, after

    def passed(self, done: bool) -> None:
        """Called before and after each step."""
        self.count += not done
        if self.count == self.dies_at and done == self.after:
            self.dies_at = -1
            raise Killed


class DyingDisk(Disk):
    """The real one, whose removals are steps."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def remove(self, path: Path) -> None:
        self.steps.passed(False)
        super().remove(path)
        self.steps.passed(True)


class World:
    """All of it, in one directory."""

    def __init__(self, root: Path, retention: dict[str, Any]) -> None:
        storage = StorageConfig(data=root / "data", run=root / "run", spool=root / "spool")
        self.config = Config.model_validate({"storage": storage, "retention": retention})
        self.writer = open_store(storage.data)
        upgrade(self.writer)
        self.config.storage.run.mkdir()
        make_key(self.config.storage.data / "checkpoint.key")
        self.engine = read_only(storage.data)
        self.state = State()
        self.now_ns = 1_000 * DAY_NS
        self.rows = 0
        self.away = False
        self.patience_ns = 0  # the clock is believed at once
        self.alarms: dict[str, str] = {}
        self.steps = Steps()
        self.archivist = self._fresh()
        self._desks: list[DeskWork] = []

    def close(self) -> None:
        """The files of the store are closed."""
        for desk in self._desks:
            desk.engine.dispose()
        self.engine.dispose()
        self.writer.dispose()

    def set_retention(self, retention: dict[str, Any]) -> None:
        """Other rules, as after a restart with another configuration."""
        self.config = Config.model_validate({"storage": self.config.storage, "retention": retention})
        self.archivist = self._fresh()

    def _fresh(self) -> Retaining:
        clock_s = lambda: self.now_ns / 1e9  # noqa: E731
        return Retaining(
            self.config, self.engine, clock_s, lambda: self.now_ns, DyingDisk(self.steps), self._ask, self.patience_ns
        )

    def round(self) -> None:
        """Whoever was killed is started again."""
        try:
            self.archivist.go()
        except Killed:
            self.archivist = self._fresh()

    def whole_round(self) -> None:
        """One that nobody disturbs."""
        self.steps.kill_at(-1, False)
        self.archivist = self._fresh()
        self.archivist.go()

    def desk_round(self) -> None:
        """Of what makes exports, just started; whoever was killed in it is started again for the next."""
        self._desks.append(DeskWork(self.config, DyingDisk(self.steps), lambda: self.now_ns, self._ask))
        with contextlib.suppress(Killed):
            self._desks[-1].go()

    # ---- the switchboard --------------------------------------------------------------------------------------------

    def _ask(self, verb: str, args: dict[str, Any]) -> None:
        self.steps.passed(False)
        if self.away:
            raise Unavailable("the switchboard is away")
        if verb == Verb.RAISE_ALARM:
            self.alarms[args["key"]] = args["text"]
        elif verb == Verb.CLEAR_ALARM:
            self.alarms.pop(args["key"], None)
        else:
            assert verb == Verb.NOTE_FACT
            self.note(msgspec.convert(args["body"], f.KINDS[args["kind"]]), args["id"])
        self.steps.passed(True)

    def note(self, fact: f.Fact, id: str = "") -> None:
        """A fact of somebody who does not decide. Raises `CommandRefused` where the core does."""
        facts, _ = decide.handle(self.state, ev.Noted(fact, id), Instant(self.now_ns))
        self.append(*facts, id=id if facts[0] is fact else "")
        if isinstance(facts[0], f.Refused):
            raise CommandRefused("refused", facts[0].why)

    def append(self, *facts: f.Fact, id: str = "") -> None:
        """To the journal."""
        ids = [id or f"f{self.rows + 1}", *(f"f{self.rows + 1 + n}" for n in range(1, len(facts)))]
        ops = [append_op(name, fact, self.now_ns, self.now_ns, 1) for name, fact in zip(ids, facts, strict=True)]
        done = commit(self.writer, ops)
        assert done.projection_fault == ""
        self.rows = done.last

    # ---- what happens -----------------------------------------------------------------------------------------------

    def incident(self, id: str, *, calls: int = 1, outcome: str = "helped", heard: bool = True, recorded: bool = True) -> None:
        """An incident with its calls, which are over; it is open."""
        incident, point = IncidentId(id), PointId("north")
        self.append(f.IncidentOpened(incident, point, "q", 2, 1))
        for number in range(1, calls + 1):
            call = CallId(f"{id}.{number}")
            self.append(f.CallOpened(call, incident, point), f.CallMoved(call, "waiting", "ended", "over"))
            if heard:
                self.append(f.RecordingConfirmed(call, LegId(f"{call}.1"), -20))
            if recorded:
                self.record(call)
        self.append(f.OutcomeRecorded(incident, outcome, "anna", f"the caller of {id} is Mrs Smith"))

    def close_incident(self, id: str) -> None:
        """From here on its days count."""
        self.append(f.IncidentMoved(IncidentId(id), "unreviewed", "closed", "outcome", None))

    def record(self, call: CallId) -> None:
        """The archivist's files, and the fact."""
        incident = call.rpartition(".")[0]
        sound, packets = short_sound(), f"{call} packets".encode()
        files = {
            f"{call}/{name}": _put(self.config.storage.recordings / call / name, sound) for name in ("call.flac", "call.peaks")
        }
        path = self.config.storage.captures / incident / call / f"{call}.1.1.cap"
        captures = {f"{incident}/{call}/{path.name}": _put(path, packets)}
        self.append(f.RecordingMade(call, files, captures, 1_000, 0))

    # ---- what is seen -----------------------------------------------------------------------------------------------

    def files_of(self, incident: str) -> list[str]:
        """What lies there of an incident."""
        storage = self.config.storage
        found = [*storage.recordings.glob(f"{incident}.*/*"), *storage.captures.glob(f"{incident}/*/*")]
        return sorted(path.name for path in found)

    def packs(self) -> list[str]:
        """What waits to be fetched, half written too."""
        return sorted(path.name for path in packs_of(self.config).glob("*"))

    def notes_of(self, incident: str) -> list[str]:
        """Texts of an incident's outcome."""
        outcomes = "j.incident = ? AND j.kind = 'OutcomeRecorded'"
        query = f"SELECT e.value FROM journal_erasable e JOIN journal j USING (number) WHERE {outcomes}"
        with self.engine.connect() as connection:
            return [row[0] for row in connection.exec_driver_sql(query, (incident,)) if row[0] is not None]

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of all facts of a kind."""
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT body FROM journal WHERE kind = ? ORDER BY number", (kind,)).all()
        return [msgspec.json.decode(row[0]) for row in rows]

    def fault(self) -> str:
        """The first thing wrong by either verifier; "" when all is whole."""
        return fault_of(self.engine, self.config.storage)


@functools.cache
def short_sound() -> bytes:
    """A FLAC of two sides."""
    with TemporaryDirectory() as name:
        path = Path(name) / "short.flac"
        write_flac(path, [tone(440.0, 0.05, 8000)] * 2, 8000)
        return path.read_bytes()


def _put(path: Path, octets: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    return hashlib.sha256(octets).hexdigest()
