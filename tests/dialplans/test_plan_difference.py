"""What is different between two plans, in the words of the language."""

from dataclasses import replace

import pytest

from dialplans.difference import differences
from dialplans.model import Button, Hours, Plan, Priority, Route, Span, Step, Tier, Trunk
from tests.core.plans import LADDER, POLICE, plan

BASE = plan()


def with_point(**changes: object) -> Plan:
    """The plan with another p1."""
    return replace(BASE, points={**BASE.points, "p1": replace(BASE.points["p1"], **changes)})  # type: ignore[arg-type]


def with_queue(**changes: object) -> Plan:
    """The plan with another queue `help`."""
    return replace(BASE, queues={**BASE.queues, "help": replace(BASE.queues["help"], **changes)})  # type: ignore[arg-type]


NIGHT = Hours("night", (Span((0, 4), 1320, 360),))
CASES = [
    (replace(BASE, name="b"), ["plan.name: test -> b"]),
    (replace(BASE, ageing_ms=0), ["plan.ageing: 10m -> never"]),
    (replace(BASE, help_users=("help", "sos")), ["plan.help: help -> help, sos"]),
    (with_point(place="Gate"), ["points.p1.place: North gate -> Gate"]),
    (with_point(priority=Priority.HIGH), ["points.p1.priority: emergency -> high"]),
    (with_point(latitude=54.5), ["points.p1.latitude: none -> 54.5"]),
    (
        with_point(buttons=(Button("info", Priority.INFORMATION, user="info"),)),
        ["points.p1.buttons.info: new: priority information, user info"],
    ),
    (with_queue(ring_timeout_ms=90_000), ["queues.help.ring_timeout: 15s -> 90s"]),
    (with_queue(preempt_after_ms=0), ["queues.help.preempt_after: never -> 0s"]),
    (with_queue(preempt_after_ms=5_000), ["queues.help.preempt_after: never -> 5s"]),
    (with_queue(wrap_up_cut=False), ["queues.help.wrap_up_cut: true -> false"]),
    (with_queue(tiers=(Tier(10_000, ("backup",)),)), ["queues.help.tiers.1: new: after 10s, groups backup"]),
    (
        replace(
            BASE, ladders={**BASE.ladders, "ladder": replace(LADDER, steps=(LADDER.steps[0], Step(25_000, call_party="civic")))}
        ),
        [
            "ladders.ladder.steps.2.after: 20s -> 25s",
            "ladders.ladder.steps.3: gone: after 30s, call police, at_once_when_nobody true",
        ],
    ),
    (
        replace(BASE, parties={**BASE.parties, "police": replace(POLICE, routes=(Route("sip:police@a", "trunk-a", 10_000),))}),
        ["parties.police.routes.1.ring: 20s -> 10s", "parties.police.routes.2: gone: uri sip:police@b, trunk trunk-b, ring 20s"],
    ),
    (replace(BASE, trunks={"trunk-a": BASE.trunks["trunk-a"]}), ["trunks.trunk-b: gone: host b"]),
    (
        replace(BASE, trunks={**BASE.trunks, "trunk-c": Trunk("trunk-c", "c", transport="tcp")}),
        ["trunks.trunk-c: new: host c, transport tcp"],
    ),
    (replace(BASE, hours={"night": NIGHT}), ["hours.night: new: spans days mon fri, from 22:00, until 06:00"]),
    (replace(BASE, texts={"wait": {"en": "Please wait"}}), ["texts.wait: new: en Please wait"]),
    (replace(BASE, outcomes={**BASE.outcomes, "done": "all done"}), ["outcomes.done: done -> all done"]),
]


@pytest.mark.parametrize(("other", "said"), CASES, ids=[" and ".join(said)[:40] for _, said in CASES])
def test_each_place_that_is_different_is_said_as_people_write_it(other: Plan, said: list[str]) -> None:
    assert said == [str(change) for change in differences(BASE, other)]


@pytest.mark.parametrize("other", [other for other, _ in CASES])
def test_the_way_back_says_the_same_places_the_other_way_round(other: Plan) -> None:
    there = {(change.where, change.old, change.new) for change in differences(BASE, other)}
    assert {(change.where, change.new, change.old) for change in differences(other, BASE)} == there


def test_plans_that_mean_the_same_differ_in_nothing() -> None:
    assert differences(BASE, plan()) == ()
