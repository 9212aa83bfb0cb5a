"""Where recordings are encrypted: captures that would lie in the clear for ever, because no recording comes of them.

A capture is encrypted when the recording of its call is made. One whose recording cannot be made, or whose call the journal does
not know, is encrypted all the same.
"""

from pathlib import Path

import structlog

from audio.disk import DISK, Disk
from callserver.archive import keep
from callserver.archive.sealing import Sealing
from callserver.archive.taking_up import Known, unowned
from callserver.sealed import KeyMissing, is_sealed

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


def sweep(captures: Path, known: Known, sealing: Sealing, now_s: float, disk: Disk = DISK) -> int:
    """`shut` for every directory whose call the journal does not know, and that is older than an hour. Raises OSError."""
    count = 0
    for folder in unowned(captures, known, now_s):
        for path in keep.leftovers(folder):
            disk.remove(path)
        count += shut(folder, sealing, disk)
    if count:
        _log.info("captures of calls that the journal does not know were encrypted", files=count)
    return count
