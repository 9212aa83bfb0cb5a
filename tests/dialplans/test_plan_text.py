"""What a plan's text means, and what is said of one that is wrong."""

import pytest

from dialplans.faults import PlanError
from dialplans.model import Answer, MediaSource, Operator, Plan, Point, PointBye, Priority, Profile, Route, Step, Strategy
from dialplans.parse import parse
from tests.dialplans.whole import faults_of, line_of

WHOLE = """\
[plan]
name = "Harbour"
time_zone = "Europe/London"
help = ["help", "sos"]

[profiles.wall]
answer = "after 5s"
point_bye = "end"
media_source = "learn-once"
ring_limit = "90s"
expects_register = false

[points.pier]
place = "Pier"
queue = "town"
profile = "wall"
priority = "high"
latitude = 54.5
longitude = -1
trusted_sources = ["10.20.0.0/16"]

[operators.mary]
name = "Mary"
groups = ["desk", "evening"]

[queues.town]
groups = ["desk"]
ladder = "town"
strategy = "longest-idle"
ring_timeout = "1m30s"
wrap_up = "0s"

[ladders.town]
retry = "7s"
[[ladders.town.steps]]
after = "30s"
ring = "evening"
[[ladders.town.steps]]
after = "2m"
call = "police"
or_at_once_when = "nobody-on-duty"

[parties.police]
name = "Police"
[[parties.police.routes]]
uri = "sip:police@192.0.2.7"
trunk = "carrier"
ring = "20s"
[[parties.police.routes]]
uri = "sip:101@192.0.2.8:5070"

[trunks.carrier]
host = "192.0.2.9"
transport = "tcp"
probe = "1m"

[outcomes]
safe = { name = "Caller safe", digit = "1" }
other = "Something else"

[codes]
"*1" = "available"
"*9" = "police:police"
"""


def changed(old: str, new: str) -> str:
    assert WHOLE.count(old) == 1, f"{old!r} must stand once in the text"
    return WHOLE.replace(old, new)


def test_every_written_value_reaches_the_model() -> None:
    plan = parse(WHOLE, "plan.toml")
    assert (
        Profile("wall", Answer.AFTER, 5000, PointBye.END, MediaSource.LEARN_ONCE, ring_limit_ms=90_000, expects_register=False)
        == (plan.profiles["wall"])
    )
    assert (
        Point(
            "pier", "Pier", "town", "wall", Priority.HIGH, "en", latitude=54.5, longitude=-1.0, trusted_sources=("10.20.0.0/16",)
        )
        == (plan.points["pier"])
    )
    assert Operator("mary", "Mary", ("desk", "evening")) == plan.operators["mary"]
    queue = plan.queues["town"]
    assert (
        queue.strategy,
        queue.ring_timeout_ms,
        queue.wrap_up_ms,
        queue.rest_after_no_answer_ms,
    ) == (Strategy.LONGEST_IDLE, 90_000, 0, 5_000)
    assert (Step(30_000, ring_group="evening"), Step(120_000, call_party="police", when=("nobody-on-duty",))) == (
        plan.ladders["town"].steps
    )
    assert plan.ladders["town"].retry_ms == 7_000
    assert (Route("sip:police@192.0.2.7", "carrier", 20_000), Route("sip:101@192.0.2.8:5070")) == plan.parties["police"].routes
    assert (
        plan.trunks["carrier"].transport,
        plan.trunks["carrier"].port,
        plan.trunks["carrier"].probe_ms,
    ) == ("tcp", 5060, 60_000)
    assert plan.outcomes == {"safe": "Caller safe", "other": "Something else"}
    assert plan.outcome_digits == {"1": "safe"}
    assert plan.codes == {"*1": "available", "*9": "police:police"}
    assert (plan.groups, plan.help_users, plan.time_zone) == (("desk", "evening"), ("help", "sos"), "Europe/London")


def test_a_key_that_is_not_written_has_the_models_default() -> None:
    plan = parse(changed('ring_limit = "90s"\n', ""), "plan.toml")
    assert Profile("any").ring_limit_ms == plan.profiles["wall"].ring_limit_ms


SERIES = """
[[point_series]]
id = "hp%05d"
first = 1
last = 3
place = "Place %d, 50% off"
queue = "town"
profile = "wall"
[[operator_series]]
id = "agent%03d"
first = 0
last = 1
name = "Number %d"
groups = ["desk"]
"""


def test_a_series_numbers_ids_and_places() -> None:
    plan = parse(WHOLE + SERIES, "plan.toml")
    assert list(plan.points) == ["pier", "hp00001", "hp00002", "hp00003"]
    assert plan.points["hp00003"].place == "Place 3, 50% off"
    assert list(plan.operators) == ["mary", "agent000", "agent001"]
    assert plan.operators["agent001"].name == "Number 1"


