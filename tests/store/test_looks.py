"""The facts that tell who looked are found by their index, however many others there are."""

import importlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from callserver.core import facts as f
from callserver.core.ids import CallId
from callserver.store import looks
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from callserver.store.schema import LOOK_KINDS, LOOKS
from callserver.store.upgrade import upgrade


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A store with a few looks among others."""
    made = open_store(tmp_path)
    upgrade(made)
    facts = [
        f.AlarmRaised("disk", "full"),
        f.Searched("anna", "calls", "q=pier", 2),
        f.SignedIn("anna", True),
        f.SignedIn("otto", False),
        f.AccountChanged("anna", "web account added", "otto"),
        f.AlarmCleared("disk", "room"),
        f.Listened(CallId("i.1"), "anna", "review"),
    ]
    for n, fact in enumerate(facts):
        commit(made, [append_op(uuid.uuid4().hex, fact, n, n, 1)])
    yield made
    made.dispose()


def test_the_index_serves_the_list(engine: Engine) -> None:
    with engine.connect() as connection:
        plan = connection.execute(
            text(f"EXPLAIN QUERY PLAN SELECT number FROM journal WHERE {LOOKS} ORDER BY number DESC LIMIT 9")
        )
        assert [row[3] for row in plan] == ["SCAN journal USING INDEX journal_looks"]


def test_the_index_that_an_upgrade_makes_has_the_same_kinds() -> None:
    migration = importlib.import_module("callserver.store.migrations.versions.v0005_looks")
    assert migration._KINDS == LOOK_KINDS


def test_who_looked_is_who_did_it_and_of_a_sign_in_who_signed_in(engine: Engine) -> None:
    def found(by: str) -> list[str]:
        return [type(row.fact).__name__ for row in looks.looks(engine, looks.Wanted(by=by), 10)]

    assert found("anna") == ["Listened", "SignedIn", "Searched"]
    assert found("otto") == ["AccountChanged", "SignedIn"]
    assert found("") == []


def test_texts_come_with_it_and_pages_follow_each_other(engine: Engine) -> None:
    first = looks.looks(engine, looks.Wanted(), 2)
    second = looks.looks(engine, looks.Wanted(), 9, first[-1].number)
    assert first[0].fact == f.Listened(CallId("i.1"), "anna", "review")
    assert [row.number for row in (*first, *second)] == [7, 5, 4, 3, 2]
