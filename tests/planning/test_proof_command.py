"""`callserver check` with its proof: what it says, and with which code it leaves."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.commands import checking
from tests import sources

BROKEN = sources.ROOT / "tests" / "planning" / "broken"
DARLINGTON = sources.ROOT / "dialplans" / "darlington.toml"


def check(*words: str | Path) -> Result:
    """One `callserver check`."""
    return CliRunner().invoke(cli.app, ["check", *(str(word) for word in words)])


def test_a_proven_plan_is_told_with_its_worst_times_and_what_was_assumed() -> None:
    """The path that leads to the longest wait is told line by line."""
    result = check(DARLINGTON)
    assert result.exit_code == 0
    assert "emergency in queue town, device wall (dl-blackwellgate, " in result.stdout
    assert "a seat or the last resort rings within 1:00, the last resort within 1:00" in result.stdout
    assert "      1:00  Police control room is called" in result.stdout
    assert "Assumed: the machine runs" in result.stdout
    assert "Darlington town centre: every press rings somebody, until somebody answers (" in result.stdout


def test_a_hole_is_told_as_a_story_and_leaves_with_1() -> None:
    """First what is wrong and where, then how it comes to that."""
    result = check(BROKEN / "night.toml")
    assert result.exit_code == 1
    told = result.stdout.splitlines()
    at = told.index("HOLE: nothing ever rings (pier)")
    assert "nobody is on duty" in told[at + 1]
    assert "0:00  pier (Pier, by the ice house) presses" in told[at + 2]
    assert f"{BROKEN / 'night.toml'}: good" not in told


def test_the_report_for_programs_holds_the_whole_verdict() -> None:
    """Holes with their stories, classes with their times, warnings, runs and seconds."""
    result = check(BROKEN / "trunk.toml", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["good"], report["faults"]) == (1, False, [])
    assert [hole["kind"] for hole in report["proof"]["holes"]] == ["one-trunk"]
    assert report["proof"]["holes"][0]["points"] == ["pier"]
    assert report["proof"]["classes"][0]["first"]["ms"] == 30_000
    assert report["proof"]["runs"] > 0
    assert report["proof"]["took_s"] >= 0


def test_warnings_leave_with_1_only_when_asked(tmp_path: Path) -> None:
    """A queue that no press comes to is doubtful, and no more."""
    plan = BROKEN / "skill.toml"
    mended = plan.read_text().replace('skills = ["welsh"]\n\n[operators.mary]', "\n[operators.mary]", 1)
    file = tmp_path / "plan.toml"
    file.write_text(mended)
    assert "warning: no press comes to queue coast" in check(file).stdout
    assert check(file).exit_code == 0
    assert check(file, "--strict").exit_code == 1


def test_the_longest_time_to_the_first_ring_can_be_demanded() -> None:
    """A minute is what this plan takes; half of it is too little, and what is no time is misuse."""
    assert check(DARLINGTON, "--within", "60s").exit_code == 0
    late = check(DARLINGTON, "--within", "30s")
    assert (late.exit_code, "the first ring comes after 1:00, not 0:30" in late.stdout) == (1, True)
    assert check(DARLINGTON, "--within", "soon").exit_code == 2


def test_a_plan_can_be_read_without_being_proven() -> None:
    """Then a hole is not looked for."""
    result = check(BROKEN / "night.toml", "--no-proof")
    assert (result.exit_code, "HOLE" in result.stdout) == (0, False)


def test_a_long_proof_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, so that the report can be piped."""
    monkeypatch.setattr(checking, "PATIENCE_S", -1.0)
    result = check(BROKEN / "closing-time.toml")
    assert "kinds of presses" in result.stderr
    assert "kinds of presses" not in result.stdout
