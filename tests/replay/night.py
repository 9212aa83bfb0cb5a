"""A night at the help points for the replay to show: a long call with everything in it, and others around it, with real sound.

Each side of the long recording has a tone of its own at known seconds, so that what is heard after a click is known too.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from audio.peaks import pack, peaks_of
from audio.tones import Samples
from audio.tracks import write_flac
from callserver.config import Config
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, LegId, OfferId, OperatorId, PartyId, PointId
from callserver.core.shape import Prompt, Shape
from callserver.core.termination import By, Class, Termination
from callserver.store.directory import set_web
from callserver.store.engine import open_store
from callserver.store.journal import Entry, JournalWriter
from callserver.store.upgrade import upgrade
from dialplans.load import shipped
from tests.web.desk import ROLES, password_of, user_of

PLAN = shipped("darlington")
RATE_HZ = 8000
SECOND = 1_000_000_000
NIGHT_NS = 1_795_315_380_000_000_000  # 2026-11-22T02:43:00Z, which is the same in Darlington
INCIDENT = IncidentId("261122-024300-night1")
CALL = CallId(f"{INCIDENT}.1")
PLACE = PLAN.points["dl-bondgate"].place
NOTE = "Man fell at the taxi rank, conscious. Ambulance and police on their way.\nCaller stayed with him."
BEGAN_S = 0.3  # the first packet, after the press
SOUND_S = 152.0
POINT_HZ, HEARD_HZ = 440.0, 880.0
POINT_SAYS = ((1, 3), (14, 19), (26, 31), (46, 58), (66, 72), (84, 90), (98, 112), (126, 131), (140, 150))
POLICE_HZ = 660.0
POLICE_SAYS = ((67, 71), (100, 104))
APART = (36.0, 41.0)  # the operator speaks, the caller is on hold and hears nothing of it
POINT_HEARS = ((9.5, 13), (20, 25), (32, 34), (59, 65), (73, 82), (91, 94), (113, 125), (132, 139))
UNRECORDED = CallId("261122-030000-night2.1")
GOING_ON = CallId("261122-031500-night3.1")
OLDER = CallId("261121-220000-night0.1")

Told = tuple[float, f.Fact]


def entries() -> list[Entry]:
    """The whole night for the journal, in order."""
    told = sorted(
        (*_before(), *_long_call(), *_short_call(2400), *_open_call(4300), *_older_call(-17_000)), key=lambda one: one[0]
    )
    start = min(at for at, _ in told)
    return [
        Entry(f"n-{n}", fact, round((at - start) * SECOND), NIGHT_NS + round(at * SECOND), 1) for n, (at, fact) in enumerate(told)
    ]


def _before() -> Iterator[Told]:
    yield -90_000, f.PlanAdopted(1, "d" * 64, PLAN, "start")
    for number, id in enumerate(PLAN.operators):
        yield -80_000 + number, f.OperatorMoved(OperatorId(id), "off", "available", "registered")


def _opened(incident: IncidentId, point: str, at: float, priority: int = 0) -> Iterator[Told]:
    call = CallId(f"{incident}.1")
    yield at, f.IncidentOpened(incident, PointId(point), "town", priority, 1)
    yield at, f.CallOpened(call, incident, PointId(point))
    yield at, f.LegCreated(LegId(f"{call}.1"), call, "point", point, True)
    yield at + 0.05, f.LegMoved(LegId(f"{call}.1"), "arriving", "early", "a worker took it")


def _leg(call: CallId, number: int) -> LegId:
    return LegId(f"{call}.{number}")


def _rung(call: CallId, number: int, operator: str, at: float) -> Iterator[Told]:
    yield at, f.LegCreated(_leg(call, number), call, "operator", operator, False)
    yield at + 0.1, f.LegMoved(_leg(call, number), "dialling", "ringing", "180")


def _over(leg: LegId, at: float, was: str, reason: str, kind: Class = Class.NORMAL, by: By = By.PARTY, status: int = 0) -> Told:
    return at, f.LegMoved(leg, was, "ended", reason, Termination(kind, by, reason, status))


def _long_call() -> Iterator[Told]:
    point, first, second, police = (_leg(CALL, n) for n in (1, 2, 3, 4))
    offer = OfferId(f"{CALL}.o1")
    one, two = OperatorId("operator1"), OperatorId("operator2")
    yield from _opened(INCIDENT, "dl-bondgate", 0)
    yield 0.06, f.OfferMade(offer, CALL, (one, two), (first, second), 15 * SECOND, "ring-all of queue town")
    yield 0.07, f.CallShaped(CALL, Shape((), (Prompt("reassurance", (point,), 20_000),)))
    yield from _rung(CALL, 2, "operator1", 0.08)
    yield from _rung(CALL, 3, "operator2", 0.09)
    yield 9.2, f.LegMoved(first, "ringing", "up", "200")
    yield 9.2, f.LegMoved(point, "early", "up", "a person is there")
    yield 9.2, f.OfferEnded(offer, "accepted", "answered by operator1", one)
    yield 9.21, f.CallMoved(CALL, "waiting", "talking", "operator1 answered")
    yield 9.21, f.IncidentMoved(INCIDENT, "waiting", "attended", "operator1 answered", one)
    yield 9.22, f.CallShaped(CALL, Shape((point, first)))
    yield _over(second, 9.3, "ringing", "answered elsewhere", Class.CANCELLED, By.US, 487)
    yield from _middle(point, first, police)
    yield _over(point, 151.6, "up", "hung up")
    yield 151.7, f.IncidentMoved(INCIDENT, "attended", "wrap-up", "the point hung up", one, 210 * SECOND)
    yield 151.7, f.CallMoved(CALL, "talking", "ending", "the point hung up")
    yield _over(first, 152.3, "up", "the call is over", by=By.US)
    yield 152.3, f.CallMoved(CALL, "ending", "ended", "its last leg ended")
    yield 178.0, f.OutcomeRecorded(INCIDENT, "medical", "operator1", NOTE)
    yield 178.0, f.IncidentMoved(INCIDENT, "wrap-up", "closed", "outcome medical by operator1")
    files = {f"{CALL}/call.flac": "a" * 64, f"{CALL}/call.peaks": "b" * 64}
    files |= {f"{CALL}/{leg}.flac": "c" * 64 for leg in (point, first, police)}
    yield 156.4, f.RecordingMade(CALL, files, {}, round(SOUND_S * 1000), 420, "segment 2 begins at 0:75")


def _middle(point: LegId, operator: LegId, police: LegId) -> Iterator[Told]:
    yield 34.0, f.CallHeld(CALL, True, "operator1")
    yield 45.5, f.CallHeld(CALL, False, "operator1")
    yield 60.0, f.RouteTried(INCIDENT, PartyId("police"), 0, 1, police, "operator1 asked for it")
    yield 60.0, f.LegCreated(police, CALL, "outside", "police", False, "sip:police@192.0.2.9")
    yield 60.6, f.LegMoved(police, "dialling", "ringing", "180")
    yield 66.0, f.LegMoved(police, "ringing", "up", "200")
    yield 66.1, f.CallShaped(CALL, Shape((point, operator, police)))
    yield 75.2, f.WorkerReplaced(CALL, "ended by signal 9")
    yield 97.5, f.LineChanged(point, False, 2000)
    yield 98.1, f.LineChanged(point, True, 2600)
    yield _over(police, 122.0, "up", "hung up")


def _short_call(at: float) -> Iterator[Told]:
    """Nobody answered in time; the caller gave up, and the archivist has not come to it."""
    incident = IncidentId(UNRECORDED.rpartition(".")[0])
    yield from _opened(incident, "dl-northgate", at, 1)
    yield from _rung(UNRECORDED, 2, "operator3", at + 0.1)
    yield at + 40, f.LadderStepTaken(incident, 1, "step 1: unanswered 40 s under plan v1")
    yield _over(_leg(UNRECORDED, 2), at + 50, "ringing", "no answer", Class.UNANSWERED, By.US, 480)
    yield _over(_leg(UNRECORDED, 1), at + 51, "early", "given up", Class.CANCELLED)
    yield at + 51, f.CallMoved(UNRECORDED, "waiting", "ending", "the caller gave up")
    yield at + 51.1, f.CallMoved(UNRECORDED, "ending", "ended", "its last leg ended")
    yield at + 51.2, f.IncidentMoved(incident, "waiting", "unreviewed", "the caller gave up")


def _open_call(at: float) -> Iterator[Told]:
    """Still going on."""
    incident = IncidentId(GOING_ON.rpartition(".")[0])
    yield from _opened(incident, "dl-high-row", at)
    yield from _rung(GOING_ON, 2, "operator2", at + 0.1)
    yield at + 4, f.LegMoved(_leg(GOING_ON, 2), "ringing", "up", "200")
    yield at + 4, f.OfferEnded(OfferId(f"{GOING_ON}.o1"), "accepted", "answered by operator2", OperatorId("operator2"))
    yield at + 4, f.CallMoved(GOING_ON, "waiting", "talking", "operator2 answered")
    yield at + 4, f.IncidentMoved(incident, "waiting", "attended", "operator2 answered", OperatorId("operator2"))


def _older_call(at: float) -> Iterator[Told]:
    """From before there were peaks; its sound lies there as it always did."""
    incident = IncidentId(OLDER.rpartition(".")[0])
    yield from _opened(incident, "dl-market-square", at, 3)
    yield from _rung(OLDER, 2, "operator4", at + 0.1)
    yield at + 3, f.LegMoved(_leg(OLDER, 2), "ringing", "up", "200")
    yield at + 3, f.OfferEnded(OfferId(f"{OLDER}.o1"), "accepted", "answered by operator4", OperatorId("operator4"))
    yield at + 3, f.CallMoved(OLDER, "waiting", "talking", "operator4 answered")
    yield at + 3, f.IncidentMoved(incident, "waiting", "attended", "operator4 answered", OperatorId("operator4"))
    yield _over(_leg(OLDER, 1), at + 9, "up", "hung up")
    yield at + 9, f.CallMoved(OLDER, "talking", "ending", "the point hung up")
    yield _over(_leg(OLDER, 2), at + 9.5, "up", "the call is over", by=By.US)
    yield at + 9.5, f.CallMoved(OLDER, "ending", "ended", "its last leg ended")
    yield at + 20, f.OutcomeRecorded(incident, "test", "operator4", "Weekly test, both sides clear")
    yield at + 20, f.IncidentMoved(incident, "attended", "closed", "outcome test by operator4")
    yield at + 30, f.RecordingMade(OLDER, {f"{OLDER}/call.flac": "c" * 64}, {}, 9000, 0)


def voice(hz: float, stretches: Iterable[tuple[float, float]], length_s: float) -> Samples:
    """A tone at these seconds, swelling four times a second as speech does, and silence between."""
    at = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    loud = np.zeros_like(at)
    for begin, end in stretches:
        inside = (at >= begin) & (at < end)
        loud[inside] = 0.25 + 0.75 * np.abs(np.sin(2 * np.pi * 2.1 * at[inside]) * np.sin(0.7 * at[inside]))
    samples: Samples = np.round(loud * 0.3 * 32_767 * np.sin(2 * np.pi * hz * at)).astype(np.int16)
    return samples


def record(recordings: Path, call: str, sides: Sequence[Samples], began_utc_ns: int | None) -> None:
    """A recording as the archivist leaves it; without peaks for None."""
    folder = recordings / call
    write_flac(folder / "call.flac", sides, RATE_HZ)
    if began_utc_ns is not None:
        (folder / "call.peaks").write_bytes(pack(peaks_of(sides, RATE_HZ, began_utc_ns)))


def record_legs(recordings: Path) -> None:
    """The tracks of those who spoke in the long call; each begins with the recording, as the archivist's do."""
    said = {
        1: voice(POINT_HZ, POINT_SAYS, SOUND_S),
        2: voice(HEARD_HZ, (*POINT_HEARS, APART), SOUND_S),
        4: voice(POLICE_HZ, POLICE_SAYS, 122.0),
    }
    for number, samples in said.items():
        write_flac(recordings / CALL / f"{_leg(CALL, number)}.flac", [samples], RATE_HZ)


def fill(config: Config) -> None:
    """The store, the accounts and the recordings of the night."""
    engine = open_store(config.storage.data)
    upgrade(engine)
    for role in ROLES:
        set_web(engine, user_of(role), role, password_of(role))
    engine.dispose()
    writer = JournalWriter(config.storage.data, spool=config.storage.spool / "journal.spool")
    writer.start()
    writer.append(entries()).result(10)
    writer.close()
    sides = [voice(POINT_HZ, POINT_SAYS, SOUND_S), voice(HEARD_HZ, POINT_HEARS, SOUND_S)]
    record(config.storage.recordings, CALL, sides, NIGHT_NS + round(BEGAN_S * SECOND))
    record_legs(config.storage.recordings)
    record(config.storage.recordings, OLDER, [voice(POINT_HZ, [(1, 4)], 9.0), voice(HEARD_HZ, [(5, 8)], 9.0)], None)
