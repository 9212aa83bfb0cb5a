"""A hundred tamperings, of every kind, are found by both verifiers, and each is named at its place."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from callserver.core.facts import RecordingDeleted
from callserver.core.ids import CallId
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.evidence.files import examine_files
from callserver.store.ops import append_op
from tests.sample import rotating
from tests.store.sealed import Sealed, seal
from tests.store.tampering import KINDS
from tests.store.unguarded import Store

ROUNDS = 4  # of each of the kinds
CELLS = [f"{kind}-{seed}" for seed in range(ROUNDS) for kind in KINDS]


@pytest.fixture(scope="module")
def template() -> Iterator[Sealed]:
    """A sealed store, copied for each tampering."""
    with TemporaryDirectory() as name:
        sealed = seal(Path(name))
        with Store(sealed):
            pass
        yield sealed


@pytest.fixture
def sealed(template: Sealed, tmp_path: Path) -> Sealed:
    """A copy to tamper with."""
    shutil.copytree(template.home, tmp_path / "copy")
    return Sealed(tmp_path / "copy", template.key)


def test_what_nobody_touched_is_whole(sealed: Sealed) -> None:
    assert (sealed.ours(), sealed.theirs()) == ("", "")


def test_what_should_be_gone_and_is_still_there_is_told_and_is_not_wrong(sealed: Sealed) -> None:
    """Between the fact and the deletion a machine may stand still."""
    call = CallId("i2.1")
    with sqlite3.connect(sealed.database) as db:
        last = db.execute("SELECT max(number) FROM journal").fetchone()[0]
    engine = open_store(sealed.home)
    fact = RecordingDeleted(call, (f"{call}/call.flac",), (), "default", "retention")
    commit(engine, [append_op("late", fact, last + 1, 10**18, 1)])
    assert (sealed.ours(), sealed.theirs()) == ("", "")
    (left,) = examine_files(engine, sealed.recordings, sealed.captures)
    assert (left.fault, f"{call}/call.flac was to be deleted and is still there" in left.text) == (False, True)
    assert any("WARNING: 1 of them were to be deleted" in line for line in sealed.told())
    (sealed.recordings / call / "call.flac").unlink()
    assert list(examine_files(engine, sealed.recordings, sealed.captures)) == []
    assert any("3 were deleted as it says" in line for line in sealed.told())
    engine.dispose()


@pytest.mark.parametrize("cell", rotating(CELLS, 8))
def test_both_verifiers_find_it_and_name_the_place(sealed: Sealed, cell: str) -> None:
    kind, _, seed = cell.rpartition("-")
    place = KINDS[kind](sealed, Random(cell))
    ours, theirs = sealed.ours(), sealed.theirs()
    assert place in ours, f"{cell}: {ours!r} does not name {place!r}"
    assert place in theirs, f"{cell}: {theirs!r} does not name {place!r}"
    assert int(seed) < ROUNDS


def test_there_are_a_hundred() -> None:
    assert len(CELLS) >= 100
