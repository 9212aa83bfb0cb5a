"""The watch as a process: it reads the journal, looks at it (`callserver.watch`), raises alarms and asks for last resorts.

Run by the supervisor as `python -m callserver.runtime.watching CONFIG.json BEATS`. A process of its own: the switchboard must not
judge itself, the web process waits for people and the archivist for discs, and the supervisor, which must never die, does not
decode other people's data. That a switchboard answers at all is the supervisor's business (`runtime.heartbeat`).

Facts may be late: a stalled disk, a switchboard that is being replaced. So nothing is told before the switchboard has said how
many facts it has decided and all of these were read. A watch that cannot see says nothing; the alarm `journal` rings by then.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from callserver import logs
from callserver.config import load_json
from callserver.control import CommandRefused, Verb, ask_sync, status_from
from callserver.core.facts import ClockAnchored
from callserver.core.instant import Instant
from callserver.media.urgency import ORDINARY, rank
from callserver.runtime import clock
from callserver.runtime.pulse import Beats
from callserver.store.engine import read_only
from callserver.store.journal import Row, UnknownKind, read
from callserver.watch.watch import Breach, Watch

LOOK_EVERY_S = 0.2
ASK_TIMEOUT_S = 1.0
FACTS_LIMIT_S = 0.5  # for facts that were decided to be read
FACTS_EVERY_S = 0.02
Ask = Callable[[str, dict[str, Any]], dict[str, Any]]
log = structlog.get_logger()


class Watching:
    """See the module. `rows` gives the journal's rows above a number, `anchor` the clock anchor in force."""

    def __init__(
        self,
        rows: Callable[[int], Iterable[Row]],
        ask: Ask,
        anchor: Callable[[], clock.Anchor | None],
        pause: Callable[[float], None] = time.sleep,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.rows, self.ask, self.anchor, self.pause, self.beat = rows, ask, anchor, pause, beat
        self.watch = Watch()
        self.number = 0  # of the last row that was read
        self.clock = anchor()
        self.trouble = ""  # of the last look, said once
        self.rescued: set[str] = set()  # keys of the breaches whose last resort was asked for

    def look(self) -> None:
        """One look. Trouble of store or switchboard ends it, and the next one makes up for it."""
        try:
            self._read()
            present = self._present()
            if self._is_news(present) and self._complete():
                self._tell(self._present())
            self.trouble = ""
        except (DBAPIError, OSError, UnknownKind, CommandRefused) as error:  # Unavailable is an OSError
            if str(error) != self.trouble:
                log.warning("watch.look_failed", error=str(error))
            self.trouble = str(error)

    def _read(self) -> None:
        for row in self.rows(self.number):
            self.number = row.number
            self.beat()
            if isinstance(row.fact, ClockAnchored) or self.clock is None:
                self.clock = self.anchor()
            if self.clock is not None:  # the switchboard's instants may have been moved on; see clock.no_earlier
                self.clock = clock.no_earlier(self.clock, row.instant)
            self.watch.take(row.fact, Instant(row.instant))

    def _present(self) -> Sequence[Breach]:
        return [] if self.clock is None else self.watch.check(self.clock.now())

    def _is_news(self, present: Sequence[Breach]) -> bool:
        keys = {one.key for one in present}
        wanted = {one.key for one in present if one.incident is not None}
        self.rescued &= keys
        return keys != self.watch.raised() or not wanted <= self.rescued

    def _complete(self) -> bool:
        """Whether all was read that the switchboard has decided by now."""
        status = status_from(self.ask(Verb.STATUS, {}))
        decided = status.facts - int(status.figures.get("journal_lost", 0))
        deadline_s = time.monotonic() + FACTS_LIMIT_S
        while self.number < decided and time.monotonic() < deadline_s:
            self.pause(FACTS_EVERY_S)
            self._read()
        return self.number >= decided

    def _tell(self, present: Sequence[Breach]) -> None:
        ringing = self.watch.raised()
        for one in present:
            if one.key not in ringing:
                log.error("watch.breach", key=one.key, text=one.text)
                self.ask(Verb.RAISE_ALARM, {"key": one.key, "text": one.text})
            if one.incident is not None and one.key not in self.rescued:
                self.rescued.add(one.key)
                self._rescue(one)
        for key in ringing - {one.key for one in present}:
            self.ask(Verb.CLEAR_ALARM, {"key": key})

    def _rescue(self, breach: Breach) -> None:
        try:
            self.ask(Verb.LAST_RESORT, {"incident": breach.incident, "why": f"the watch: {breach.text}"})
        except CommandRefused as refusal:  # it does not wait any more
            log.warning("watch.last_resort_refused", key=breach.key, why=refusal.message)


def main() -> None:
    """Look until SIGTERM, and have the supervisor know that we do."""
    config = load_json(Path(sys.argv[1]).read_text())
    logs.configure(config.log.level, config.log.format)
    rank(ORDINARY)
    beats = Beats(int(sys.argv[2]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    data = Path(config.storage.data)
    engine = read_only(data)
    watching = Watching(
        lambda since: read(engine, since),
        lambda verb, args: ask_sync(config.storage.control_socket, verb, args, ASK_TIMEOUT_S),
        lambda: clock.load(data / "clock.json"),
        beat=beats.beat,
    )
    while True:
        watching.look()
        beats.beat()
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
