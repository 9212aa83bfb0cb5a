"""The judges of the simulation can fail: a core with one rule broken on purpose is found out, and by whom.

Each mutation names the complaint of the invariants and promises, and, where it is about waiting, of the watch, which sees
nothing but the journal. A rule that the watch shares with the core (who may be rung) is for the others alone.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from callserver.core import (
    absent,
    answers,
    conditions,
    control,
    conversation,
    eligible,
    endings,
    fold,
    giving,
    holds,
    index,
    ladder,
    leg,
    moment,
    notices,
    offers,
    outside,
    owners,
    pools,
    press,
    room,
    sound,
    waiting,
)
from callserver.core import facts as f
from callserver.core import operator as operators
from callserver.core.ids import OperatorId
from callserver.core.state import OperatorState
from tests.simulation import world as worlds
from tests.simulation.invariants import Broken
from tests.simulation.world import World

SEEDS = (5, 2, 7)  # the town; one after the other until the fault is met
HOURS = 12
NOBODY_SEES = ""


class Mutation(NamedTuple):
    """A rule and what takes its place; `told` by the judges, `watched` by the watch ("": it cannot)."""

    room: Any
    name: str
    broken: Any
    told: str
    watched: str = NOBODY_SEES


def nothing(*_: Any, **__: Any) -> None:
    """A rule that was forgotten."""


def shape_without_fact(d: Any, call: Any) -> None:
    """A rule that writes to the state by itself."""
    call.shape = sound.wanted(d.state, call)


def free_with_a_leg(operator: OperatorState, now: int) -> bool:
    """Eligibility that forgets the legs that still end."""
    return operator.state == operators.AVAILABLE and operator.reachable


def accept_and_forget(d: Any, call: Any, leg_answered: Any) -> OperatorState:
    """An accept that leaves the other seats ringing."""
    operator: OperatorState = d.state.operators[OperatorId(leg_answered.party)]
    if call.offer is not None:
        d.record(offers.OfferEnded(call.offer.id, "accepted", "first", operator.id))
    operators.move(d, operator, operators.TALKING, "first")
    return operator


def strictly_by_class(state: Any, incident: Any) -> Any:
    """An order without ageing."""
    return (incident.priority << 70, incident.waiting_since, incident.id)


def first_come(state: Any, incident: Any) -> Any:
    """An order without classes."""
    return (incident.waiting_since, incident.priority, incident.id)


def all_tiers(state: Any, incident: Any, now: Any) -> Any:
    """Tiers that open at once."""
    return state.plans[incident.plan_version].queues[incident.queue].tiers


def class_without_place(state: Any, fact: f.IncidentReclassified, at: Any) -> None:
    """A class that counts for those who come later."""
    state.incidents[fact.incident].priority = fact.new


def one_party(plan: Any, party: Any) -> Any:
    """A chain without its fallbacks."""
    return iter((party,))


def notice_without_order(d: Any, incident: Any, notice: str, text: str) -> None:
    """A notice that is written down and not sent."""
    d.record(f.NoticeOrdered(f"{incident.id}.n{incident.notices + 1}", incident.id, notice, text))


_orders_outstanding = worlds.orders_outstanding
_marked = index.Index.touch
_place = pools._place
_wait_again = conversation.wait_again


def orders_without_notices(*of: Any) -> Any:
    """A restart that forgets what was to be told."""
    return [order for order in _orders_outstanding(*of) if type(order).__name__ != "Notify"]


def dropped_not_parked(d: Any, call: Any, reason: str) -> None:
    """A caller who is hung up upon for an emergency."""
    if reason.startswith("parked:"):
        conversation.over(d, call, reason, keep_operator=False)
    else:
        _wait_again(d, call, reason)


def place_without_parked(state: Any, kept: Any, known: Any, now: Any) -> None:
    """A queue that does not take back who was parked."""
    if known not in state.incidents or not state.incidents[known].parked:
        _place(state, kept, known, now)


def marks_nothing(self: Any, fact: Any) -> None:
    """An index that hears of plans alone."""
    if isinstance(fact, f.PlanAdopted | f.ClockAnchored | f.HoursTurned):
        _marked(self, fact)


_cause_of = owners.cause_of


def only_reviews(state: Any, incident: Any) -> str:
    """A list of conversations alone."""
    return "" if incident.state == "waiting" else _cause_of(state, incident)


_objection = holds.objection


def only_open(d: Any, incident: Any) -> str:
    """Deletions that ask no holds."""
    return "open" if incident in d.state.incidents else ""


def only_held(d: Any, incident: Any) -> str:
    """Deletions that take what is open."""
    return "held" if incident in d.state.holds.values() else ""


def newest_hold_alone(d: Any, incident: Any) -> str:
    """Deletions that ask the last hold only."""
    return only_open(d, incident) or ("held" if list(d.state.holds.values())[-1:] == [incident] else "")


def any_name(d: Any, fact: Any) -> str:
    """A hold may take another's name."""
    return "" if isinstance(fact, f.HoldPlaced) else _objection(d, fact)


