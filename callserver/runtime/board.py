"""The board: what the screens show of the present, as plain items by key. Made from the core's state, changed by its facts.

Pure but for what it remembers of alarms. docs/console-protocol.md describes every item. A fact names what it touches; only that
is made anew, so a change costs the same however long the queue is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from callserver.core import facts as f
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core import waiting
from callserver.core.facts import Fact
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId, call_of_leg, incident_of_call
from callserver.core.instant import Instant, later
from callserver.core.lookup import ladder_of, plan_of, point_of, profile_of
from callserver.core.state import Call, Incident, Leg, OperatorState, State
from callserver.core.views import NOBODY
from callserver.feed import Item
from callserver.runtime.clock import Anchor
from callserver.runtime.disks_told import DisksTold
from callserver.runtime.levels import Levels, is_conversation
from callserver.version import VERSION
from dialplans.model import Plan, Priority, Step, When

NS_PER_MS = 1_000_000
EVERYTHING = "*"


def touched(fact: Fact) -> Iterable[str]:
    """The keys that a fact may have changed; `EVERYTHING` for a new plan."""
    if isinstance(fact, f.PlanAdopted):
        yield EVERYTHING
    for name, kind in (("incident", "incident"), ("call", "call"), ("operator", "operator"), ("point", "point")):
        known = getattr(fact, name, None)
        if known:
            yield f"{kind}/{known}"
            if name == "call":
                yield f"incident/{incident_of_call(CallId(known))}"
    leg = getattr(fact, "leg", None)
    offer = getattr(fact, "offer", None)
    for child in (leg, offer):
        if child:
            yield f"call/{call_of_leg(LegId(child))}"
    if isinstance(fact, f.OfferMade | f.OfferWidened):
        yield from (f"operator/{operator}" for operator in fact.operators)
    if isinstance(fact, f.CallMoved):
        yield f"sound/{fact.call}"
    if isinstance(fact, f.TrunkChanged):
        yield f"trunk/{fact.trunk}"
    if isinstance(fact, f.AlarmRaised | f.AlarmCleared):
        yield f"alarm/{fact.key}"


class Board:
    """Makes items. `anchor` ties instants to UTC; `started_ms` is when this switchboard began."""

    def __init__(self, anchor: Callable[[], Anchor], started_ms: int) -> None:
        self._anchor, self._started_ms = anchor, started_ms
        self._raised_ms: dict[str, int] = {}
        self._points: dict[str, tuple[str, int]] = {}  # why, since when
        self._pauses: dict[str, str] = {}  # why an operator paused last
        self._replaced: dict[str, int] = {}  # how often a call's worker was replaced
        self._shown_with: dict[str, tuple[str, ...]] = {}  # an item -> those that it named when it was made last
        self._make: Mapping[str, Callable[[State, str], Item | None]] = {
            "service": self._service,
            "incident": self._incident,
            "call": self._call,
            "operator": self._operator,
            "queue": self._queue,
            "point": self._point,
            "trunk": self._trunk,
            "alarm": self._alarm,
            "sound": self._sound,
            "disk": self._disk,
        }
        self.disks: DisksTold | None = None
        self.levels: Levels | None = None  # of whom the sound of conversations is asked

    def whole(self, state: State) -> dict[str, Item]:
        """Every item."""
        plan = _plan(state)
        keys = ["service"]
        keys += [f"incident/{known}" for known in state.incidents] + [f"call/{known}" for known in state.calls]
        keys += [f"sound/{known}" for known in state.calls] + [f"alarm/{known}" for known in state.alarms]
        if plan is not None:
            keys += [f"operator/{known}" for known in dict.fromkeys([*plan.operators, *state.operators])]
            keys += [f"queue/{known}" for known in plan.queues]
            keys += [f"point/{known}" for known in plan.points] + [f"trunk/{known}" for known in plan.trunks]
        keys += [f"disk/{known.id}" for known in self.disks.all()] if self.disks is not None else []
        made = ((key, self.item(state, key)) for key in keys)
        return {key: item for key, item in made if item is not None}

    def changes(self, state: State, facts: Iterable[Fact]) -> dict[str, Item | None]:
        """What these facts, which the state has taken in, have changed; None for what is gone."""
        keys: dict[str, None] = {}
        for fact in facts:
            self._remember(fact)
            keys.update(dict.fromkeys(touched(fact)))
        if EVERYTHING in keys:
            gone: dict[str, Item | None] = dict.fromkeys(self._shown_with)
            self._shown_with.clear()
            return gone | self.whole(state)
        for key in list(keys):  # what it named before, and what it names now: each of them may have changed with it
            keys.update(dict.fromkeys(self._shown_with.get(key, ())))
            keys.update(dict.fromkeys(_named(state, key)))
        return {key: self.item(state, key) for key in keys}

    def item(self, state: State, key: str) -> Item | None:
        """One item as it is now."""
        kind, _, name = key.partition("/")
        item = self._make[kind](state, name)
        if item is None:
            self._shown_with.pop(key, None)
        else:
            self._shown_with[key] = tuple(_named(state, key))
        return item

    def _remember(self, fact: Fact) -> None:
        if isinstance(fact, f.AlarmRaised):
            self._raised_ms[fact.key] = self._now_ms()
        elif isinstance(fact, f.AlarmCleared):
            self._raised_ms.pop(fact.key, None)
        elif isinstance(fact, f.PointChanged):
            self._points[fact.point] = (fact.why, self._now_ms())
        elif isinstance(fact, f.OperatorMoved) and fact.new == operators.PAUSED:
            self._pauses[fact.operator] = fact.reason
        elif isinstance(fact, f.WorkerReplaced):
            self._replaced[fact.call] = self._replaced.get(fact.call, 0) + 1
        elif isinstance(fact, f.CallMoved) and fact.new == "ended":
            self._replaced.pop(fact.call, None)

    def _now_ms(self) -> int:
        anchor = self._anchor()
        return anchor.utc_of(anchor.now()) // NS_PER_MS

    def _ms(self, at: Instant | None) -> int | None:
        return None if at is None else self._anchor().utc_of(at) // NS_PER_MS

    # ---- the items --------------------------------------------------------------------------------------------

    def _service(self, state: State, name: str) -> Item:
        plan = _plan(state)
        digits = {} if plan is None else {outcome: digit for digit, outcome in plan.outcome_digits.items()}
        outcomes = [] if plan is None else [{"id": o, "name": n, "digit": digits.get(o, "")} for o, n in plan.outcomes.items()]
        return {
            "version": VERSION,
            "started_ms": self._started_ms,
            "plan": plan.name if plan else "",
            "plan_version": state.plan_version,
            "time_zone": plan.time_zone if plan else "",
            "outcomes": outcomes,
            "parties": [{"id": party.id, "name": party.name} for party in plan.parties.values()] if plan else [],
            "groups": list(plan.groups) if plan else [],
            "pauses": [{"id": id, "name": name} for id, name in plan.pauses.items()] if plan else [],
            "point_groups": _point_groups(plan),
        }

    def _incident(self, state: State, name: str) -> Item | None:
        incident = state.incidents.get(IncidentId(name))
        if incident is None:
            return None
        point = point_of(state, incident)
        plan, steps = plan_of(state, incident), ladder_of(state, incident).steps
        return {
            "id": incident.id,
            "point": incident.point,
            "place": point.place,
            "language": point.language,
            "latitude": point.latitude,
            "longitude": point.longitude,
            "queue": incident.queue,
            "priority": incident.priority,
            "class": Priority(incident.priority).name.lower(),
            "state": incident.state,
            "opened_ms": self._ms(incident.opened),
            "since_ms": self._ms(incident.since),
            "waiting_since_ms": self._ms(incident.waiting_since),
            "order_ms": self._ms(Instant(waiting.rank(state, incident)[0])),
            "presses": incident.presses,
            "operator": incident.operator or "",
            "call": incident.call or "",
            "until_ms": self._ms(incident.until),
            "step": incident.step,
            "steps": len(steps),
            "can_ask": _can_ask(incident, steps),
            "parked": incident.parked,
            **_kept_for(plan, incident),
            "recall_ms": self._ms(incident.only_until),
            "called_by": incident.called_by,
            "group": _group_name(plan, incident.group),
            "prefers": incident.prefers or "",
            "cameras": [{"name": plan.cameras[id].name, "url": plan.cameras[id].url} for id in point.cameras],
            "party": incident.party or "",
            **self._listed(incident),
        }

    def _listed(self, incident: Incident) -> Item:
        """Why it is on the call-back list, whose it is and until when; `listed` "" for one that is not."""
        listed = bool(incident.listed)
        tried = [{"at_ms": self._ms(one.at), "operator": one.operator or "", "result": one.result} for one in incident.attempts]
        return {
            "listed": incident.listed,
            "listed_why": incident.listed_why,
            "listed_ms": self._ms(incident.listed_since) if listed else None,
            "overdue_ms": self._ms(incident.overdue_at),
            "owner": incident.owner or "",
            "acknowledge_ms": self._ms(incident.acknowledge_by),
            "attempts": tried if listed else [],
        }

    def _call(self, state: State, name: str) -> Item | None:
        call = state.calls.get(CallId(name))
        if call is None:
            return None
        offer = call.offer
        ringing = None if offer is None else {"operators": list(offer.legs.values()), "until_ms": self._ms(offer.until)}
        return {
            "id": call.id,
            "incident": call.incident,
            "state": call.state,
            "since_ms": self._ms(call.since),
            "operator": call.operator or "",
            "held": call.held,
            "worker_replaced": self._replaced.get(call.id, 0),
            "legs": self._legs(state, call),
            "missed": [{"point": point, "place": _name(_plan(state), legs.POINT, point)} for point in call.missed],
            "offer": ringing,
        }

    def _legs(self, state: State, call: Call) -> list[Item]:
        incident = state.incidents.get(call.incident)
        plan = plan_of(state, incident) if incident is not None else _plan(state)
        return [
            {
                "id": leg.id,
                "role": leg.role,
                "party": leg.party,
                "name": _name(plan, leg.role, leg.party),
                "state": leg.state,
                "since_ms": self._ms(leg.since),
                "sounding": leg.sounding,
                "one_way": list(leg.one_way),
                "mode": call.modes.get(leg.id, ""),
                "muted": leg.muted,
                "accepted": leg.accepted,
                "limit_ms": self._limit_ms(state, leg),
                "controls": _controls(plan, leg),
                "sending": bool(leg.sending),
            }
            for leg in call.legs.values()
        ]

    def _limit_ms(self, state: State, leg: Leg) -> int | None:
        """When the point's device ends the call by itself, once that is near."""
        incident = state.incidents.get(incident_of_call(leg.call)) if leg.limit_near else None
        return None if incident is None else self._ms(later(leg.since, profile_of(state, incident).talk_limit_ms))

    def _operator(self, state: State, name: str) -> Item | None:
        plan = _plan(state)
        known = state.operators.get(OperatorId(name))
        planned = None if plan is None else plan.operators.get(name)
        if known is None or (planned is None and not known.legs and known.incident is None):
            return None  # one that another plan has no more stays as long as the conversation does
        return {
            "id": known.id,
            "name": planned.name if planned is not None else _name_before(state, known.id),
            "groups": list(planned.groups) if planned is not None else [],
            "state": known.state,
            "reason": self._reason(plan, known) if plan is not None else "",
            "since_ms": self._ms(known.since),
            "reachable": known.reachable,
            "seat": known.seat if known.reachable else "",
            "until_ms": self._ms(known.until),
            "incident": known.incident or "",
            "call": known.call or "",
        }

    def _reason(self, plan: Plan, known: OperatorState) -> str:
        """Why somebody pauses, in the plan's words where it has some; "" where this switchboard did not hear it."""
        reason = self._pauses.get(known.id, "") if known.state == operators.PAUSED else ""
        return plan.pauses.get(reason, reason)

    def _queue(self, state: State, name: str) -> Item | None:
        plan = _plan(state)
        queue = None if plan is None else plan.queues.get(name)
        return None if queue is None else {"id": name, "groups": list(queue.groups), "ring_ms": queue.ring_timeout_ms}

    def _point(self, state: State, name: str) -> Item | None:
        plan = _plan(state)
        point = None if plan is None else plan.points.get(name)
        if plan is None or point is None:
            return None
        why, since_ms = self._points.get(name, ("", None))
        return {
            "id": name,
            "place": point.place,
            "queue": point.queue,
            "latitude": point.latitude,
            "longitude": point.longitude,
            "reachable": state.points.get(PointId(name)),
            "expects_register": plan.profiles[point.profile].expects_register,
            "why": why,
            "since_ms": since_ms,
            "incident": _open_at(state, PointId(name)),
        }

    def _trunk(self, state: State, name: str) -> Item | None:
        plan = _plan(state)
        if plan is None or name not in plan.trunks:
            return None
        return {"id": name, "reachable": state.trunks.get(name)}

    def _sound(self, state: State, name: str) -> Item | None:
        call = state.calls.get(CallId(name))
        return self.levels.item(call) if self.levels is not None and call is not None and is_conversation(call) else None

    def _disk(self, state: State, name: str) -> Item | None:
        return None if self.disks is None else self.disks.item(name)

    def _alarm(self, state: State, name: str) -> Item | None:
        text = state.alarms.get(name)
        return None if text is None else {"key": name, "text": text, "raised_ms": self._raised_ms.get(name)}


