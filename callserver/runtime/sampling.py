"""The archivist's part of the quality sample: when a month is over, the seed by which its calls are drawn goes into the journal.

It computes nothing that others could not: the seed is the hash of the month's last row (`callserver.store.sampling`). Away
switchboard: the next round tells it, and the same.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from callserver.config import Config
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.core.facts import SampleSeeded
from callserver.core.quality import seed_id
from callserver.store import queries, sampling
from callserver.store.engine import read_only

LOOK_S = 30.0
MOST_MONTHS = 12  # as many months back are drawn after an upgrade, or where nothing was drawn for long
JOURNAL_TIMEOUT_S = 5.0
_log = structlog.get_logger("sampling")


class Sampling:
    """See the module. `go` every half minute."""

    def __init__(self, config: Config, ask: Callable[[str, dict[str, Any]], object] | None = None) -> None:
        self._wanted = config.quality.calls_per_operator
        self._engine: Engine = read_only(config.storage.data)
        self._ask = ask or (lambda verb, args: ask_sync(config.storage.control_socket, verb, args, JOURNAL_TIMEOUT_S))
        self.worked_s = time.monotonic()

    def go(self) -> None:
        """One round. Troubles of store or switchboard end it."""
        self.worked_s = time.monotonic()
        if not self._wanted:
            return
        try:
            known = queries.plan(self._engine)
            if known is not None:
                self._seed(known[1].time_zone)
        except (DBAPIError, Unavailable, CommandRefused) as error:
            _log.warning("sampling.round_failed", error=str(error))

    def _seed(self, zone: str) -> None:
        for month, row, hash in sampling.due(self._engine, zone, MOST_MONTHS):
            fact = SampleSeeded(month, zone, row, hash, self._wanted)
            self._ask(Verb.NOTE_FACT, {"id": seed_id(month), "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)})
            _log.info("sample drawn", month=month, row=row)
