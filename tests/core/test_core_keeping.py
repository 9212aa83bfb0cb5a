"""What is told of copies of the record is noted, and starts nothing."""

from callserver.core import events as ev
from callserver.core.facts import BackupMade
from tests.core.driver import Driver


def test_a_backup_is_noted_and_changes_nothing() -> None:
    driver = Driver()
    before = driver.state.alarms.copy()
    fact = BackupMade("/backups/20261125T181000Z.backup", 7, 3, 1_000, "d" * 64)
    driver.do(ev.Noted(fact, "backup:d"))
    assert (driver.facts, driver.state.alarms) == ([fact], before)