def _named(state: State, key: str) -> Iterable[str]:
    """The items that one names: an incident's point, operator and call; a call's operator; an operator's incident and call."""
    kind, _, name = key.partition("/")
    incident = state.incidents.get(IncidentId(name)) if kind == "incident" else None
    call = state.calls.get(CallId(name)) if kind == "call" else None
    operator = state.operators.get(OperatorId(name)) if kind == "operator" else None
    if incident is not None:
        yield f"point/{incident.point}"
    for known, other in (
        (incident and incident.operator, "operator"),
        (incident and incident.call, "call"),
        (call and call.operator, "operator"),
        (operator and operator.incident, "incident"),
        (operator and operator.call, "call"),
    ):
        if known:
            yield f"{other}/{known}"


def _point_groups(plan: Plan | None) -> list[Item]:
    groups = {} if plan is None else plan.point_groups
    return [{"id": group.id, "name": group.name, "points": list(group.points)} for group in groups.values()]


def _group_name(plan: Plan, group: str) -> str:
    return plan.point_groups[group].name if group in plan.point_groups else group


def _controls(plan: Plan | None, leg: Leg) -> list[Item]:
    """What the device of a point's leg can be told to do."""
    point = None if plan is None or leg.role not in legs.POINTS else plan.points.get(leg.party)
    known = () if plan is None or point is None else plan.profiles[point.profile].controls.values()
    return [{"id": one.id, "name": one.name} for one in known]


