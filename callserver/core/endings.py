"""What the end of a leg means, by its role, by the state it was in, and by its call's state."""

from callserver.core import call as calls
from callserver.core import conditions, control, conversation, kept, offers, one_way, outside, point_groups, sound, talk_limit
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.events import LegEnded
from callserver.core.ids import OperatorId
from callserver.core.lookup import incident_of, profile_of
from callserver.core.state import Call, Leg
from callserver.core.termination import Class, Termination
from dialplans.model import PointBye, When

_HUNG_UP = frozenset({Class.NORMAL, Class.CANCELLED})
_SEAT_LOST = frozenset({Class.UNREACHABLE, Class.LOST})


def silence_alarm(leg: str) -> str:
    """The key of the alarm that a leg is silent."""
    return f"silent:{leg}"


def ended(d: Decision, event: LegEnded) -> None:
    """A leg is over; exactly once for each."""
    leg = d.state.legs.get(event.leg)
    if leg is None:
        d.refuse(event.leg, "no such leg")
        return
    call, old = d.state.calls[leg.call], leg.state
    legs.move(d, leg, legs.ENDED, offers.words(event.termination), event.termination)
    d.clear_alarm(silence_alarm(leg.id), "the leg ended")
    kept.ended(d, leg)
    one_way.ended(d, leg)
    _ROLES[leg.role](d, call, leg, old, event.termination)
    sound.reshape(d, call)


def _point(d: Decision, call: Call, leg: Leg, old: str, end: Termination) -> None:
    if old == legs.ENDING and talk_limit.is_renewed(call):
        conversation.dial_point(d, call)
    if old == legs.ENDING or calls.point_leg(call) is not None:
        return
    if call.state == calls.CALLING_BACK and offers.lost_by_us(end):
        conversation.dial_point(d, call)
    elif call.state == calls.CALLING_BACK:
        conversation.call_back_failed(d, call, offers.words(end))
    elif call.state == calls.TALKING:
        profile = profile_of(d.state, incident_of(d.state, call))
        ends = profile.point_bye is PointBye.END and not any(calls.live(call, legs.BROUGHT))
        if end.kind is Class.NORMAL and ends and not talk_limit.is_cut(leg, d.now):
            conversation.over(d, call, "the point hung up", keep_operator=True)
        else:
            conversation.call_back(d, call, f"the point is gone: {offers.words(end)}")
    elif call.state == calls.WAITING and incident_of(d.state, call).called_by:
        conversation.over(d, call, "the point was called, and hung up", keep_operator=False)


def _operator(d: Decision, call: Call, leg: Leg, old: str, end: Termination) -> None:
    operator = d.state.operators[OperatorId(leg.party)]
    if old in legs.UNANSWERED_OUTBOUND:
        offers.refused(d, call, operator, end)
        if end.kind in _SEAT_LOST and not offers.lost_by_us(end):
            _seat_dead(d, call, f"{operator.id} rang: {offers.words(end)}")
    elif old == legs.ENDING:
        conversation.free_without_leg(d, operator, call, "the leg ended")
    elif call.state == calls.WRAP_UP:
        conversation.end_wrap_up(d, incident_of(d.state, call), "hung up without an outcome")
    elif call.state in calls.ATTENDED and control.gone(d, call, leg, f"{operator.id} is gone: {offers.words(end)}"):
        if end.kind not in _HUNG_UP and not offers.lost_by_us(end):
            operators.rest_firmly(d, operator)
    elif call.state in calls.ATTENDED and end.kind in _HUNG_UP:
        conversation.over(d, call, f"{operator.id} hung up", keep_operator=False)
    elif call.state in calls.ATTENDED:
        conversation.left_alone(d, call, f"the line to {operator.id} was lost: {offers.words(end)}")
        if operator.state == operators.TALKING:
            operators.release(d, operator, "the line was lost")
        if not offers.lost_by_us(end):
            operators.rest_firmly(d, operator)
            _seat_dead(d, call, f"{operator.id} had the call: {offers.words(end)}")


def _seat_dead(d: Decision, call: Call, why: str) -> None:
    conditions.happened(d, incident_of(d.state, call), When.SEAT_DEAD, why)


def _outside(d: Decision, call: Call, leg: Leg, old: str, end: Termination) -> None:
    if old in legs.UNANSWERED_OUTBOUND or (old == legs.UP and not leg.accepted):
        outside.failed(d, call, leg, offers.words(end), same_route=offers.lost_by_us(end))
    elif old == legs.UP and call.state in calls.ATTENDED and not calls.up(call, legs.OPERATOR, legs.OUTSIDE):
        if end.kind in _HUNG_UP:
            conversation.over(d, call, f"{leg.party} hung up", keep_operator=False)
        else:
            conversation.wait_again(d, call, f"the line to {leg.party} was lost: {offers.words(end)}")


def _supervisor(d: Decision, call: Call, leg: Leg, old: str, end: Termination) -> None:
    """A colleague who was brought in is gone: the conversation goes on, and who waited meanwhile does not any more."""


def _brought(d: Decision, call: Call, leg: Leg, old: str, end: Termination) -> None:
    if old in legs.UNANSWERED_OUTBOUND:
        point_groups.given_up(d, call, leg, offers.words(end))


_ROLES = {
    legs.POINT: _point,
    legs.OPERATOR: _operator,
    legs.SUPERVISOR: _supervisor,
    legs.OUTSIDE: _outside,
    legs.BROUGHT: _brought,
}
