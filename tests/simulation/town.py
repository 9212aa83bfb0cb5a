"""The plans of the simulated places: a plain one, and a town that uses everything that a plan can say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from dialplans.model import (
    Answer,
    Button,
    Control,
    Group,
    Hours,
    Ladder,
    Notice,
    Nuisance,
    Operator,
    Party,
    Plan,
    Point,
    PointBye,
    PointGroup,
    Priority,
    Profile,
    Queue,
    Route,
    Span,
    Step,
    Strategy,
    Tier,
    Trunk,
)
from tests.core.plans import operators, plan

CODES = {
    "*1": "available",
    "*2": "pause",
    "*9": "police:police",
    "*4": "hold",
    "*6": "park",
    "*7": "pick-up",
    "*8": "renew",
}
WEEK = (0, 1, 2, 3, 4, 5, 6)
HOURS = {
    "day": Hours("day", (Span(WEEK, 7 * 60, 22 * 60),)),
    "night": Hours("night", (Span(WEEK, 22 * 60, 7 * 60),)),
    "office": Hours("office", (Span((0, 1, 2, 3, 4), 9 * 60, 17 * 60, "closed"), Span(WEEK, 10 * 60, 12 * 60, "only"))),
}
LADDERS = {
    "day": Ladder(
        "day",
        (
            Step(10_000, ring_group="backup", ring_ms=8_000),
            Step(15_000, say="patience", notify=("hook",)),
            Step(25_000, call_party="civic", tries=2, hours="office", when=("all-busy",)),
            Step(40_000, call_party="police", when=("nobody-on-duty", "asked", "seat-dead", "digits:55", "queue-over-size")),
        ),
        retry_ms=5_000,
    ),
    "night": Ladder(
        "night",
        (Step(0, ring_group="backup"), Step(20_000, call_party="police", when=("nobody-on-duty", "caller-silent", "degraded"))),
        retry_ms=3_000,
    ),
    "over": Ladder("over", (Step(8_000, notify=("mail",)), Step(20_000, hand_to="town", when=("nobody-on-duty", "all-busy")))),
    "slow": Ladder("slow", (Step(60_000, call_party="county", when=("nobody-on-duty",)),)),
}
PARTIES = {
    "police": Party(
        "police", "Police", (Route("sip:p@a", "trunk-a", 20_000), Route("sip:p@b", "trunk-b", 20_000)), fallback="county"
    ),
    "county": Party("county", "County", (Route("sip:c@b", "trunk-b", 15_000),), accept="1"),
    "civic": Party("civic", "Civic", (Route("sip:v@a", "trunk-a", 10_000),), hours="office", fallback="county"),
}
QUEUES = {
    "town": Queue(
        *("town", ("main",), "day"),
        tiers=(Tier(6_000, ("late",)), Tier(30_000, ("backup",))),
        ladders=(("night", "night"),),
        auto_pause_after=3,
        most_waiting=3,
        longest_wait_ms=120_000,
        preempt_after_ms=4_000,
        raise_after_presses=3,
        raise_when_silent=True,
        park_recall_ms=40_000,
    ),
    "rail": Queue("rail", ("north",), "over", strategy=Strategy.ROUND_ROBIN, ring_timeout_ms=6_000, wrap_up_ms=20_000),
    "calm": Queue(
        *("calm", ("main", "north"), "slow"), strategy=Strategy.FEWEST_CALLS, auto_pause_after=2, rest_after_no_answer_ms=0
    ),
    "auto": Queue("auto", ("main",), "slow", wrap_up_ms=0, closed_by="plan", plan_outcome="done", strategy=Strategy.LONGEST_IDLE),
}
BEACON = {"beacon": Control("beacon", "Beacon on", "*71")}
POINT_GROUPS = {
    "square": PointGroup("square", "Square", ("t1", "t2", "t3")),
    "rail": PointGroup("rail", "Rail", ("t4", "t1")),
}
STAFF = {
    "ann": Operator("ann", "Ann", ("main",), skills=("cy",)),
    "bob": Operator("bob", "Bob", ("late",)),
    "cat": Operator("cat", "Cat", ("main", "north")),
    "dan": Operator("dan", "Dan", ("backup",), available_when_registered=False),
    "eve": Operator("eve", "Eve", ("north",), skills=("cy",)),
}


def town() -> Plan:
    """Classes, tiers, skills, hours, hand-over, parking, notices, nuisance, buttons, fallbacks."""
    points = {
        "t1": Point("t1", "Market", "town", "human"),
        "t2": Point("t2", "Library", "town", "ends", Priority.NORMAL, nuisance="pranks"),
        "t3": Point("t3", "Chapel", "town", "human", Priority.HIGH, skills=("cy",)),
        "t4": Point("t4", "Platform", "rail", "at-once", Priority.HIGH),
        "t5": Point("t5", "Museum", "calm", "ends", Priority.INFORMATION),
        "t6": Point("t6", "Gate", "auto", "after", Priority.NORMAL),
        "t7": Point("t7", "Bridge", "town", "human", Priority.NORMAL, buttons=_buttons(), nuisance="pranks"),
    }
    return Plan(
        name="town",
        time_zone="Europe/London",
        points=points,
        profiles={
            "human": Profile("human", talk_limit_ms=100_000, acknowledge="*", on_end="#", controls=BEACON),
            "ends": Profile("ends", point_bye=PointBye.END, dtmf="info", acknowledge="*", controls=BEACON),
            "at-once": Profile("at-once", answer=Answer.AT_ONCE, point_bye=PointBye.END),
            "after": Profile("after", answer=Answer.AFTER, answer_after_ms=5_000),
        },
        operators=STAFF,
        groups=("main", "late", "backup", "north"),
        queues=QUEUES,
        ladders=LADDERS,
        parties=PARTIES,
        trunks={"trunk-a": Trunk("trunk-a", "a"), "trunk-b": Trunk("trunk-b", "b")},
        outcomes={"helped": "helped", "false": "false alarm", "done": "done"},
        outcome_digits={"1": "helped", "2": "false"},
        codes=CODES,
        point_groups=POINT_GROUPS,
        ageing_ms=120_000,
        holidays=("2026-12-25", "2026-12-28"),
        hours=HOURS,
        about_groups={"late": Group("late", hours="day"), "north": Group("north", hours="day")},
        nuisance={"pranks": Nuisance("pranks", ("false",), 2, 7_200_000, Priority.INFORMATION)},
        notices={"hook": Notice("hook", url="https://example.org/h"), "mail": Notice("mail", to="duty@example.org")},
        texts={"patience": {"en": "Somebody is on the way to the telephone."}},
    )


def _buttons() -> tuple[Button, ...]:
    return (
        Button("info", Priority.INFORMATION, user="info", queue="calm"),
        Button("red", Priority.EMERGENCY, user="red"),
        Button("five", Priority.EMERGENCY, digit="5"),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A plan, and how it may change while people use it."""

    plan: Plan
    staff: Mapping[str, Operator]
    buttons: tuple[str, ...] = ("",)

    def another(self, chance: Random) -> Plan:
        """The plan with some other set of operators."""
        names = [name for name in self.staff if chance.random() < 0.7]
        kept = {name: self.staff[name] for name in names}
        ageing_ms = chance.choice((0, 60_000, 120_000))
        return replace(self.plan, operators=kept or dict(self.staff), ageing_ms=ageing_ms)


def place(number: int) -> Place:
    """Three of four are the town."""
    if number % 4 == 0:
        staff = operators("ann", "bob", "cat", "eve") | operators("dan", group="backup")
        return Place(plan(), staff)
    return Place(town(), STAFF, buttons=("", "info", "red"))
