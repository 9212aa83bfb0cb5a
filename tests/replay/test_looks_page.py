"""Who looked, in Chromium, by keys alone; a picture of each state at both sizes, and axe finds nothing serious."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from callserver.config import Config
from callserver.core import facts as f
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from tests.eventually import eventually_sync
from tests.replay import night
from tests.replay.conftest import NOW_S, SCREENS, SERIOUS, Open, Served, served
from tests.replay.night import CALL, INCIDENT
from tests.web.desk import config_in, user_of

pytestmark = pytest.mark.real

AUDITOR, SUPERVISOR = user_of("auditor"), user_of("supervisor")
LOOKS = (
    f.SignedIn(AUDITOR, True, "192.0.2.7"),
    f.Searched(AUDITOR, "calls", "min_wait_s=60&q=market", 4),
    f.Listened(CALL, AUDITOR, "complaint 7"),
    f.Played(CALL, AUDITOR, ((5_000, 31_000), (40_000, 44_500)), "complaint 7"),
    f.RecordingSent(CALL, AUDITOR, ((0, 52_000),), ((0, 300_000),), 512_000, "", "complaint 7"),
    f.ExportAsked("e1", INCIDENT, "pack", SUPERVISOR, "the police ask"),
    f.SignedIn("mallory", False, "198.51.100.9"),
    f.AccountChanged("otto", "web account added", "command line (root)"),
    f.ConfigurationRead("a" * 64, "b" * 64, ("retention.days", "web.port")),
    f.SearchExported(SUPERVISOR, "incidents", "from=2026-11-01", 112, "c" * 64),
    *(f.Listened(CALL, SUPERVISOR, f"training {n}") for n in range(60)),
)


@pytest.fixture(scope="module")
def looked_config() -> Iterator[Config]:
    """The night, and who looked at it afterwards, a minute apart."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        engine = open_store(config.storage.data)
        at_ns = round((NOW_S - 80 * 60) * 1_000_000_000)  # after the call was over
        commit(engine, [append_op(uuid.uuid4().hex, fact, 0, at_ns + n * 60_000_000_000, 1) for n, fact in enumerate(LOOKS)])
        engine.dispose()
        yield config


@pytest.fixture
def service(looked_config: Config) -> Iterator[Served]:
    """The service of one test."""
    with served(looked_config) as it:
        yield it


def lines(page: Page) -> list[str]:
    """The words of each line, once they are there."""
    page.locator("table.looks tbody tr").first.wait_for()
    return page.locator("table.looks tbody tr").all_inner_texts()


def test_who_listened_when_and_why_is_found_by_keys(open_page: Open, service: Served) -> None:
    page = open_page("")
    page.locator(".list tbody a").first.wait_for()
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name="Who looked")).to_be_visible()
    assert len(lines(page)) == 50
    page.keyboard.press("n")
    expect(page.get_by_text("Page 2")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Person")).to_be_focused()
    page.keyboard.type(AUDITOR)
    page.keyboard.press("Enter")
    expect(page.locator("table.looks tbody tr")).to_have_count(5)
    sent, heard, listened, searched, signed_in = (line.split("\t") for line in lines(page))
    assert heard[1:] == [AUDITOR, "heard", "complaint 7", "0:05 to 0:31 and 0:40 to 0:44", CALL]
    assert listened[1:4] == [AUDITOR, "listened", "complaint 7"]
    assert sent[2:5] == ["was sent sound", "complaint 7", "0:00 to 0:52"]
    assert (searched[2], signed_in[2:4]) == ("searched calls", ["signed in", "from 192.0.2.7"])
    assert f"by={AUDITOR}" in page.url
    this = {"by": AUDITOR, "of": "looks", "what": f"by={AUDITOR}", "found": 5}
    eventually_sync(lambda: this in service.switchboard.noted("Searched"), 5)
    page.get_by_label("What", exact=True).select_option("heard")
    expect(page.locator("table.looks tbody tr")).to_have_count(2)
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator(".stage .mark").first.wait_for()
    assert page.url.endswith(f"#call={CALL}")


def test_a_calls_page_tells_who_heard_which_part_and_leads_to_all_its_looks(open_page: Open) -> None:
    page = open_page(f"#call={CALL}", role="supervisor")
    page.locator(".stage .mark").first.wait_for()
    afterwards = page.locator(".afterwards")
    expect(afterwards.get_by_text(f"{AUDITOR} heard 0:05 to 0:31 and 0:40 to 0:44")).to_be_visible()
    page.keyboard.press("w")
    assert all(CALL in line or INCIDENT in line for line in lines(page))
    assert f"call={CALL}" in page.url
    expect(page.locator(".bar nav a[aria-current]")).to_have_text("Looks")
    page.keyboard.press("Escape")
    page.locator(".stage .mark").first.wait_for()
    assert page.url.endswith(f"#call={CALL}")


def test_an_operator_is_told_that_this_is_not_for_them(open_page: Open) -> None:
    page = open_page("#looks", role="operator")
    expect(page.get_by_text("may not do this")).to_be_visible()
    expect(page.locator(".bar nav a:visible")).to_have_text(["Console", "Replay"])


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scene", ["#looks", "#looks&what=heard", "#looks&by=nobody-at-all"])
def test_it_is_for_everybody_at_every_size(open_page: Open, pictures: Path, screen: str, scene: str) -> None:
    page = open_page(scene, role="administrator", screen=screen)
    page.locator("table.looks, .empty h2").first.wait_for()
    if "nobody" in scene:
        expect(page.get_by_role("heading", name="Nobody looked like that")).to_be_visible()
    page.screenshot(path=pictures / f"looks-{len(scene)}-{screen}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in SERIOUS] == []
