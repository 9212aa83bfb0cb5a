"""Search by the API: what each filter keeps, pages without gap, and the speed of it in a store of many years."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from callserver.config import Config
from callserver.store import search
from callserver.store.engine import open_store, read_only
from tests.replay import many, night
from tests.replay.conftest import NOW_S
from tests.store.erased import erase_incident
from tests.web.desk import config_in, opened

LONG, SHORT, OPEN, OLD = night.CALL, night.UNRECORDED, night.GOING_ON, night.OLDER
NAMES = search.names_of(1, many.PLAN)
HUNDRED_THOUSAND = 100_000
PAGE_MS, WORST_MS = 50, 1_000
SMALL_WORST_MS = 150


@pytest.fixture
async def auditor(night_config: Config) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in, over the night's store."""
    async with opened(night_config) as desk:
        desk.now_s = NOW_S
        async with desk.signed_in("auditor") as client:
            yield client


async def ids(client: httpx.AsyncClient, what: str, **query: Any) -> list[str]:
    answer = await client.get(f"/api/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [OPEN, SHORT, LONG, OLD]),
        ({"point": "dl-northgate"}, [SHORT]),
        ({"operator": "operator1"}, [LONG]),
        ({"outcome": "medical"}, [LONG]),
        ({"class": "emergency"}, [OPEN, LONG]),
        ({"class": "information"}, [OLD]),
        ({"state": "talking"}, [OPEN]),
        ({"open": "true"}, [OPEN]),
        ({"from": "2026-11-22T03:00:00Z"}, [OPEN, SHORT]),
        ({"to": "2026-11-22T03:43:00+01:00"}, [OLD]),
        ({"from": "2026-11-22T02:43:00Z", "to": "2026-11-22T02:43:01Z"}, [LONG]),
        ({"min_wait_s": 9}, [SHORT, LONG]),
        ({"max_wait_s": 8}, [OPEN, OLD]),
        ({"min_length_s": 60}, [OPEN, LONG]),
        ({"max_length_s": 60}, [SHORT, OLD]),
        ({"q": "bondgate"}, [LONG]),
        ({"q": "TAXI"}, [LONG]),
        ({"q": "taxi ambulance"}, [LONG]),
        ({"q": "taxi library"}, []),
        ({"q": "weekly"}, [OLD]),
        ({"q": "operator four"}, [OLD]),
        ({"q": "night2"}, [SHORT]),
        ({"q": "100%"}, []),
        ({"q": "dl_northgate"}, []),
        ({"q": "market", "operator": "operator1"}, []),
    ],
)
async def test_a_filter_keeps_the_calls_that_fit(auditor: httpx.AsyncClient, query: dict[str, Any], found: list[str]) -> None:
    """Newest first."""
    assert found == await ids(auditor, "calls", **query)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"open": "true"}, [OPEN, SHORT]),
        ({"state": "unreviewed"}, [SHORT]),
        ({"outcome": "test"}, [OLD]),
        ({"class": "high"}, [SHORT]),
        ({"min_wait_s": 50, "max_wait_s": 60}, [SHORT]),
        ({"max_length_s": 60}, [OLD]),
        ({"min_length_s": 170, "max_length_s": 180}, [LONG]),
        ({"q": "conscious police"}, [LONG]),
    ],
)
async def test_a_filter_keeps_the_incidents_that_fit(auditor: httpx.AsyncClient, query: dict[str, Any], found: list[str]) -> None:
    """The wait of one that nobody answered ended when it stopped waiting."""
    assert [call.rpartition(".")[0] for call in found] == await ids(auditor, "incidents", **query)


async def test_lists_say_what_a_page_shows(auditor: httpx.AsyncClient) -> None:
    """Note, class and first answer besides the rest."""
    (call,) = (await auditor.get("/api/calls", params={"q": "conscious"})).json()["items"]
    (incident,) = (await auditor.get("/api/incidents", params={"q": "conscious"})).json()["items"]
    assert (call["note"], call["priority"]) == (night.NOTE, 0)
    assert (incident["note"], incident["answered"]) == (night.NOTE, "2026-11-22T02:43:09.200Z")


