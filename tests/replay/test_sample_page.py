"""The quality sample in Chromium: from the list to the sheet beside the player by keys alone, and back."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Page, expect

from callserver.config import Config
from callserver.core import facts as f
from callserver.core import quality as q
from callserver.store import sampling
from callserver.store.engine import read_only
from callserver.store.read import last_number
from tests.eventually import eventually_sync
from tests.replay import night
from tests.replay.conftest import Open, Served, photograph, served
from tests.replay.night import CALL
from tests.store.months import note, utc_ns
from tests.web.desk import config_in, user_of

pytestmark = pytest.mark.real

DECEMBER_NS = utc_ns("2026-12-01T00:00:05")
SCORES = {"place": 2, "listened": 1, "escalation": 2, "calm": 2}


@pytest.fixture
def own_config() -> Iterator[Config]:
    """A store of the test's own, whose November is drawn."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        engine = read_only(config.storage.data)
        row = last_number(engine)
        seed = f.SampleSeeded("2026-11", night.PLAN.time_zone, row, sampling._row(engine, row)[1], 2)
        note(config.storage.data, q.seed_id("2026-11"), seed, DECEMBER_NS)
        engine.dispose()
        yield config


@pytest.fixture
def service(own_config: Config) -> Iterator[Served]:
    """The service of one test."""
    with served(own_config) as it:
        yield it


def scored(config: Config, call: str, by: str, fresh: str) -> None:
    """A sheet in the journal."""
    most = dict.fromkeys(SCORES, 2)
    fact = f.CallScored(
        night.CallId(call), "2026-11", by, SCORES, most, "Asked for the place twice; the caller was calm after that."
    )
    note(config.storage.data, q.sheet_id(call, fresh), fact, DECEMBER_NS)


def sample(open_page: Open, role: str = "auditor") -> Page:
    """The page of November."""
    page = open_page("#sample=2026-11", role)
    page.get_by_role("heading", name="Quality sample of November 2026").wait_for()
    return page


def beside(open_page: Open) -> Page:
    """The long call, with its sheet."""
    page = open_page(f"#call={CALL}&sample=2026-11")
    page.locator(".stage .mark").first.wait_for()
    page.get_by_label("Greeted, and made sure").wait_for()
    return page


def choose(page: Page, points: str) -> None:
    """Points for the criterion that has the focus, then on to the next."""
    page.keyboard.type(points)
    page.keyboard.press("Tab")


def to_the_long_call(page: Page) -> None:
    """From the lists, by keys alone."""
    page.locator(".list tbody a").first.wait_for()
    page.keyboard.press("m")
    page.get_by_role("heading", name="Quality sample of October 2026").wait_for()
    page.keyboard.press("n")
    page.get_by_role("heading", name="Quality sample of November 2026").wait_for()
    link = page.locator(f".found tbody a[href*='{CALL}']")
    link.wait_for()
    for _ in range(page.locator(".found tbody a").count()):
        page.keyboard.press("j")
        if link.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_label("Greeted, and made sure")).to_be_focused()


def test_a_drawn_call_is_opened_heard_and_scored_by_keys_alone(open_page: Open, service: Served) -> None:
    page = open_page("")
    to_the_long_call(page)
    page.keyboard.press("Escape")  # to the player
    page.locator(".stage .mark").first.wait_for()
    page.keyboard.press("Space")
    expect(page.get_by_label("Quality sample of November 2026")).to_be_checked()
    page.get_by_label("Quality sample of November 2026").press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    eventually_sync(lambda: service.reasons()[:1] == ["Quality sample of November 2026"], 5)

    page.keyboard.press("g")
    expect(page.get_by_label("Greeted, and made sure")).to_be_focused()
    for points in ("2", "1", "2", "2"):
        choose(page, points)
    page.keyboard.press("Tab")  # the outcome did not arise
    page.keyboard.type("Kind, and quick.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    eventually_sync(lambda: len(service.switchboard.noted("CallScored")) == 1, 5)
    (body,) = service.switchboard.noted("CallScored")
    wanted = {"of": CALL, "month": "2026-11", "by": user_of("auditor"), "scores": SCORES, "comment": "Kind, and quick."}
    assert {name: body[name] for name in wanted} == wanted
    expect(page.get_by_label("Greeted, and made sure")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Quality sample of November 2026")).to_be_visible()


def test_a_sheet_without_points_is_not_sent(open_page: Open, service: Served) -> None:
    page = beside(open_page)
    page.get_by_role("button", name="Enter the sheet").press("Enter")
    expect(page.locator("#sheet-fault")).to_have_text("Give points for one criterion at least.")
    assert service.switchboard.noted("CallScored") == []


def test_who_scored_and_what_is_to_do_is_seen_and_both_sheets_are_kept(open_page: Open, own_config: Config) -> None:
    scored(own_config, CALL, "sue", "1")
    scored(own_config, CALL, "paul", "2")
    page = sample(open_page, "supervisor")
    row = page.get_by_role("row").filter(has=page.locator(f"a[href*='{CALL}']"))
    expect(row).to_contain_text("done")
    expect(row).to_contain_text("by paul")
    expect(row).to_contain_text("sheets: 2, the last counts")
    page = beside(open_page)
    expect(page.get_by_role("complementary", name="Sheet").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("button", name="Enter another sheet")).to_be_visible()


def test_a_call_that_was_not_drawn_has_no_sheet_to_fill_in(open_page: Open) -> None:
    page = open_page(f"#call={night.GOING_ON}")
    page.locator(".stage .mark").first.wait_for()
    page.keyboard.press("g")
    told = page.get_by_role("complementary", name="Sheet")
    expect(told).to_be_visible()
    page.goto(page.url.replace(f"#call={night.GOING_ON}", "#sample=2026-10"))
    page.get_by_role("heading", name="Quality sample of October 2026").wait_for()
    expect(page.get_by_role("complementary", name="Sheet")).to_have_count(0)


def test_who_may_not_see_it_is_told_so(open_page: Open) -> None:
    page = open_page("#sample", role="operator")
    expect(page.get_by_text("may not do this")).to_be_visible()


@pytest.mark.parametrize("name", ["sample", "sheet", "sample-coming"])
def test_each_state_has_its_picture_and_no_serious_fault(name: str, open_page: Open, own_config: Config, pictures: Path) -> None:
    """As every state of the replay."""
    scored(own_config, CALL, "sue", "1")
    if name == "sheet":
        page = beside(open_page)
    elif name == "sample":
        page = sample(open_page)
    else:
        page = open_page("#sample=2099-11")
        page.get_by_role("heading", name="The draw stands from").wait_for()
    photograph(page, name, pictures)
