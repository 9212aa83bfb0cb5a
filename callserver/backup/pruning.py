"""Taking old backups away, and then every object that none of those left names. An end in between costs only room."""

from pathlib import Path

from audio.disk import DISK, Disk
from callserver.backup.making import alone
from callserver.backup.manifest import made_in, read
from callserver.backup.objects import FOLDER, Objects


def prune(root: Path, keep: int, disk: Disk = DISK) -> tuple[tuple[str, ...], int]:
    """Keep the newest `keep` (at least one) backups of a directory; (names of those taken away, bytes that are free now).

    Raises BackupUnusable, before anything is taken away, when one that stays cannot be read: its objects are not known then.
    """
    with alone(root, disk):
        made = made_in(root)
        old, staying = made[: -max(keep, 1)], made[-max(keep, 1) :]
        named = {name for path in staying for item in read(path).manifest.files for name in item.objects}
        for path in old:
            disk.remove(path)
        if old:
            disk.sync(root)  # no backup may be there whose objects are gone
        freed = 0
        for path in Objects(root, disk).all():
            if path.name not in named:
                freed += path.stat().st_size
                disk.remove(path)
        for folder in sorted((root / FOLDER).glob("*/")):
            if not any(folder.iterdir()):
                folder.rmdir()
        return tuple(path.name for path in old), freed
