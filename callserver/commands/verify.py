"""`verify`: is the journal what it was when it was written, and are the recordings' files what the journal says?

In this order, up to the first thing wrong: the chain and the texts beside it, keys and checkpoints, anchors, files.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.output import (
    FAULTS,
    MISUSE,
    ConfigOption,
    JsonOption,
    SetOption,
    configured,
    fail,
    plain,
    say,
    write_json,
    write_program,
)
from callserver.commands.store import reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.config import Config
    from callserver.sealed import SiteKey
    from callserver.store.evidence.files import Finding
    from callserver.store.journal import Report

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Verdict:
    """What was found; `fault` is the first thing wrong, and `files` are all files that are."""

    report: "Report"
    fault: str
    checkpoints: int = 0
    signed_to: int = 0
    keys: tuple[str, ...] = ()
    anchors: dict[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    deleted: int = 0  # calls of which something was
    left: tuple[str, ...] = ()  # files that were to be deleted and are still there
    closed: int = 0  # files that are encrypted and whose key is not here: not examined

    @property
    def ok(self) -> bool:
        return not self.fault and not self.closed


def verify(
    config: ConfigOption = None,
    settings: SetOption = None,
    files: Annotated[bool, typer.Option("--files/--no-files", help="Hash the recordings' and captures' files too.")] = True,
    anchor: Annotated[
        list[Path] | None, typer.Option("--anchor", metavar="FILE", help="Checkpoints that were kept elsewhere. Repeatable.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="FINGERPRINT", help="A key that is trusted. Default: that of this machine. Repeatable."),
    ] = None,
    write_verifier: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the stand-alone verifier to a file instead, for strangers.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify chain, signatures, anchors and files, and name the first thing wrong. Safe while the service runs."""
    if write_verifier is not None:
        write_program("verify_journal.py", write_verifier)
        return
    the = configured(config, settings)
    with reading(the) as engine:
        found = _examined(engine, the, anchor or (), tuple(key or ()), files, as_json)
    if as_json:
        write_json(_as_data(found))
    else:
        _tell(found)
    if not found.ok:
        raise typer.Exit(FAULTS)


def _examined(
    engine: "Engine", the: "Config", anchors: Sequence[Path], given: tuple[str, ...], files: bool, quiet: bool
) -> _Verdict:
    from callserver.store import journal
    from callserver.store.evidence import examine
    from callserver.store.evidence.anchors import files_of
    from callserver.store.evidence.files import examine_files
    from callserver.store.evidence.retained import check_deletions

    with _Progress(quiet, "rows") as progress:
        report = journal.verify(engine, progress)
    found = _Verdict(report, report.fault)
    if not report.ok:
        return found
    try:
        signed = examine.check_signatures(engine, given or _own_key(the), required=bool(given))
        found.checkpoints, found.signed_to, found.keys = signed.checkpoints, signed.signed_to, tuple(signed.keys)
        for path in (*_written(files_of(the), signed.checkpoints), *anchors):
            found.anchors[str(path)] = examine.check_anchor(engine, path, signed)
        found.deleted = len(check_deletions(engine))
        lines: list[Finding] = []
        with _Progress(quiet or not files, "recordings") as progress:
            if files:
                keys = _site_keys(the)
                lines += examine_files(engine, the.storage.recordings, the.storage.captures, progress, keys)
    except examine.Wrong as wrong:
        found.fault = str(wrong)
        return found
    if files:
        found.files = tuple(line.text for line in lines if line.fault)
        found.left = tuple(line.text for line in lines if not line.fault and not line.closed)
        found.closed = sum(line.closed for line in lines)
    found.fault = next(iter(found.files), "")
    return found


def _site_keys(the: "Config") -> "tuple[SiteKey, ...]":
    from callserver.config import ConfigError, site_keys

    try:
        return site_keys(the)
    except ConfigError as error:
        fail(str(error), MISUSE)


def _own_key(the: "Config") -> tuple[str, ...]:
    """The fingerprint of this machine's key, where there is one that we may read."""
    from callserver.store.evidence.keys import KeyUnusable, read_key
    from callserver.store.evidence.notary import key_path

    try:
        return (read_key(key_path(the)).name,)
    except KeyUnusable:
        return ()


def _written(anchors: Sequence[Path], checkpoints: int) -> Sequence[Path]:
    """Before the first checkpoint no anchor can be there."""
    return anchors if checkpoints else [path for path in anchors if path.exists()]


def _tell(found: _Verdict) -> None:
    report = found.report
    if report.ok:
        say(f"journal: {report.rows} rows are whole, {report.erased} texts were erased; the last hash is {report.hash}")
        say(f"checkpoints: {found.checkpoints}, signed up to row {found.signed_to}")
        for name, count in found.anchors.items():
            say(f"anchor {name}: {count} checkpoints agree")
        say(f"deletions: the recordings of {found.deleted} calls were deleted, none of them held")
        for line in found.left:
            say(plain(f"warning: {line}"))
        if found.closed:
            say(f"NOT EXAMINED: {found.closed} files are encrypted, and the site's key is missing ([storage] site_key_file)")
        for line in found.files or (found.fault,):
            if line:
                say(plain(f"BROKEN: {line}"))
    else:
        say(plain(f"journal: broken after {report.rows} good rows: {report.fault}"))


def _as_data(found: _Verdict) -> dict[str, object]:
    names = ("fault", "checkpoints", "signed_to", "keys", "anchors", "files", "deleted", "left", "closed")
    return {**asdict(found.report), "ok": found.ok, **{name: getattr(found, name) for name in names}}


class _Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, quiet: bool, what: str) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._what = what

    def __enter__(self) -> Progress:
        return self._told

    def __exit__(self, *_: object) -> None:
        if not self._quiet:
            typer.echo("", err=True)

    def _told(self, done: int, total: int) -> None:
        if not self._quiet:
            width = 40 * done // max(total, 1)
            typer.echo(f"\r[{'#' * width}{' ' * (40 - width)}] {done} of {total} {self._what}", nl=False, err=True)
