"""Offers: a waiting call shown to seats.

`deal` is run after every event, so a press, a seat that became free and the end of an offer all have their effect at
once: first every waiting call without an offer gets one free seat, in the order of waiting; then the seats that are left
join the first ring-all call that may have them (an offer just made, or one that rings already). A seat is in one offer
at most. An offer ends accepted, rung out, refused by all, or withdrawn; its losing legs are given up, and their seats
can be rung again when these legs are gone.
"""

from heapq import heapify, heappop, heappush

from callserver.core import absent, pools, seats, waiting
from callserver.core import call as calls
from callserver.core import eligible as eligibility
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.effects import DialOperator
from callserver.core.facts import DirectionEnded, LegCreated, OfferEnded, OfferMade, OfferWidened
from callserver.core.ids import IncidentId, LegId, OperatorId, leg_id, offer_id
from callserver.core.index import Pool, Rank
from callserver.core.instant import later
from callserver.core.lookup import incident_of, plan_of, point_of, queue_of, ring_ms_of
from callserver.core.state import Call, Incident, Leg, OperatorState
from callserver.core.termination import By, Class, Termination
from callserver.core.views import NOBODY
from dialplans.model import Strategy

Free = dict[OperatorId, OperatorState]
Dealt = dict[IncidentId, list[OperatorState]]
Reach = list[tuple[Pool, frozenset[OperatorId]]]  # pools, and those of their crews who are free


def deal(d: Decision) -> None:
    """Offers waiting calls to free seats."""
    free = {one.id: one for one in d.state.operators.values() if eligibility.free(one, d.now)}
    if not free:
        return
    dealt: Dealt = {}
    _chosen(d, free, dealt)
    everybody = frozenset(free)
    crews = ((pool, pools.crew(d.state, key, pool, d.now)) for key, pool in pools.pools(d.state, d.now).items())
    reach = [(pool, crew & everybody) for pool, crew in crews if not crew.isdisjoint(everybody)]
    _claimed(d, free, dealt)
    _one_each(d, reach, free, dealt)
    _the_rest(d, reach, free, dealt)
    for incident in sorted((d.state.incidents[one] for one in dealt), key=lambda one: waiting.rank(d.state, one)):
        _show(d, incident, dealt[incident.id])


def _call_of(d: Decision, incident: Incident) -> Call:
    assert incident.call is not None, "a waiting incident has a call"
    return d.state.calls[incident.call]


def _chosen(d: Decision, free: Free, dealt: Dealt) -> None:
    """The seat of an operator who wants one incident and no other rings for it, beside those that do so already."""
    for operator in [one for one in free.values() if one.claimed is not None]:
        incident = d.state.incidents.get(operator.claimed or IncidentId(""))
        wanted = incident is not None and incident.chosen == operator.id and operator.id in plan_of(d.state, incident).operators
        if incident is None or not wanted or incident.call is None:
            continue
        if incident.state == incidents.WAITING or calls.left_outside(_call_of(d, incident)):
            dealt.setdefault(incident.id, []).append(operator)
            del free[operator.id]


def _claimed(d: Decision, free: Free, dealt: Dealt) -> None:
    """A seat that was freed for an emergency rings for it, whoever else waits."""
    for operator in [one for one in free.values() if one.claimed is not None]:
        incident = d.state.incidents.get(operator.claimed or IncidentId(""))
        if incident is None or incident.chosen == operator.id or incident.state != incidents.WAITING or incident.id in dealt:
            continue
        if _call_of(d, incident).offer is None and eligibility.eligible(d.state, operator, incident, d.now):
            dealt[incident.id] = [operator]
            del free[operator.id]


def _one_each(d: Decision, reach: Reach, free: Free, dealt: Dealt) -> None:
    """One free seat for each call without an offer, in the order of waiting over all pools."""
    heads = [(pool.quiet[0], number, 0) for number, (pool, _) in enumerate(reach) if pool.quiet]
    heapify(heads)
    while heads and free:
        rank, number, place = heappop(heads)
        pool, crew = reach[number]
        candidates = [one for one in free.values() if one.id in crew]
        if not candidates:
            continue
        incident = d.state.incidents[rank[2]]
        if incident.id not in dealt:
            first = seats.in_order(d.state, incident, candidates, d.now)[0]
            dealt[incident.id] = [first]
            del free[first.id]
        if place + 1 < len(pool.quiet):
            heappush(heads, (pool.quiet[place + 1], number, place + 1))


def _the_rest(d: Decision, reach: Reach, free: Free, dealt: Dealt) -> None:
    """Seats that are left join the first ring-all call; a resting one only where all that ring there were resting."""
    if not free:
        return
    ringing, resting = _ring_all(d, reach, dealt)
    for operator in free.values():
        firsts = resting if operators.rests(operator, d.now) else ringing
        found = min((rank for rank, crew in firsts if operator.id in crew), default=None)
        if found is not None:
            dealt.setdefault(found[2], []).append(operator)


def _ring_all(d: Decision, reach: Reach, dealt: Dealt) -> tuple[list[tuple[Rank, frozenset[OperatorId]]], ...]:
    """Of each ring-all pool the first call that rings or was just dealt a seat, and the first that was dealt a resting one."""
    ringing, resting = [], []
    for pool, crew in reach:
        if queue_of(d.state, d.state.incidents[pool.first()]).strategy is not Strategy.RING_ALL:
            continue
        given = [rank for rank in pool.quiet[: len(dealt)] if rank[2] in dealt]
        ringing += [(rank, crew) for rank in sorted([*pool.ringing[:1], *given[:1]])[:1]]
        resting += [(rank, crew) for rank in given if operators.rests(dealt[rank[2]][0], d.now)][:1]
    return ringing, resting


