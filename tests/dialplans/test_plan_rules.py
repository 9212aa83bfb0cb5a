"""Hours, buttons, tiers, hand-over, fallbacks, texts: what they mean, and what is said of those that cannot be meant."""

import pytest

from dialplans import model
from dialplans.model import Priority, When
from dialplans.parse import parse
from tests.dialplans.whole import RICH, changed, faults_of, line_of

PLAN = parse(RICH, "plan.toml")


def test_what_is_said_of_the_whole_plan_reaches_the_model() -> None:
    assert (PLAN.ageing_ms, PLAN.holidays) == (300_000, ("2026-12-25", "2027-01-01"))
    assert (PLAN.pauses, PLAN.codes) == ({"break": "Break"}, {"*8": "ladder"})
    assert PLAN.texts["wait"] == {"en": "Please wait", "cy": "Arhoswch"}


def test_hours_are_spans_of_minutes() -> None:
    by_day = model.Span((0, 1, 2, 3, 4), 480, 1080, "closed")
    assert PLAN.hours == {"office": model.Hours("office", (by_day, model.Span((0, 1, 2, 3, 4, 5, 6), 1350, 360, "only")))}


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ('["sat", "sun"]', (5, 6)),
        ('["fri-mon"]', (0, 4, 5, 6)),
        ('["mon-sun"]', (0, 1, 2, 3, 4, 5, 6)),
        ('["wed", "mon-tue"]', (0, 1, 2)),
        ('["tue-tue"]', (1,)),
    ],
)
def test_days_are_one_by_one_or_from_one_to_another(written: str, days: tuple[int, ...]) -> None:
    plan = parse(changed('["mon-fri"]', written), "plan.toml")
    assert days == plan.hours["office"].spans[0].days


def test_a_point_has_buttons_cameras_skills_and_a_policy() -> None:
    pier = PLAN.points["pier"]
    assert pier.buttons == (
        model.Button("question", Priority.INFORMATION, user="question", queue="office"),
        model.Button("lift", Priority.HIGH, header="X-Button: lift"),
        model.Button("alarm", Priority.EMERGENCY, digit="9"),
    )
    assert (pier.cameras, pier.skills, pier.nuisance) == (("pier",), ("welsh",), "pranks")
    assert {"quay1", "quay2"} == {point.id for point in PLAN.points.values() if point.buttons[0].priority == Priority.NORMAL}
    assert PLAN.operators["mary"].skills == ("welsh",)
    assert PLAN.about_groups == {"evening": model.Group("evening", "Evening shift", "office")}
    assert PLAN.cameras == {"pier": model.Camera("pier", "Pier head", "https://cameras.example/pier?zoom=2")}
    assert PLAN.nuisance == {"pranks": model.Nuisance("pranks", ("misuse",), 3, 7 * 86_400_000, Priority.NORMAL)}
    assert (PLAN.profiles["wall"].queue_limit_ms, PLAN.profiles["wall"].auto_answer) == (20_000, "call-info")


def test_a_queue_has_tiers_ladders_by_hours_and_limits() -> None:
    assert PLAN.queues["harbour"] == model.Queue(
        "harbour",
        ("desk",),
        "harbour",
        strategy=model.Strategy.FEWEST_CALLS,
        reassurance="text:wait",
        tiers=(model.Tier(10_000, ("evening",)),),
        ladders=(("office", "day"),),
        wrap_up_cut=False,
        auto_pause_after=3,
        most_waiting=4,
        longest_wait_ms=120_000,
        service_target_ms=20_000,
        preempt_after_ms=10_000,
        raise_after_presses=2,
        raise_when_silent=True,
    )
    assert PLAN.queues["office"] == model.Queue("office", ("evening",), "day")


def test_never_is_none_for_preemption_and_nought_for_ageing() -> None:
    plan = parse(changed('preempt_after = "10s"', 'preempt_after = "never"').replace('"5m"', '"never"'), "plan.toml")
    assert (plan.queues["harbour"].preempt_after_ms, plan.ageing_ms) == (None, 0)


def test_a_ladder_has_steps_of_every_kind() -> None:
    assert PLAN.ladders["harbour"].steps == (
        model.Step(30_000, ring_group="evening", ring_ms=20_000, when=(When.ALL_BUSY, "digits:55")),
        model.Step(40_000, call_party="coastguard", tries=2, hours="office"),
        model.Step(50_000, say="police", notify=("master", "system")),
        model.Step(60_000, call_party="police"),
    )
    assert PLAN.ladders["day"].steps == (model.Step(20_000, hand_to="harbour", when=(When.NOBODY,)),)
    assert PLAN.parties["coastguard"].fallback == "police"
    assert (PLAN.parties["coastguard"].hours, PLAN.parties["police"].reference) == ("office", "URN 4711")
    assert PLAN.notices == {
        "master": model.Notice("master", to="master@harbour.example"),
        "system": model.Notice("system", url="http://192.0.2.8:8080/hooks"),
    }