WRONG = {
    "an unknown key": ('point_bye = "end"', 'point_by = "end"', 'point_by = "end"', "unknown key 'point_by'", "point_bye"),
    "a key of the model's own name": (
        'ring_timeout = "1m30s"',
        "ring_timeout_ms = 90",
        "ring_timeout_ms = 90",
        "unknown key",
        "ring_timeout",
    ),
    "a certificate's authority without TLS": (
        'transport = "tcp"',
        'transport = "tcp"\nca = "/a.pem"',
        "ca = ",
        "without TLS",
        "tls",
    ),
    "an authority's file of no whole path": (
        'transport = "tcp"',
        'transport = "tls"\nca = "a.pem"',
        "ca = ",
        "path of a file",
        "whole",
    ),
    "a trunk that nobody registers with": (
        'transport = "tcp"',
        "register = true # as whom",
        "as whom",
        "nobody registers",
        "user",
    ),
    "an unknown table": ("[trunks.carrier]", "[trunk.carrier]", "[trunk.carrier]", "unknown table 'trunk'", "trunks"),
    "a duration without a unit": ('wrap_up = "0s"', "wrap_up = 0", "wrap_up = 0", "0 is no duration", '"15s"'),
    "a duration of a wrong unit": (
        'wrap_up = "0s"',
        'wrap_up = "3 days"',
        'wrap_up = "3 days"',
        "'3 days' is no duration",
        '"15s"',
    ),
    "an empty duration": ('wrap_up = "0s"', 'wrap_up = ""', 'wrap_up = ""', "no duration", '"15s"'),
    "a duration beyond a day": (
        'wrap_up = "0s"',
        'wrap_up = "999999999h"',
        'wrap_up = "999999999h"',
        "out of its limits",
        "from 0s to 24h",
    ),
    "a reassurance too rare": (
        'wrap_up = "0s"',
        'reassurance_every = "61s"',
        'reassurance_every = "61s"',
        "out of its limits",
        "from 1s to 1m",
    ),
    "a wrong word": (
        'strategy = "longest-idle"',
        'strategy = "random"',
        'strategy = "random"',
        "'random' is not known here",
        '"ring-all"',
    ),
    "a wrong answer": ('answer = "after 5s"', 'answer = "after 5"', 'answer = "after 5"', "'5' is no duration", '"15s"'),
    "a text for a truth": (
        "expects_register = false",
        'expects_register = "no"',
        'expects_register = "no"',
        "neither true nor false",
        "true or false",
    ),
    "a wrong time zone": ("Europe/London", "Europe/Darlington", "time_zone", "no known time zone", "Europe/London"),
    "a wrong network": ("10.20.0.0/16", "10.20.0.1/16", "trusted_sources", "is no network", "10.20.0.7/32"),
    "half a position": ("longitude = -1\n", "", "[points.pier]", "half a position", "both"),
    "a wrong URI": ('"sip:police@192.0.2.7"', '"police"', 'uri = "police"', "'police' is no SIP URI", "sip:"),
    "a missing key": ('name = "Mary"\n', "", "[operators.mary]", "has no 'name'", "Add the key 'name'"),
    "a queue that is not there": ('queue = "town"', 'queue = "city"', 'queue = "city"', "'city' is not in queues", "town"),
    "a profile that is not there": (
        'profile = "wall"',
        'profile = "floor"',
        'profile = "floor"',
        "'floor' is not in profiles",
        "wall",
    ),
    "a ladder that is not there": ('ladder = "town"', 'ladder = "city"', 'ladder = "city"', "'city' is not in ladders", "town"),
    "a party that is not there": ('call = "police"', 'call = "army"', "call =", "'army' is not in parties", "police"),
    "a trunk that is not there": (
        'trunk = "carrier"',
        'trunk = "other"',
        'trunk = "other"',
        "'other' is not in trunks",
        "carrier",
    ),
    "a group without operators": (
        'groups = ["desk"]',
        'groups = ["desks"]',
        'groups = ["desks"]',
        "no operator is in group 'desks'",
        "desk, evening",
    ),
    "a step's group without operators": (
        'ring = "evening"',
        'ring = "night"',
        'ring = "night"',
        "no operator is in group 'night'",
        "evening",
    ),
    "a last step that calls nobody": (
        'call = "police"',
        'ring = "desk"',
        "[[ladders.town.steps]]#2",
        "calls no outside party",
        "call = PARTY",
    ),
    "a step that does nothing": (
        'ring = "evening"\n',
        "",
        "[[ladders.town.steps]]#1",
        "one thing",
        "ring = GROUP, call = PARTY",
    ),
    "steps out of order": ('after = "2m"', 'after = "30s"', 'after = "30s"#2', "does not come after", "time order"),
    "a plan's outcome that is missing": (
        'wrap_up = "0s"',
        'closed_by = "plan"',
        "[queues.town]",
        "without an outcome",
        "plan_outcome",
    ),
    "a code's party that is not there": ('"police:police"', '"police:army"', '"*9"', "'army' is not in parties", "police"),
    "a code that gives to nobody": (
        '"police:police"',
        '"transfer:army"',
        '"*9"',
        "'army' is in none of operators, gro",
        "police",
    ),
    "a code that asks a party": ('"police:police"', '"ask:police"', '"*9"', "'police' is in none of operators, groups", "add it"),
    "a code without a meaning": ('"police:police"', '"lunch"', '"*9"', "means 'lunch'", '"available"'),
    "a code that cannot be dialled": ('"*9"', '"9"', '"9"', "'9' is no code", "*1"),
    "an id that is none": ("[points.pier]", '[points."a b"]', '[points."a b"]', "'a b' is no id", "letters, digits"),
    "an id used twice": ("[points.pier]", "[points.police]", "[parties.police]", "'police' is already in points", "rename it"),
    "an id that points call": ("[points.pier]", "[points.sos]", "[points.sos]", "'sos' is already in plan.help", "rename it"),
    "broken TOML": ('name = "Harbour"', "name = ", "name = ", "This is no TOML", "toml.io"),
    "a key twice": ('strategy = "longest-idle"', 'ladder = "town"', 'ladder = "town"#2', "This is no TOML", "only once"),
    "a table in a value's place": ('name = "Police"', 'name = { a = "b" }', 'name = { a = "b" }', "is no text", "in quotes"),
    "a digit twice": (
        'other = "Something else"',
        'other = { name = "Other", digit = "1" }',
        'other = { name = "Other", digit = "1" }',
        "digit 1 already",
        "of its own",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_names_its_line_and_what_to_write_instead(case: str) -> None:
    old, new, stands_at, what, instead = WRONG[case]
    text = changed(old, new)
    found = faults_of(text)
    fitting = [fault for fault in found if what in fault.what and instead in fault.instead]
    assert fitting, found
    assert (fitting[0].file, fitting[0].line) == ("plan.toml", line_of(text, stands_at))


def test_all_faults_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = changed('ring_limit = "90s"', "ring_limit = 90").replace('strategy = "longest-idle"', 'stratgy = "ring-all"')
    text = text.replace('call = "police"', 'call = "army"')
    expected = [line_of(text, marked) for marked in ("ring_limit", "stratgy", "army")]
    assert [fault.line for fault in faults_of(text)] == expected


def test_one_wrong_series_is_one_fault_not_three_hundred() -> None:
    text = SERIES.replace("last = 3", "last = 300").replace('queue = "town"', 'queue = "none"')
    assert len(faults_of(WHOLE + text)) == 1


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"hp%05d"', '"hp"', "holds no single %d"),
        ('"hp%05d"', '"%s%d"', "is no id"),
        ("last = 3", "last = 0", "is no series"),
        ("last = 3", "last = 999999", "is no series"),
        ('"agent%03d"', '"hp%05d"', "'hp00001' is already in points"),
    ],
)
def test_a_wrong_series_is_a_fault(old: str, new: str, what: str) -> None:
    assert any(what in fault.what for fault in faults_of(WHOLE + SERIES.replace(old, new)))


