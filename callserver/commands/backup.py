"""`backup` and `restore`: a copy of the record while the service runs, and a new data directory from one.

docs/backup.md tells what a backup holds, how it is made and what is to be done after one was put back.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.output import FAULTS, MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, write_json
from callserver.commands.progress import Bar

if TYPE_CHECKING:
    from callserver.backup.making import Made
    from callserver.backup.restoring import Restored
    from callserver.config import Config
    from callserver.sealed import SiteKey

_PRIVATE = 0o077
_GIB = 1 << 30


def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The directory of backups; made where there is none.")],
    config: ConfigOption = None,
    settings: SetOption = None,
    with_key: Annotated[bool, typer.Option("--with-key", help="Put the key that signs the journal into it too.")] = False,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Walk the chain, read back what was written.")] = True,
    read_all: Annotated[bool, typer.Option("--read-all", help="Read what earlier backups wrote; mend it.")] = False,
    keep: Annotated[int, typer.Option(min=0, help="Take away all but so many backups, when this one is whole. 0: none.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Make a backup, safe while the service runs. Only what is new is copied."""
    the = configured(config, settings)
    made = _made(the, directory.absolute(), (with_key, verify, read_all), as_json)
    journalled = _journalled(the, made, verify)
    gone, freed, kept_fault = _pruned(directory.absolute(), keep)
    faults = (*made.faults, *((kept_fault,) if kept_fault else ()))
    if as_json:
        write_json(_as_data(made, journalled, gone, freed, faults))
    else:
        _tell(made, journalled, gone, freed, faults)
    if faults:
        raise typer.Exit(FAULTS)


