"""Lines whose sound goes one way only: said at once, mended where a device can be asked, never a reason to end anything."""

from dataclasses import replace

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.effects import RenewMedia
from callserver.core.ids import LegId, PartyId
from callserver.core.one_way import MOST
from tests.core.driver import Driver
from tests.core.plans import plan

WHY = "nobody listens at 192.0.2.1:4000"


def alarms(run: Driver) -> list[tuple[str, str]]:
    """What was raised in the last step."""
    return [(fact.key, fact.text) for fact in run.said(f.AlarmRaised)]


def test_a_caller_who_cannot_hear_is_said_at_once_and_the_device_is_asked_anew() -> None:
    run = Driver(None, "ann")
    incident = run.talk()
    leg = run.leg("p1")
    run.do(ev.OneWay(leg, "out", WHY))
    place = run.state.plans[1].points["p1"].place
    assert run.said(f.OneWayFound) == [f.OneWayFound(leg, "out", WHY, renewed=True)]
    assert alarms(run) == [(f"one-way-out:{leg}", f"the caller at {place} cannot hear us: {WHY}")]
    assert run.ordered(RenewMedia) == [RenewMedia(leg)]
    assert (incident.state, run.operator("ann")) == ("attended", "talking")
    run.do(ev.OneWayOver(leg, "out"))
    assert run.said(f.OneWayEnded) == [f.OneWayEnded(leg, "out")]
    assert [fact.key for fact in run.said(f.AlarmCleared)] == [f"one-way-out:{leg}"]
    run.do(ev.OneWayOver(leg, "out"))
    assert run.facts == []  # is so already


def test_what_lasts_is_tried_three_times_and_the_alarm_stays() -> None:
    run = Driver(None, "ann")
    run.talk()
    leg = run.leg("p1")
    asked = 0
    for told in range(1, 6):
        run.do(ev.OneWay(leg, "out", WHY))
        asked += len(run.ordered(RenewMedia))
        assert asked == min(told, MOST)
        assert len(run.said(f.OneWayFound)) == (1 if told <= MOST else 0)
        assert len(alarms(run)) == (1 if told == 1 else 0)
    assert run.state.alarms.keys() == {f"one-way-out:{leg}"}


def test_each_party_is_named_as_people_call_it() -> None:
    run = Driver(None, "ann")
    call = run.call(run.talk())
    run.do(ev.Escalate(call.id, PartyId("police"), "ann"))
    run.answer("police")
    run.do(*(ev.OneWay(run.leg(who), "out", WHY) for who in ("ann", "police")), ev.OneWay(run.leg("p1"), "in", "from B"))
    texts = [text for _, text in alarms(run)]
    place = run.state.plans[1].points["p1"].place
    assert texts == [
        f"ann cannot hear the call: {WHY}",
        f"police cannot hear the call: {WHY}",
        f"the caller at {place} is not heard: from B",
    ]


def test_a_caller_who_waits_is_said_to_be_deaf_and_asked_only_once_answered() -> None:
    """Before the 200 there is no dialog in which to ask."""
    run = Driver(None, "ann")
    run.press()
    leg = run.leg("p1")
    run.do(ev.OneWay(leg, "out", WHY))
    assert run.ordered(RenewMedia) == [] and len(alarms(run)) == 1
    run.answer("ann")
    run.do(ev.OneWay(leg, "out", WHY))
    assert run.ordered(RenewMedia) == [RenewMedia(leg)]


def test_both_sides_of_a_line_are_two_things() -> None:
    run = Driver(None, "ann")
    run.talk()
    leg = run.leg("p1")
    run.do(ev.OneWay(leg, "out", WHY), ev.OneWay(leg, "in", "from B"))
    run.do(ev.OneWayOver(leg, "out"))
    assert run.state.legs[leg].one_way == ("in",)
    assert run.state.alarms.keys() == {f"one-way-in:{leg}"}


def test_a_leg_that_ends_takes_its_alarms_with_it_and_what_comes_late_is_refused() -> None:
    run = Driver(None, "ann")
    run.talk()
    leg = run.leg("p1")
    run.do(ev.OneWay(leg, "out", WHY), ev.OneWay(leg, "in", "from B"))
    run.end("p1")
    assert not [key for key in run.state.alarms if key.startswith("one-way")]
    run.do(ev.OneWay(leg, "out", WHY), ev.OneWayOver(leg, "out"), ev.OneWay(run.leg("ann"), "sideways", WHY))
    assert [type(fact) for fact in run.facts] == [f.Refused] * 3
    assert run.state.legs.get(LegId(leg)) is None


def test_a_point_whose_reports_are_not_to_be_trusted_is_not_said_to_be_deaf_by_them() -> None:
    """The network's word counts; so do the reports of whoever is at another device."""
    loaded = plan()
    human = replace(loaded.profiles["human"], trust_reports=False)
    run = Driver(plan(profiles={**loaded.profiles, "human": human}), "ann")
    run.talk()
    leg = run.leg("p1")
    run.do(ev.OneWay(leg, "out", WHY, reported=True))
    assert (run.facts, run.effects) == ([], [])
    run.do(ev.OneWay(leg, "out", WHY), ev.OneWay(run.leg("ann"), "out", WHY, reported=True))
    assert len(run.said(f.OneWayFound)) == 2
