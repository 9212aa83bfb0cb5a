"""docs/call-control.md has a picture of each shape and a word on each fault; each change in it is tested under its heading."""

import re

import pytest

from tests import sources
from tests.loopback.matrix import BEFORE, FAULTS
from tests.test_docs import sections

PARTS = sections(sources.text("docs/call-control.md"), "##")
SHAPES, CHANGES, STRUCK = (sections(PARTS[part], "###") for part in ("Shapes", "Changes", "Faults"))
BESIDE_THE_MATRIX = "everything dies at once"  # tests/loopback/test_machine_faults.py
TESTED = ("test_core_control.py", "test_core_giving.py", "test_core_accept.py", "test_core_calling_out.py")
TESTED += ("test_core_groups.py", "test_core_signals.py")


def sentences(body: str) -> int:
    """How many sentences a section has."""
    return len(re.findall(r"\.(?=\s|$)", re.sub(r"```.*?```|\(.*?\)|`[^`]*`", "", body, flags=re.DOTALL)))


def test_every_shape_of_the_matrix_is_described_and_no_other() -> None:
    assert sorted(SHAPES) == sorted(BEFORE)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_one_picture_and_three_sentences(shape: str) -> None:
    assert SHAPES[shape].count("```") == 2
    assert sentences(SHAPES[shape]) == 3


def test_every_change_is_tested_under_its_heading() -> None:
    headings = [
        heading for name in TESTED for heading in re.findall(r"^# ---- (.+?) -+$", sources.text(f"tests/core/{name}"), re.M)
    ]
    assert headings == list(CHANGES) and len(set(headings)) == len(headings)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_has_three_sentences(change: str) -> None:
    assert sentences(CHANGES[change]) == 3


def test_every_fault_of_the_matrix_is_described_and_no_other() -> None:
    assert sorted(fault for heading in STRUCK for fault in heading.split(", ")) == sorted((*FAULTS, BESIDE_THE_MATRIX))
