"""Who may import whom. The tables below are the architecture; ARCHITECTURE.md explains them."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from tests import sources

JOINTS = ("callserver.sip.protocol", "callserver.media.protocol", "callserver.media.rtp", "callserver.media.capture_format")
BASE = ("callserver.core", "dialplans")

ROOMS: Mapping[str, tuple[str, ...]] = {
    # room: the rooms it may import besides itself; the longest name that fits a module is its room
    "dialplans": (),
    "audio": (),
    "callserver": (),  # the package's own __init__ only
    "callserver.core": ("dialplans",),
    "callserver.watch": BASE,
    "callserver.planning": BASE,
    "callserver.sip.protocol": BASE,
    "callserver.media.protocol": BASE,
    "callserver.media.rtp": ("callserver.media.protocol", *BASE),
    "callserver.media.capture_format": ("callserver.media.protocol", *BASE),
    "callserver.config": ("callserver.config_sections",),  # read once, passed down
    "callserver.config_sections": ("callserver.config_evidence", "callserver.config_quality", "callserver.config_retention"),
    "callserver.config_evidence": (),  # what shows later that the record is what it was
    "callserver.config_quality": (),  # how many calls are looked at again, and by what
    "callserver.config_retention": (),  # how long what is kept
    "callserver.version": (),
    "callserver.logs": (),  # how a process speaks of itself
    "callserver.sealed": (),  # how a file lies encrypted
    "callserver.control": ("callserver.control_status", *BASE),  # the messages between commands, web and switchboard
    "callserver.control_status": (),
    "callserver.control_handover": ("callserver.control_status",),  # the sheet for the next shift
    "callserver.feed": (),  # what is live, from switchboard to web
    "callserver.sip": (*JOINTS, *BASE, "callserver.config"),
    "callserver.media": (*JOINTS, *BASE, "callserver.config"),
    "callserver.store": (*JOINTS, *BASE, "callserver.config"),
    "callserver.backup": ("callserver.store", "callserver.config", "audio", *BASE),
    "callserver.archive": (*JOINTS, *BASE, "callserver.config", "audio"),
    "callserver.web": (
        *("callserver.config", "callserver.control", "callserver.control_handover", "callserver.feed"),
        *(*JOINTS, *BASE),
    ),
    "callserver.runtime": (
        *("callserver.sip", "callserver.media", "callserver.store", "callserver.web", "callserver.archive"),
        *("callserver.control", "callserver.feed", "callserver.config", "callserver.watch", "callserver.planning", "audio"),
        *("callserver.control_handover", *JOINTS, *BASE),
    ),
    "callserver.runtime.demo": ("*",),  # the body of a command
    "callserver.commands": ("*",),
    "callserver.cli": ("*",),
    "callserver.__main__": ("*",),
}

ANYBODY = ("callserver", "callserver.version", "callserver.logs", "callserver.sealed")
"""What every room but the pure ones may know."""

BESIDES: Mapping[tuple[str, str], str] = {
    # (room, module of a sister room): why
    ("callserver.web", "callserver.store.queries"): "the screens read the store, and only read it",
    ("callserver.web", "callserver.store.search"): "and looks for things in it",
    ("callserver.web", "callserver.store.retained"): "and tells what is held and what was deleted",
    ("callserver.web", "callserver.store.plan_history"): "and tells the plans that were in force",
    ("callserver.web", "callserver.store.plan_texts"): "with the files that they were written in",
    ("callserver.web", "callserver.store.sampling"): "and draws the month's sample",
    ("callserver.web", "callserver.store.register"): "and the auditor's desk: exports, disclosures, requests for access",
    ("callserver.web", "callserver.store.looks"): "and who looked at what",
    ("callserver.web", "audio.peaks"): "the replay shows the shape of a recording",
    ("callserver.web", "audio.places"): "and tells which sound was in the bytes that were sent",
    ("callserver.web", "callserver.store.saved"): "and keeps the searches that people save, which are no part of the record",
    ("callserver.web", "callserver.store.engine"): "opens the store for those queries, read-only",
    ("callserver.web", "callserver.store.directory"): "looks up who signs in; reading as well",
}

PURE = ("callserver.core", "callserver.watch", "callserver.planning", *JOINTS, "dialplans")
NOT_PURE: Mapping[str, str] = {
    "dialplans.load": "reads the text of a plan from a file, so that parse need not",
    "dialplans.schema": "writes the schema of plans to a file; nothing imports it",
}
IMPURE_MODULES = frozenset(
    {"asyncio", "concurrent", "ctypes", "getpass", "io", "logging", "multiprocessing", "os", "pathlib", "queue", "random"}
    | {"secrets", "select", "selectors", "shutil", "signal", "socket", "ssl", "structlog", "subprocess", "sys", "tempfile"}
    | {"threading", "time", "uuid"}
)
IMPURE_CALLS = frozenset({"now", "utcnow", "today", "open", "print", "input", "exec", "eval"})

HOMES: Mapping[str, tuple[str, ...]] = {
    # a library: the only rooms or modules that import it
    "pjsua2": ("callserver.media.call_worker", "callserver.runtime.simulated_phone"),
    "numpy": ("audio", "callserver.archive"),
    "soundfile": ("audio", "callserver.archive"),
    "av": ("callserver.archive",),
    "aiortc": ("callserver.media.seat_worker",),
    "aioice": ("callserver.media.seat_worker",),
    "pylibsrtp": ("callserver.media.seat_worker",),
    "ifaddr": ("callserver.media.seat_worker", "callserver.runtime.demo_parts"),
    "alembic": ("callserver.store",),
    "fastapi": ("callserver.web",),
    "uvicorn": ("callserver.web", "callserver.runtime.web_process"),
    "typer": ("callserver.cli", "callserver.commands"),
}

HEAVY = frozenset(
    {"alembic", "av", "fastapi", "numpy", "pydantic", "rich", "soundfile", "sqlalchemy", "starlette", "typer", "uvicorn"}
)


def room_of(module: str) -> str:
    """The room that a module belongs to."""
    fitting = [room for room in ROOMS if module == room or module.startswith(room + ".")]
    return max(fitting, key=len, default="")


def imports(name: str) -> Iterator[str]:
    """Every module that a file imports, also inside functions; `from a import b` gives a.b where that is a module."""
    for node in ast.walk(sources.tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{name}:{node.lineno}: relative import"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [module for module in inner if module in modules()]
            yield from found
            if len(found) < len(inner):
                yield node.module


def modules() -> frozenset[str]:
    """Every module of our packages."""
    return frozenset(sources.module_name(name) for name in sources.python_files(*sources.PACKAGES))


def allowed(importer: str, imported: str) -> bool:
    """Whether the tables let one module import another of ours."""
    here, there = room_of(importer), room_of(imported)
    may = (*ROOMS[here], *(() if here in (*PURE, "audio") else ANYBODY))
    return here == there or there in may or "*" in may or (here, imported) in BESIDES


def faults_of_direction() -> list[str]:
    """Imports that the tables forbid."""
    faults = []
    for name in sources.python_files(*sources.PACKAGES):
        module = sources.module_name(name)
        for imported in imports(name):
            if imported.split(".")[0] in sources.PACKAGES and not allowed(module, imported):
                faults.append(f"{name} imports {imported}: {room_of(module)} must not know {room_of(imported)}")
    return faults


def test_imports_run_one_way() -> None:
    """Every import between rooms stands in the tables."""
    assert faults_of_direction() == []


def test_every_module_has_a_room() -> None:
    """A new room needs a line in the table; only the package itself may be of the room `callserver`."""
    homeless = [module for module in modules() if room_of(module) in ("", "callserver") and module != "callserver"]
    assert homeless == []


def test_every_exception_is_used() -> None:
    """An exception that nobody needs any more goes."""
    names = sources.python_files("callserver")
    used = {(room_of(sources.module_name(name)), imported) for name in names for imported in imports(name)}
    assert [pair for pair in BESIDES if pair not in used] == []


@pytest.mark.parametrize(
    ("importer", "imported", "good"),
    [
        ("callserver.core.decide", "dialplans.model", True),
        ("callserver.core.decide", "callserver.sip.interface", False),
        ("callserver.sip.edge", "callserver.store.queries", False),
        ("callserver.web.app", "callserver.store.queries", True),
        ("callserver.web.app", "callserver.store.writer", False),
        ("dialplans.parse", "callserver.core.ids", False),
        ("audio.tones", "callserver.media.rtp", False),
        ("callserver.media.call_worker.main", "callserver.media.rtp", True),
        ("callserver.media.rtp", "callserver.media.pool", False),
        ("callserver.runtime.switchboard", "callserver.cli", False),
    ],
)
def test_the_tables_say_what_they_should(importer: str, imported: str, good: bool) -> None:
    """The test itself would notice: known good and bad pairs."""
    assert allowed(importer, imported) is good


def pure_files() -> list[str]:
    """The files of the pure rooms."""
    names = sources.python_files(*sources.PACKAGES)
    return [name for name in names if room_of(sources.module_name(name)) in PURE and sources.module_name(name) not in NOT_PURE]


def test_pure_rooms_have_no_clock_no_chance_and_no_outside() -> None:
    """Time, randomness and input come as arguments."""
    faults = [f"{n} imports {m}" for n in pure_files() for m in imports(n) if m.split(".")[0] in IMPURE_MODULES]
    for name in pure_files():
        for node in ast.walk(sources.tree(name)):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in IMPURE_CALLS:
                    faults.append(f"{name}:{node.lineno} calls {called}")
    assert faults == []


def test_the_core_stands_on_the_standard_library_and_dialplans() -> None:
    """No library can change what the core decides."""
    names = [*sources.python_files("callserver/core"), *sources.python_files("dialplans")]
    known = (*sys.stdlib_module_names, "callserver", "dialplans")
    assert [f"{n} imports {m}" for n in names for m in imports(n) if m.split(".")[0] not in known] == []


def test_libraries_stay_at_home() -> None:
    """Native and heavy libraries are known to the rooms that need them."""
    faults = []
    for name in sources.python_files(*sources.PACKAGES):
        module = sources.module_name(name)
        for library in {imported.split(".")[0] for imported in imports(name)} & set(HOMES):
            if not any(module == home or module.startswith(home + ".") for home in HOMES[library]):
                faults.append(f"{name} imports {library}")
    assert faults == []


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("callserver.runtime.supervisor", HEAVY | {"pjsua2", "asyncio", "structlog"}),
        ("callserver.media.call_worker.main", HEAVY),
    ],
)
def test_light_processes_load_nothing_heavy(module: str, heavy: frozenset[str]) -> None:
    """Looked at in a process of its own: what is loaded when the module is."""
    script = f"import {module}, sys, json; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(heavy & set(json.loads(done.stdout))) == []
