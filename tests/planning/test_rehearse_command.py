"""`callserver rehearse` over a real store and over storms: its table, its report, its plot, and what it refuses."""

import io
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.commands import rehearse as command
from callserver.planning.period import Period
from callserver.planning.plot import svg
from callserver.planning.rehearse import rehearse
from callserver.planning.storm import parse
from callserver.planning.weather import generate
from callserver.store.engine import open_store
from callserver.store.journal import Entry, JournalWriter, wait
from callserver.store.upgrade import upgrade
from tests.planning.record import DARLINGTON, PLAN_FILE, STORM, Rows, again, journal_of, quicker, recorded


@pytest.fixture(scope="module")
def night() -> Period:
    """Six hours of it."""
    return generate(parse(STORM, "night"), DARLINGTON)


@pytest.fixture(scope="module")
def rows(night: Period) -> Rows:
    """Its journal."""
    return journal_of(night)


# ---- the command, over a real store --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(rows: Rows) -> Iterator[Path]:
    """A store that a service might have left."""
    with TemporaryDirectory(prefix="cs") as name:
        place = Path(name)
        engine = open_store(place)
        upgrade(engine)
        engine.dispose()
        writer = JournalWriter(place, patience_s=60.0)
        writer.start()
        entries = [Entry(f"fact-{number}", fact, at, utc, 1) for number, (fact, at, utc) in enumerate(rows)]
        wait(writer.append(entries), 60.0)
        writer.close()
        yield place


def run(*words: str | Path) -> Result:
    """The command."""
    return CliRunner().invoke(cli.app, ["rehearse", *(str(word) for word in words)])


