"""`key site`: the key that recordings are encrypted under; docs/recording.md tells what for."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from callserver.commands.output import FAULTS, MISUSE, ConfigOption, SetOption, configured, fail, say
from callserver.commands.progress import Bar

if TYPE_CHECKING:
    from callserver.config import Config
    from callserver.sealed import SiteKey

app = typer.Typer(no_args_is_help=True, help="Make or change the key that recordings are encrypted under.")


@app.command()
def make(config: ConfigOption = None, settings: SetOption = None) -> None:
    """Make the site's key, where there is none. Keep a copy of the file elsewhere: without it no recording opens."""
    file = _file(configured(config, settings))
    _write(file, os.urandom(32))
    say(f"{file}: keep a copy where only the custodian reaches it; without it no recording opens")


@app.command()
def rotate(config: ConfigOption = None, settings: SetOption = None) -> None:
    """Wrap every file's key by a new site key. Done again after it broke off, it goes on. The service may run."""
    from callserver.config import ConfigError, next_site_key, site_keys
    from callserver.sealed import SiteKey
    from callserver.store.evidence.keys import sync_directory

    the = configured(config, settings)
    file = _file(the)
    if not file.is_file():
        fail(f"{file}: there is no site key to be followed; callserver key site make")
    after = next_site_key(file)
    if not after.exists():
        _write(after, os.urandom(32))
    try:
        new = SiteKey(bytes.fromhex(after.read_text().strip()))
        count = _wrapped(the, site_keys(the), new)
        with _alone(file):  # nobody encrypts under the old key while we hold it
            count += _wrapped(the, site_keys(the), new)
            after.replace(file)
            sync_directory(file.parent)
    except (OSError, ValueError, ConfigError) as error:
        fail(f"not all is done, {after} waits: {error}; do it again", FAULTS)
    say(f"{file}: {count} files were wrapped anew; keep the old key for as long as you keep backups from before")


def _wrapped(the: "Config", keys: "tuple[SiteKey, ...]", new: "SiteKey") -> int:
    from callserver.sealed import rewrap, sealed_below

    count = 0
    with Bar(False) as bar:
        for folder in (the.storage.recordings, the.storage.captures):
            paths = list(sealed_below(folder))
            for done, path in enumerate(paths, 1):
                count += rewrap(path, keys, new)
                bar.told(folder.name, done, len(paths))
    return count


def _file(the: "Config") -> Path:
    file = the.storage.site_key_file
    if file is None:
        fail("[storage] site_key_file names no file; a key from the environment cannot be made or changed here", MISUSE)
    return file


def _write(file: Path, key: bytes) -> None:
    """Whole on the disk, or not there."""
    from callserver.store.evidence.keys import sync_directory

    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as out:
            out.write(f"{key.hex()}\n")
            out.flush()
            os.fsync(out.fileno())
        os.link(aside, file)  # unlike a rename it never takes the place of a key that is there
        aside.unlink()
        sync_directory(file.parent)
    except FileExistsError:
        aside.unlink()
        fail(f"{file} is there already")
    except OSError as error:
        fail(f"{file}: {error.strerror}")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    held = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
