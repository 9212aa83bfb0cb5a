"""A sealed store as the data directory of a configuration, with what else lies in one."""

from pathlib import Path

import pytest

from callserver.backup.making import Made, Wishes, make
from callserver.config import Config
from tests.backup.saved import UTC_NS, Back, config_of
from tests.store.sealed import Sealed, seal


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    """Beside journal, recordings and captures: a phrase of the house's own, a plan's text, and what is not for a backup."""
    data = tmp_path / "data"
    data.mkdir()
    made = seal(data)
    for name in ("prompts/en/place-p1.wav", "plans/aa.json", "captures/i/i99.1/1.1.cap", "space.json"):
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"content of {name}".encode())
    for name in ("digest.key", "captures/i/i99.1/.1.1.cap.gz", "recordings/.call.flac.part"):
        (data / name).write_bytes(b"not for a backup")
    return made


@pytest.fixture
def config(tmp_path: Path, sealed: Sealed) -> Config:
    """Of that data directory."""
    return config_of(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory of backups."""
    return tmp_path / "backups"


@pytest.fixture
def back(config: Config, root: Path) -> Back:
    """`back(seconds, **wishes)`: makes a backup so many seconds after the first."""

    def made(seconds: int = 0, **wishes: bool) -> Made:
        return make(config, root, UTC_NS + seconds * 1_000_000_000, Wishes(**wishes))

    return made
