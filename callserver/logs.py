"""What processes say of themselves, on standard error: key and value, one event word, for us; the journal is for the auditor."""

import contextlib
import logging
import sys
from typing import TextIO, cast

import structlog


class Unbroken:
    """A stream whose disk may be full, or whose reader may be gone: what it cannot take is lost, and nobody fails for it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, if it can be done."""
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush, if it can be done."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure(level: str, form: str) -> None:
    """Set up structlog for a process: `level` debug, info, warning or error; `form` text or json."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=number, format="%(levelname)s %(name)s %(message)s")
    renderer = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, Unbroken(sys.stderr))),
        cache_logger_on_first_use=True,
    )
