"""The plans that are shipped, the bench's plan, and the document that describes every key."""

import re
from pathlib import Path

import pytest

from dialplans import keys, model
from dialplans.faults import PlanError
from dialplans.load import load, shipped
from dialplans.parse import parse

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "dialplan.md").read_text("utf-8")


def test_the_darlington_plan_is_whole() -> None:
    plan = shipped("darlington")
    assert {"dl-blackwellgate", "dl-skinnergate", "dl-spare-1", "dl-spare-2"} < set(plan.points)
    assert {"operator1", "operator2", "operator3", "operator4", "supervisor"} == set(plan.operators)
    spare = [plan.profiles[plan.points[name].profile].point_bye for name in ("dl-spare-1", "dl-spare-2")]
    assert spare == [model.PointBye.END] * 2
    assert len(plan.parties["police"].routes) == 2
    last = plan.ladders[plan.queues["town"].ladder].steps[-1]
    assert (last.call_party, last.at_once_when_nobody, last.after_ms) == ("police", True, 60_000)
    assert set(plan.outcome_digits.values()) == set(plan.outcomes)


def test_the_bench_plan_takes_every_point_and_operator_of_the_bench() -> None:
    plan = load(ROOT / "tests" / "bench" / "plan.toml")
    assert [f"hp{number:05d}" for number in range(1, 301)] == list(plan.points)
    assert [f"agent{number:03d}" for number in range(260)] == list(plan.operators)
    assert {("127.0.0.1/32",)} == {point.trusted_sources for point in plan.points.values()}
    queue = plan.queues["desk"]
    assert (queue.closed_by, queue.plan_outcome, queue.wrap_up_ms, queue.ring_timeout_ms) == ("plan", "bench", 0, 20_000)
    assert plan.profiles["bench"].point_bye == model.PointBye.END


def test_a_file_that_is_not_utf8_is_a_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(b'[plan]\nname = "caf\xe9"\n')
    with pytest.raises(PlanError) as caught:
        load(path)
    assert [fault.line for fault in caught.value.faults] == [2]


def test_the_example_of_the_document_is_a_plan() -> None:
    example = re.search(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example is not None
    plan = parse(example[1], "docs/dialplan.md")
    assert len(plan.points) == 9


def test_the_document_describes_every_key_and_no_other() -> None:
    described = {}
    for section in re.split(r"(?m)^## ", DOCUMENT)[1:]:
        if heading := re.match(r"`([^`]+)`", section):
            described[heading[1]] = re.findall(r"(?m)^\| `([a-z_]+)` \|", section)
    assert {table: sorted(known) for table, known in keys.TABLES.items()} == {
        table: sorted(names) for table, names in described.items()
    }


def test_every_field_of_the_model_can_be_written() -> None:
    """A field that no key sets would be one that no plan can change."""
    made = {
        "profiles.ID": (model.Profile, {"id", "answer_after_ms"}),
        "points.ID": (model.Point, {"id"}),
        "operators.ID": (model.Operator, {"id"}),
        "queues.ID": (model.Queue, {"id"}),
        "ladders.ID": (model.Ladder, {"id"}),
        "ladders.ID.steps": (model.Step, set()),
        "parties.ID": (model.Party, {"id"}),
        "parties.ID.routes": (model.Route, set()),
        "trunks.ID": (model.Trunk, {"id"}),
    }
    for table, (kind, without) in made.items():
        assert set(kind.__dataclass_fields__) - without == {key.field or name for name, key in keys.TABLES[table].items()}, table