def _show(d: Decision, incident: Incident, chosen: list[OperatorState]) -> None:
    """Rings the chosen seats for the call, in a new offer or in the live one."""
    call = _call_of(d, incident)
    queue = queue_of(d.state, incident)
    point = point_of(d.state, incident)
    chosen_ids = tuple(operator.id for operator in chosen)
    created = tuple(_create_leg(d, call, operator.id) for operator in chosen)
    if call.offer is None:
        offer = offer_id(call.id, call.offers_made + 1)
        until = later(d.now, ring_ms_of(d.state, incident, chosen_ids))
        tiers = len(eligibility.tiers_reached(d.state, incident, d.now))
        why = f"{queue.strategy.value} of queue {queue.id}" + (f", tier {tiers}" if tiers else "")
        d.record(OfferMade(offer, call.id, chosen_ids, created, until, why))
    else:
        d.record(OfferWidened(call.offer.id, chosen_ids, created, "became free or was added while it rang"))
    for operator, leg in zip(chosen, created, strict=True):
        operators.move(d, operator, operators.OFFERED, f"call of {incident.point}")
        d.order(DialOperator(leg, operator.id, incident.point, point.place))


def _create_leg(d: Decision, call: Call, operator: OperatorId) -> LegId:
    leg = leg_id(call.id, call.legs_made + 1)
    d.record(LegCreated(leg, call.id, legs.OPERATOR, operator, inbound=False))
    return leg


def _drop_all(d: Decision, call: Call, reason: str) -> list[OperatorState]:
    """Gives up the legs that ring and frees their seats; the caller ends the offer."""
    assert call.offer is not None
    dropped = []
    for leg, operator_id in list(call.offer.legs.items()):
        operator = d.state.operators[operator_id]
        if d.state.legs[leg].state in legs.UNANSWERED_OUTBOUND:
            legs.end(d, d.state.legs[leg], reason)
            operators.release(d, operator, reason)
            dropped.append(operator)
    return dropped


def accept(d: Decision, call: Call, leg: Leg) -> OperatorState:
    """The first answer wins: the others are told, the operator talks."""
    assert call.offer is not None and leg.id in call.offer.legs
    offer = call.offer
    operator = d.state.operators[OperatorId(leg.party)]
    _drop_all(d, call, "answered elsewhere")
    d.record(OfferEnded(offer.id, "accepted", f"answered by {operator.id}", operator.id))
    operators.move(d, operator, operators.TALKING, f"answered call {call.id}")
    return operator


def withdraw(d: Decision, call: Call, reason: str) -> None:
    """Ends the call's offer, where there is one, because nobody needs to answer any more."""
    if call.offer is not None:
        offer = call.offer.id
        _drop_all(d, call, reason)
        d.record(OfferEnded(offer, "withdrawn", reason))


def ring_out(d: Decision, call: Call) -> None:
    """Nobody answered in time: those that rang rest, and the call is offered anew."""
    assert call.offer is not None
    incident = incident_of(d.state, call)
    rang_ms = ring_ms_of(d.state, incident, call.offer.legs.values())
    offer = call.offer.id
    for operator in _drop_all(d, call, "no answer"):
        absent.missed(d, operator, incident)
    d.record(OfferEnded(offer, "rung-out", f"unanswered {rang_ms / 1000:g} s"))
    _end_direction(d, incident, "nobody answered")


def _end_direction(d: Decision, incident: Incident, reason: str) -> None:
    """Those for whom it was kept did not want it: it is everybody's. One that is parked stays so."""
    if incident.only and incident.only != NOBODY:
        d.record(DirectionEnded(incident.id, reason))


def refused(d: Decision, call: Call, operator: OperatorState, end: Termination) -> None:
    """One seat's leg ended before an answer. Others ring on; with the last one the offer ends."""
    reason = f"{operator.id}: {words(end)}"
    operators.release(d, operator, reason)
    if end.kind is Class.UNANSWERED:
        absent.missed(d, operator, incident_of(d.state, call))
    elif not lost_by_us(end):
        operators.rest_firmly(d, operator)
    end_if_empty(d, call, "refused", reason, meant=not lost_by_us(end))


def pull(d: Decision, operator: OperatorState, reason: str) -> None:
    """Takes an offered operator out of the offer; the caller moves the operator."""
    for leg_of_operator in operator.legs:
        leg = d.state.legs[leg_of_operator]
        if leg.state in legs.UNANSWERED_OUTBOUND:
            legs.end(d, leg, reason)
            end_if_empty(d, d.state.calls[leg.call], "withdrawn", reason)


def end_if_empty(d: Decision, call: Call, result: str, reason: str, meant: bool = True) -> None:
    """An offer without a ringing leg is none. `meant`: whether a refusal was one; a line lost in our restart says nothing."""
    if call.offer is not None and not call.offer.legs:
        d.record(OfferEnded(call.offer.id, result, reason))
        if result == "refused" and meant:
            _end_direction(d, incident_of(d.state, call), reason)


def lost_by_us(end: Termination) -> bool:
    """Whether a leg was lost in our own restart: nobody's fault, tried again at once."""
    return end.kind is Class.LOST and end.by is By.US


def words(end: Termination) -> str:
    """A termination in words: "busy (486)"."""
    reason = end.reason or end.kind.value
    return f"{reason} ({end.status})" if end.status else reason