def restore(
    named: Annotated[Path, typer.Argument(metavar="DIR|BACKUP", help="A backup's file, or the directory: the newest in it.")],
    into: Annotated[Path, typer.Option("--into", metavar="NEW", help="The new data directory; must not be there, or be empty.")],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="FINGERPRINT", help="A key that is trusted. Default: the first. Repeatable."),
    ] = None,
    despite_faults: Annotated[
        bool, typer.Option("--despite-faults", help="Put back what there is, though something is damaged; all of that is told.")
    ] = False,
    site_key_file: Annotated[
        Path | None, typer.Option("--site-key-file", metavar="FILE", help="Look into what is encrypted under the key in it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup back into a new directory, after all of it was verified. Nothing is overwritten."""
    restored = _restored((named.absolute(), into.absolute()), tuple(key or ()), despite_faults, site_key_file, as_json)
    if as_json:
        write_json(_restored_data(restored))
    else:
        _tell_restored(restored)
    if restored.faults:
        raise typer.Exit(FAULTS)


# ---- backup -----------------------------------------------------------------------------------------------------


def _made(the: "Config", directory: Path, wishes: tuple[bool, bool, bool], quiet: bool) -> "Made":
    from sqlalchemy.exc import SQLAlchemyError

    from callserver.backup.making import Wishes, make
    from callserver.backup.manifest import BackupUnusable
    from callserver.media.urgency import LAST, rank
    from callserver.store.engine import store_path
    from callserver.store.upgrade import StoreVersionError

    path = store_path(the.storage.data)
    if not path.is_file():
        fail(f"{path}: there is no store; start the service once, or name its configuration with --config", MISUSE)
    os.umask(_PRIVATE)
    rank(LAST)
    try:
        with Bar(quiet) as bar:
            return make(the, directory, time.time_ns(), Wishes(*wishes), bar.told)
    except (BackupUnusable, StoreVersionError) as error:
        fail(f"no backup was made: {error}")
    except SQLAlchemyError as error:
        fail(f"no backup was made: the copy of the database cannot be read: {str(error).splitlines()[0]}")
    except OSError as error:
        fail(f"no backup was made: {error.filename or directory}: {error.strerror}")


def _journalled(the: "Config", made: "Made", verified: bool) -> bool:
    """By the running service; one that does not run has nobody to write it down."""
    import msgspec

    from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
    from callserver.core.facts import BackupMade

    m = made.manifest
    fact = BackupMade(str(made.path), m.rows, len(m.files), m.size, made.digest, verified)
    note = {"id": f"backup:{made.digest}", "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)}
    try:
        ask_sync(the.storage.control_socket, Verb.NOTE_FACT, note)
    except (Unavailable, CommandRefused):
        return False
    return True


def _pruned(directory: Path, keep: int) -> tuple[tuple[str, ...], int, str]:
    from callserver.backup.manifest import BackupUnusable
    from callserver.backup.pruning import prune

    if not keep:
        return (), 0, ""
    try:
        return *prune(directory, keep), ""
    except (BackupUnusable, OSError) as error:
        return (), 0, f"old backups were not taken away: {error}"


def _tell(made: "Made", journalled: bool, gone: tuple[str, ...], freed: int, faults: tuple[str, ...]) -> None:
    m = made.manifest
    new = f"{made.new_bytes / _GIB:.3f} GiB of them new"
    say(f"{made.path}: {m.rows} rows, {len(m.files)} files, {m.size / _GIB:.3f} GiB, {new}")
    say(f"signed with key {made.key}" if made.key else "not signed: no key of this journal could be read")
    if not journalled:
        say("the service does not run here, or did not take it: the journal does not have this backup")
    if gone:
        say(f"taken away: {len(gone)} older backups, {freed / _GIB:.3f} GiB")
    for fault in faults:
        say(f"BROKEN: {fault}")


def _as_data(made: "Made", journalled: bool, gone: tuple[str, ...], freed: int, faults: tuple[str, ...]) -> dict[str, object]:
    m = made.manifest
    told = {"backup": str(made.path), "rows": m.rows, "files": len(m.files), "bytes": m.size, "new_bytes": made.new_bytes}
    told |= {"digest": made.digest, "key": made.key, "journalled": journalled, "taken_away": gone, "freed_bytes": freed}
    return {"ok": not faults, **told, "faults": faults}


# ---- restore ----------------------------------------------------------------------------------------------------


def _restored(
    places: tuple[Path, Path], keys: tuple[str, ...], despite_faults: bool, site: Path | None, quiet: bool
) -> "Restored":
    from callserver.backup.manifest import BackupUnusable
    from callserver.backup.restoring import NotWhole, restore
    from callserver.store.upgrade import StoreVersionError

    os.umask(_PRIVATE)
    try:
        with Bar(quiet) as bar:
            return restore(*places, keys, despite_faults, bar.told, site=_site_key(site))
    except NotWhole as error:
        lines = "".join(f"\nBROKEN: {fault}" for fault in error.faults)
        fail(f"nothing was put back: the backup is not whole (--despite-faults takes what there is){lines}")
    except BackupUnusable as error:
        fail(f"nothing was put back: {error}", MISUSE)
    except StoreVersionError as error:
        fail(f"nothing was put back: {error}")
    except OSError as error:
        fail(f"nothing was put back: {error.filename or places[1]}: {error.strerror}")


def _site_key(file: Path | None) -> "tuple[SiteKey, ...]":
    from callserver.sealed import SiteKey

    try:
        return () if file is None else (SiteKey(bytes.fromhex(file.read_text().strip())),)
    except (OSError, ValueError) as error:
        fail(f"{file} holds no site key: {error}", MISUSE)


def _tell_restored(restored: "Restored") -> None:
    m = restored.manifest
    say(f"{restored.into}: {m.rows} rows, {len(m.files)} files, {m.size / _GIB:.3f} GiB, from {restored.backup}")
    signed = f"signed with key {restored.signed_by}" if restored.signed_by else "not signed"
    say(f"the backup is {signed}; {restored.checkpoints} checkpoints sign the journal up to row {restored.signed_to}")
    if restored.closed:
        say(f"{restored.closed} files are encrypted and were not looked into (--site-key-file); they are what was saved")
    for fault in restored.faults:
        say(f"BROKEN: {fault}")
    for line in _next_steps(restored):
        say(line)


def _next_steps(restored: "Restored") -> list[str]:
    """What an anchor and a verifier will want, and when; docs/backup.md says it at length."""
    from callserver.backup.making import KEY_NAME

    has_key = (restored.into / KEY_NAME).exists()
    key = f"the key is in {restored.into / KEY_NAME}" if has_key else "put the copy of the key where [evidence] key says"
    closed = ["5. Recordings are encrypted: put the copy of the site's key where [storage] site_key_file says."]
    return [
        "What to do now:",
        f"1. Let [storage] data of the configuration be {restored.into}, owned by the user that the service runs as.",
        f"2. {key[0].upper()}{key[1:]}; if it is lost: callserver key rotate, and write the new fingerprint down.",
        "3. Write down when and why this was done. Name a new anchor in [evidence] anchors and keep the old one with that note:",
        f"   to it the journal is cut short behind row {restored.manifest.rows}, rightly.",
        "4. callserver verify, then start the service: incidents that were open then are open, and on the call-back list.",
        *(closed if restored.closed else []),
    ]


def _restored_data(restored: "Restored") -> dict[str, object]:
    m = restored.manifest
    told = {"backup": str(restored.backup), "into": str(restored.into), "rows": m.rows, "hash": m.hash, "files": len(m.files)}
    told |= {"bytes": m.size, "made_utc_ns": m.made_utc_ns, "key": restored.signed_by, "checkpoints": restored.checkpoints}
    told |= {"closed": restored.closed}
    return {"ok": not restored.faults, **told, "signed_to": restored.signed_to, "faults": restored.faults}
