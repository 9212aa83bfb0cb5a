"""The alarm of a backup that should have been made: by the journal's own facts, told once, cleared by the next backup."""

from pathlib import Path
from typing import Any

import pytest

from callserver.config import Config, load
from callserver.core.facts import AlarmRaised, BackupMade, Fact
from callserver.runtime import backup_age
from callserver.runtime.backup_age import BackupAge
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from callserver.store.upgrade import upgrade

HOUR_NS = 3_600_000_000_000
START_NS = 1_764_000_000_000_000_000
MADE = BackupMade("/backups/x.backup", 1, 2, 3, "d")

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the switchboard was asked for: it takes all of it."""
    found: Told = []
    monkeypatch.setattr(backup_age, "ask_sync", lambda _socket, verb, args, _timeout_s: found.append((verb, args)))
    return found


def age(tmp_path: Path, hours: int) -> BackupAge:
    """Of a store with nothing in it."""
    (tmp_path / "callserver.toml").touch()
    config: Config = load(tmp_path / "callserver.toml", {"storage.data": tmp_path, "backup.alarm_after_hours": hours})
    engine = open_store(tmp_path)
    upgrade(engine)
    engine.dispose()
    return BackupAge(config)


def journal(tmp_path: Path, id: str, fact: Fact, hours: float) -> None:
    """A fact, so many hours after the start."""
    engine = open_store(tmp_path)
    commit(engine, [append_op(id, fact, 0, START_NS + round(hours * HOUR_NS), 1)])
    engine.dispose()


def test_it_rings_when_the_last_one_is_too_old_and_until_there_is_another(tmp_path: Path, told: Told) -> None:
    look = age(tmp_path, 24)
    journal(tmp_path, "a", AlarmRaised("key", "text"), 0)
    journal(tmp_path, "b", MADE, 1)
    for hours in (2, 24, 25):
        look.look(START_NS + hours * HOUR_NS)
    assert [verb for verb, _ in told] == ["clear_alarm"], "a predecessor's"
    for hours in (26, 27):
        look.look(START_NS + hours * HOUR_NS)
    assert told[1:] == [("raise_alarm", {"key": "backup", "text": told[1][1]["text"]})]
    assert "no backup was made for more than 24 hours" in told[1][1]["text"]
    journal(tmp_path, "c", MADE, 28)
    look.look(START_NS + 29 * HOUR_NS)
    assert told[2:] == [("clear_alarm", {"key": "backup"})]


def test_a_journal_without_any_is_as_old_as_its_first_row(tmp_path: Path, told: Told) -> None:
    look = age(tmp_path, 24)
    look.look(START_NS)
    journal(tmp_path, "a", AlarmRaised("key", "text"), 0)
    look.look(START_NS + 23 * HOUR_NS)
    assert [verb for verb, _ in told] == ["clear_alarm"]
    look.look(START_NS + 25 * HOUR_NS)
    assert "there is no backup of this journal" in told[1][1]["text"]


def test_off_it_never_rings_and_clears_what_rang_before(tmp_path: Path, told: Told) -> None:
    look = age(tmp_path, 0)
    journal(tmp_path, "a", AlarmRaised("key", "text"), 0)
    for hours in (1, 10_000):
        look.look(START_NS + hours * HOUR_NS)
    assert [verb for verb, _ in told] == ["clear_alarm"]
