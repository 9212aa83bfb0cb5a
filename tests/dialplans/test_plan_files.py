"""The plans that are shipped, the bench's plan, and the document that describes every key."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from audio.prompts import phrases
from dialplans import keys, model
from dialplans.faults import PlanError
from dialplans.load import SHIPPED, load, loaded, shipped
from dialplans.parse import examine, parse
from dialplans.sections import CODES, PHRASES
from dialplans.sources import gather

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "dialplan.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
NOT_ASKED: Callable[[str], str] = {}.__getitem__
SECTIONS = {
    heading[1]: section
    for section in re.split(r"(?m)^## ", DOCUMENT)[1:]
    if (heading := re.match(r"`([^`]+)`", section)) is not None
}


def test_the_darlington_plan_is_whole() -> None:
    plan = shipped("darlington")
    assert {"dl-blackwellgate", "dl-skinnergate", "dl-spare-1", "dl-spare-2"} < set(plan.points)
    assert {"operator1", "operator2", "operator3", "operator4", "supervisor"} == set(plan.operators)
    spare = [plan.profiles[plan.points[name].profile].point_bye for name in ("dl-spare-1", "dl-spare-2")]
    assert spare == [model.PointBye.END] * 2
    assert len(plan.parties["police"].routes) == 2
    last = plan.ladders[plan.queues["town"].ladder].steps[-1]
    assert (last.call_party, last.conditions, last.after_ms) == ("police", (model.When.NOBODY,), 60_000)
    assert set(plan.outcome_digits.values()) == set(plan.outcomes)


def test_the_darlington_plan_has_hours_cameras_and_reasons_to_pause() -> None:
    plan = shipped("darlington")
    assert (plan.parties["civic"].hours, plan.parties["civic"].fallback) == ("civic", "police")
    assert plan.hours["civic"].spans == (model.Span(tuple(range(7)), 8 * 60, 22 * 60),)
    assert all(point.cameras for point in plan.points.values() if point.profile != "spare")
    assert not any(point.buttons for point in plan.points.values())
    assert {"break", "meal"} < set(plan.pauses)


def test_the_railway_plan_has_forty_points_with_two_buttons_and_two_rooms() -> None:
    plan = shipped("railway")
    assert len(plan.points) == 40
    classes = {(point.priority, *(button.priority for button in point.buttons)) for point in plan.points.values()}
    assert classes == {(model.Priority.EMERGENCY, model.Priority.INFORMATION)}
    assert {"west", "east"} == {point.queue for point in plan.points.values()}
    welsh = {point.id for point in plan.points.values() if "welsh" in point.skills}
    assert (len(welsh), {plan.points[name].language for name in welsh}) == (16, {"cy"})
    assert all(queue.preempt_after_ms == 5_000 for queue in plan.queues.values() if queue.id != "information")
    assert {point.nuisance for point in plan.points.values()} == {"pranks"}


def test_hand_overs_of_the_railway_plan_never_come_back() -> None:
    plan = shipped("railway")
    handed = {}
    for queue in plan.queues.values():
        ladders = {queue.ladder, *(ladder for _, ladder in queue.ladders)}
        handed[queue.id] = {step.hand_to for ladder in ladders for step in plan.ladders[ladder].steps if step.hand_to}
    assert handed["west"] == {"east-for-west"}
    assert handed["east"] == {"west-for-east"}
    assert all(not handed[end] for starts in handed.values() for end in starts)


def test_the_campus_plan_has_tiers_in_turn_and_a_mail() -> None:
    plan = shipped("campus")
    queue = plan.queues["campus"]
    assert queue.strategy == model.Strategy.ROUND_ROBIN
    assert [tier.groups for tier in queue.tiers] == [("patrol",), ("security-supervisors",)]
    assert plan.notices["head-of-security"].to == "head-of-security@campus.example"
    assert {"question"} == {button.user for point in plan.points.values() for button in point.buttons}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_plan_has_nothing_that_nobody_uses(name: str) -> None:
    assert [str(warning) for warning in loaded(ROOT / "dialplans" / f"{name}.toml").warnings] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_each_kind_of_table_of_a_shipped_plan_begins_with_words_to_read_aloud(name: str) -> None:
    """A comment beside its first header, or a heading right above it."""
    bare = []
    for _, text in loaded(ROOT / "dialplans" / f"{name}.toml").files:
        seen: set[str] = set()
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if header := re.match(r"\[+([a-z_]+)", line):
                above = next((each for each in reversed(lines[:number]) if each.strip()), "")
                if header[1] not in seen and "#" not in line and not above.startswith("#"):
                    bare.append(f"{name}: {line}")
                seen.add(header[1])
    assert bare == []


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


def test_the_first_example_of_the_document_is_a_plan() -> None:
    assert len(parse(EXAMPLES[0], "docs/dialplan.md").points) == 9


def test_the_examples_of_the_sections_make_one_plan_in_which_everything_is_used() -> None:
    plan, warnings = examine(gather("docs/dialplan.md", "\n".join(EXAMPLES[1:]), NOT_ASKED))
    assert (len(plan.points), len(plan.queues)) == (10, 3)
    assert [str(warning) for warning in warnings] == []


def test_the_document_describes_every_key_and_no_other() -> None:
    described = {table: re.findall(r"(?m)^\| `([a-z_]+)` \|", body) for table, body in SECTIONS.items()}
    assert {table: sorted(known) for table, known in keys.TABLES.items()} == {
        table: sorted(names) for table, names in described.items()
    }


@pytest.mark.parametrize("table", [table for table, known in keys.TABLES.items() if known])
def test_every_key_has_an_example_in_its_section(table: str) -> None:
    example = re.findall(r"```toml\n(.*?)```", SECTIONS[table], re.DOTALL)
    written = set(re.findall(r"(?m)(?:^|[{,] )([a-z_]+) = ", example[0]))
    headed = {part for header in re.findall(r"(?m)^\[+([^\]]+)\]", example[0]) for part in header.split(".")}
    assert set(keys.TABLES[table]) - written - headed == set()


def test_every_word_of_a_code_and_every_condition_is_described() -> None:
    words = re.findall(r"(?m)^\| `\"([a-zA-Z:-]+)\"` \|", SECTIONS["codes"])
    assert words == [*CODES, "police:PARTY", "transfer:WHOM", "ask:WHOM"]
    conditions = re.findall(r"(?m)^\| `\"([a-z:0-9-]+)\"` \|", SECTIONS["ladders.ID.steps"])
    assert conditions == [*(each.value for each in model.When), f"{model.DIGITS}55"]


def test_the_phrases_that_texts_may_not_be_called_are_those_that_are_shipped() -> None:
    assert {phrase.name for phrase in phrases()} <= set(PHRASES)


def test_every_field_of_the_model_can_be_written() -> None:
    """A field that no key sets would be one that no plan can change."""
    made = {
        "hours.ID": (model.Span, set()),
        "profiles.ID": (model.Profile, {"id", "answer_after_ms"}),
        "points.ID": (model.Point, {"id"}),
        "points.ID.buttons.ID": (model.Button, {"id"}),
        "operators.ID": (model.Operator, {"id"}),
        "groups.ID": (model.Group, {"id"}),
        "queues.ID": (model.Queue, {"id"}),
        "queues.ID.tiers": (model.Tier, set()),
        "ladders.ID": (model.Ladder, {"id"}),
        "ladders.ID.steps": (model.Step, {"at_once_when_nobody"}),  # of older journals
        "parties.ID": (model.Party, {"id"}),
        "parties.ID.routes": (model.Route, set()),
        "trunks.ID": (model.Trunk, {"id"}),
        "cameras.ID": (model.Camera, {"id"}),
        "nuisance.ID": (model.Nuisance, {"id"}),
        "notices.ID": (model.Notice, {"id"}),
    }
    for table, (kind, without) in made.items():
        assert set(kind.__dataclass_fields__) - without == {key.field or name for name, key in keys.TABLES[table].items()}, table


def test_every_field_of_a_plan_has_a_table() -> None:
    """Those of [plan], those with a table of their name, and those that follow from others."""
    own = {key.field or name for name, key in keys.PLAN.items()}
    tables = {table.split(".")[0] for table in keys.TABLES}
    named_otherwise = {"about_groups", "outcome_digits"}
    assert set(model.Plan.__dataclass_fields__) - own - tables == named_otherwise
