"""The archivist's thread that listens to what lies on the disk of live conversations; see callserver.archive.proving.

Each round it tells the switchboard the levels of the last second and is told which legs there are: by the switchboard, not by the
store, so that conversations are looked after while the store's disk is full.
"""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from callserver.archive.proving import Listed, Measured, Proof, Prover
from callserver.config import Config
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.runtime.clock import boottime_ns

ROUND_S = 1.0
TIMEOUT_S = 5.0
log = structlog.get_logger()


class Proving:
    """Rounds of it; `go` is one."""

    def __init__(self, config: Config) -> None:
        self._socket = config.storage.control_socket
        self._prover = Prover(config.storage.captures, self._tell, boottime_ns)
        self._levels: Mapping[str, Measured] = {}
        self.worked_s = time.monotonic()  # when the work went on last

    def go(self) -> None:
        """Ask, look, tell. A switchboard that is away ends the round."""
        self.worked_s = time.monotonic()
        try:
            answer = self._ask(Verb.LEVELS, {"legs": msgspec.to_builtins(self._levels)})
            self._levels = {}
            self._levels = self._prover.step(msgspec.convert(answer["legs"], list[Listed]))
        except (Unavailable, CommandRefused) as error:
            log.warning("proving.round_failed", error=str(error))

    def serve(self) -> None:
        """Rounds for ever, each a second after the one before began, or at once where that took longer."""
        while True:
            began_s = time.monotonic()
            self.go()
            time.sleep(max(0.0, ROUND_S - (time.monotonic() - began_s)))

    def _tell(self, fact: Proof) -> None:
        kind = type(fact).__name__
        note = {"id": f"{kind}:{fact.leg}:{boottime_ns()}", "kind": kind, "body": msgspec.to_builtins(fact)}
        self._ask(Verb.NOTE_FACT, note)

    def _ask(self, verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
        return ask_sync(self._socket, verb, args, TIMEOUT_S)
