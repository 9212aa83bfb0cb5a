"""The condition of the machine around the calls: plans, points, trunks, lines, workers, alarms, notes of others."""

from callserver.core import call as calls
from callserver.core import classes, conditions, holds, kept, signals, sound
from callserver.core import leg as legs
from callserver.core.conversation import dial_point
from callserver.core.decision import Decision
from callserver.core.effects import ReviveCall
from callserver.core.endings import silence_alarm
from callserver.core.events import (
    ConditionCleared,
    ConditionRaised,
    LineSilent,
    LineSounding,
    Noted,
    PlanLoaded,
    PointLost,
    PointReached,
    TrunkLost,
    TrunkReached,
    WorkerLost,
)
from callserver.core.facts import (
    AccessAnswered,
    AccessAsked,
    AccountChanged,
    ArchivistStarted,
    BackupMade,
    CallScored,
    CallShaped,
    CheckpointKeyMade,
    CheckpointSigned,
    ClockAnchored,
    ConfigurationRead,
    DisclosureMade,
    Downloaded,
    ExportApproved,
    ExportAsked,
    ExportFailed,
    ExportFetched,
    HoldLifted,
    HoldPlaced,
    LineChanged,
    Listened,
    PackMade,
    PlanAdopted,
    Played,
    PointChanged,
    RecordingConfirmed,
    RecordingDeleted,
    RecordingDoubtful,
    RecordingFailed,
    RecordingMade,
    RecordingSent,
    RedactionMade,
    SampleSeeded,
    Searched,
    SearchExported,
    ServerStarted,
    SignedIn,
    TextsErased,
    TrunkChanged,
    WorkerReplaced,
)
from callserver.core.ids import PointId
from callserver.core.lookup import incident_of, open_incident
from dialplans.model import When

SILENT_ALARM_MS = 10_000
_NOTES = (
    *(ServerStarted, ClockAnchored, RecordingMade, RecordingFailed, Listened, SignedIn, AccountChanged),
    *(CheckpointKeyMade, CheckpointSigned, RecordingConfirmed, RecordingDoubtful, ArchivistStarted, BackupMade),
    *(HoldPlaced, HoldLifted, RecordingDeleted, TextsErased),
    *(ExportAsked, ExportApproved, ExportFailed, ExportFetched, PackMade, RedactionMade),
    *(DisclosureMade, AccessAsked, AccessAnswered),
    *(SampleSeeded, CallScored),
    *(Searched, SearchExported, Played, RecordingSent, Downloaded, ConfigurationRead),
)


def plan_loaded(d: Decision, event: PlanLoaded) -> None:
    """A plan for new incidents; the plan in force loaded again is no news."""
    if event.version == d.state.plan_version and event.digest == d.state.plan_digest:
        return
    if event.version <= d.state.plan_version:
        d.refuse(f"plan v{event.version}", f"plan v{d.state.plan_version} is in force")
        return
    d.record(PlanAdopted(event.version, event.digest, event.plan, event.by))


def point_reached(d: Decision, event: PointReached) -> None:
    """A point is there again; one that is awaited for a call back is called at once."""
    _point_changed(d, event.point, True, "reached")
    d.clear_alarm(f"point:{event.point}", "reached")
    incident = open_incident(d.state, event.point)
    call = None if incident is None or incident.call is None else d.state.calls[incident.call]
    if call is not None and call.state == calls.CALLING_BACK and call.call_back_at is not None:
        dial_point(d, call)


def point_lost(d: Decision, event: PointLost) -> None:
    """A point cannot be reached: somebody has to look after it."""
    if _point_changed(d, event.point, False, event.why):
        d.alarm(f"point:{event.point}", event.why)


def _point_changed(d: Decision, point: PointId, reachable: bool, why: str) -> bool:
    plan = d.state.plans.get(d.state.plan_version)
    if plan is None or point not in plan.points:
        d.refuse(point, "no such point in the plan")
        return False
    if d.state.points.get(point) is not reachable:
        d.record(PointChanged(point, reachable, why))
    return True


