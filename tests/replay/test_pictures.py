"""Every state of the replay in Chromium: a picture of each at two sizes, and axe finds nothing serious."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.replay.conftest import Open, photograph
from tests.replay.night import CALL, GOING_ON, OLDER, UNRECORDED
from tests.sample import rotating

pytestmark = pytest.mark.real


def call(id: str, role: str = "auditor") -> Callable[[Open], Page]:
    """The page of a call, ready."""

    def scene(open_page: Open) -> Page:
        page = open_page(f"#call={id}", role)
        page.locator(".stage .mark").first.wait_for()
        page.wait_for_load_state("networkidle")
        return page

    return scene


def found(where: str, role: str = "auditor") -> Callable[[Open], Page]:
    """A list, ready."""

    def scene(open_page: Open) -> Page:
        page = open_page(where, role)
        page.locator(".found table, .found .empty h2").first.wait_for()
        return page

    return scene


def zoomed(open_page: Open) -> Page:
    """Nearer, with every fact."""
    page = call(CALL)(open_page)
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "+", "+", "+", "a"):
        page.keyboard.press(key)
    page.wait_for_load_state("networkidle")
    return page


def asking(open_page: Open) -> Page:
    """Before listening."""
    page = call(CALL)(open_page)
    page.keyboard.press("Space")
    page.get_by_role("dialog").wait_for()
    return page


def listening(open_page: Open) -> Page:
    """Only the point, somewhere in the middle, faster."""
    page = asking(open_page)
    page.get_by_label("Complaint").check()
    page.get_by_role("dialog").get_by_role("button", name="Listen").click()
    page.get_by_role("button", name="Pause").wait_for()
    for key in ("1", "]", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Listen").wait_for()
    return page


def keys(open_page: Open) -> Page:
    """The list of keys."""
    page = call(CALL)(open_page)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    return page


def stranger(open_page: Open) -> Page:
    """Nobody is signed in."""
    page = open_page("", "")
    page.get_by_role("heading", name="You are not signed in").wait_for()
    return page


def lost(open_page: Open) -> Page:
    """A call that is not there."""
    page = open_page("#call=nowhere")
    page.get_by_role("heading", name="There is no call nowhere.").wait_for()
    return page


SCENES: Mapping[str, Callable[[Open], Page]] = {
    "incidents": found(""),
    "calls": found("#what=calls"),
    "searched": found("#q=bondgate&outcome=medical"),
    "nothing": found("#q=elephant"),
    "call": call(CALL),
    "call-zoomed": zoomed,
    "call-asking": asking,
    "call-listening": listening,
    "call-older": call(OLDER),
    "call-unrecorded": call(UNRECORDED),
    "call-going-on": call(GOING_ON),
    "call-operator": call(CALL, "operator"),
    "keys": keys,
    "stranger": stranger,
    "lost": lost,
}


@pytest.mark.parametrize("name", rotating(sorted(SCENES), 4))
def test_each_state_has_its_picture_and_no_serious_fault(name: str, open_page: Open, pictures: Path) -> None:
    """One page, two sizes; nothing wider than the page."""
    page = SCENES[name](open_page)
    photograph(page, name, pictures)
