"""Exports, disclosures and requests for access in Chromium, by keys alone."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import expect

from callserver.config import Config
from callserver.core import facts as f
from callserver.core.desk import DeskFact
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from callserver.store.register import id_of
from tests.eventually import eventually_sync
from tests.replay import night
from tests.replay.conftest import NOW_S, Open, Served, served
from tests.replay.night import CALL, INCIDENT
from tests.web.desk import config_in, user_of

pytestmark = pytest.mark.real


@pytest.fixture
def own_config() -> Iterator[Config]:
    """A store of the test's own: it writes to it."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        yield config


@pytest.fixture
def service(own_config: Config) -> Iterator[Served]:
    """The service of one test."""
    with served(own_config) as it:
        yield it


def keep(service: Served, fact: DeskFact) -> None:
    """A fact of the desk in the journal, at the page's time."""
    engine = open_store(service.config.storage.data)
    commit(engine, [append_op(id_of(fact), fact, 0, round(NOW_S * 1_000_000_000), 1)])
    engine.dispose()


def noted(service: Served, kind: str) -> dict[str, object]:
    """The one fact of a kind that the switchboard was told."""
    eventually_sync(lambda: len(service.switchboard.noted(kind)) == 1, 5)
    body: dict[str, object] = service.switchboard.noted(kind)[0]
    return body


def test_a_redaction_is_asked_for_from_the_call(open_page: Open, service: Served) -> None:
    page = open_page(f"#call={CALL}")
    page.locator(".stage .mark").first.wait_for()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="What is to leave the record?")).to_be_visible()
    page.get_by_role("button", name="Ask for it").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Write why, in a few words.")
    expect(page.get_by_label("Who is covered")).to_be_hidden()  # a pack covers nothing
    page.get_by_label("What", exact=True).select_option("redaction")
    page.get_by_label("Why, with a reference").fill("a child's name")
    page.get_by_label("what is covered, in seconds").fill("12.0-15.5")
    page.get_by_label("Who is covered").select_option("point")
    page.get_by_role("button", name="Ask for it").press("Enter")
    body = noted(service, "ExportAsked")
    assert (body["what"], body["of"], body["spans"], body["party"]) == ("redaction", CALL, [[12_000, 15_500]], "point")
    expect(page.get_by_role("heading", name="Exports", exact=True)).to_be_visible()


def test_a_second_person_approves_by_keys_and_the_one_who_asked_cannot(open_page: Open, service: Served) -> None:
    keep(service, f.ExportAsked("e1", INCIDENT, "pack", user_of("auditor"), "the police ask", four_eyes=True))
    asker = open_page("#desk")
    expect(asker.get_by_text("another person approves it")).to_be_visible()
    expect(asker.get_by_role("button", name="Approve")).to_have_count(0)
    page = open_page("#desk", role="supervisor")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert noted(service, "ExportApproved") == {"export": "e1", "incident": INCIDENT, "by": user_of("supervisor")}


def test_a_disclosure_and_a_request_are_entered_by_keys(open_page: Open, service: Served) -> None:
    page = open_page("")
    page.locator(".list tbody a").first.wait_for()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Register of disclosures")).to_be_visible()
    page.keyboard.press("d")
    page.get_by_label("Incident, where it is none").fill(INCIDENT)
    page.get_by_label("What", exact=True).fill("the pack")
    page.get_by_label("To whom").fill("the police")
    page.get_by_label("By which law").fill("a court's order")
    page.keyboard.press("Enter")
    assert noted(service, "DisclosureMade")["recipient"] == "the police"
    page.keyboard.press("q")
    page.get_by_label("Who", exact=True).fill("Jane Doe")
    page.keyboard.press("Enter")
    assert noted(service, "AccessAsked")["subject"] == "Jane Doe"
    page.keyboard.press("Escape")
    expect(page.locator(".list tbody a").first).to_be_visible()


def test_who_may_not_listen_is_told_so(open_page: Open) -> None:
    page = open_page("#desk", role="operator")
    expect(page.get_by_text("may not do this")).to_be_visible()