ONE = "Write one of ring = GROUP, call = PARTY and hand_to = QUEUE"
WRONG = {
    "ageing of nothing": ('ageing = "5m"', 'ageing = "0s"', 'ageing = "0s"', "out of its limits", 'or "never"'),
    "a holiday without quotes": ('"2026-12-25"', "2026-12-25", "holidays", "'2026-12-25' is no date in quotes", '"2026-12-25"'),
    "a day that no calendar has": ('"2026-12-25"', '"2026-02-30"', "holidays", "'2026-02-30' is no date", "the calendar has"),
    "a holiday twice": ('"2026-12-25"', '"2027-01-01"', "holidays", "a date twice", "once"),
    "a wrong day": ('"mon-fri"', '"mon-day"', "days = #2", "'mon-day' is no day", '"mon-fri"'),
    "a day twice": ('"mon-fri"', '"mon-fri", "wed"', "days = #2", "a day twice", "once"),
    "a word for days": ('["mon-fri"]', '"mon-fri"', "days = #2", "no list of days", '["mon-fri"]'),
    "a wrong time": ('"08:00"', '"8:00"', '"8:00"', "'8:00' is no time of the day", '"08:00"'),
    "a day that begins at its end": ('"08:00"', '"24:00"', '"24:00"', "no time of the day", '"08:00"'),
    "days of holidays alone": ('"closed"', '"only"', "days = #2", "names days of the week", "Drop 'days'"),
    "hours as one table": (
        "[[hours.office]]\nfrom",
        "[hours.night]\nfrom",
        "[hours.night]",
        "is no array of tables",
        "[[hours.night]]",
    ),
    "a camera's script": (
        '"https://cameras.example/pier?zoom=2"',
        '"javascript:alert(1)"',
        "url",
        "is no web address",
        "https://",
    ),
    "a camera that is not there": ('cameras = ["pier"]', 'cameras = ["quay"]', "cameras = ", "'quay' is not in cameras", "pier"),
    "a button without a sign": (
        'user = "question"\nqueue = "office"',
        "",
        "buttons.question]#1",
        "told by nothing",
        "exactly one",
    ),
    "a button with two signs": (
        'digit = "9"',
        'digit = "9"\nuser = "x"',
        "buttons.alarm]",
        "told by user and digit",
        "exactly one",
    ),
    "a digit with a queue": ('digit = "9"', 'digit = "9"\nqueue = "office"', 'queue = "office"#2', "is a digit", "Drop 'queue'"),
    "a button like another": (
        'header = "X-Button:lift"',
        'user = "question"',
        'user = "question"#2',
        "this user already",
        "its own",
    ),
    "a button's user that is a point": (
        "[points.pier]",
        "[points.question]",
        "[points.question]",
        "already in button",
        "rename it",
    ),
    "a button's queue that is not there": (
        'queue = "office"\n[points',
        'queue = "shop"\n[points',
        "shop",
        "'shop' is not in queues",
        "office",
    ),
    "a header without a value": ('"X-Button:lift"', '"X-Button"', "X-Button", "is no header", '"X-Button: information"'),
    "a policy that raises": (
        'within = "7d"\npriority = "normal"',
        'within = "7d"\npriority = "emergency"',
        "nuisance = ",
        "lowers none",
        "lower class",
    ),
    "a policy's outcome that is not there": (
        'outcomes = ["misuse"]',
        'outcomes = ["pranks"]',
        "outcomes = ",
        "is not in outcomes",
        "misuse",
    ),
    "a policy over months": ('"7d"', '"31d"', "within = ", "out of its limits", "from 1m to 30d"),
    "a group without operators": (
        "[groups.evening]",
        "[groups.night]",
        "[groups.night]",
        "no operator is in group 'night'",
        "desk, evening",
    ),
    "a tier at the beginning": ('s]]\nafter = "10s"', 's]]\nafter = "0s"', 'after = "0s"', "out of its limits", "from 1s"),
    "a tier without operators": (
        'groups = ["evening"]\n[[queues',
        'groups = ["night"]\n[[queues',
        "night",
        "no operator is in group",
        "evening",
    ),
    "tiers out of order": (
        "[[queues.harbour.ladders]]",
        '[[queues.harbour.tiers]]\nafter = "10s"\ngroups = ["desk"]\n[[queues.harbour.ladders]]',
        'after = "10s"#3',
        "a tier does not come after",
        "time order",
    ),
    "a ladder by hours that is not there": (
        'hours = "office"\nladder = "day"',
        'hours = "office"\nladder = "x"',
        'ladder = "x"',
        "not in ladders",
        "day",
    ),
    "hours with two ladders": (
        'hours = "office"\nladder = "day"',
        'hours = "office"\nladder = "day"\n[[queues.harbour.ladders]]\nhours = "office"\nladder = "harbour"',
        'hours = "office"#3',
        "has a ladder already",
        "take this one out",
    ),
    "an alarm before the target": (
        'longest_wait = "2m"',
        'longest_wait = "10s"',
        'longest_wait = "10s"',
        "within its service target",
        "longer",
    ),
    "a raise by the first press": (
        "raise_after_presses = 2",
        "raise_after_presses = 1",
        "raise_after_presses",
        "neither 0 nor",
        "0 for none",
    ),
    "a preemption in words": ('preempt_after = "10s"', 'preempt_after = "always"', "preempt_after", "no duration", 'or "never"'),
    "a reassurance that is no text": ('"wait"\n', '"wait-here"\n', "reassurance", "neither in texts nor", "id of a text"),
    "a condition that is none": ('"all-busy"', '"busy"', "or_at_once_when#1", "'busy' is no condition", '"all-busy"'),
    "a condition of letters": ('"digits:55"', '"digits:5x"', "or_at_once_when#1", "is no condition", '"digits:55"'),
    "a condition twice": ('"digits:55"', '"all-busy"', "or_at_once_when#1", "names something twice", "once"),
    "a step that does two things": (
        'ring = "evening"',
        'ring = "evening"\nhand_to = "office"',
        "[[ladders.harbour.steps]]#1",
        "this does more",
        ONE,
    ),
    "a step that does nothing": (
        'say = "police"\nnotify = ["master", "system"]\n',
        "",
        "[[ladders.harbour.steps]]#3",
        "does nothing",
        ONE,
    ),
    "a ring time of nobody": (
        'say = "police"',
        'ring_for = "5s"\nsay = "police"',
        'ring_for = "5s"',
        "rings nobody",
        "Drop 'ring_for'",
    ),
    "tries of nobody": ('ring = "evening"', 'ring = "evening"\ntries = 3', "tries = 3", "calls no party", "Drop 'tries'"),
    "tries of the last step": ('call = "police"', 'call = "police"\ntries = 3', "tries = 3", "goes on for ever", "Drop 'tries'"),
    "a text that is not there": ('say = "police"', 'say = "polite"', "polite", "'polite' is not in texts", "police"),
    "a notice that is not there": ('"master", "system"', '"mistress"', "mistress", "'mistress' is not in notices", "master"),
    "a hand-over to nowhere": ('hand_to = "harbour"', 'hand_to = "haven"', "haven", "'haven' is not in queues", "harbour"),
    "a step's hours that are not there": (
        'tries = 2\nhours = "office"',
        'tries = 2\nhours = "noon"',
        "noon",
        "'noon' is not in hours",
        "office",
    ),
    "a fallback that is not there": ('fallback = "police"', 'fallback = "army"', "army", "'army' is not in parties", "police"),
    "a fallback to itself": (
        'fallback = "police"',
        'fallback = "coastguard"',
        "fallback",
        "come back to themselves",
        "without a fallback",
    ),
    "a notice that goes two ways": (
        "[notices.system]\n",
        '[notices.system]\nmail = "a@b.example"\n',
        "[notices.system]",
        "two ways",
        "either webhook or mail",
    ),
    "a notice that goes nowhere": (
        'mail = "master@harbour.example"',
        "",
        "[notices.master]",
        "goes nowhere",
        "either webhook or mail",
    ),
    "a wrong mail address": ('"master@harbour.example"', '"master"', "mail = ", "is no mail address", "security@site.example"),
    "a text without English": ('en = "Please wait"\n', "", "[texts.wait]", "has no English", 'en = "..."'),
    "a text in a language that nobody speaks": ('cy = "Arhoswch"', 'gd = "Fuirich"', "gd = ", "no point speaks 'gd'", "cy, en"),
    "a text of a phrase's name": ("[texts.wait]", "[texts.hold]", "[texts.hold]", "comes with the service", "another id"),
    "a text on two lines": ('"Please wait"', '"Please\\nwait"', "Please", "is no text", "one line"),
    "a pause without words": ('break = "Break"', 'break = ""', "break = ", "is no text", "in quotes"),
    "a code that says an outcome": ('"*8"', '"*51"', '"*51"', "says an outcome", "does not begin with *5"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_names_its_line_and_what_to_write_instead(case: str) -> None:
    old, new, stands_at, what, instead = WRONG[case]
    text = changed(old, new)
    found = faults_of(text)
    fitting = [fault for fault in found if what in fault.what and instead in fault.instead]
    assert fitting, found
    assert (fitting[0].file, fitting[0].line) == ("plan.toml", line_of(text, stands_at))


def test_a_skill_that_nobody_has_is_a_fault_of_the_point() -> None:
    text = changed('groups = ["desk", "evening"]\nskills = ["welsh"]', 'groups = ["desk", "evening"]')
    (fault,) = faults_of(text)
    assert (fault.what, fault.line) == ("no operator has the skill 'welsh'", line_of(text, "skills"))


def test_a_ladder_waits_for_a_size_only_where_a_queue_has_one() -> None:
    sized = RICH.replace('"all-busy", ', '"queue-over-size", ')
    assert parse(sized, "plan.toml").ladders["harbour"].steps[0].when == (When.OVER_SIZE, "digits:55")
    unsized = sized.replace("most_waiting = 4\n", "")
    assert [fault.what for fault in faults_of(unsized)] == ["harbour can never be over size"]


def test_fallbacks_that_lead_round_are_told_with_their_way() -> None:
    text = changed('reference = "URN 4711"', 'fallback = "coastguard"')
    told = [fault.what for fault in faults_of(text)]
    assert told == [
        "fallbacks come back to themselves: police to coastguard to police",
        "fallbacks come back to themselves: coastguard to police to coastguard",
    ]


def test_a_ladder_may_end_with_a_hand_over_but_not_with_a_ring() -> None:
    assert PLAN.ladders["day"].steps[-1].hand_to == "harbour"
    text = changed('hand_to = "harbour"', 'ring = "desk"')
    (fault,) = faults_of(text)
    assert "calls no outside party and hands to no queue" in fault.what
    assert fault.line == line_of(text, "[[ladders.day.steps]]")


KEYS = """
[profiles.mast]
acknowledge = "*"
on_end = "#"
dtmf = "info"
digit_length = "200ms"
digit_gap = "500ms"
[profiles.mast.controls.beacon]
name = "Beacon on"
digits = "*71"
"""
WATERFRONT = """
[point_groups.waterfront]
name = "Waterfront"
points = ["pier", "quay1", "quay2"]
"""


def test_a_profile_says_which_keys_its_devices_are_sent_and_how() -> None:
    mast = parse(RICH + KEYS, "plan.toml").profiles["mast"]
    assert (mast.acknowledge, mast.on_end, mast.dtmf, mast.digit_length_ms, mast.digit_gap_ms) == ("*", "#", "info", 200, 500)
    assert mast.controls == {"beacon": model.Control("beacon", "Beacon on", "*71")}
    wall = PLAN.profiles["wall"]
    assert (wall.acknowledge, wall.on_end, wall.dtmf, wall.digit_length_ms, wall.digit_gap_ms) == ("", "", "rfc4733", 120, 100)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"*71"', '"*7x"', "no row of keys"),
        ('"500ms"', '"3s"', "out of its limits"),
        ('"info"', '"inband"', "not known here"),
        ('name = "Beacon on"\n', "", "has no 'name'"),
    ],
)
def test_keys_that_cannot_be_sent_are_faults(old: str, new: str, what: str) -> None:
    assert any(what in fault.what for fault in faults_of(RICH + changed(old, new, KEYS)))


def test_points_of_a_group_are_called_in_its_order() -> None:
    group = parse(RICH + WATERFRONT, "plan.toml").point_groups["waterfront"]
    assert (group.name, group.points) == ("Waterfront", ("pier", "quay1", "quay2"))


@pytest.mark.parametrize(
    ("points", "what"),
    [
        ('["pier"]', "has one point"),
        ('["pier", "lido"]', "'lido' is not in points"),
        ('["pier", "quay1", "quay2", "quay3"]', "has 4 points, and a call four legs: the operator's and 3 more"),
    ],
)
def test_a_group_of_points_that_cannot_be_one_call_is_a_fault(points: str, what: str) -> None:
    text = changed("last = 2", "last = 3") + changed('["pier", "quay1", "quay2"]', points, WATERFRONT)
    assert [what in fault.what for fault in faults_of(text)] == [True]


def test_a_party_is_told_in_its_own_language() -> None:
    assert PLAN.parties["police"].language == "en"
    told = parse(changed('reference = "URN 4711"', 'reference = "URN 4711"\nlanguage = "cy"'), "plan.toml")
    assert told.parties["police"].language == "cy"
