"""The console on small screens and with large text, in Chromium: nothing is cut off."""

import pytest
from playwright.sync_api import Page, expect

from tests.console import boards
from tests.console.conftest import Open
from tests.console.scenes import at_seat
from tests.console.stage import Stage

pytestmark = pytest.mark.real


@pytest.mark.parametrize("zoom", [1.5, 2.0])
def test_text_scales_to_twice_its_size(zoom: float, stage: Stage, open_page: Open) -> None:
    """Nothing is cut off sideways, and everything can be scrolled to."""
    page = at_seat(stage, open_page, boards.busy())
    _enlarge(page, zoom)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    for name in ("Mute", "Hold", "Hang up"):
        page.get_by_role("button", name=name, exact=True).scroll_into_view_if_needed()
        assert page.get_by_role("button", name=name, exact=True).is_visible()


@pytest.mark.parametrize(("width", "height"), [(1024, 700), (683, 384)])
def test_on_a_small_screen_the_page_scrolls_and_the_stage_is_whole(
    width: int, height: int, stage: Stage, open_page: Open
) -> None:
    """What a call needs is not cut off below within a frame of its own."""
    page = at_seat(stage, open_page, boards.busy())
    page.set_viewport_size({"width": width, "height": height})
    expect(page.get_by_role("button", name="Hang up", exact=True)).to_be_visible()
    hidden = page.evaluate("(() => { const it = document.getElementById('stage'); return it.scrollHeight - it.clientHeight; })()")
    assert hidden <= 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


def _enlarge(page: Page, zoom: float) -> None:
    """As the browser's own zoom does: the same screen, fewer CSS pixels."""
    page.set_viewport_size({"width": round(1366 / zoom), "height": round(768 / zoom)})
