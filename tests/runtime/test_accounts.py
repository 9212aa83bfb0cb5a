"""Who may press, and by which button."""

from dataclasses import replace

import pytest

from callserver.runtime.accounts import Accounts
from dialplans.model import Button, Priority
from tests.core.plans import plan

BUTTONS = (
    Button("info", Priority.INFORMATION, user="info"),
    Button("alarm", Priority.EMERGENCY, header="X-Button: Red alarm"),
    Button("keyed", Priority.HIGH, digit="5"),
)
PLAN = replace(plan(), points={**plan().points, "p1": replace(plan().points["p1"], buttons=BUTTONS)})


@pytest.mark.parametrize(
    ("point", "called", "sent", "button"),
    [
        ("p1", "help", {}, ""),
        ("p1", "info", {}, "info"),
        ("p1", "help", {"X-Button": [" red ALARM "]}, "alarm"),
        ("p1", "help", {"X-Button": ["green", "Red alarm"]}, "alarm"),
        ("p1", "help", {"X-Button": ["green"]}, ""),
        ("p1", "info", {"X-Button": ["Red alarm"]}, "info"),
        ("p2", "info", {}, ""),
        ("nobody", "info", {}, ""),
    ],
)
def test_a_button_is_told_by_the_user_that_it_calls_or_by_its_header(
    point: str, called: str, sent: dict[str, list[str]], button: str
) -> None:
    assert Accounts(PLAN, {}, {}).button(point, called, lambda name: sent.get(name, [])) == button


def test_the_users_of_buttons_are_users_for_help_as_long_as_the_plan_has_them() -> None:
    accounts = Accounts(PLAN, {}, {})
    assert [accounts.is_help(user) for user in ("help", "info", "5", "")] == [True, True, False, False]
    accounts.adopt(plan())
    assert [accounts.is_help(user) for user in ("help", "info")] == [True, False]
