"""A hundred tamperings, of every kind, are found by both verifiers, and each is named at its place."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.sample import rotating
from tests.store.sealed import Sealed, seal
from tests.store.tampering import KINDS
from tests.store.unguarded import Store

ROUNDS = 4  # of each of the 34 kinds
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
