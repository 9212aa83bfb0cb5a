"""Where recordings are encrypted: what would lie in the clear for ever, because whoever was at it died or cannot go on.

A capture is encrypted when the recording of its call is made. One whose recording cannot be made, or whose call the journal does
not know, is encrypted all the same; so is a redacted copy whose maker died, and what nobody finished writing is taken away.
"""

from pathlib import Path

import structlog

from audio.disk import DISK, Disk
from callserver.archive import keep
from callserver.archive.sealing import Sealing
from callserver.archive.taking_up import YOUNG_S, Known, unowned
from callserver.sealed import KeyMissing, is_sealed

_REDACTED = "redacted-*.flac"
_log = structlog.get_logger("archive")


def shut(folder: Path, sealing: Sealing, disk: Disk = DISK) -> int:
    """Compress and encrypt the captures of a directory that nobody writes any more; how many. Raises KeyMissing.

    They can still be made into a recording, which comes out the same. One that cannot be encrypted stays, and is tried again.
    """
    sealing.required()
    count = 0
    for path in keep.captures_of(folder):
        try:
            if is_sealed(path) or keep.is_written(path):
                continue
            packed = path if path.suffix == ".gz" else keep.compress(path, keep.sum_uncompressed(path), disk)
            sealing.seal(packed, disk)
            count += 1
        except KeyMissing:
            raise
        except OSError as error:
            _log.warning("capture stays in the clear", path=str(path), error=str(error))
    return count


def sweep(captures: Path, recordings: Path, known: Known, sealing: Sealing, now_s: float, disk: Disk = DISK) -> int:
    """All of it, once; how many files were encrypted or taken away. Nothing that is younger than an hour. Raises OSError."""
    count = 0
    for folder in unowned(captures, known, now_s):
        count += shut(folder, sealing, disk)
    for path in recordings.glob(f"*/{_REDACTED}") if recordings.is_dir() else ():
        if _is_old(path, now_s) and not is_sealed(path):
            sealing.seal(path, disk)
            count += 1
    for path in recordings.glob("*/.*.part") if recordings.is_dir() else ():
        if _is_old(path, now_s):
            disk.remove(path)
            count += 1
    if count:
        _log.info("what lay in the clear by accident was encrypted or taken away", files=count)
    return count


def _is_old(path: Path, now_s: float) -> bool:
    return path.is_file() and now_s - path.stat().st_mtime > YOUNG_S
