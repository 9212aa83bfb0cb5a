"""The deciding core: `handle` takes an event and the time, and returns what is to be journalled and what is to be done.

It waits for nothing, sends nothing, reads no clock and draws no random number. This file only hands the event to the
rules of its kind and then lets the coupling rules settle:

    1. what is due by time happens (deadlines); a point is not called when who wanted that did not answer (calling_out)
    2. every waiting incident that was touched, or for which a condition changed, climbs its ladder as far as it must (ladder)
    3. waiting calls are offered to free seats (offers); for emergencies that have none, room is made (room), and 2 and 3 again
    4. alarms of queues are raised and cleared (crowding); what nobody has goes on the call-back list and gets an owner (owners);
       the other points of a group are called (point_groups); who was put through in vain does not hear so any more (sound);
       a device is told that a person is there (signals)
    5. ending calls without legs are closed (call)

The machines are leg, call, incident, operator and ladder; what couples them stands in press, answers, endings, offers,
conversation, outside, escalation, codes, duty, condition, control, giving, calling_out, point_groups, signals and talk_limit.
State changes through `Decision.record` only.
"""

from collections.abc import Callable, Mapping
from typing import Any

from callserver.core import (
    answers,
    calling_again,
    calling_out,
    codes,
    condition,
    conditions,
    control,
    crowding,
    deadlines,
    duty,
    endings,
    escalation,
    events,
    giving,
    ladder,
    notices,
    offers,
    one_way,
    owners,
    point_groups,
    pools,
    press,
    room,
    signals,
    sound,
    talk_limit,
)
from callserver.core import call as calls
from callserver.core.decision import Decision
from callserver.core.effects import Effect
from callserver.core.events import Event
from callserver.core.facts import Fact
from callserver.core.instant import Instant
from callserver.core.state import State


def handle(state: State, event: Event, now: Instant) -> tuple[list[Fact], list[Effect]]:
    """Decides on one event. `state` is moved on by the facts returned; the effects are to be performed after them."""
    pools.index_of(state).seen = now
    d = Decision(state, type(event).__name__, now)
    _RULES[type(event)](d, event)
    _settle(d)
    return d.facts, d.effects


def next_deadline(state: State) -> Instant | None:
    """When `Woken` is to be sent at the latest; None when nothing happens by time alone."""
    return deadlines.next_at(state)


def _settle(d: Decision) -> None:
    deadlines.run_due(d)
    calling_out.look(d)
    giving.look(d)  # before anybody else is offered whom this one may want
    _climb_and_deal(d)
    if room.make(d):
        _climb_and_deal(d)
    if giving.look(d):
        _climb_and_deal(d)
    crowding.look(d)
    owners.look(d)
    point_groups.look(d)
    sound.look(d)
    signals.look(d)
    for call in pools.touched_calls(d.state):
        calls.close_when_done(d, call)


def _climb_and_deal(d: Decision) -> None:
    said = -1
    while said != len(d.facts):
        said = len(d.facts)
        for incident in pools.to_climb(d.state, d.now, conditions.LIVE, lambda *asked: conditions.met(d, *asked)):
            ladder.climb(d, incident)
    offers.deal(d)


def _woken(d: Decision, event: events.Woken) -> None:
    """Nothing by itself: what is due happens after every event."""


_RULES: Mapping[type, Callable[[Decision, Any], None]] = {
    events.PlanLoaded: condition.plan_loaded,
    events.Pressed: press.pressed,
    events.CodeDialled: codes.dialled,
    events.LegRang: answers.rang,
    events.LegAnswered: answers.answered,
    events.LegEnded: endings.ended,
    events.LineSilent: condition.line_silent,
    events.LineSounding: condition.line_sounding,
    events.OneWay: one_way.noticed,
    events.OneWayOver: one_way.over,
    events.DeviceHeld: escalation.device_held,
    events.DigitPressed: codes.digit,
    events.WorkerLost: condition.worker_lost,
    events.SeatBound: duty.seat_bound,
    events.SeatUnbound: duty.seat_unbound,
    events.PointReached: condition.point_reached,
    events.PointLost: condition.point_lost,
    events.TrunkReached: condition.trunk_reached,
    events.TrunkLost: condition.trunk_lost,
    events.MakeAvailable: duty.make_available,
    events.Pause: duty.pause,
    events.GiveOutcome: escalation.give_outcome,
    events.HangUp: escalation.hang_up,
    events.Hold: escalation.hold,
    events.Escalate: escalation.escalate,
    events.Reclassify: escalation.reclassify,
    events.ClimbLadder: ladder.asked,
    events.LastResort: ladder.last_resort,
    events.NoticeDone: notices.done,
    events.ConditionRaised: condition.condition_raised,
    events.ConditionCleared: condition.condition_cleared,
    events.Noted: condition.noted,
    events.Woken: _woken,
    events.Mute: control.mute,
    events.Drop: control.drop,
    events.Bring: control.bring,
    events.SetMode: control.set_mode,
    events.TakeOver: control.take_over,
    events.Transfer: giving.transfer,
    events.ParkCall: giving.park,
    events.Take: giving.take,
    events.CallOut: calling_out.call_out,
    events.Renew: talk_limit.renew,
    events.CallGroup: point_groups.call_group,
    events.BringPoint: point_groups.bring_point,
    events.SendControl: signals.send_control,
    events.DigitsDone: signals.done,
    events.GiveOwner: owners.give,
    events.Acknowledge: owners.acknowledge,
    events.CallBack: calling_again.call_back,
}
