"""What the screens read, computed from the journal: calls, incidents, legs, presence, alarms, plans, recordings, holds, etc.

`statements` says what one fact changes; the writer performs it in the transaction that appends the fact, `catch_up` and
`rebuild` perform the same for facts that are already in the journal. `journal_head.projected` is the number up to which
that was done: whoever finds it behind the head leaves the projections alone until they were caught up.
A statement must be harmless when the row it changes is missing, and must not copy an erasable text, but for the words of notes,
which go with the notes (`noted.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Executable, Table, and_, delete, exists, func, select, update
from sqlalchemy.dialects.sqlite import insert

from callserver.core import call as call_machine
from callserver.core import facts as f
from callserver.core import incident as incident_machine
from callserver.core import leg as leg_machine
from callserver.core.facts import Fact
from callserver.core.ids import LegId, call_of_leg, incident_of_call
from callserver.store import noted
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.engine import writing
from callserver.store.erase import erasing
from callserver.store.read import texts_of

_BATCH_ROWS = 300  # short transactions: the writer of the journal waits for them

Statements = Iterable[Executable]


def statements(number: int, utc_ns: int, fact: Fact) -> Statements:
    """What the fact, row `number` of the journal written at `utc_ns`, changes in the projections; in this order."""
    rule = _RULES.get(type(fact))
    return rule(number, utc_ns, fact) if rule else ()


def project(connection: Connection, number: int, utc_ns: int, fact: Fact) -> None:
    """Perform `statements` on a connection that is in a writing transaction."""
    for statement in statements(number, utc_ns, fact):
        connection.execute(statement)


def catch_up(engine: Engine, progress: Callable[[int], None] | None = None, stop: Callable[[], bool] = lambda: False) -> int:
    """Project all facts that are in the journal and not yet projected; returns how many. Safe while the writer works."""
    done = 0
    while not stop() and _behind(engine) and (batch := _catch_up_some(engine)):
        done += batch
        if progress is not None:
            progress(done)
    return done


def rebuild(engine: Engine, progress: Callable[[int], None] | None = None) -> int:
    """Throw all projections away and make them anew; returns the number of facts. Safe while the writer works."""
    with writing(engine) as connection:
        for table in t.PROJECTIONS:
            connection.execute(delete(table))
        connection.execute(update(t.journal_head).values(projected=0))
    return catch_up(engine, progress)


def _behind(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.execute(select(t.journal_head.c.projected < t.journal_head.c.number)).scalar_one()


def _catch_up_some(engine: Engine) -> int:
    j = t.journal.c
    with writing(engine) as connection:
        projected = connection.execute(select(t.journal_head.c.projected)).scalar_one()
        query = select(j.number, j.utc_ns, j.kind, j.body).where(j.number > projected).order_by(j.number).limit(_BATCH_ROWS)
        rows = connection.execute(query).all()
        texts = texts_of(connection, [row.number for row in rows if row.kind == noted.KIND])
        for number, utc_ns, kind, body in rows:
            project(connection, number, utc_ns, decode_fact(kind, body, texts.get(number)))
        if rows:
            connection.execute(update(t.journal_head).values(projected=rows[-1][0]))
        return len(rows)


def _upsert(table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> Executable:
    return insert(table).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=dict(values))


def _plan_adopted(number: int, utc_ns: int, fact: f.PlanAdopted) -> Statements:
    values = {"number": number, "digest": fact.digest, "adopted_by": fact.by, "adopted_utc_ns": utc_ns}
    yield _upsert(t.plans, {"version": fact.version}, values)


def _incident_opened(number: int, utc_ns: int, fact: f.IncidentOpened) -> Statements:
    values = {
        "number": number,
        "point": fact.point,
        "queue": fact.queue,
        "priority": fact.priority,
        "plan_version": fact.plan_version,
        "state": incident_machine.WAITING,
        "reason": "",
        "presses": 1,
        "step": 0,
        "opened_utc_ns": utc_ns,
        "changed_utc_ns": utc_ns,
    }
    yield _upsert(t.incidents, {"id": fact.incident}, values)


def _incident_rejoined(_number: int, utc_ns: int, fact: f.IncidentRejoined) -> Statements:
    c = t.incidents.c
    yield update(t.incidents).where(c.id == fact.incident).values(presses=c.presses + 1, changed_utc_ns=utc_ns)


def _incident_reclassified(_number: int, utc_ns: int, fact: f.IncidentReclassified) -> Statements:
    yield update(t.incidents).where(t.incidents.c.id == fact.incident).values(priority=fact.new, changed_utc_ns=utc_ns)


def _incident_handed_over(_number: int, utc_ns: int, fact: f.IncidentHandedOver) -> Statements:
    values = {"queue": fact.queue, "step": 0, "reason": fact.reason, "changed_utc_ns": utc_ns}  # its ladder begins anew
    yield update(t.incidents).where(t.incidents.c.id == fact.incident).values(**values)


def _incident_moved(_number: int, utc_ns: int, fact: f.IncidentMoved) -> Statements:
    values: dict[str, Any] = {"state": fact.new, "reason": fact.reason, "changed_utc_ns": utc_ns}
    if fact.operator is not None:
        values["operator"] = fact.operator
    if fact.new == incident_machine.CLOSED:
        values["closed_utc_ns"] = utc_ns
    if fact.new == incident_machine.WAITING:
        values["step"] = 0  # the ladder begins anew
    yield update(t.incidents).where(t.incidents.c.id == fact.incident).values(**values)


def _outcome_recorded(number: int, utc_ns: int, fact: f.OutcomeRecorded) -> Statements:
    values = {"outcome": fact.outcome, "outcome_by": fact.by, "changed_utc_ns": utc_ns}
    yield update(t.incidents).where(t.incidents.c.id == fact.incident).values(**values)
    yield from noted.keeping(number, fact.incident, fact.note)


def _step_taken(_number: int, utc_ns: int, fact: f.LadderStepTaken) -> Statements:
    yield update(t.incidents).where(t.incidents.c.id == fact.incident).values(step=fact.step, changed_utc_ns=utc_ns)


def _call_opened(number: int, utc_ns: int, fact: f.CallOpened) -> Statements:
    values = {
        "number": number,
        "incident": fact.incident,
        "point": fact.point,
        "state": call_machine.WAITING,
        "reason": "",
        "started_utc_ns": utc_ns,
    }
    yield _upsert(t.calls, {"id": fact.call}, values)


def _call_moved(_number: int, utc_ns: int, fact: f.CallMoved) -> Statements:
    values: dict[str, Any] = {"state": fact.new, "reason": fact.reason}
    if fact.new == call_machine.ENDED:
        values["ended_utc_ns"] = utc_ns
    yield update(t.calls).where(t.calls.c.id == fact.call).values(**values)


def _offer_ended(_number: int, _utc_ns: int, fact: f.OfferEnded) -> Statements:
    if fact.operator is not None and fact.result == "accepted":
        yield update(t.calls).where(t.calls.c.id == fact.offer.rpartition(".")[0]).values(operator=fact.operator)


def _leg_created(number: int, utc_ns: int, fact: f.LegCreated) -> Statements:
    values = {
        "number": number,
        "call": fact.call,
        "role": fact.role,
        "party": fact.party,
        "inbound": fact.inbound,
        "route": fact.route,
        "state": leg_machine.first_state(fact.inbound),
        "created_utc_ns": utc_ns,
    }
    yield _upsert(t.legs, {"id": fact.leg}, values)


def _leg_moved(_number: int, utc_ns: int, fact: f.LegMoved) -> Statements:
    values: dict[str, Any] = {"state": fact.new}
    if fact.new == leg_machine.UP:
        values["answered_utc_ns"] = func.coalesce(t.legs.c.answered_utc_ns, utc_ns)
    if fact.new == leg_machine.ENDED:
        values["ended_utc_ns"] = utc_ns
    if fact.termination is not None:
        end = fact.termination
        values |= {"end_class": end.kind.value, "end_by": end.by.value, "end_reason": end.reason, "end_status": end.status}
    yield update(t.legs).where(t.legs.c.id == fact.leg).values(**values)
    if fact.new == leg_machine.UP:  # a call is answered when the first party that is not the point is there
        human = exists().where(and_(t.legs.c.id == fact.leg, t.legs.c.role != leg_machine.POINT))
        unanswered = and_(t.calls.c.id == call_of_leg(fact.leg), t.calls.c.answered_utc_ns.is_(None), human)
        yield update(t.calls).where(unanswered).values(answered_utc_ns=utc_ns)
        yield _first_answer(fact.leg)


def _acceptance_awaited(_number: int, _utc_ns: int, fact: f.AcceptanceAwaited) -> Statements:
    """An answer that is not an acceptance has not answered the call."""
    own = select(t.legs.c.answered_utc_ns).where(t.legs.c.id == fact.leg).scalar_subquery()
    by_it = and_(t.calls.c.id == call_of_leg(fact.leg), t.calls.c.answered_utc_ns == own)
    yield update(t.calls).where(by_it).values(answered_utc_ns=None)
    yield _first_answer(fact.leg)


def _leg_accepted(_number: int, utc_ns: int, fact: f.LegAccepted) -> Statements:
    unanswered = and_(t.calls.c.id == call_of_leg(fact.leg), t.calls.c.answered_utc_ns.is_(None))
    yield update(t.calls).where(unanswered).values(answered_utc_ns=utc_ns)
    yield _first_answer(fact.leg)


def _first_answer(leg: LegId) -> Executable:
    incident = incident_of_call(call_of_leg(leg))
    first = select(func.min(t.calls.c.answered_utc_ns)).where(t.calls.c.incident == incident).scalar_subquery()
    return update(t.incidents).where(t.incidents.c.id == incident).values(answered_utc_ns=first)


def _call_taken(_number: int, utc_ns: int, fact: f.CallTaken) -> Statements:
    yield update(t.legs).where(t.legs.c.id == fact.leg).values(role=leg_machine.OPERATOR)
    yield update(t.calls).where(t.calls.c.id == fact.call).values(operator=fact.operator)
    incident = incident_of_call(fact.call)
    yield update(t.incidents).where(t.incidents.c.id == incident).values(operator=fact.operator, changed_utc_ns=utc_ns)


def _operator_moved(_number: int, utc_ns: int, fact: f.OperatorMoved) -> Statements:
    values = {"state": fact.new, "state_reason": fact.reason, "state_utc_ns": utc_ns}
    yield _upsert(t.presence, {"kind": "operator", "id": fact.operator}, values)


def _reached(kind: str, id: str, utc_ns: int, reachable: bool, why: str) -> Executable:
    values = {"reachable": reachable, "reachable_why": why, "reachable_utc_ns": utc_ns}
    return _upsert(t.presence, {"kind": kind, "id": id}, values)


def _seat_changed(_number: int, utc_ns: int, fact: f.SeatChanged) -> Statements:
    yield _reached("operator", fact.operator, utc_ns, fact.reachable, fact.why)


def _point_changed(_number: int, utc_ns: int, fact: f.PointChanged) -> Statements:
    yield _reached("point", fact.point, utc_ns, fact.reachable, fact.why)


def _trunk_changed(_number: int, utc_ns: int, fact: f.TrunkChanged) -> Statements:
    yield _reached("trunk", fact.trunk, utc_ns, fact.reachable, fact.why)


def _alarm_raised(_number: int, utc_ns: int, fact: f.AlarmRaised) -> Statements:
    yield _upsert(t.alarms, {"key": fact.key}, {"text": fact.text, "raised_utc_ns": utc_ns})


def _alarm_cleared(_number: int, _utc_ns: int, fact: f.AlarmCleared) -> Statements:
    yield delete(t.alarms).where(t.alarms.c.key == fact.key)


def _recording_made(number: int, utc_ns: int, fact: f.RecordingMade) -> Statements:
    values = {
        "number": number,
        "files": msgspec.json.encode(dict(fact.files)).decode(),
        "captures": msgspec.json.encode(dict(fact.captures)).decode(),
        "duration_ms": fact.duration_ms,
        "losses_ms": fact.losses_ms,
        "report": fact.report,
        "changed_utc_ns": utc_ns,
    }
    row = insert(t.recordings).values(call=fact.call, failures=0, **values)
    yield row.on_conflict_do_update(index_elements=["call"], set_=values)


def _recording_failed(number: int, utc_ns: int, fact: f.RecordingFailed) -> Statements:
    row = insert(t.recordings).values(call=fact.call, number=number, failures=1, last_failure=fact.why, changed_utc_ns=utc_ns)
    again = {"failures": t.recordings.c.failures + 1, "last_failure": fact.why, "changed_utc_ns": utc_ns}
    yield row.on_conflict_do_update(index_elements=["call"], set_=again)


def _recording_deleted(number: int, utc_ns: int, fact: f.RecordingDeleted) -> Statements:
    values = {
        "number": number,
        "files": msgspec.json.encode(list(fact.files)).decode(),
        "captures": msgspec.json.encode(list(fact.captures)).decode(),
        "rule": fact.rule,
        "deleted_by": fact.by,
        "deleted_utc_ns": utc_ns,
    }
    yield _upsert(t.deletions, {"call": fact.call}, values)


def _texts_erased(_number: int, _utc_ns: int, fact: f.TextsErased) -> Statements:
    """Not computed from the journal but done to it: the fact and what it tells come true together."""
    yield erasing(fact.rows, fact.incident)
    yield from noted.forgetting(fact.rows)


def _hold_placed(number: int, utc_ns: int, fact: f.HoldPlaced) -> Statements:
    values = {"number": number, "incident": fact.incident, "placed_by": fact.by, "placed_utc_ns": utc_ns}
    values |= {"review_utc_ns": fact.review_utc_ns, "lifted_by": None, "lifted_utc_ns": None}
    yield _upsert(t.holds, {"id": fact.hold}, values)


def _hold_lifted(_number: int, utc_ns: int, fact: f.HoldLifted) -> Statements:
    yield update(t.holds).where(t.holds.c.id == fact.hold).values(lifted_by=fact.by, lifted_utc_ns=utc_ns)


_RULES: Mapping[type, Callable[[int, int, Any], Statements]] = {
    f.PlanAdopted: _plan_adopted,
    f.IncidentOpened: _incident_opened,
    f.IncidentRejoined: _incident_rejoined,
    f.IncidentReclassified: _incident_reclassified,
    f.IncidentHandedOver: _incident_handed_over,
    f.IncidentMoved: _incident_moved,
    f.OutcomeRecorded: _outcome_recorded,
    f.LadderStepTaken: _step_taken,
    f.CallOpened: _call_opened,
    f.CallMoved: _call_moved,
    f.OfferEnded: _offer_ended,
    f.LegCreated: _leg_created,
    f.LegMoved: _leg_moved,
    f.AcceptanceAwaited: _acceptance_awaited,
    f.LegAccepted: _leg_accepted,
    f.CallTaken: _call_taken,
    f.OperatorMoved: _operator_moved,
    f.SeatChanged: _seat_changed,
    f.PointChanged: _point_changed,
    f.TrunkChanged: _trunk_changed,
    f.AlarmRaised: _alarm_raised,
    f.AlarmCleared: _alarm_cleared,
    f.RecordingMade: _recording_made,
    f.RecordingFailed: _recording_failed,
    f.RecordingDeleted: _recording_deleted,
    f.TextsErased: _texts_erased,
    f.HoldPlaced: _hold_placed,
    f.HoldLifted: _hold_lifted,
}
