"""The files of a call as they lie there, and taking them away. Done again it is harmless, and goes on where it was broken off."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from audio.disk import DISK, Disk
from callserver.core.ids import CallId, incident_of_call

_PACKED = ".gz"


def lying(call: CallId, recordings: Path, captures: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names below `recordings`, names below `captures` without .gz) of all that lies there of a call, half-written files too."""
    own = recordings / call
    taken = captures / incident_of_call(call) / call
    return _names(own, recordings), tuple(sorted({name.removesuffix(_PACKED) for name in _names(taken, captures)}))


def delete(call: CallId, files: Sequence[str], names: Sequence[str], recordings: Path, captures: Path, disk: Disk = DISK) -> int:
    """Take away these files, in whichever form, and the call's directories when they are empty; returns how many there were.

    Raises OSError; what is left is taken away when it is done again. A name that leads elsewhere is not followed.
    """
    count = 0
    for below, wanted in ((recordings, files), (captures, names)):
        folders = {_folder(below, call, below == captures)}
        for path in _present(below, wanted, folders):
            disk.remove(path)
            count += 1
        for folder in folders:
            _close(folder, below, disk)
    return count


def is_gone(call: CallId, recordings: Path, captures: Path) -> bool:
    """Whether nothing lies there any more. What came after a deletion, a recording's new form for instance, is still there."""
    return lying(call, recordings, captures) == ((), ())


def _present(below: Path, names: Iterable[str], folders: set[Path]) -> list[Path]:
    """Those of the names that lie there, in their own form or packed, directly in one of the folders."""
    paths = [below / name for name in names]
    inside = [path for path in paths if path.parent in folders and path.name not in ("", ".", "..")]
    forms = [form for path in inside for form in (path, path.with_name(path.name + _PACKED))]
    return [form for form in forms if form.is_file() or form.is_symlink()]


def _folder(below: Path, call: CallId, of_incident: bool) -> Path:
    return below / incident_of_call(call) / call if of_incident else below / call


def _names(folder: Path, below: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted(str(path.relative_to(below)) for path in folder.iterdir() if not path.is_dir()))


def _close(folder: Path, below: Path, disk: Disk) -> None:
    """The directory, and the incident's above it, go with their last file."""
    while folder != below and folder.is_dir() and not any(folder.iterdir()):
        disk.remove_directory(folder)
        folder = folder.parent
    if folder.is_dir():
        disk.sync(folder)
