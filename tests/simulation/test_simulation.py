"""Days of calls from printed seeds, with faults between any two steps; see `world`, `invariants` and `promises`.

A day's worth of calls: ten presses. New York's underground counts 765 presses a day at 3,016 points, so a place of forty
points has ten.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date

import pytest

from callserver.core import facts as f
from tests.simulation.world import World, run

PRESSES_A_DAY = 10
LONG_SEEDS = range(1_000, 1_200)
PRESSES_EACH = 500


def rotating(count: int) -> list[int]:
    """Other seeds of the long matrix every day, so that in some weeks `make test` has seen them all."""
    first = date.today().toordinal() * count % len(LONG_SEEDS)
    return [LONG_SEEDS[(first + number) % len(LONG_SEEDS)] for number in range(count)]


@pytest.mark.parametrize("seed", [*range(2), *rotating(3)])
def test_no_incident_is_lost_and_nobody_waits_in_silence(seed: int) -> None:
    world = run(seed, hours=15)
    assert world.steps > 1_000
    assert len(world.invariants.opened) > 100
    assert world.crashes > 3


@pytest.mark.parametrize("seed", [1, *rotating(2)])
def test_nothing_held_or_open_is_deleted_whoever_dies_when(seed: int) -> None:
    """The switchboard dies behind every tenth of these facts: also between a hold and a deletion of one instant."""
    world = World(seed, deaths=0.1)
    world.run(hours=10)
    assert len(world.archive.told) > 50 and world.archive.holds
    assert all(world.archive.met[what] for what in ("held", "open", "held too late", "died", "away", "taken", "not there"))


def presses_of(seed: int) -> int:
    """How many presses a world of this seed has seen, all judges agreeing."""
    return run(seed, hours=0, presses=PRESSES_EACH).people.presses


@pytest.mark.parametrize("seed", [1_193])  # a party that had the call in vain, and another's offer that rang out, in one moment
def test_a_world_that_was_wrong_once_is_right(seed: int) -> None:
    presses_of(seed)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_ten_thousand_days() -> None:
    """A hundred thousand presses, on all cores."""
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        presses = sum(processes.map(presses_of, LONG_SEEDS))
    assert presses >= 10_000 * PRESSES_A_DAY


def test_the_town_meets_all_that_a_plan_can_say() -> None:
    """Else the promises would be kept because nobody asked for them."""
    met: set[str] = set()
    for seed in (1, 2, 3):
        world = run(seed, hours=15)
        met |= {type(fact).__name__ for fact, _ in world.journal}
        met |= {word for fact, _ in world.journal for word in _words_of(fact)}
    assert EVERYTHING - met == set()


EVERYTHING = {
    *("IncidentHandedOver", "IncidentParked", "IncidentReclassified", "ConditionMet", "HoursTurned", "ClockAnchored"),
    *("NoticeSettled", "RouteAwaited", "CallHeld", "WorkerReplaced", "ServerStarted", "CallBackAwaited", "OfferWidened"),
    *("LegMuted", "ModeSet", "CallTaken", "CallParked", "IncidentDirected", "DirectionEnded", "IncidentChosen", "TalkLimitNear"),
    *("OneWayFound", "OneWayEnded"),
    *("DigitsSent", "DigitsSettled", "GroupCalled", "PointGivenUp"),
    *("IncidentListed", "IncidentUnlisted", "OwnerNamed", "OwnerAcknowledged", "CallBackBegun"),
    *("HoldPlaced", "HoldLifted", "RecordingDeleted", "TextsErased"),
    *("AcceptanceAwaited", "LegAccepted", "came back", "taken over", "called out", "not reached", "renewed"),
    *("passed over", "paused by the core", "wrap-up cut", "button", "another ladder", "instead of", "lowered for mischief"),
}


def _words_of(fact: f.Fact) -> Iterator[str]:
    """What happened, where its kind alone does not tell."""
    reason = str(getattr(fact, "reason", ""))
    if isinstance(fact, f.LadderStepTaken) and fact.passed:
        yield "passed over"
    if isinstance(fact, f.OperatorMoved) and fact.new == "paused" and "in a row" in reason:
        yield "paused by the core"
    if isinstance(fact, f.IncidentMoved) and "cut short" in reason:
        yield "wrap-up cut"
    if isinstance(fact, f.RouteTried) and fact.asked:
        yield "instead of"
    if isinstance(fact, f.CallTaken):
        yield "came back" if "came to" in reason else "taken over"
    if isinstance(fact, f.IncidentMoved) and "called in vain" in reason:
        yield "not reached"
    if isinstance(fact, f.CallMoved) and "renewed" in reason:
        yield "renewed"
    if isinstance(fact, f.IncidentOpened):
        yield from ("called out",) if fact.called_by else ()
        yield from (word for word, so in (("button", fact.button), ("another ladder", fact.ladder)) if so)
        if "lately" in fact.why:
            yield "lowered for mischief"
