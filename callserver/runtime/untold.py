"""Facts that could not be journalled when they happened, because the service did not run: kept as files, and told when it does.

Accounts are changed and configurations read while no switchboard answers. What was told at once is one file, under a name that
sorts by time. The archivist looks for them all the time, so one that a command left while the switchboard was replaced goes too.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from audio.disk import DISK, Disk
from callserver.control import CommandRefused
from callserver.core.facts import Fact

FOLDER = ".untold"  # below [storage] data; a name with a dot in front is in no backup
Note = dict[str, Any]  # of the verb NOTE_FACT
log = structlog.get_logger()
_SUFFIX, _REFUSED = ".json", ".refused"


def keep(data: Path, *facts: Fact, disk: Disk = DISK) -> None:
    """Keep facts to be told, all of them or none; they are on the disk when it returns. Raises OSError."""
    if not facts:
        return
    folder = data / FOLDER
    disk.make_directory(folder)
    folder.chmod(0o700)
    notes = [{"id": uuid.uuid4().hex, "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)} for fact in facts]
    path = folder / f"{time.time_ns():020d}-{notes[0]['id']}{_SUFFIX}"
    aside = path.with_suffix(".new")
    with disk.create(aside) as out:
        out.write(msgspec.json.encode(notes))
    aside.chmod(0o600)
    owner = data.stat()
    with contextlib.suppress(OSError):  # root leaves it to whoever runs the service; others cannot, and need not
        os.chown(folder, owner.st_uid, owner.st_gid)
        os.chown(aside, owner.st_uid, owner.st_gid)
    disk.keep(aside, path)


def waiting(data: Path) -> list[Path]:
    """What is to be told, oldest first."""
    return sorted((data / FOLDER).glob(f"*{_SUFFIX}"))


def tell(data: Path, journal: Callable[[Note], None]) -> None:
    """Tell what waits, oldest first. A file that the switchboard refuses, or that was damaged, is put aside.

    Raises what `journal` raises besides `CommandRefused`, and OSError; what was not told waits on, and is told with the same ids.
    """
    for path in waiting(data):
        try:
            for note in msgspec.json.decode(path.read_bytes(), type=list[Note]):
                journal(note)
        except (CommandRefused, msgspec.DecodeError) as error:
            log.warning("untold.refused", file=str(path), why=str(error))
            path.rename(path.with_suffix(_REFUSED))
        else:
            path.unlink()
