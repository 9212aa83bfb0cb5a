"""A year of a million entries verifies by both verifiers, at a rate that docs/evidence-chain.md states."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from callserver.core.facts import LegMoved, OutcomeRecorded
from callserver.core.ids import IncidentId, LegId
from callserver.store.engine import writing
from callserver.store.evidence.keys import make_key
from tests.store.sealed import Sealed, Sealing

ROWS = 1_000_000
BATCH = 5_000
LEAST_ROWS_PER_S = 10_000


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Sealed]:
    """A million facts, every twentieth with a text, two hundred checkpoints."""
    sealing = Sealing(tmp_path)
    with sealing.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA synchronous=OFF")
    anchor = tmp_path / "elsewhere" / "anchor.txt"
    anchor.parent.mkdir()
    key = make_key(tmp_path / "checkpoint.key")
    sealing.append(key.first())
    with writing(sealing.engine) as connection:
        connection.execute(text("UPDATE journal_head SET projected = -1"))  # the lists are not the subject
    for start in range(0, ROWS, BATCH):
        sealing.append(*(_fact(start + n) for n in range(BATCH)))
        sealing.sign(key, anchor)
    sealing.engine.dispose()
    yield Sealed(tmp_path, key.name)


def _fact(number: int) -> LegMoved | OutcomeRecorded:
    if number % 20 == 0:
        return OutcomeRecorded(IncidentId(f"i{number}"), "helped", "anna", f"note {number}")
    return LegMoved(LegId(f"i{number}.1.1"), "ringing", "up", "answered")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_million_entries_verify_at_a_stated_rate(year: Sealed, capsys: pytest.CaptureFixture[str]) -> None:
    rates = {}
    for name, verifier in (("callserver verify", year.ours), ("verify_journal.py", year.theirs)):
        began = time.monotonic()
        assert verifier() == ""
        rates[name] = ROWS / (time.monotonic() - began)
    with capsys.disabled():
        for name, rate in rates.items():
            print(f"\n{name}: {rate:,.0f} rows/s", end="")
    assert min(rates.values()) >= LEAST_ROWS_PER_S