async def test_pages_follow_without_gap(auditor: httpx.AsyncClient) -> None:
    """Also of what was searched for."""
    seen: list[str] = []
    before: dict[str, int] = {}
    while items := (await auditor.get("/api/calls", params={"limit": 1, "q": "2611", **before})).json()["items"]:
        seen += [item["id"] for item in items]
        before = {"before": items[-1]["number"]}
    assert seen == [OPEN, SHORT, LONG, OLD]


@pytest.mark.parametrize(
    "query",
    [{"class": "moon"}, {"from": "yesterday"}, {"from": "2026-11-22T03:00:00"}, {"min_wait_s": -1}, {"q": "a b c d e f g h i"}],
)
async def test_a_search_that_makes_no_sense_is_refused(auditor: httpx.AsyncClient, query: dict[str, Any]) -> None:
    """A time needs its zone."""
    assert (await auditor.get("/api/calls", params=query)).status_code == 422


async def test_times_of_other_centuries_find_nothing_and_break_nothing(auditor: httpx.AsyncClient) -> None:
    """The store counts nanoseconds; the calendar has more of them."""
    assert await ids(auditor, "calls", **{"from": "9999-01-01T00:00:00Z"}) == []
    assert await ids(auditor, "calls", to="0001-01-01T00:00:00Z") == []


def test_an_erased_note_is_not_found() -> None:
    """It is looked for where it lies, and there it is gone."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        engine = open_store(config.storage.data)
        wanted = search.Wanted(now_utc_ns=0, words=("conscious",))
        assert [call.id for call in search.calls(engine, wanted, NAMES)] == [LONG]
        assert erase_incident(engine, night.INCIDENT) == 1
        assert search.calls(engine, wanted, NAMES) == []
        assert search.notes(engine, [night.INCIDENT]) == {}
        engine.dispose()


SEARCHES = {
    "everything": {},
    "one point": {"point": "dl-bondgate"},
    "an operator that has none": {"operator": "nobody"},
    "the oldest day": {"to_utc_ns": many.START_NS + 86_400 * many.SECOND},
    "long waits": {"wait_at_least_ns": 59 * many.SECOND},
    "waits that nobody had": {"wait_at_least_ns": 9_000 * many.SECOND},
    "lengths that nothing had": {"length_at_least_ns": 9_000 * many.SECOND},
    "a common word": {"words": ("market",)},
    "a rare word": {"words": (many.RARE,)},
    "a word that is nowhere": {"words": ("elephant",)},
    "three words": {"words": (many.RARE, "child", "market")},
    "eight words that are nowhere": {"words": ("elephant",) * 8},
}


def times_ms(engine: Engine) -> Iterator[tuple[str, str, float]]:
    """How long each search takes."""
    for name, filters in SEARCHES.items():
        for find in (search.incidents, search.calls):
            wanted = search.Wanted(now_utc_ns=many.START_NS + 10**18, **filters)  # type: ignore[arg-type]
            began = time.perf_counter()
            find(engine, wanted, NAMES)
            yield name, find.__name__, (time.perf_counter() - began) * 1000


def measured(calls: int) -> dict[tuple[str, str], float]:
    """The best of three, in a store of so many calls."""
    with TemporaryDirectory(prefix="cs") as name:
        many.fill(Path(name), calls)
        engine = read_only(Path(name))
        found = search.calls(engine, search.Wanted(0, words=(many.RARE,)), NAMES, limit=500)
        assert len(found) == min(500, -(-(calls - 7) // 1000))
        rounds = [{(what, of): ms for what, of, ms in times_ms(engine)} for _ in range(3)]
        engine.dispose()
    return {key: min(one[key] for one in rounds) for key in rounds[0]}


def test_every_search_is_quick_in_a_small_store() -> None:
    """Five thousand calls."""
    assert {key: ms for key, ms in measured(5_000).items() if ms > SMALL_WORST_MS} == {}


@pytest.mark.long
def test_every_search_is_quick_in_a_store_of_many_years() -> None:
    """A hundred thousand calls: a page of everything at once, and the worst search within a second."""
    found = measured(HUNDRED_THOUSAND)
    print("\n".join(f"{what}, {of}: {ms:.1f} ms" for (what, of), ms in found.items()))
    assert {key: ms for key, ms in found.items() if ms > (PAGE_MS if key[0] == "everything" else WORST_MS)} == {}
