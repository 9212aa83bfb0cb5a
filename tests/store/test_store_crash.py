"""A writer killed in the middle of an append: what it promised is there, and the chain is whole."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.core.facts import AlarmRaised
from callserver.store.journal import Entry, JournalWriter, read, verify

_SCRIPT = Path(__file__).with_name("journal_until_killed.py")


@contextmanager
def journalling(data_dir: Path, first: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(_SCRIPT), str(data_dir), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kill_after", [1, 230])
def test_what_was_promised_before_a_kill_is_there(store: Engine, tmp_path: Path, kill_after: int) -> None:
    promised: set[str] = set()
    for first in (1, 1_000_000):  # twice: the second writer opens what the first left
        with journalling(tmp_path, first) as process:
            assert process.stdout is not None
            for count, line in enumerate(process.stdout, 1):
                promised.add(f"fact-{int(line)}")
                if count == kill_after:
                    process.kill()  # what it wrote to the pipe before is read to its end
    assert len(promised) >= 2 * kill_after
    present = {row.id for row in read(store)}
    assert promised - present == set()
    report = verify(store)
    assert (report.ok, report.rows) == (True, len(present))
    writer = JournalWriter(tmp_path)
    writer.start()
    assert writer.append([Entry("last", AlarmRaised("k", "t"), 0, 0, 1)]).result(10).numbers == (len(present) + 1,)
    assert {f"leg-{n}" for n in range(7)} >= set(writer.load_legs())
    writer.close()
    assert verify(store).ok
