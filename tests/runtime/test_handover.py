"""The sheet for the next shift, from the core's state; as a message and as lines of text."""

import msgspec

from callserver.commands.sheet import lines
from callserver.control_handover import Handover
from callserver.core import events as ev
from callserver.core.ids import OperatorId, PointId
from callserver.core.instant import MS
from callserver.runtime.board import Board
from callserver.runtime.clock import Anchor
from callserver.runtime.handover import MOST, handover
from dialplans.model import Plan, Point
from tests.core.driver import BUSY, Driver
from tests.core.plans import plan
from tests.core.test_core_owners import gone, left_to_review, quiet

ANCHOR = Anchor(1, "boot", 0, 1_772_370_000_000_000_000, 0)
ANN = OperatorId("ann")


def sheet_of(driver: Driver) -> Handover:
    """As the switchboard tells it at this instant, sent and read."""
    return msgspec.convert(msgspec.to_builtins(handover(driver.state, ANCHOR, driver.now)), Handover)


def tried_in_vain() -> Driver:
    """Ann was called back in vain, and it is hers."""
    driver = Driver(quiet(), "ann")
    incident = left_to_review(driver)
    driver.do(ev.CallBack(incident.id, ANN, "ann"))
    driver.answer("ann")
    driver.end("p3", BUSY)
    driver.gone()
    return driver


def test_the_sheet_has_owner_clock_and_attempts() -> None:
    driver = tried_in_vain()
    (one,) = sheet_of(driver).call_backs
    assert (one.point, one.place, one.cause, one.owner, one.owner_name) == ("p3", "Car park", "review", "ann", "Ann")
    assert one.due_utc_ns - one.since_utc_ns == 1_800_000 * MS
    assert [(tried.operator, tried.result) for tried in one.attempts] == [("ann", "busy (486)")]


def test_the_sheet_has_the_other_incidents_and_what_is_out_of_order() -> None:
    driver = Driver(quiet(), "ann")
    talk = driver.talk("p4")
    driver.do(ev.PointReached(PointId("p1")), ev.PointLost(PointId("p2"), "gone"), ev.TrunkLost("trunk-a", "no reply"))
    sheet = sheet_of(driver)
    assert [(one.id, one.operator) for one in sheet.others] == [(talk.id, "ann")] and sheet.listed == 0
    assert [one.id for one in sheet.on_duty] == ["ann"]
    assert ([one.id for one in sheet.points], sheet.trunks) == (["p2"], ("trunk-a",))


def test_a_long_list_is_cut_and_its_length_is_told() -> None:
    points = {f"p{n}": Point(f"p{n}", "Here", "idle", "ends") for n in range(MOST + 3)}
    made: Plan = quiet(points={**plan().points, **points})
    driver = Driver(made, "ann")
    for point in points:
        gone(driver, point)
    sheet = sheet_of(driver)
    assert (len(sheet.call_backs), sheet.listed) == (MOST, MOST + 3)
    assert len(msgspec.json.encode(sheet)) < 1 << 20, "a message holds no more"
    assert "  and 3 more, which are newer" in list(lines(sheet))


def test_the_lines_say_whose_it_is_what_is_late_and_that_there_is_nothing() -> None:
    driver = tried_in_vain()
    text = "\n".join(lines(sheet_of(driver)))
    assert "  review: Car park (p3), emergency, i1" in text and "owner Ann (ann); since" in text
    assert "called 2026-03-01" in text and "by ann: busy (486)" in text
    assert "Trunks that cannot be reached: none" in text
    driver.after(1_900_000)
    driver.do(ev.Pause(ANN, "", "ann"))
    text = "\n".join(lines(sheet_of(driver)))
    assert "! review: Car park" in text and "owner NOBODY" in text


def test_the_board_shows_the_list_with_its_incident() -> None:
    driver = Driver(quiet(), "ann")
    board = Board(lambda: ANCHOR, 0)
    board.whole(driver.state)
    incident = driver.press("p3")
    assert board.changes(driver.state, driver.facts)[f"incident/{incident.id}"]["listed"] == ""  # type: ignore[index]
    driver.end("p3")
    item = board.changes(driver.state, driver.facts)[f"incident/{incident.id}"]
    assert item is not None and (item["listed"], item["owner"], item["acknowledge_ms"]) == ("call-back", "ann", None)
    assert item["overdue_ms"] - item["listed_ms"] == 300_000
