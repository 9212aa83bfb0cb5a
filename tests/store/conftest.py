"""A store in a directory of its own, and a stream of facts to fill it with."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.core.facts import AlarmRaised, Fact, OutcomeRecorded
from callserver.core.ids import IncidentId
from callserver.store.engine import open_store
from callserver.store.journal import Entry, JournalWriter
from callserver.store.upgrade import upgrade
from tests.store.pack_room import Room, room

NewWriter = Callable[..., JournalWriter]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    """The migrated store at `tmp_path`."""
    engine = open_store(tmp_path)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def new_writer(store: Engine, tmp_path: Path) -> Iterator[NewWriter]:
    """Makes writers on `store`; they are closed at the end. Patient unless told: a busy machine is no hanging disk."""
    writers: list[JournalWriter] = []

    def make(**options: object) -> JournalWriter:
        writers.append(JournalWriter(tmp_path, **({"patience_s": 30.0} | options)))  # type: ignore[arg-type]
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()


@pytest.fixture
def settled() -> Callable[[], bool]:
    """Whether no writer still catches up with its projections, as each does once after its start."""
    return lambda: all(thread.name != "journal_catch_up" for thread in threading.enumerate())


@pytest.fixture
def entries() -> Callable[..., list[Entry]]:
    """`entries(first, count)`: facts named `fact-<number>`; every tenth has a text that can be erased."""

    def make(first: int, count: int) -> list[Entry]:
        return [Entry(f"fact-{n}", _fact(n), n * 1_000, 10**18 + n, 1) for n in range(first, first + count)]

    return make


@pytest.fixture
def fat() -> Callable[..., list[Entry]]:
    """The same, each fact larger than a page of the database."""

    def make(first: int, count: int) -> list[Entry]:
        fact = AlarmRaised("key", "x" * 6_000)
        return [Entry(f"fact-{n}", fact, n * 1_000, 10**18 + n, 1) for n in range(first, first + count)]

    return make


def _fact(number: int) -> Fact:
    if number % 10 == 0:
        return OutcomeRecorded(IncidentId(f"i{number}"), "helped", "anna", f"note {number}")
    return AlarmRaised(f"key {number}", f"text {number}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, Path]]:
    """A room and a pack of it; tests that change either make their own."""
    home = tmp_path_factory.mktemp("room")
    the = room(home)
    yield the, the.pack(home / "pack.zip")
    the.engine.dispose()
