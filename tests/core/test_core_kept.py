"""What the archivist finds on the disk of a live call: an alarm while it is not the sound of the leg, and for no longer."""

import pytest

from callserver.core import events as ev
from callserver.core.facts import AlarmCleared, AlarmRaised, ArchivistStarted, RecordingConfirmed, RecordingDoubtful
from callserver.core.ids import LegId
from callserver.core.kept import WORDS
from tests.core.driver import Driver
from tests.core.plans import plan


@pytest.fixture
def talk() -> tuple[Driver, LegId]:
    driver = Driver(plan(), "ann")
    driver.press()
    driver.answer("ann")
    return driver, driver.leg("p1")


def doubt(driver: Driver, leg: LegId, why: str) -> None:
    driver.do(ev.Noted(RecordingDoubtful(driver.state.legs[leg].call, leg, why)))


def confirm(driver: Driver, leg: LegId) -> None:
    driver.do(ev.Noted(RecordingConfirmed(driver.state.legs[leg].call, leg, -25)))


@pytest.mark.parametrize("why", WORDS)
def test_a_doubt_is_an_alarm_in_words_that_name_the_party(talk: tuple[Driver, LegId], why: str) -> None:
    driver, leg = talk
    doubt(driver, leg, why)
    (raised,) = driver.said(AlarmRaised)
    assert (raised.key, "p1" in raised.text) == (f"recorded:{leg}", True)


def test_a_confirmation_clears_it_and_alone_is_no_alarm(talk: tuple[Driver, LegId]) -> None:
    driver, leg = talk
    confirm(driver, leg)
    assert [type(fact) for fact in driver.facts] == [RecordingConfirmed]
    doubt(driver, leg, "dead")
    confirm(driver, leg)
    assert [fact.key for fact in driver.said(AlarmCleared)] == [f"recorded:{leg}"]
    assert driver.state.alarms == {}


def test_another_fault_is_told_in_the_place_of_the_first(talk: tuple[Driver, LegId]) -> None:
    driver, leg = talk
    doubt(driver, leg, "nothing")
    doubt(driver, leg, "random")
    assert [fact.text for fact in driver.said(AlarmRaised)] == [WORDS["random"].format(party="p1")]
    assert len(driver.state.alarms) == 1


def test_the_end_of_the_leg_clears_it_and_what_is_told_later_is_no_alarm(talk: tuple[Driver, LegId]) -> None:
    driver, leg = talk
    call = driver.state.legs[leg].call
    doubt(driver, leg, "dead")
    driver.end("p1")
    assert driver.state.alarms == {}
    driver.do(ev.Noted(RecordingDoubtful(call, leg, "dead")))
    assert [type(fact) for fact in driver.facts] == [RecordingDoubtful]


def test_what_the_archivist_found_at_its_start_is_noted() -> None:
    driver = Driver()
    driver.do(ev.Noted(ArchivistStarted(2, 1, 0), "archivist:1"))
    assert driver.facts == [ArchivistStarted(2, 1, 0)]
