"""Every end of a leg has one class and one reason."""

import pytest

from callserver.core.termination import By, Class, Termination, from_status, of_leg


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (486, Class.REFUSED),
        (603, Class.REFUSED),
        (408, Class.UNANSWERED),
        (480, Class.UNREACHABLE),
        (503, Class.UNREACHABLE),
        (487, Class.CANCELLED),
        (500, Class.FAILED),
        (302, Class.FAILED),
        (99, Class.UNKNOWN),
    ],
)
def test_a_final_response_is_one_verdict(status: int, kind: Class) -> None:
    assert Termination(kind, By.PARTY, "why", status) == from_status(status, "why")


@pytest.mark.parametrize(
    ("status", "by_party", "was_up", "kind"),
    [
        (0, True, True, Class.NORMAL),
        (0, False, True, Class.NORMAL),
        (408, False, True, Class.LOST),
        (481, True, True, Class.LOST),
        (0, True, False, Class.CANCELLED),
        (486, True, False, Class.REFUSED),
    ],
)
def test_an_answered_leg_is_hung_up_or_lost(status: int, by_party: bool, was_up: bool, kind: Class) -> None:
    end = of_leg(status, by_party, was_up, "why")
    assert (kind, By.PARTY if by_party else By.US) == (end.kind, end.by)
