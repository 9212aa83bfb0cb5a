"""Legal hold and what was deleted, on the page of a call in Chromium, by keys."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Page, expect

from callserver.config import Config
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from tests.eventually import eventually_sync
from tests.replay import night
from tests.replay.conftest import NOW_S, Open, Served, served
from tests.replay.night import CALL, INCIDENT
from tests.web.desk import config_in

pytestmark = pytest.mark.real

NS = 1_000_000_000
REVIEW = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=400)).date()  # the page's clock is the browser's


@pytest.fixture
def service() -> Iterator[Served]:
    """The service over a store of the test's own: it writes to it."""
    with TemporaryDirectory(prefix="cs") as name:
        config: Config = config_in(Path(name))
        night.fill(config)
        with served(config) as it:
            yield it


def happened(service: Served, *facts: f.Fact) -> None:
    """In the journal, at the page's time."""
    engine = open_store(service.config.storage.data)
    commit(engine, [append_op(f"kept-{n}", fact, n, round(NOW_S) * NS, 1) for n, fact in enumerate(facts)])
    engine.dispose()


def opened(open_page: Open, role: str = "auditor") -> Page:
    """The call with its facts."""
    page = open_page(f"#call={CALL}", role)
    page.locator(".facts li").first.wait_for()
    return page


def test_a_hold_is_placed_by_keys_with_its_reason_and_day(open_page: Open, service: Served) -> None:
    page = opened(open_page)
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Hold this incident")).to_be_visible()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Write why it is held, in a few words.")
    page.keyboard.type("the police ask for it")
    dialog.get_by_label("To be reviewed on").fill(REVIEW.isoformat())
    page.keyboard.press("Enter")
    eventually_sync(lambda: len(service.switchboard.noted("HoldPlaced")) == 1, 5)
    (told,) = service.switchboard.noted("HoldPlaced")
    assert (told["incident"], told["why"]) == (INCIDENT, "the police ask for it")
    assert datetime.datetime.fromtimestamp(told["review_utc_ns"] / NS, datetime.UTC).date() == REVIEW
    expect(page.locator("#said")).to_have_text("The incident is held: nothing of it is deleted.")


def test_a_hold_that_stands_is_seen_and_released(open_page: Open, service: Served) -> None:
    happened(service, f.HoldPlaced("h1", IncidentId(INCIDENT), "sue", round(NOW_S + 9e6) * NS, "a complaint"))
    page = opened(open_page)
    expect(page.locator(".head-of-call .badge", has_text="held")).to_be_visible()
    page.get_by_role("button", name="Hold…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="This incident is held")).to_be_visible()
    expect(dialog.get_by_role("listitem")).to_contain_text("Held by sue")
    dialog.get_by_role("button", name="Release the hold of sue").click()
    eventually_sync(lambda: len(service.switchboard.noted("HoldLifted")) == 1, 5)
    assert service.switchboard.noted("HoldLifted")[0]["hold"] == "h1"


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_who_may_not_hold_is_offered_no_hold(open_page: Open, service: Served, role: str) -> None:
    page = opened(open_page, role)
    page.keyboard.press("h")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Hold…")).to_have_count(0)


def test_where_a_recording_was_deleted_day_and_rule_stand_and_the_facts_stay(open_page: Open, service: Served) -> None:
    happened(service, f.RecordingDeleted(CallId(CALL), (f"{CALL}/call.flac",), (), "default", "retention"))
    page = opened(open_page)
    day = datetime.datetime.fromtimestamp(NOW_S, datetime.UTC).date().isoformat()
    expect(page.get_by_text(f"The recording was deleted on {day}, by the rule “default”.")).to_be_visible()
    expect(page.get_by_role("button", name="Listen")).to_have_count(0)
    expect(page.get_by_role("region", name="What happened")).to_contain_text("The recording was deleted")
