"""`verify`: is the journal what it was when it was written, and are the recordings' files what the journal says?"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.output import FAULTS, ConfigOption, JsonOption, SetOption, configured, say, write_json
from callserver.commands.store import reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

_PART_BYTES = 1 << 20


def verify(
    config: ConfigOption = None,
    settings: SetOption = None,
    files: Annotated[bool, typer.Option("--files", help="Hash the recordings' files too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Walk the journal's chain and name the first broken row. Safe while the service runs."""
    from callserver.store import journal

    the = configured(config, settings)
    with reading(the) as engine:
        with _Progress(as_json) as progress:
            report = journal.verify(engine, progress)
        broken = _broken_files(engine, the.storage.recordings) if files and report.ok else []
    if as_json:
        write_json({**asdict(report), "files": broken})
    elif report.ok:
        say(f"journal: {report.rows} rows are whole, {report.erased} texts were erased; the last hash is {report.hash}")
        for line in broken:
            say(line)
    else:
        say(f"journal: broken after {report.rows} good rows: {report.fault}")
    if not report.ok or broken:
        raise typer.Exit(FAULTS)


def _broken_files(engine: "Engine", recordings: Path) -> list[str]:
    from callserver.core.facts import RecordingMade
    from callserver.store import journal

    newest = {row.fact.call: row.fact for row in journal.read(engine) if isinstance(row.fact, RecordingMade)}
    faults = []
    for fact in newest.values():
        for name, digest in fact.files.items():
            found = _sha256(recordings / name)
            if found != digest:
                what = "is not there or cannot be read" if found is None else f"was altered: its SHA-256 is {found}, not {digest}"
                faults.append(f"recording of call {fact.call}: {name} {what}")
    return faults


def _sha256(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(_PART_BYTES):
                digest.update(part)
    except OSError:
        return None
    return digest.hexdigest()


class _Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet or not sys.stderr.isatty()

    def __enter__(self) -> Callable[[int, int], None]:
        return self._told

    def __exit__(self, *_: object) -> None:
        if not self._quiet:
            typer.echo("", err=True)

    def _told(self, done: int, total: int) -> None:
        if not self._quiet:
            width = 40 * done // max(total, 1)
            typer.echo(f"\r[{'#' * width}{' ' * (40 - width)}] {done} of {total} rows", nl=False, err=True)
