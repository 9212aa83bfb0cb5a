"""Legal holds: what stands in the journal before a deletion forbids it, and what comes after it does not."""

from callserver.core import events as ev
from callserver.core.facts import (
    AlarmCleared,
    Fact,
    HoldLifted,
    HoldPlaced,
    RecordingDeleted,
    RecordingFailed,
    Refused,
    TextsErased,
)
from callserver.core.fold import fold
from callserver.core.ids import CallId, IncidentId
from tests.core.driver import Driver
from tests.core.plans import plan

INCIDENT = IncidentId("i7")
CALL = CallId("i7.1")
PLACED = HoldPlaced("h1", INCIDENT, "sue", 10**18, "the police ask for it")
LIFTED = HoldLifted("h1", INCIDENT, "sue", "the case is closed")
DELETED = RecordingDeleted(CALL, ("i7.1/call.flac",), (), "default", "retention")
ERASED = TextsErased(INCIDENT, (4,), "default", "retention")


def refused(driver: Driver, fact: Fact) -> str:
    """Why it is not journalled; "" when it is."""
    driver.do(ev.Noted(fact))
    said = driver.facts[0]
    if isinstance(said, Refused):
        assert said.event == "Noted" and said.about == type(fact).__name__
        return said.why
    assert said == fact
    return ""


def test_what_is_held_is_neither_deleted_nor_erased_until_every_hold_is_lifted() -> None:
    driver = Driver()
    second = HoldPlaced("h2", INCIDENT, "paul", 10**18)
    assert [refused(driver, fact) for fact in (PLACED, second)] == ["", ""]
    for fact in (DELETED, ERASED):
        assert refused(driver, fact) == "incident i7 is held (h1, h2)"
    assert refused(driver, LIFTED) == ""
    assert refused(driver, DELETED) == "incident i7 is held (h2)"
    assert refused(driver, HoldLifted("h2", INCIDENT, "paul")) == ""
    assert [refused(driver, fact) for fact in (DELETED, ERASED)] == ["", ""]


def test_another_incident_is_not_held_and_a_hold_after_the_deletion_is_taken() -> None:
    driver = Driver()
    assert refused(driver, PLACED) == ""
    assert refused(driver, RecordingDeleted(CallId("i8.1"), (), (), "default", "retention")) == ""
    assert refused(driver, HoldPlaced("h3", IncidentId("i8"), "sue", 10**18)) == ""


def test_texts_of_no_incident_are_erased_whatever_is_held() -> None:
    driver = Driver()
    assert refused(driver, PLACED) == ""
    assert refused(driver, TextsErased(None, (1, 2), "default", "retention")) == ""


def test_nothing_of_an_open_incident_is_deleted() -> None:
    driver = Driver(plan(), "ann")
    driver.press()
    (incident,) = driver.state.incidents
    why = f"incident {incident} is still open"
    assert refused(driver, RecordingDeleted(CallId(f"{incident}.1"), (), (), "request", "sue")) == why
    assert refused(driver, TextsErased(incident, (3,), "request", "sue")) == why


def test_a_hold_is_placed_once_and_lifted_once_and_where_it_is() -> None:
    driver = Driver()
    assert refused(driver, LIFTED) == "incident i7 has no hold h1"
    assert refused(driver, PLACED) == ""
    assert refused(driver, PLACED) == "there is a hold h1 already"
    assert refused(driver, HoldLifted("h1", IncidentId("i8"), "sue")) == "incident i8 has no hold h1"
    assert refused(driver, LIFTED) == ""
    assert refused(driver, LIFTED) == "incident i7 has no hold h1"


def test_the_alarm_that_a_review_is_due_ends_with_the_hold() -> None:
    driver = Driver()
    assert refused(driver, PLACED) == ""
    driver.do(ev.ConditionRaised("hold:h1", "the hold on i7 is to be reviewed"))
    driver.do(ev.Noted(LIFTED))
    assert [fact.key for fact in driver.said(AlarmCleared)] == ["hold:h1"]


def test_a_recording_that_could_never_be_made_rings_until_its_captures_are_deleted() -> None:
    driver = Driver()
    driver.do(ev.Noted(RecordingFailed(CALL, "torn")))
    assert list(driver.state.alarms) == [f"recording:{CALL}"]
    assert refused(driver, DELETED) == ""
    assert driver.state.alarms == {}


def test_a_new_switchboard_knows_what_is_held() -> None:
    at = Driver().now
    again = fold([(PLACED, at), (HoldPlaced("h2", IncidentId("i9"), "sue", 1), at), (LIFTED, at)])
    assert again.holds == {"h2": "i9"}
