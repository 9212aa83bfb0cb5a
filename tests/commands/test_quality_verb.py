"""`callserver quality`, as it is typed."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.core import facts as f
from callserver.core import quality as q
from callserver.core.ids import CallId
from callserver.store import sampling
from callserver.store.engine import read_only
from tests.store.months import OLIVE, PAUL, autumn, note, utc_ns

LATER = utc_ns("2026-12-05T09:00:00")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An autumn, of which October and November are drawn."""
    (tmp_path / "callserver.toml").write_text('[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n')
    monkeypatch.chdir(tmp_path)
    autumn(tmp_path / "data")
    for month, row, hash in sampling.due(read_only(tmp_path / "data"), "Europe/London", 12):
        note(tmp_path / "data", q.seed_id(month), f.SampleSeeded(month, "Europe/London", row, hash, 2), LATER)
    return tmp_path / "data"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["quality", *words])


def test_it_tells_the_seed_the_drawn_calls_and_what_was_found(data: Path) -> None:
    found = json.loads(run("2026-11", "--json").stdout)
    assert (found["month"], found["doubt"], len(found["seed"])) == ("2026-11", "", 64)
    olive = next(one for one in found["operators"] if one["operator"] == OLIVE)
    assert (olive["answered"], len(olive["drawn"]), olive["scored"]) == (10, 2, 0)
    call = olive["drawn"][0]
    note(data, q.sheet_id(call, "1"), f.CallScored(CallId(call), "2026-11", "sue", {"calm": 1}, {"calm": 2}), LATER)
    said = run("2026-11").stdout
    assert found["seed"] in said and "50 % (of 1)" in said and f"{OLIVE}  {call}  scored" in said
    rows = list(csv.DictReader(io.StringIO(run("2026-11", "--csv").stdout)))
    assert {row["operator"]: row["scored"] for row in rows} == {OLIVE: "1", PAUL: "0"}


def test_a_month_that_goes_on_says_when_it_is_drawn(data: Path) -> None:
    done = run("2026-12")
    assert (done.exit_code, "are drawn when it is over, 2027-01-01T00:00:00" in done.stdout) == (0, True)


@pytest.mark.parametrize("month", ["2026-13", "november", "2026"])
def test_what_is_no_month_is_misuse(data: Path, month: str) -> None:
    assert run(month).exit_code == 2


def test_a_seed_that_is_not_the_journals_leaves_with_1(data: Path) -> None:
    note(data, q.seed_id("2026-09"), f.SampleSeeded("2026-09", "Europe/London", 3, "0" * 64, 2), LATER)
    done = run("2026-09")
    assert (done.exit_code, "not the hash of row 3" in done.output) == (1, True)