def test_a_series_that_meets_another_id_is_a_fault() -> None:
    text = WHOLE.replace("points.pier", "points.hp00002")
    assert [fault.what for fault in faults_of(text + SERIES)] == ["'hp00002' is there twice in points"]


@pytest.mark.parametrize("steps", ["", "steps = []\n"])
def test_an_empty_ladder_is_a_fault(steps: str) -> None:
    head, _, rest = WHOLE.partition("[[ladders.town.steps]]")
    text = head + steps + "\n[parties.police]" + rest.partition("[parties.police]")[2]
    assert any("is empty" in fault.what or "has no 'steps'" in fault.what for fault in faults_of(text))


@pytest.mark.parametrize("routes", ["", "routes = []\n"])
def test_a_party_without_routes_is_a_fault(routes: str) -> None:
    head, _, rest = WHOLE.partition("[[parties.police.routes]]")
    text = head + routes + "\n[trunks.carrier]" + rest.partition("[trunks.carrier]")[2]
    assert any("has no route" in fault.what or "has no 'routes'" in fault.what for fault in faults_of(text))


def test_an_empty_text_tells_what_a_plan_needs() -> None:
    what = [fault.what for fault in faults_of("")]
    assert [each.split("'")[1] for each in what] == ["plan", "points", "profiles", "queues", "ladders", "parties"]


@pytest.mark.parametrize("table", ["plan = 1", "points = 1", "profiles = [1]", "point_series = 1", "codes = 1", "outcomes = 3"])
def test_a_value_where_a_table_belongs_is_a_fault_not_a_crash(table: str) -> None:
    assert any("no table" in fault.what or "no array" in fault.what for fault in faults_of(table))


def test_the_error_reads_as_one_line_per_fault() -> None:
    with pytest.raises(PlanError, match=r"(?m)^harbour\.toml:31: 'wrap_up' of queues\.town: 5 is no duration\. Write a number"):
        parse(changed('wrap_up = "0s"', "wrap_up = 5"), "harbour.toml")


def test_parsing_is_repeatable() -> None:
    first: Plan = parse(WHOLE + SERIES, "plan.toml")
    assert first == parse(WHOLE + SERIES, "plan.toml")
