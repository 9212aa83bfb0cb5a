"""What tests of commands share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver import control
from tests.runtime.test_desk_work import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The desk's bench in the directory in which commands are typed; they reach its switchboard."""
    made = Bench(tmp_path, monkeypatch)
    monkeypatch.setattr(control, "ask_sync", made.switchboard.ask)
    (tmp_path / "callserver.toml").write_text('[storage]\ndata = "data"\nrun = "run"\n')
    monkeypatch.chdir(tmp_path)
    yield made
    for work in made.works:
        work.engine.dispose()
    made.room.engine.dispose()
