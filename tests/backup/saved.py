"""What tests of backups share: a configuration for a data directory, and looks at directories."""

from collections.abc import Callable
from pathlib import Path

from callserver.backup.making import Made
from callserver.config import Config, load

UTC_NS = 1_764_000_000_000_000_000
Back = Callable[..., Made]


def config_of(home: Path) -> Config:
    """A configuration whose data lies in `home/data`."""
    storage = {"storage.data": home / "data", "storage.run": home / "run", "storage.spool": home / "spool"}
    return load(_empty(home), dict(storage))


def _empty(home: Path) -> Path:
    file = home / "callserver.toml"
    file.touch()
    return file


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a directory, by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
