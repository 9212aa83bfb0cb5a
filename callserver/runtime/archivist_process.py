"""Entry point of the archivist: `python -m callserver.runtime.archivist_process CONFIG.json`.

It reads the store, writes files, and has the switchboard journal what it made. Away switchboard: the round ends, the next one
does the work again with the same outcome.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from callserver import logs
from callserver.archive.main import Archivist
from callserver.archive.speech import materialise
from callserver.config import Config, load_json
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.core.facts import CheckpointKeyMade, CheckpointSigned, RecordingFailed, RecordingMade
from callserver.core.ids import CallId, incident_of_call
from callserver.media.urgency import LAST, rank
from callserver.store import queries
from callserver.store.engine import read_only
from callserver.store.evidence.anchors import Anchoring, anchors_of
from callserver.store.evidence.notary import Notary, NotNoted, key_path

ROUND_S = 1.0
SEALED_AFTER_NS = 2_000_000_000  # a worker has sealed its captures by then
JOURNAL_TIMEOUT_S = 5.0
log = structlog.get_logger()


class Rounds:
    """What is done again and again: prompts for the plan in force, recordings of calls that are over."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.engine: Engine = read_only(Path(config.storage.data))
        self.plan_version = -1
        self.archivist = Archivist(Path(config.storage.captures), Path(config.storage.recordings), self._unfinished, self._append)

    def go(self) -> None:
        """One round; troubles of store or switchboard end it, and the next one tries again."""
        try:
            self._prompts()
            self.archivist.step()
        except (DBAPIError, Unavailable, CommandRefused, OSError) as error:
            log.warning("archivist.round_failed", error=str(error))

    def _prompts(self) -> None:
        known = queries.plan(self.engine)
        if known is None or known[0] == self.plan_version:
            return
        missing = materialise(known[1], Path(self.config.storage.prompts))
        for name in missing:
            log.warning("prompt.missing", name=name)
        self.plan_version = known[0]

    def _unfinished(self) -> list[tuple[CallId, Path]]:
        sealed_before_ns = time.time_ns() - SEALED_AFTER_NS
        found = []
        for name in queries.unfinished_recordings(self.engine):
            row = queries.call(self.engine, name)
            if row is not None and (row.ended_utc_ns or 0) < sealed_before_ns:
                call = CallId(name)
                found.append((call, Path(incident_of_call(call)) / call))
        return found

    def _append(self, fact: RecordingMade | RecordingFailed) -> None:
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

    def go(self) -> None:
        """One round."""
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


def serve(go: Callable[[], None]) -> None:
    """Rounds for ever."""
    while True:
        go()
        time.sleep(ROUND_S)


def main() -> None:
    """Work until SIGTERM, in the middle of whatever it is: files become theirs by renaming, facts are told again."""
    config = load_json(Path(sys.argv[1]).read_text())
    logs.configure(config.log.level, config.log.format)
    rank(LAST)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    evidence = threading.Thread(target=serve, args=(Evidence(config).go,), name="evidence", daemon=True)
    evidence.start()
    serve(_while(evidence, Rounds(config).go))


def _while(thread: threading.Thread, go: Callable[[], None]) -> Callable[[], None]:
    """What `go` does; a thread that ended by a mistake of ours ends the process, which is started again."""

    def both() -> None:
        if not thread.is_alive():
            sys.exit("the thread of checkpoints and anchors ended")
        go()

    return both


if __name__ == "__main__":
    main()