def any_lifter(d: Any, fact: Any) -> str:
    """A hold is lifted by its name, on whichever incident."""
    return ("" if fact.hold in d.state.holds else "none") if isinstance(fact, f.HoldLifted) else _objection(d, fact)


def open_only_while_called(d: Any, incident: Any) -> str:
    """What is held is kept, and what nobody talks in is taken for closed."""
    return only_held(d, incident) or ("open" if any(call.incident == incident for call in d.state.calls.values()) else "")


def hold_of_one(state: Any, fact: f.HoldPlaced, at: Any) -> None:
    """An incident has one hold at a time."""
    for other in [name for name, of in state.holds.items() if of == fact.incident]:
        del state.holds[other]
    state.holds[fact.hold] = fact.incident


_folded = worlds.fold


def fold_without_holds(rows: Any) -> Any:
    """A successor that does not know what is held."""
    state = _folded(rows)
    state.holds.clear()
    return state


_conversation = sound._conversation


def without_links(state: Any, call: Any) -> Any:
    """A sound in which nobody only listens."""
    return replace(_conversation(state, call), also=())


def without_mutes(state: Any, call: Any) -> Any:
    """A sound in which everybody is heard."""
    kept = {leg.id: leg.muted for leg in call.legs.values()}
    for leg_of_call in call.legs.values():
        leg_of_call.muted = False
    shape = _conversation(state, call)
    for known, muted in kept.items():
        call.legs[known].muted = muted
    return shape


MUTATIONS: Mapping[str, Mutation] = {
    # waiting and ringing
    "nobody may be rung": Mutation(eligible, "served_by", lambda *_: lambda _: False, "without an offer"),
    "nothing is offered": Mutation(offers, "deal", nothing, "without an offer|was chosen", "unoffered"),
    "the index hears of nothing": Mutation(index.Index, "touch", marks_nothing, "offer|last resort|not used up", "late"),
    "an offer is not over with its last leg": Mutation(offers, "end_if_empty", nothing, "offered", "unanswerable"),
    "losers are forgotten": Mutation(offers, "accept", accept_and_forget, "offered", "stuck"),
    "a seat is rung twice": Mutation(eligible, "free", free_with_a_leg, "is dialled while"),
    "ageing is ignored": Mutation(waiting, "rank", strictly_by_class, "order of waiting|before"),
    "classes are ignored": Mutation(waiting, "rank", first_come, "order of waiting|before"),
    "another class has no effect": Mutation(
        fold, "_CHANGES", {f.IncidentReclassified: class_without_place}, "order of waiting|order of|broken"
    ),
    "mischief is not remembered": Mutation(fold, "_CHANGES", {f.OutcomeRecorded: nothing}, "has class"),
    "tiers never open": Mutation(eligible, "tiers_reached", lambda *_: (), "without an offer|no room is made"),
    "tiers open at once": Mutation(eligible, "tiers_reached", all_tiers, "is rung for"),
    "skills are ignored": Mutation(eligible, "_skilled", lambda *_: True, "is rung for"),
    "hours are ignored": Mutation(moment, "is_open", lambda *_: True, "is rung for"),
    # room for emergencies, and who is paused
    "nobody makes room": Mutation(room, "make", lambda *_: False, "no room is made"),
    "nobody is parked": Mutation(room, "_park", lambda *_: None, "no room is made"),
    "any talk is parked": Mutation(room, "Priority", SimpleNamespace(EMERGENCY=0, NORMAL=0), "was parked"),
    "who is parked is dropped": Mutation(conversation, "wait_again", dropped_not_parked, "does not wait|dropped|attended by"),
    "who was parked is forgotten": Mutation(
        pools, "_place", place_without_parked, "offer|not used up|last resort", "late|unoffered"
    ),
    "the last one is paused": Mutation(absent, "_left_alone", lambda *_: iter(()), "was the last one"),
    # ladders
    "no ladder is climbed": Mutation(ladder, "climb", nothing, "not used up|last resort", "late"),
    "conditions are ignored": Mutation(conditions, "met", lambda *_: False, "last resort", "late"),
    "no party is called": Mutation(outside, "begin", nothing, "last resort", "silent"),
    "no second round": Mutation(outside, "begin_again", nothing, "not used up|last resort", "silent"),
    "no next route": Mutation(outside, "failed", nothing, "last resort", "silent"),
    "fallbacks are skipped": Mutation(outside, "chain", one_party, "were not tried"),
    "a hand-over goes nowhere": Mutation(ladder, "hand_over", nothing, "last resort", "silent"),
    "a notice is dropped": Mutation(notices, "order", notice_without_order, "is on no way", "untold"),
    "a restart forgets notices": Mutation(worlds, "orders_outstanding", orders_without_notices, "is on no way", "untold"),
    # live control
    "one-way links are forgotten": Mutation(sound, "_conversation", without_links, "who hears whom"),
    "who is muted is heard": Mutation(sound, "_conversation", without_mutes, "who hears whom"),
    "an answer is an acceptance": Mutation(answers, "_party", answers._joins, "who hears whom|attended by"),
    "who is kept for somebody is everybody's": Mutation(eligible, "_alone", lambda *_: True, "is rung for|are rung"),
    "a parked caller is forgotten": Mutation(giving, "run_due", nothing, "not used up|past its time", "unoffered"),
    "a parked caller's ladder goes on": Mutation(ladder, "climbs", lambda _: True, "climbs"),
    "a chosen caller is not rung": Mutation(offers, "_chosen", nothing, "was chosen"),
    "a colleague is left without an operator": Mutation(control, "hand_to", nothing, "no operator|talks|attended by"),
    "a left call stays on hold": Mutation(conversation, "leave_open", nothing, "on hold and nobody can end it"),
    # the call-back list
    "nothing is listed": Mutation(owners, "look", nothing, "not on the call-back list", "unlisted"),
    "a caller who hung up is not listed": Mutation(owners, "cause_of", only_reviews, "not on the call-back list", "unlisted"),
    "the room keeps its own": Mutation(owners, "_leave_the_room", nothing, "", "ownerless"),
    "who pauses keeps what they own": Mutation(owners, "_keeps", lambda *_: True, "owns", "ownerless"),
    "a lost seat keeps what it owns": Mutation(owners, "lapses_at", lambda *_: None, "owns", "ownerless"),
    "nobody says what is past its time": Mutation(owners, "run_due", nothing, "not used up", "overdue"),
    # holds and deletions
    "holds are ignored": Mutation(holds, "_in_the_way", only_open, "went while it is held"),
    "all holds but the last are ignored": Mutation(holds, "_in_the_way", newest_hold_alone, "went while it is held"),
    "what is open may go": Mutation(holds, "_in_the_way", only_held, "went while it is open"),
    "what nobody talks in may go": Mutation(holds, "_in_the_way", open_only_while_called, "went while it is open"),
    "nothing is in the way": Mutation(holds, "_in_the_way", lambda *_: "", "went while it is"),
    "everything is in the way": Mutation(holds, "_in_the_way", lambda *_: "never", "nothing is in its way"),
    "deletions are never asked about": Mutation(holds, "Retained", f.HoldPlaced | f.HoldLifted, "went while it is"),
    "a hold takes another's name": Mutation(holds, "objection", any_name, "two holds are called"),
    "a hold is lifted on another incident": Mutation(holds, "objection", any_lifter, "does not stand on"),
    "a hold is not remembered": Mutation(fold, "_CHANGES", {f.HoldPlaced: nothing}, "the core holds"),
    "a hold is never over": Mutation(fold, "_CHANGES", {f.HoldLifted: nothing}, "the core holds"),
    "a hold replaces the one before": Mutation(fold, "_CHANGES", {f.HoldPlaced: hold_of_one}, "the core holds"),
    "a restart forgets holds": Mutation(worlds, "fold", fold_without_holds, "another state"),
    # calls and people
    "a press is not taken in": Mutation(press, "_add_leg", nothing, "has no leg", "ignored"),
    "state is changed without a fact": Mutation(sound, "reshape", shape_without_fact, "another state|sounds otherwise"),
    "legs are never ended": Mutation(leg, "end", nothing, "ends but a leg stays|not used up|wait|was dialled|is on"),
    "a lost line is ignored": Mutation(conversation, "wait_again", nothing, "attended by nobody|talks|in vain", "unowned"),
    "the point is not connected": Mutation(conversation, "connect", nothing, "attended by nobody", "unowned"),
    "an operator is never freed": Mutation(endings.conversation, "free_without_leg", nothing, "talks to nobody|stuck", "stuck"),
    "a wrap-up never ends": Mutation(conversation, "end_wrap_up", nothing, "not used up", "stuck"),
    "a lost seat goes on ringing": Mutation(offers, "pull", nothing, "offers|offered"),
}


