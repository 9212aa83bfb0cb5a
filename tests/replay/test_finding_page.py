"""The search's form, the searches that are kept and the list as a file, in Chromium and by keys."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from callserver.config import Config
from callserver.store import saved
from callserver.store.engine import read_only
from callserver.web.api import search_csv
from tests.replay import night
from tests.replay.conftest import SCREENS, SERIOUS, Open, Served, served
from tests.web.desk import config_in, user_of

pytestmark = pytest.mark.real

FILTERS = "what=calls&open=true&days=7&min_wait_s=1&max_wait_s=60&min_length_s=10&max_length_s=5400&class=emergency&q=market"


@pytest.fixture
def service() -> Iterator[Served]:
    """The service of one test, over a store of its own: it writes to it."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        with served(config) as it:
            yield it


def keep(config: Config, name: str, filters: str, role: str, shared: bool = False) -> None:
    search = saved.SavedSearch(name, user_of(role), name, "calls", filters, shared, 1)
    saved.save(config.storage.data, search)


def listed(page: Page) -> Page:
    page.locator(".found table, .found .empty h2").first.wait_for()
    return page


def test_every_filter_has_a_field_and_the_address_keeps_it(open_page: Open) -> None:
    """Each by its label; what is looked for stands above the list in words."""
    page = listed(open_page(""))
    page.get_by_role("button", name="Calls", exact=True).click()
    page.get_by_label("Days", exact=True).select_option("7")
    page.get_by_label("Class", exact=True).select_option("emergency")
    page.get_by_label("Waited at least").select_option("10")
    page.get_by_label("Waited at most").select_option("60")
    page.get_by_label("Lasted at least").select_option("10")
    page.get_by_label("Lasted at most").select_option("3600")
    page.get_by_label("Open only").check()
    page.get_by_label("Open only").uncheck()
    told = page.locator(".found .told")
    lengths = "waited at least 10 s, waited at most 1 min, lasted at least 10 s, lasted at most 1 h"
    expect(told).to_contain_text(f"0 calls, class Emergency, of the last 7 days, {lengths}")
    page.get_by_label("Waited at least").select_option("")
    expect(told).to_contain_text("1 call, class Emergency")
    address = page.url
    assert "days=7" in address and "max_wait_s=60" in address and "open" not in address
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_label("Lasted at most")).to_have_value("3600")
    expect(page.locator(".found .told")).to_contain_text("1 call, class Emergency")


def test_only_what_is_open_is_listed(open_page: Open) -> None:
    page = listed(open_page("#what=calls"))
    expect(page.locator(".found tbody tr")).to_have_count(4)
    page.get_by_label("Open only").check()
    expect(page.locator(".found tbody tr")).to_have_count(1)
    expect(page.locator(".found .told")).to_have_text("1 call, open only")


def test_a_search_is_kept_found_again_and_taken_away_by_keys(open_page: Open, service: Served) -> None:
    page = listed(open_page("#what=calls&days=7&q=taxi"))
    page.keyboard.press("u")
    expect(page.get_by_text("Nothing is kept yet.")).to_be_visible()
    page.keyboard.press("y")
    page.get_by_label("Name").fill("x" * 81)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("A name has at most 80 letters.")
    page.get_by_label("Name").fill("Taxis of the week")
    expect(page.get_by_label("Who finds it")).to_have_count(0)
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Taxis of the week")
    expect(link).to_be_visible()
    expect(page.locator(".kept li")).to_contain_text("Calls, of the last 7 days, with “taxi”")
    engine = read_only(service.config.storage.data)
    (stored,) = saved.visible(engine, user_of("auditor"))
    engine.dispose()
    assert (stored.name, stored.of, stored.what, stored.shared) == ("Taxis of the week", "calls", "q=taxi&days=7", False)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator(".found tbody tr")).to_have_count(4)
    link.press("Enter")
    expect(page.locator(".found tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Take Taxis of the week off the list").press("Enter")
    expect(page.get_by_text("Nothing is kept yet.")).to_be_visible()


def test_a_supervisor_shares_and_others_find_it_without_being_able_to_remove_it(open_page: Open) -> None:
    page = listed(open_page("#class=emergency", role="supervisor"))
    page.keyboard.press("y")
    page.get_by_label("Name").fill("Emergencies")
    page.get_by_label("Who finds it").select_option("all")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator(".kept li")).to_contain_text("For everybody")
    other = listed(open_page("", role="operator"))
    other.keyboard.press("u")
    other.get_by_role("link", name="Emergencies").press("Enter")
    expect(other.locator(".found .told")).to_contain_text("2 incidents, class Emergency")
    expect(other.get_by_role("button", name="off the list")).to_have_count(0)


def test_a_list_is_taken_away_as_a_file(open_page: Open, service: Served, tmp_path: Path) -> None:
    """With the filters of the page, for who may listen."""
    page = listed(open_page("#what=calls&q=taxi"))
    with page.expect_download() as download:
        page.keyboard.press("c")
    file = tmp_path / "calls.csv"
    download.value.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        assert [row["id"] for row in csv.DictReader(lines)] == [night.CALL]
    assert [body["what"] for body in service.switchboard.noted("SearchExported")] == ["q=taxi"]
    expect(listed(open_page("", role="operator")).get_by_role("button", name="CSV")).to_have_count(0)


def test_a_list_that_was_cut_is_told_to_the_eye_too(open_page: Open, service: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_csv, "MOST_ROWS", 2)
    page = listed(open_page("#what=calls"))
    with page.expect_download():
        page.keyboard.press("c")
    expect(page.get_by_role("alert")).to_contain_text("Only the newest 2 lines were taken: there are more.")


def test_what_cannot_be_taken_is_said_in_words(open_page: Open, service: Served) -> None:
    page = listed(open_page("#what=calls"))
    service.switchboard.refuse["note_fact"] = "the journal says no"
    page.get_by_role("button", name="CSV").click()
    expect(page.get_by_role("alert")).to_contain_text("the journal says no")
    expect(page.get_by_role("button", name="CSV")).to_be_enabled()


SCENES: dict[str, Callable[[Open, str], Page]] = {
    "search-all-filters": lambda open_page, screen: listed(open_page(f"#{FILTERS}", screen=screen)),
    "search-kept": lambda open_page, screen: _kept(open_page("#what=calls", "supervisor", screen)),
    "search-none-kept": lambda open_page, screen: _kept(open_page("", "operator", screen), ".kept p"),
}


def _kept(page: Page, what: str = ".kept li, .kept p") -> Page:
    listed(page).keyboard.press("u")
    page.locator(what).first.wait_for()
    page.wait_for_load_state("networkidle")
    return page


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scene", SCENES)
def test_form_and_kept_searches_are_fit_to_look_at(
    scene: str, screen: str, open_page: Open, service: Served, pictures: Path
) -> None:
    """A picture of each; axe finds nothing serious, and nothing stands wider than the page."""
    if scene == "search-kept":
        keep(service.config, "Long waits of the last week", "days=7&min_wait_s=60", "supervisor", shared=True)
        keep(service.config, "Lost children at the market", "q=lost+child+market&class=high", "supervisor")
    page = SCENES[scene](open_page, screen)
    page.screenshot(path=pictures / f"{scene}-{screen}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
