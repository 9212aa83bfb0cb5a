"""Which recording is being made, kept in a file: if the process dies over it, its successor knows of which, and how often it did.

Memory that runs out, or a fault in a codec's library, tells nobody why. Without this the successor would begin with the same call
again, and die again; no other recording would be made, and no conversation be looked after.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from audio.tracks import write_aside
from callserver.core.ids import CallId

_log = structlog.get_logger("archive")


class _Kept(msgspec.Struct):
    call: str = ""  # being made; "" for none
    deaths: dict[str, int] = msgspec.field(default_factory=dict)  # over each call


class Making:
    """`file` None keeps nothing. Troubles of the disk only cost that knowledge."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._kept = _Kept()
        with contextlib.suppress(OSError, msgspec.DecodeError):
            if file is not None:
                self._kept = msgspec.json.decode(file.read_bytes(), type=_Kept)

    def died(self) -> tuple[CallId, int] | None:
        """The call over which a predecessor died, and how often that was so by now; until `told`."""
        call = self._kept.call
        return (CallId(call), self._kept.deaths.get(call, 0) + 1) if call else None

    def told(self) -> None:
        """What `died` gives is counted, and need not be told again."""
        if (death := self.died()) is not None:
            self._kept.deaths[death[0]] = death[1]
            self._kept.call = ""
            self._keep()

    @contextlib.contextmanager
    def of(self, call: CallId) -> Iterator[None]:
        """While this call's recording is made. What ends it in any way that can be caught is no death: the service may stop."""
        self._kept.call = call
        self._keep()
        try:
            yield
        finally:
            self._kept.call = ""
            self._keep()

    def made(self, call: CallId) -> None:
        """Nobody died of this one at last."""
        if self._kept.deaths.pop(call, None) is not None:
            self._keep()

    def _keep(self) -> None:
        if self._file is None:
            return
        try:
            write_aside(self._file, msgspec.json.encode(self._kept))
        except OSError as error:
            _log.warning("what is being made is not kept", error=str(error))
