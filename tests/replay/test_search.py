"""Search by the API: what each filter keeps, pages without gap, and the speed of it in a store of many years."""

import time
from collections import defaultdict
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
MILLION, ROUNDS = 1_000_000, 20
PAGE_MS, WORST_MS = 50, 500
SMALL_WORST_MS = 100


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


NOW_OF_MANY_NS = many.START_NS + 10**18
YEAR = 365 * 86_400 * many.SECOND
MINUTE = 60 * many.SECOND
SEARCHES: dict[str, dict[str, Any]] = {
    "everything": {},
    "what is open": {"open_only": True},
    "one point": {"point": "dl-bondgate"},
    "a point with few calls": {"point": many.POINTS[-1]},
    "one operator": {"operator": many.OPERATORS[0]},
    "an operator that has none": {"operator": "nobody"},
    "one outcome": {"outcome": "medical"},
    "one class": {"priority": 0},
    "one state": {"state": "closed"},
    "the oldest day": {"to_utc_ns": many.START_NS + 1440 * MINUTE},
    "a year in the middle": {"from_utc_ns": many.START_NS + YEAR, "to_utc_ns": many.START_NS + 2 * YEAR},
    "the last hours": {"from_utc_ns": many.START_NS + 5 * YEAR},
    "waits": {"wait_at_least_ns": 30 * many.SECOND},
    "long waits": {"wait_at_least_ns": 59 * many.SECOND},
    "waits that nobody had": {"wait_at_least_ns": 10**18 + YEAR},
    "short waits": {"wait_at_most_ns": many.SECOND},
    "long ones": {"length_at_least_ns": 14 * MINUTE},
    "lengths that nothing had": {"length_at_least_ns": 10**18 + YEAR},
    "lengths between": {"length_at_least_ns": 5 * MINUTE, "length_at_most_ns": 6 * MINUTE},
    "a common word": {"words": (many.COMMON,)},
    "a rare word": {"words": (many.RARE,)},
    "a piece of many words": {"words": ("at",)},
    "one letter": {"words": ("e",)},
    "a word that is nowhere": {"words": ("elephant",)},
    "an id": {"words": ("bulk-000123",)},
    "a piece of an id that is nowhere": {"words": ("999999999",)},
    "three words": {"words": (many.RARE, "child", "market")},
    "eight words that are nowhere": {"words": ("elephant",) * 8},
    "a place and a word": {"point": "dl-bondgate", "words": (many.COMMON,)},
    "a word and waits that nobody had": {"words": (many.COMMON,), "wait_at_least_ns": 10**18 + YEAR},
    "an operator, an outcome, a class": {"operator": many.OPERATORS[0], "outcome": "medical", "priority": 0},
    "an outcome that is none of a year": {
        "outcome": "nothing",
        "from_utc_ns": many.START_NS + YEAR,
        "to_utc_ns": many.START_NS + 2 * YEAR,
    },
    "everything of a year": {
        "from_utc_ns": many.START_NS + YEAR,
        "to_utc_ns": many.START_NS + 2 * YEAR,
        "operator": many.OPERATORS[1],
        "outcome": "test",
        "priority": 1,
        "wait_at_least_ns": 10 * many.SECOND,
        "length_at_least_ns": MINUTE,
        "words": (many.COMMON,),
    },
}


def times_ms(engine: Engine, calls: int) -> Iterator[tuple[str, float, float]]:
    """How long the first page of each search takes, and one deep below; and what it takes of a processor."""
    for before in (None, calls // 10):
        for name, filters in SEARCHES.items():
            for find in (search.incidents, search.calls):
                wanted = search.Wanted(now_utc_ns=NOW_OF_MANY_NS, **filters)
                began, worked = time.perf_counter(), time.process_time()
                find(engine, wanted, NAMES, before=before)
                took, cost = time.perf_counter() - began, time.process_time() - worked
                yield f"{name}, {find.__name__}{', far below' if before else ''}", took * 1000, cost * 1000


def measured(calls: int, rounds: int = 3) -> dict[str, tuple[list[float], float]]:
    """The times of all rounds, in order of length, and the middle of what they cost, in a store of so many calls."""
    with TemporaryDirectory(prefix="cs") as name:
        many.fill(Path(name), calls)
        engine = read_only(Path(name))
        found = search.calls(engine, search.Wanted(0, words=(many.RARE,)), NAMES, limit=500)
        assert len(found) == min(500, -(-(calls - 7) // 1000))
        all_ms: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(rounds):
            for what, took_ms, cost_ms in times_ms(engine, calls):
                all_ms[what].append((took_ms, cost_ms))
        engine.dispose()
    return {what: (sorted(took for took, _ in ms), sorted(cost for _, cost in ms)[rounds // 2]) for what, ms in all_ms.items()}


def test_every_search_is_quick_in_a_small_store() -> None:
    """Five thousand calls; by the processor's time, since others may want it too."""
    assert {what: cost for what, (_, cost) in measured(5_000).items() if cost > SMALL_WORST_MS} == {}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_search_is_quick_in_a_store_of_a_million_calls(capsys: pytest.CaptureFixture[str]) -> None:
    """The first page and one far below, of each filter and of several at once."""
    found = measured(MILLION, ROUNDS)
    with capsys.disabled():
        for what, (ms, cost) in found.items():
            p95 = ms[int(ROUNDS * 0.95)]
            print(f"\n{what}: median {ms[ROUNDS // 2]:.1f} ms, p95 {p95:.1f} ms, of a processor {cost:.1f} ms", end="")
    assert {
        what: cost for what, (_, cost) in found.items() if cost > (PAGE_MS if what.startswith("everything,") else WORST_MS)
    } == {}