def trunk_reached(d: Decision, event: TrunkReached) -> None:
    """A trunk carries calls again."""
    if d.state.trunks.get(event.trunk) is not True:
        d.record(TrunkChanged(event.trunk, True, "reached"))
    d.clear_alarm(f"trunk:{event.trunk}", "reached")


def trunk_lost(d: Decision, event: TrunkLost) -> None:
    """A trunk does not answer its probe."""
    if d.state.trunks.get(event.trunk) is not False:
        d.record(TrunkChanged(event.trunk, False, event.why))
    d.alarm(f"trunk:{event.trunk}", event.why)


def line_silent(d: Decision, event: LineSilent) -> None:
    """No RTP from a leg. It ends nothing: signalling ends calls; a long silence of a talking point is an alarm, a
    waiting one's may be what its ladder waits for."""
    leg = d.state.legs.get(event.leg)
    if leg is None:
        d.refuse(event.leg, "no such leg")
        return
    if leg.sounding:
        d.record(LineChanged(leg.id, False, event.silent_ms))
    call = d.state.calls[leg.call]
    talking = call.state == calls.TALKING or (leg.role == legs.BROUGHT and call.state in calls.ATTENDED)
    if leg.role == legs.POINT and call.state == calls.WAITING and event.silent_ms >= conditions.SILENT_CALLER_MS:
        classes.caller_silent(d, incident_of(d.state, call), event.silent_ms)
        conditions.happened(d, incident_of(d.state, call), When.CALLER_SILENT, f"silent for {event.silent_ms / 1000:g} s")
    if leg.role in legs.POINTS and talking and event.silent_ms >= SILENT_ALARM_MS:
        d.alarm(silence_alarm(leg.id), f"nothing is heard from {leg.party} for {event.silent_ms / 1000:g} s")


def line_sounding(d: Decision, event: LineSounding) -> None:
    """RTP comes again."""
    leg = d.state.legs.get(event.leg)
    if leg is None:
        d.refuse(event.leg, "no such leg")
        return
    if not leg.sounding:
        d.record(LineChanged(leg.id, True))
    d.clear_alarm(silence_alarm(leg.id), "the line sounds again")


def worker_lost(d: Decision, event: WorkerLost) -> None:
    """A call's audio process died: a successor takes over its live legs and its sound."""
    call = d.state.calls.get(event.call)
    if call is None or not any(leg.state in (legs.EARLY, legs.UP) for leg in call.legs.values()):
        d.refuse(event.call, "no leg of this call needs a worker")
        return
    d.record(WorkerReplaced(call.id, event.why))
    signals.worker_lost(d, call)
    shape = sound.without_place(call.shape)
    if shape != call.shape:
        d.record(CallShaped(call.id, shape))
    d.order(ReviveCall(call.id, shape))


def condition_raised(d: Decision, event: ConditionRaised) -> None:
    """The shell found a fault."""
    d.alarm(event.key, event.text)


def condition_cleared(d: Decision, event: ConditionCleared) -> None:
    """The fault is gone."""
    d.clear_alarm(event.key, "gone")


def noted(d: Decision, event: Noted) -> None:
    """A fact of a process that does not decide; no other kind can come this way."""
    fact = event.fact
    if not isinstance(fact, _NOTES):
        d.refuse(type(fact).__name__, "only the core decides this")
        return
    if isinstance(fact, holds.Retained) and (why := holds.objection(d, fact)):
        d.refuse(type(fact).__name__, why)
        return
    d.record(fact)
    if isinstance(fact, RecordingFailed):
        d.alarm(f"recording:{fact.call}", fact.why)
    elif isinstance(fact, RecordingMade):
        d.clear_alarm(f"recording:{fact.call}", "the recording is made")
    elif isinstance(fact, RecordingConfirmed | RecordingDoubtful):
        kept.noted(d, fact)
    elif isinstance(fact, holds.Retained):
        holds.noted(d, fact)
