"""Chromium with a false microphone, and the stage it looks at."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.console.stage import Stage, staged
from tests.peers.chromium import SEAT_FLAGS, plain_chromium

SCREENS = {"1366x768": {"width": 1366, "height": 768}, "1920x1080": {"width": 1920, "height": 1080}}

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file."""
    with plain_chromium(*SEAT_FLAGS) as browser:
        yield browser


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The service of one test."""
    with staged() as stage:
        yield stage


@pytest.fixture
def open_page(chromium: Browser, stage: Stage) -> Iterator[Open]:
    """Opens the console; what a page says to its own log as an error fails the test."""
    opened, faults = [], []

    def open_it(screen: str = "1366x768", checked: bool = True, before: str = "", clock: bool = False, **options: object) -> Page:
        """With `clock` the page's time is the test's to stop (`page.clock`)."""
        given = {"viewport": SCREENS[screen], "permissions": ["microphone"], **options}
        tab = chromium.new_context(**given)  # type: ignore[arg-type]
        opened.append(tab)
        if checked:
            tab.add_init_script("localStorage['callserver.settings'] ??= JSON.stringify({checked: true})")
        if before:
            tab.add_init_script(before)
        if clock:
            tab.clock.install()
        page = tab.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.goto(stage.url)
        return page

    yield open_it
    for tab in opened:
        tab.close()
    assert [fault for fault in faults if "401" not in fault and "ERR_" not in fault] == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go; not committed."""
    directory = Path(__file__).resolve().parents[2] / "var" / "console"
    directory.mkdir(parents=True, exist_ok=True)
    return directory