def break_rule(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the broken rule in force; a line of a table where the mutation names one."""
    if isinstance(mutation.broken, dict):
        for kind, broken in mutation.broken.items():
            monkeypatch.setitem(getattr(mutation.room, mutation.name), kind, broken)
    else:
        monkeypatch.setattr(mutation.room, mutation.name, mutation.broken)


def found_by(judged: bool, watched: bool) -> str:
    """What one of the judges has to say, in the first world in which it is met; "" for nothing."""
    for seed in SEEDS:
        try:
            World(seed, judged=judged, watched=watched).run(HOURS)
        except (Broken, AssertionError, LookupError) as broken:
            return str(broken)
    return ""


@pytest.mark.parametrize("name", [name for name, mutation in MUTATIONS.items() if mutation.told != NOBODY_SEES])
def test_a_broken_rule_is_found_by_the_judges(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(MUTATIONS[name], monkeypatch)
    complaint = found_by(judged=True, watched=False)
    assert re.search(MUTATIONS[name].told, complaint), complaint or "nobody has seen it"


@pytest.mark.parametrize("name", [name for name, mutation in MUTATIONS.items() if mutation.watched != NOBODY_SEES])
def test_a_broken_rule_about_waiting_is_found_by_the_watch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(MUTATIONS[name], monkeypatch)
    complaint = found_by(judged=False, watched=True)
    assert re.search(f"watch:({MUTATIONS[name].watched}):", complaint), complaint or "the watch has not seen it"
