"""Plans for tests, built straight from the model."""

from collections.abc import Mapping
from dataclasses import replace

from dialplans.model import (
    Answer,
    Ladder,
    Operator,
    Party,
    Plan,
    Point,
    PointBye,
    Profile,
    Queue,
    Route,
    Step,
    Strategy,
    Trunk,
)

POLICE = Party("police", "Police", (Route("sip:police@a", "trunk-a", 20_000), Route("sip:police@b", "trunk-b", 20_000)))
CIVIC = Party("civic", "Civic enforcement", (Route("sip:civic@a", "trunk-a", 10_000),))

LADDER = Ladder(
    "ladder",
    (
        Step(10_000, ring_group="backup"),
        Step(20_000, call_party="civic"),
        Step(30_000, call_party="police", at_once_when_nobody=True),
    ),
    retry_ms=5_000,
)
SHORT_LADDER = Ladder("short", (Step(30_000, call_party="police", at_once_when_nobody=True),), retry_ms=4_000)


def operators(*ids: str, group: str = "main") -> dict[str, Operator]:
    """Operators of one group."""
    return {known: Operator(known, known.title(), (group,)) for known in ids}


def plan(**changes: object) -> Plan:
    """Two queues (ring-all `help`, longest-idle `idle`), three profiles, four operators, one of them in `backup` only."""
    profiles = {
        "human": Profile("human", point_bye=PointBye.CALL_BACK),
        "ends": Profile("ends", point_bye=PointBye.END),
        "at-once": Profile("at-once", answer=Answer.AT_ONCE, point_bye=PointBye.END),
        "after": Profile("after", answer=Answer.AFTER, answer_after_ms=5_000),
    }
    queues = {
        "help": Queue("help", ("main",), "ladder"),
        "idle": Queue("idle", ("main",), "short", strategy=Strategy.LONGEST_IDLE, ring_timeout_ms=10_000, wrap_up_ms=20_000),
        "auto": Queue("auto", ("main",), "short", wrap_up_ms=0, closed_by="plan", plan_outcome="done", whisper_place=False),
        "none": Queue("none", ("main",), "short", wrap_up_ms=0),
    }
    points = {
        "p1": Point("p1", "North gate", "help", "human"),
        "p2": Point("p2", "South gate", "help", "ends"),
        "p3": Point("p3", "Car park", "idle", "at-once"),
        "p4": Point("p4", "Bridge", "idle", "after"),
        "p5": Point("p5", "Bench", "auto", "ends"),
        "p6": Point("p6", "Station", "none", "ends"),
    }
    made = Plan(
        name="test",
        time_zone="Europe/London",
        points=points,
        profiles=profiles,
        operators=operators("ann", "bob", "cat") | operators("dan", group="backup"),
        groups=("main", "backup"),
        queues=queues,
        ladders={"ladder": LADDER, "short": SHORT_LADDER},
        parties={"police": POLICE, "civic": CIVIC},
        trunks={"trunk-a": Trunk("trunk-a", "a"), "trunk-b": Trunk("trunk-b", "b")},
        outcomes={"helped": "helped", "false": "false alarm", "done": "done"},
        outcome_digits={"1": "helped", "2": "false"},
        codes={"*1": "available", "*2": "pause", "*9": "police:police"},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_queue(made: Plan, name: str, **changes: object) -> Plan:
    """The plan with one queue changed."""
    queues: Mapping[str, Queue] = {**made.queues, name: replace(made.queues[name], **changes)}  # type: ignore[arg-type]
    return replace(made, queues=queues)
