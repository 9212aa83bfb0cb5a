"""What a crash leaves of a directory: every step that changes files is written down, and any beginning of them can be made anew.

A death of the process keeps what the kernel has. A power cut keeps what was synced: data of a file from its last sync on may be
there, missing, torn or zeros; names from the last sync of their directory on may have come or not, each for itself.
"""

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audio.disk import Disk

Image = dict[Path, bytes | None]
"""What lies where; None: a directory."""

MOST_NAMES = 4  # of unsynced names all combinations are tried; of more, only beginnings


@dataclass(frozen=True)
class Step:
    """One change. `what`: create, write, sync, rename, remove, directory, append."""

    what: str
    path: Path = Path()
    other: Path = Path()
    at: int = 0
    data: bytes = b""
    fact: object = None


class RecordingDisk(Disk):
    """Does it, and writes it down. From step number `fail_at` on it refuses, as a full one does."""

    def __init__(self, fail_at: int = -1) -> None:
        self.steps: list[Step] = []
        self.fail_at = fail_at

    def note(self, step: Step) -> None:
        """Before it is done."""
        if 0 <= self.fail_at <= len(self.steps) and step.what in ("create", "write", "rename", "directory", "sync"):
            raise OSError(28, "No space left on device", str(step.path))
        self.steps.append(step)

    def raw(self, path: Path) -> io.FileIO:
        self.note(Step("create", path))
        return _Written(path, self)

    def sync(self, path: Path) -> None:
        self.note(Step("sync", path))
        super().sync(path)

    def rename(self, old: Path, new: Path) -> None:
        self.note(Step("rename", old, new))
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        if path.exists():
            self.note(Step("remove", path))
        super().remove(path)

    def remove_directory(self, path: Path) -> None:
        self.note(Step("remove", path))
        super().remove_directory(path)

    def add_directory(self, path: Path) -> None:
        self.note(Step("directory", path))
        super().add_directory(path)


class Careless(RecordingDisk):
    """Leaves out what brings files, or directories, to the disk."""

    def __init__(self, files: bool) -> None:
        super().__init__()
        self.files = files

    def sync(self, path: Path) -> None:
        if path.is_file() != self.files:
            super().sync(path)


class QuickDisk(Disk):
    """For what runs after a crash: nothing is cut a second time."""

    def sync(self, path: Path) -> None:
        return


class _Written(io.FileIO):
    def __init__(self, path: Path, disk: RecordingDisk) -> None:
        super().__init__(path, "w+")
        self._path, self._disk = path, disk

    def write(self, data: object) -> int:  # type: ignore[override]
        content = bytes(data)  # type: ignore[call-overload]
        self._disk.note(Step("write", self._path, at=self.tell(), data=content))
        return super().write(content)


@dataclass
class _File:
    """A file or a directory (None)."""

    now: bytes | None
    synced: bytes | None = b""


@dataclass
class Model:
    """What the kernel has, and what the disk has. `names` and `safe` map paths to files."""

    names: dict[Path, _File] = field(default_factory=dict)
    safe: dict[Path, _File] = field(default_factory=dict)
    pending: list[tuple[Step, _File]] = field(default_factory=list)  # changes of names whose directory was not synced since
    facts: list[object] = field(default_factory=list)

    @classmethod
    def of(cls, root: Path, apart: Path | None = None) -> "Model":
        """All that lies there, on the disk; `apart`: but what lies directly in that directory and is none."""
        made = cls()
        for path in sorted(root.rglob("*")):
            if path.parent == apart and path.is_file():
                continue
            content = None if path.is_dir() else path.read_bytes()
            made.names[path] = made.safe[path] = _File(content, content)
        return made

    def take(self, step: Step) -> None:
        """One step on."""
        if step.what == "append":
            self.facts.append(step.fact)
        elif step.what == "write":
            file = self.names[step.path]
            old = file.now or b""
            file.now = old[: step.at].ljust(step.at, b"\0") + step.data + old[step.at + len(step.data) :]
        elif step.what == "sync":
            self._sync(step.path)
        elif step.what == "create" and step.path in self.names:
            self.names[step.path].now = b""  # emptied: the name is there
        else:
            fresh = _File(None if step.what == "directory" else b"")
            file = fresh if step.what in ("create", "directory") else self.names[step.path]
            _name(self.names, step, file)
            self.pending.append((step, file))

    def _sync(self, path: Path) -> None:
        file = self.names.get(path)
        if file is not None and file.now is not None:
            file.synced = file.now
            return
        for each in [one for one in self.pending if path in (one[0].path.parent, one[0].other.parent)]:
            _name(self.safe, *each)
            self.pending.remove(each)

    # ---- what is left --------------------------------------------------------------------------------------------

    def killed(self) -> dict[Path, bytes | None]:
        """The process died."""
        return {path: file.now for path, file in self.names.items()}

    def cut(self) -> Iterator[dict[Path, bytes | None]]:
        """The power was cut: all that may be left."""
        for chosen in self._choices():
            names = dict(self.safe)
            for step, file in chosen:
                _name(names, step, file)
            reachable = {path: file for path, file in names.items() if self._reachable(path, names)}
            for spoil in (_synced, _all, _torn, _zeros):
                yield {path: None if file.now is None else spoil(file) for path, file in reachable.items()}

    def _choices(self) -> Iterator[Sequence[tuple[Step, _File]]]:
        if len(self.pending) > MOST_NAMES:
            yield from (self.pending[:count] for count in range(len(self.pending) + 1))
            return
        for count in range(len(self.pending) + 1):
            yield from itertools.combinations(self.pending, count)

    def _reachable(self, path: Path, names: dict[Path, _File]) -> bool:
        known = path.parent in self.names
        return not known or (path.parent in names and self._reachable(path.parent, names))


def _name(names: dict[Path, _File], step: Step, file: _File) -> None:
    if step.what in ("rename", "remove"):
        names.pop(step.path, None)
    if step.what != "remove":
        names[step.other if step.what == "rename" else step.path] = file


def _synced(file: _File) -> bytes:
    return file.synced or b""


def _all(file: _File) -> bytes:
    return file.now or b""


def _torn(file: _File) -> bytes:
    now, synced = file.now or b"", file.synced or b""
    return now if now == synced else now[: (len(now) + 1) // 2]


def _zeros(file: _File) -> bytes:
    now, synced = file.now or b"", file.synced or b""
    return now if now == synced else bytes(len(now))


def lay_out(image: dict[Path, bytes | None], old: Path, new: Path) -> None:
    """Make the image, whose paths are below `old`, below `new`."""
    new.mkdir(parents=True, exist_ok=True)
    for path, content in sorted(image.items()):
        target = new / path.relative_to(old)
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
