"""What a call sounds like where a person sends it on or begins it; and what a worker's successor is told of the shape."""

from callserver.core import events as ev
from callserver.core.facts import CallShaped
from callserver.core.ids import IncidentId, LegId, OperatorId, PointId
from callserver.core.shape import Prompt, Shape
from callserver.core.sound import without_place
from tests.core.driver import LOST, Driver

ONE, OTHER, THIRD = LegId("i1.1.1"), LegId("i1.1.2"), LegId("i1.1.3")


def test_a_successor_hears_who_hears_whom_one_way_links_too() -> None:
    shape = Shape((ONE, OTHER), (Prompt("hold", (THIRD,), 20_000),), ((ONE, THIRD), (THIRD, OTHER)))
    assert without_place(shape) == shape


def test_a_place_told_once_is_not_told_twice_nor_the_sentence_around_it() -> None:
    told = (Prompt("place:p1", (ONE,)), Prompt("help-point-call+place:p1+class-high+time:14-05", (OTHER,)))
    assert without_place(Shape((ONE, OTHER), told)) == Shape((ONE, OTHER))


def test_what_is_said_until_a_key_is_pressed_goes_on() -> None:
    briefing = Prompt("help-point-call+place:p1+class-high+time:14-05+accept-1", (OTHER,), 1)
    assert without_place(Shape((), (briefing,))) == Shape((), (briefing,))


def test_a_point_hears_that_it_is_put_through_until_everybody_is_rung() -> None:
    driver = Driver(None, "ann", "bob")
    call = driver.call(driver.talk())
    driver.do(ev.Transfer(call.id, "bob", "ann"))
    assert [prompt.name for prompt in call.shape.prompts] == ["transfer"]
    assert [prompt.to for prompt in call.shape.prompts] == [(driver.leg("p1"),)]
    driver.after(15_000)
    assert [prompt.name for prompt in call.shape.prompts] == ["reassurance"]
    assert [[prompt.name for prompt in fact.shape.prompts] for fact in driver.said(CallShaped)] == [["reassurance"]]


def test_an_operator_who_calls_a_point_hears_that_and_no_lost_line() -> None:
    """The line can be lost only after somebody talked."""
    driver = Driver(None, "ann")
    driver.do(ev.CallOut(PointId("p1"), OperatorId("ann"), "ann", IncidentId("i9")))
    driver.answer("ann")
    (call,) = driver.state.calls.values()
    assert call.shape.prompts == (Prompt("call-out", (driver.leg("ann"),), 10_000),)
    driver.answer("p1")
    assert set(call.shape.talk) == {driver.leg("ann"), driver.leg("p1")}
    driver.end("p1", LOST)
    assert call.shape.prompts == (Prompt("calling-back", (driver.leg("ann"),), 10_000),)