def reported(*words: str | Path) -> Any:
    """Its report."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_journal_of_the_real_store_round_trips(data: Path, tmp_path: Path) -> None:
    report = reported(PLAN_FILE, "--against", data, "--out", tmp_path)
    figures = {one["plan"]: one["figures"] for one in report["runs"]}
    assert figures["recorded"] == figures["old"] == figures["new"]
    assert report["differences"] == []
    assert (report["sooner"], report["later"]) == (0, 0)
    assert reported(PLAN_FILE, "--against", data / "callserver.db", "--out", tmp_path)["runs"] == report["runs"]


def test_the_table_the_plot_and_the_report_say_the_same(data: Path, tmp_path: Path) -> None:
    result = run(PLAN_FILE, "--against", data, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    incidents = report["runs"][0]["figures"][0]["incidents"]
    assert re.search(rf"^all +recorded +{incidents} ", result.stdout, re.MULTILINE)
    assert re.search(rf"^ +new +{incidents} ", result.stdout, re.MULTILINE)
    assert "Answered sooner under the new plan: 0 incidents; later: 0" in result.stdout
    assert re.search(r"[\d,]+ events in [\d.]+ s, [\d,]+ events/s", result.stdout)
    picture = (tmp_path / "out" / "waits.svg").read_text()
    assert f"New plan: {incidents} incidents" in picture


def test_a_part_by_the_site_s_clocks(data: Path, tmp_path: Path) -> None:
    report = reported(
        PLAN_FILE, "--against", data, "--out", tmp_path, "--since", "2026-06-06T21:00", "--until", "2026-06-06T22:00"
    )
    assert all("2026-06-06T20:00" <= one["pressed"] < "2026-06-06T21:00" for one in report["runs"][0]["incidents"])
    assert report["runs"][0]["incidents"]


def test_a_storm_by_name_by_file_and_by_seed(tmp_path: Path) -> None:
    spec = tmp_path / "storm.toml"
    spec.write_text(STORM)
    one = reported(PLAN_FILE, "--storm", spec, "--out", tmp_path)
    same, other = (reported(PLAN_FILE, "--storm", spec, "--out", tmp_path, *more)["runs"] for more in ((), ("--seed", "9")))
    assert (one["runs"] == same, one["runs"] == other) == (True, False)
    assert [run["plan"] for run in reported(PLAN_FILE, "--storm", "quiet-week", "--out", tmp_path)["runs"]] == ["new"]
    both = reported(PLAN_FILE, "--storm", spec, "--plan-before", PLAN_FILE, "--out", tmp_path)
    assert [run["plan"] for run in both["runs"]] == ["old", "new"]
    assert both["differences"] == []


def test_what_cannot_be_rehearsed_is_misuse(data: Path, tmp_path: Path) -> None:
    """2, with words; nothing is written."""
    spec = tmp_path / "storm.toml"
    spec.write_text('[storm]\nstart = "soon"\nduration = "1h"\n')
    out = ("--out", tmp_path / "out")
    for words, told in (
        ((PLAN_FILE,), "name one of --against JOURNAL and --storm SPEC; storms that come with it: half-the-seats-dead"),
        ((PLAN_FILE, "--against", data, "--storm", "pranks"), "name one of"),
        ((PLAN_FILE, "--against", tmp_path / "no"), "there is no journal here"),
        ((PLAN_FILE, "--storm", "drizzle"), "no storm of this name"),
        ((PLAN_FILE, "--storm", spec), f"{spec}:2: 'start' of storm: 'soon' is no local time. Write day and time"),
        ((PLAN_FILE, "--against", data, "--since", "monday"), "--since monday: write a day"),
        ((PLAN_FILE, "--against", data, "--since", "2027-01-01"), "nobody pressed in this time"),
        ((tmp_path / "no.toml", "--storm", "pranks"), "No such file"),
    ):
        result = run(*words, *out)
        assert (result.exit_code, told in result.output) == (2, True), result.output
    assert not (tmp_path / "out").exists()


def test_a_plan_with_faults_is_told_with_its_lines(tmp_path: Path) -> None:
    """1, whichever of the two it is."""
    broken = tmp_path / "plan.toml"
    broken.write_text(PLAN_FILE.read_text().replace('queue = "town"', 'queue = "nowhere"', 1))
    for words in ((broken, "--storm", "pranks"), (PLAN_FILE, "--plan-before", broken, "--storm", "pranks")):
        result = run(*words, "--out", tmp_path)
        assert (result.exit_code, f"{broken}:" in result.output) == (1, True)


class Terminal(io.StringIO):
    """Looks like one."""

    def isatty(self) -> bool:
        """It does."""
        return True


def test_a_terminal_is_shown_a_bar_for_each_part_of_the_work_and_a_program_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, so that the table can be piped."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    for quiet, shown in ((True, False), (False, True)):
        with command._progress(quiet) as tell:
            for done in range(0, 1_001, 100):
                tell("reading", done, 1_000)
            tell("new", 500, 1_000)
        text = terminal.getvalue()
        assert ["reading" in text, "new" in text, "100 %" in text, " 50 %" in text] == [shown] * 4


# ---- the plot ------------------------------------------------------------------------------------------------


def test_the_plot_is_well_formed_and_says_what_it_shows(rows: Rows) -> None:
    """A picture with a title and a description, and one mark with words for each incident of each run."""
    done = again(recorded(rows), quicker())
    root = ElementTree.fromstring(svg(done))
    space = "{http://www.w3.org/2000/svg}"
    assert (root.tag, root.get("role"), root.get("aria-labelledby")) == (f"{space}svg", "img", "title desc")
    assert (root.findtext(f"{space}title") or "").startswith("again: how long callers waited")
    described = root.findtext(f"{space}desc") or ""
    assert all(name in described for name in ("As it was:", "Old plan:", "New plan:", "Europe/London"))
    for run_ in done.runs:
        (marks,) = [group for group in root.iter(f"{space}g") if group.get("id") == run_.name]
        assert len(marks) == len(run_.waits)
        assert all(mark.findtext(f"{space}title") for mark in marks)
    numbers = [float(one.get(name, "0")) for one in root.iter(f"{space}circle") for name in ("cx", "cy")]
    assert all(math.isfinite(number) and 0 <= number <= 1_000 for number in numbers)


def test_the_plot_of_names_that_are_markup_is_well_formed() -> None:
    """A storm may be called anything."""
    found = generate(parse(STORM.replace("Night", "<b>&'"), "night"), DARLINGTON)
    assert "<b>&'" in (ElementTree.fromstring(svg(rehearse(found, DARLINGTON))).findtext("{*}title") or "")
