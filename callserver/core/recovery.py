"""After a restart: what the folded state believes, compared with what is really alive.

There is no second set of rules. What died meanwhile becomes ordinary events (`reconcile`); what was decided and perhaps
never performed is ordered again (`orders_outstanding`), every order being safe to repeat. The shell folds the journal,
asks `reconcile` before anything else is decided (else it would take a leg just dialled for a lost one), handles and
performs those events one by one, then `Woken`, then tells plan and seats, then performs the orders outstanding.
"""

from collections.abc import Collection

from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core import notices
from callserver.core.effects import AnswerLeg, CloseCall, Effect, EndLeg, ShapeCall, StartMedia
from callserver.core.events import Event, LegEnded, WorkerLost
from callserver.core.ids import CallId, LegId
from callserver.core.lookup import incident_of, profile_of
from callserver.core.shape import Shape
from callserver.core.state import Call, State
from callserver.core.termination import By, Class, Termination

LOST_IN_RESTART = Termination(Class.LOST, By.US, "lost in a restart")


def reconcile(state: State, live_legs: Collection[LegId], live_workers: Collection[CallId]) -> list[Event]:
    """The events that happened unseen: legs that are gone, workers that are gone though a leg of theirs is not."""
    events: list[Event] = [LegEnded(leg, LOST_IN_RESTART) for leg in state.legs if leg not in live_legs]
    for call in state.calls.values():
        heard = [leg for leg in call.legs.values() if leg.id in live_legs and leg.state in (legs.EARLY, legs.UP)]
        if heard and call.id not in live_workers:
            events.append(WorkerLost(call.id, "gone after a restart"))
    return events


def orders_outstanding(state: State, live_legs: Collection[LegId] = (), live_workers: Collection[CallId] = ()) -> list[Effect]:
    """What to order again after `reconcile`: media, answers, ends, shapes and notices; and an end for what nobody knows of."""
    orders: list[Effect] = [EndLeg(leg, "unknown after a restart") for leg in live_legs if leg not in state.legs]
    for call in state.calls.values():
        orders.extend(_of_call(state, call))
        if call.state != calls.ENDING and (call.id in live_workers or call.shape != Shape()):
            orders.append(ShapeCall(call.id, call.shape))
    orders.extend(CloseCall(call) for call in live_workers if call not in state.calls)
    orders.extend(notices.effect_of(state, due) for due in state.notices.values())
    return orders


def _of_call(state: State, call: Call) -> list[Effect]:
    orders: list[Effect] = []
    for leg in call.legs.values():
        if leg.state == legs.ENDING:
            orders.append(EndLeg(leg.id, "ordered before a restart"))
        elif leg.inbound and leg.state == legs.EARLY:
            orders.append(StartMedia(leg.id, profile_of(state, incident_of(state, call)).media_source))
        elif leg.inbound and leg.state == legs.UP:
            orders.append(AnswerLeg(leg.id))
    return orders
