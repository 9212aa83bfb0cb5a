"""Every state of the console in Chromium: a picture of each at two sizes, and axe finds nothing serious."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.console.conftest import SCREENS, Open
from tests.console.scenes import SCENES
from tests.console.stage import Stage
from tests.sample import rotating

pytestmark = pytest.mark.real

SERIOUS = ("serious", "critical")
FITS = {"ring", "ring-long", "talk", "talk-busy", "talk-held", "hang-up-armed", "wrap-up"}  # nothing to scroll for in a call
FITS |= {"talk-police", "talk-asked", "talk-dropping", "talk-levels", "supervising"}


@pytest.mark.parametrize("name", rotating(sorted(SCENES), 8))
def test_each_state_has_its_picture_and_no_serious_fault(name: str, stage: Stage, open_page: Open, pictures: Path) -> None:
    """One page, two sizes; in a call nothing lies beyond the edge of the smaller one."""
    page = SCENES[name](stage, open_page)
    for size, screen in SCREENS.items():
        page.set_viewport_size(screen)  # type: ignore[arg-type]
        page.screenshot(path=pictures / f"{name}-{size}.png")
        if name in FITS:
            assert _overflow(page) == [], size
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found if one["impact"] in SERIOUS] == []


def _overflow(page: Page) -> list[str]:
    """What cannot be seen whole: the page, the stage, or a button of it."""
    return page.evaluate(
        """() => [document.documentElement, document.getElementById("stage"), ...document.querySelectorAll("#stage button")]
            .map((one) => [one.tagName, one.className, one.scrollHeight, one.clientHeight, one.scrollWidth, one.clientWidth])
            .filter(([, , high, seen, wide, shown]) => high > seen + 2 || wide > shown + 2)
            .map((one) => one.join(" "))"""
    )
