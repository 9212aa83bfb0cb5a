"""docs/call-control.md says which test meets which case on the wire: each of them is there, and counts what it leaves behind."""

import ast
from collections.abc import Iterator

import pytest

from tests import sources
from tests.test_docs import sections

LIVE = ("test_wire.py", "test_wire_lost.py", "test_wire_phones.py", "test_control_wire.py", "test_control_endurance.py")
EDGE = "tests/sip/test_edge_session_timer.py"
COUNTING = {"wire", "scene", "_calls"}  # each ends with a look for what is left, or fails


def _tests(path: str) -> dict[str, ast.AsyncFunctionDef]:
    """Tests by name, in words."""
    tree = ast.parse(sources.text(path))
    found = (one for one in tree.body if isinstance(one, ast.AsyncFunctionDef) and one.name.startswith("test_"))
    return {one.name.removeprefix("test_").replace("_", " "): one for one in found}


def _table() -> Iterator[tuple[str, str]]:
    body = sections(sources.text("docs/call-control.md"), "##")["On the wire"]
    for line in body.splitlines():
        if line.startswith("| ") and not line.startswith("| case"):
            _, case, names, _ = (cell.strip() for cell in line.split("|"))
            yield from ((case, name.strip()) for name in names.split("·"))


LIVE_TESTS = {name: test for file in LIVE for name, test in _tests(f"tests/loopback/{file}").items()}


@pytest.mark.parametrize(("case", "name"), list(_table()))
def test_each_case_has_the_tests_that_it_names(case: str, name: str) -> None:
    """In a running service, with the count at its end; or at the edge alone."""
    if name in _tests(EDGE):
        return
    called = {getattr(one.func, "id", "") for one in ast.walk(LIVE_TESTS[name]) if isinstance(one, ast.Call)}
    assert called & COUNTING, f"{name} does not count what it leaves"


def test_no_test_of_lost_messages_is_forgotten() -> None:
    named = {name for _, name in _table()}
    assert set(_tests("tests/loopback/test_wire_lost.py")) <= named