def _kept_for(plan: Plan, incident: Incident) -> Item:
    """Who alone is called for it, in words: an operator, a group or a party; "" for everybody. `by_hand`: a person parked it."""
    kind, _, id = incident.only.partition(":")
    known = plan.operators.get(id) if kind == "operator" else plan.parties.get(id) if kind == "party" else None
    return {"only": known.name if known is not None else id, "by_hand": incident.only == NOBODY}


def _can_ask(incident: Incident, steps: Sequence[Step]) -> bool:
    """Whether its ladder does something when it is asked: while it waits, or besides a conversation; see core.ladder.asked."""
    if incident.state == incidents.WAITING:
        return When.ASKED not in incident.met and any(When.ASKED in step.conditions for step in steps[incident.step :])
    asked = (step for step in steps if When.ASKED in step.conditions)
    return incident.state == incidents.ATTENDED and any(step.call_party or step.notify for step in asked)


def _plan(state: State) -> Plan | None:
    return state.plans.get(state.plan_version)


def _open_at(state: State, point: PointId) -> str:
    known: IncidentId | None = state.open_by_point.get(point)
    return known or ""


def _name_before(state: State, operator: str) -> str:
    """What an older plan that is still in use calls an operator."""
    return next((plan.operators[operator].name for plan in state.plans.values() if operator in plan.operators), operator)


def _name(plan: Plan | None, role: str, party: str) -> str:
    if plan is None:
        return party
    if role in legs.POINTS:
        return plan.points[party].place if party in plan.points else party
    named = plan.operators.get(party) if role in legs.SEATS else plan.parties.get(party)
    return named.name if named is not None else party
