"""`callserver reload` and `callserver plans`: what they say, and with which code they leave."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from callserver.control import CommandRefused, CommandServer, Verb
from callserver.core.facts import PlanAdopted
from callserver.store import plan_texts
from callserver.store.engine import open_store
from callserver.store.plan_texts import PlanText
from callserver.store.upgrade import upgrade
from callserver.store.writer import Entry, JournalWriter
from tests.core.plans import plan
from tests.test_cli import run

FIRST, SECOND = "a" * 64, "b" * 64


@pytest.fixture
def config() -> Iterator[Path]:
    """A configuration whose journal has two plans; the text of the first alone was kept."""
    with TemporaryDirectory(prefix="cs") as name:
        home = Path(name)
        (home / "run").mkdir()
        (home / "callserver.toml").write_text(
            '[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n[plan]\nfile = "plan.toml"\n'
        )
        engine = open_store(home / "data")
        upgrade(engine)
        engine.dispose()
        moved = replace(plan().points["p1"], place="North gate, new hut")
        later = replace(plan(), name="later", points={**plan().points, "p1": moved})
        writer = JournalWriter(home / "data", spool=home / "spool")
        writer.start()
        facts = (PlanAdopted(1, FIRST, plan(), "start"), PlanAdopted(2, SECOND, later, "the-supervisor"))
        writer.append([Entry(f"t-{n}", fact, n, n * 10**9, 1) for n, fact in enumerate(facts)]).result(10)
        writer.close()
        plan_texts.keep(home / "data", FIRST, (PlanText("plan.toml", "# the gate\n"), PlanText("night.toml", "# the night\n")))
        yield home / "callserver.toml"


@contextmanager
def switchboard(config: Path, answer: dict[str, Any] | CommandRefused) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """A command socket that answers one thing, and what it was asked."""
    asked: list[tuple[str, dict[str, Any]]] = []
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def dispatch(verb: str, args: dict[str, Any]) -> dict[str, Any]:
        asked.append((verb, args))
        if isinstance(answer, CommandRefused):
            raise answer
        return answer

    async def serve() -> None:
        server = CommandServer(config.parent / "run" / "control.sock", dispatch)
        await server.start()
        ready.set()
        await over.wait()
        await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield asked
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def test_a_reload_says_which_version_is_in_force(config: Path) -> None:
    """With the warnings of the proof, and the journal learns who wanted it."""
    done = {"version": 3, "name": "Harbour", "changed": True, "warnings": ["the bench has no camera"]}
    with switchboard(config, done) as asked:
        result = run("reload", "-c", config)
        reported = json.loads(run("reload", "-c", config, "--json").stdout)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "warning: the bench has no camera",
        "Harbour, plan v3, is in force for new incidents",
    ]
    assert reported == {"good": True, **done}
    assert asked[0][0] == Verb.RELOAD_PLAN and asked[0][1]["by"].startswith("command line (")


def test_a_reload_of_a_file_that_says_nothing_else(config: Path) -> None:
    """Is good, and says so."""
    with switchboard(config, {"version": 3, "name": "Harbour", "changed": False, "warnings": []}):
        result = run("reload", "-c", config)
    assert (result.exit_code, "was in force already" in result.stdout) == (0, True)


def test_a_refused_plan_is_told_with_all_its_faults(config: Path) -> None:
    """1, and that the old one stays."""
    refusal = CommandRefused("plan-refused", "plan.toml:3: one\nplan.toml:9: two")
    with switchboard(config, refusal):
        result = run("reload", "-c", config)
        as_json = run("reload", "-c", config, "--json")
    assert result.exit_code == as_json.exit_code == 1
    assert result.output.splitlines() == ["plan.toml:3: one", "plan.toml:9: two", "the plan in force stays"]
    assert json.loads(as_json.stdout) == {"good": False, "faults": ["plan.toml:3: one", "plan.toml:9: two"]}


def test_a_reload_needs_a_service_and_a_plan(config: Path) -> None:
    """1 without the service, 2 where the configuration names no plan."""
    assert run("reload", "-c", config).exit_code == 1
    config.write_text('[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n')
    assert run("reload", "-c", config).exit_code == 2


def test_all_plans_are_listed_newest_first(config: Path) -> None:
    """With when and by whom."""
    rows = json.loads(run("plans", "list", "-c", config, "--json").stdout)
    assert rows == [
        {"version": 2, "adopted": "1970-01-01T00:00:01.000Z", "by": "the-supervisor", "digest": SECOND},
        {"version": 1, "adopted": "1970-01-01T00:00:00.000Z", "by": "start", "digest": FIRST},
    ]
    assert run("plans", "list", "-c", config).stdout.splitlines()[1].split()[:3] == ["2", rows[0]["adopted"], "the-supervisor"]


def test_a_plan_is_shown_as_it_was_written(config: Path) -> None:
    """Each of its files; one whose text was not kept is in the journal alone."""
    shown = run("plans", "show", "1", "-c", config).stdout.splitlines()
    assert shown == [
        "# ---- plan.toml (plan v1) ----",
        "# the gate",
        "# ---- night.toml (plan v1) ----",
        "# the night",
    ]
    report = json.loads(run("plans", "show", "2", "-c", config, "--json").stdout)
    assert (report["name"], report["files"]) == ("later", [])
    assert run("plans", "show", "2", "-c", config).exit_code == 1


def test_two_plans_are_compared_place_by_place(config: Path) -> None:
    """Either way round, and with itself."""
    assert run("plans", "diff", "1", "-c", config).stdout.splitlines() == [
        "plan.name: test -> later",
        "points.p1.place: North gate -> North gate, new hut",
    ]
    back = json.loads(run("plans", "diff", "2", "1", "-c", config, "--json").stdout)
    assert back[0] == {"where": "plan.name", "old": "later", "new": "test"}
    assert run("plans", "diff", "2", "2", "-c", config).stdout == "they mean the same\n"


def test_a_plan_that_never_was_is_misuse(config: Path) -> None:
    """Whichever verb asks for it."""
    for words in (("show", "7"), ("diff", "2"), ("diff", "7", "1")):
        result = run("plans", *words, "-c", config)
        assert (result.exit_code, "there is no plan v" in result.output) == (2, True)
