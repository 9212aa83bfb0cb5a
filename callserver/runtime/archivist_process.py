"""Entry point of the archivist: `python -m callserver.runtime.archivist_process CONFIG.json BEATS`.

It reads the store, writes files, and has the switchboard journal what it made. Away switchboard: the round ends, the next one
does the work again with the same outcome.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from callserver import logs
from callserver.archive import keep, taking_up
from callserver.archive.main import Archivist
from callserver.archive.speech import materialise
from callserver.archive.sweeping import sweep
from callserver.config import Config, load_json
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.core.facts import CheckpointKeyMade, CheckpointSigned, RecordingFailed, RecordingMade
from callserver.core.ids import CallId, incident_of_call
from callserver.media.urgency import LAST, rank
from callserver.runtime import untold
from callserver.runtime.backup_age import BackupAge
from callserver.runtime.desk_work import DeskWork
from callserver.runtime.proving import Proving
from callserver.runtime.pulse import BEAT_S, Beats
from callserver.runtime.retaining import Retaining
from callserver.runtime.sampling import LOOK_S, Sampling
from callserver.runtime.sealing import SealingHere
from callserver.runtime.space import Space
from callserver.store import queries
from callserver.store.engine import read_only
from callserver.store.evidence.anchors import Anchoring, anchors_of
from callserver.store.evidence.notary import Notary, NotNoted, key_path

ROUND_S = 1.0
SEALED_AFTER_S = 2.0  # a worker has begun to seal its captures by then
NO_CAPTURES_AFTER_S = 600.0  # nor does a call without any have some that could not be made yet: a worker's patience is over
MOST_AT_ONCE = 1_000  # calls that are looked at in one round; some of them only wait
MAKING = "making.json"
SWEEP_EVERY_S = 3_600.0
LONGEST_WORK_S = 3_600.0  # one recording, or one round of the checkpoints and anchors
JOURNAL_TIMEOUT_S = 5.0
log = structlog.get_logger()


class Rounds:
    """What is done again and again: prompts for the plan in force, recordings of calls that are over, deleting what is due."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.engine: Engine = read_only(Path(config.storage.data))
        self.retaining = Retaining(config, self.engine)
        self.plan_version = -1
        self.taken_up = False
        self.captures = Path(config.storage.captures)
        self.seal = SealingHere(config)
        folders = (self.captures, Path(config.storage.recordings))
        making = Path(config.storage.data) / MAKING
        self.archivist = Archivist(*folders, self._unfinished, self._append, sealing=self.seal.sealing, making=making)
        self.sweep_s = 0.0
        self.over_s: dict[str, float] = {}  # calls that wait for their recording: since when we know of it, by time.monotonic
        self.worked_s = time.monotonic()  # when the work went on last

    def go(self) -> None:
        """One round; troubles of store or switchboard end it, and the next one tries again."""
        self.worked_s = time.monotonic()
        try:
            self._take_up()
            untold.tell(Path(self.config.storage.data), lambda note: self._ask(Verb.NOTE_FACT, note))
            self._prompts()
            if self.seal.ready():
                self.archivist.step()
                self._sweep()
        except (DBAPIError, Unavailable, CommandRefused, OSError) as error:
            log.warning("archivist.round_failed", error=str(error))
        self.retaining.go()

    def _take_up(self) -> None:
        """Once: what a crash left is told before it is finished."""
        if self.taken_up:
            return
        unfinished = queries.unfinished_recordings(self.engine, MOST_AT_ONCE)
        known = lambda ids: queries.known_calls(self.engine, ids)  # noqa: E731
        fact = taking_up.found(self.captures, Path(self.config.storage.recordings), unfinished, known)
        note = {"id": f"archivist:{time.time_ns()}", "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)}
        self._ask(Verb.NOTE_FACT, note)
        self.taken_up = True

    def _sweep(self) -> None:
        """Once an hour, where recordings are encrypted."""
        if self.seal.sealing is None or time.monotonic() < self.sweep_s:
            return
        self.sweep_s = time.monotonic() + SWEEP_EVERY_S
        known = lambda ids: queries.known_calls(self.engine, ids)  # noqa: E731
        sweep(self.captures, known, self.seal.sealing, time.time())

    def _prompts(self) -> None:
        known = queries.plan(self.engine)
        if known is None or known[0] == self.plan_version:
            return
        missing = materialise(known[1], Path(self.config.storage.prompts))
        for name in missing:
            log.warning("prompt.missing", name=name)
        self.plan_version = known[0]

    def _unfinished(self) -> list[tuple[CallId, Path]]:
        """By our own patience, not by the time of day: that may have been set meanwhile, by an hour and more."""
        now_s = time.monotonic()
        names = queries.unfinished_recordings(self.engine, MOST_AT_ONCE)
        self.over_s = {name: self.over_s.get(name, now_s) for name in names}
        calls = [CallId(name) for name in names]
        folders = [(call, Path(incident_of_call(call)) / call) for call in calls]
        return [(call, folder) for call, folder in folders if self._sealed(folder, now_s - self.over_s[call])]

    def _sealed(self, folder: Path, over_s: float) -> bool:
        captures = keep.captures_of(self.captures / folder)
        return over_s > (SEALED_AFTER_S if captures else NO_CAPTURES_AFTER_S) and not any(map(keep.is_written, captures))

    def _append(self, fact: RecordingMade | RecordingFailed) -> None:
        self.worked_s = time.monotonic()
        self._ask(Verb.NOTE_FACT, {"id": self._fact_id(fact), "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)})

    def _fact_id(self, fact: RecordingMade | RecordingFailed) -> str:
        """The same recording told twice is one fact; a failure is told as often as it is met."""
        if isinstance(fact, RecordingMade):
            return f"recording:{fact.call}"
        return f"recording-failed:{fact.call}:{time.time_ns()}"

    def _ask(self, verb: str, args: dict[str, Any]) -> None:
        ask_sync(self.config.storage.control_socket, verb, args, JOURNAL_TIMEOUT_S)


class Evidence:
    """Checkpoints and anchors, in a thread of their own: a recording that takes long keeps no checkpoint waiting."""

    def __init__(self, config: Config) -> None:
        self._socket = config.storage.control_socket
        every_ns = config.evidence.checkpoint_minutes * 60 * 1_000_000_000
        alarms = (self._raise_alarm, self._clear_alarm, time.monotonic_ns)
        engine = read_only(Path(config.storage.data))
        self._notary = Notary(engine, key_path(config), every_ns, self._note, *alarms, time.time_ns)
        self._anchoring = Anchoring(anchors_of(config), *alarms)
        self.worked_s = time.monotonic()

    def go(self) -> None:
        """One round."""
        self.worked_s = time.monotonic()
        self._anchoring.step(self._notary.step())

    def _note(self, id: str, fact: CheckpointKeyMade | CheckpointSigned) -> None:
        try:
            note = {"id": id, "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)}
            ask_sync(self._socket, Verb.NOTE_FACT, note, JOURNAL_TIMEOUT_S)
        except (Unavailable, CommandRefused) as error:
            log.warning("evidence.not_noted", kind=type(fact).__name__, error=str(error))
            raise NotNoted(str(error)) from error

    def _raise_alarm(self, key: str, text: str) -> None:
        self._tell(Verb.RAISE_ALARM, {"key": key, "text": text})

    def _clear_alarm(self, key: str) -> None:
        self._tell(Verb.CLEAR_ALARM, {"key": key})

    def _tell(self, verb: str, args: dict[str, Any]) -> None:
        """An alarm that does not arrive is told again when the next attempt fails or succeeds."""
        try:
            ask_sync(self._socket, verb, args, JOURNAL_TIMEOUT_S)
        except (Unavailable, CommandRefused) as error:
            log.warning("evidence.not_told", error=str(error), **args)


def serve(go: Callable[[], None], every_s: float = ROUND_S) -> None:
    """Rounds for ever."""
    while True:
        go()
        time.sleep(every_s)


def main() -> None:
    """Work until SIGTERM, in the middle of whatever it is: files become theirs by renaming, facts are told again."""
    config = load_json(Path(sys.argv[1]).read_text())
    logs.configure(config.log.level, config.log.format)
    rank(LAST)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    rounds, records, proving, space = Rounds(config), Evidence(config), Proving(config), Space(config)
    age, desk, sampling = BackupAge(config), DeskWork(config), Sampling(config)
    works = (rounds, records, proving, space, age, desk, sampling)
    beats = Beats(int(sys.argv[2]))
    threading.Thread(target=serve, args=(lambda: _beat(beats, works), BEAT_S), name="beats", daemon=True).start()
    evidence = threading.Thread(target=serve, args=(records.go,), name="evidence", daemon=True)
    ear = threading.Thread(target=proving.serve, name="proving", daemon=True)
    disks = threading.Thread(target=space.serve, name="space", daemon=True)
    backups = threading.Thread(target=age.serve, name="backups", daemon=True)
    exports = threading.Thread(target=serve, args=(desk.go,), name="desk", daemon=True)
    samples = threading.Thread(target=serve, args=(sampling.go, LOOK_S), name="sampling", daemon=True)
    threads = (evidence, ear, disks, backups, exports, samples)
    for thread in threads:
        thread.start()
    serve(_while(threads, rounds.go))


def _beat(beats: Beats, works: Sequence[Rounds | Evidence | Proving | Space | BackupAge | DeskWork | Sampling]) -> None:
    """Unless a work stands still; a recording may take long, and is not to be taken for a hang."""
    now_s = time.monotonic()
    if all(now_s - work.worked_s < LONGEST_WORK_S for work in works):
        beats.beat()


def _while(threads: Sequence[threading.Thread], go: Callable[[], None]) -> Callable[[], None]:
    """What `go` does; a thread that ended by a mistake of ours ends the process, which is started again."""

    def all_of_it() -> None:
        for thread in threads:
            if not thread.is_alive():
                sys.exit(f"the thread {thread.name} ended")
        go()

    return all_of_it


if __name__ == "__main__":
    main()
