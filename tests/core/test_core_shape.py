"""The shape that a worker's successor is told: all that lasts, and nothing that was said for once."""

from callserver.core.ids import LegId
from callserver.core.shape import Prompt, Shape
from callserver.core.sound import without_place

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
