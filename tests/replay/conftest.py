"""A real web service over a real store of one night, and Chromium that looks at it."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from callserver.config import Config
from callserver.web.main import Server, settings
from tests.eventually import eventually_sync
from tests.peers.chromium import plain_chromium
from tests.replay import night
from tests.web.desk import Switchboard, config_in, opened, password_of, user_of

SCREENS = {"1366x768": {"width": 1366, "height": 768}, "1920x1080": {"width": 1920, "height": 1080}}
SERIOUS = ("serious", "critical")  # of what axe finds
NOW_S = 1_795_324_500.0  # while the last call of the night goes on

Open = Callable[..., Page]


class Served:
    """The service of a test: where it is, what its switchboard was told."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.switchboard = Switchboard()
        self.port = 0
        self.server: Server | None = None
        self._stop: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """The page."""
        return f"http://127.0.0.1:{self.port}/replay"

    def serve(self, listener: socket.socket) -> None:
        """Until its server is told to end."""

        async def run() -> None:
            async with opened(self.config, switchboard=self.switchboard) as desk:
                desk.now_s = NOW_S
                self.server = Server(settings(desk.app, lifespan="off"))
                await self.server.serve(sockets=[listener])

        asyncio.run(run())

    def reasons(self) -> list[str]:
        """What was journalled of every listening."""
        return [body["reason"] for body in self.switchboard.noted("Listened")]


@contextmanager
def served(config: Config) -> Iterator[Served]:
    """The service on a port of its own."""
    it = Served(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        it.port = listener.getsockname()[1]
        thread = threading.Thread(target=it.serve, args=(listener,), name="replay")
        thread.start()
        eventually_sync(lambda: it.server is not None and it.server.started, 20)
        assert it.server is not None
        try:
            yield it
        finally:
            it.server.should_exit = it.server.force_exit = True
            thread.join()


@pytest.fixture(scope="session")
def night_config() -> Iterator[Config]:
    """The night's store; nobody writes to it."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        yield config


@pytest.fixture
def service(night_config: Config) -> Iterator[Served]:
    """The service of one test."""
    with served(night_config) as it:
        yield it


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file. Sound needs a press on the page, as it does for people."""
    with plain_chromium() as browser:
        yield browser


@pytest.fixture
def open_page(chromium: Browser, service: Served) -> Iterator[Open]:
    """Opens the replay as somebody of a role; what the page says to its own log as an error fails the test."""
    tabs, faults = [], []

    def open_it(where: str = "", role: str = "auditor", screen: str = "1366x768", before: str = "") -> Page:
        tab = chromium.new_context(viewport=SCREENS[screen])  # type: ignore[arg-type]
        tabs.append(tab)
        if role:
            credentials = {"user": user_of(role), "password": password_of(role)}
            assert tab.request.post(f"http://127.0.0.1:{service.port}/api/session", data=credentials).ok
        if before:
            tab.add_init_script(before)
        page = tab.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.goto(f"{service.url}{where}")
        return page

    yield open_it
    for tab in tabs:
        tab.close()
    assert [fault for fault in faults if "the server responded with a status of" not in fault] == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go; not committed."""
    directory = Path(__file__).resolve().parents[2] / "var" / "replay"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def photograph(page: Page, name: str, pictures: Path) -> None:
    """At each size, for a person to look at; nothing is wider than the page, and axe finds nothing serious."""
    for size, screen in SCREENS.items():
        page.set_viewport_size(screen)  # type: ignore[arg-type]
        page.wait_for_load_state("networkidle")
        page.screenshot(path=pictures / f"{name}-{size}.png")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, size
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations if one["impact"] in SERIOUS] == []
