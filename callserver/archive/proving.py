"""The sides of all live conversations, proven from the disk second after second; see archive.judging for what is told when.

What is on the disk is the point: captures are read from there, and nothing is confirmed before the disk has it (fdatasync(2)).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import structlog

from callserver.archive.following import Follower, measure
from callserver.archive.judging import Kind, Side, State, Verdict, Window
from callserver.core.facts import RecordingConfirmed, RecordingDoubtful
from callserver.core.ids import CallId, LegId, incident_of_call

SECOND_NS = 1_000_000_000
NOT_WRITTEN = "not-written"  # packets arrive, and the capture does not grow
CANNOT_READ = "unreadable"
FRESH_NS = 3 * SECOND_NS
BAD_SOUND = (ValueError, ArithmeticError, LookupError, MemoryError)
"""What bytes of a stranger's making, or a small machine, can bring about in decoding and measuring."""

_log = structlog.get_logger("archive")

_UNTOLD = Verdict(State.LISTENING)

Proof = RecordingConfirmed | RecordingDoubtful


class Listed(msgspec.Struct, frozen=True):
    """A leg of a live conversation, as the switchboard knows it; `since_ns` is BOOTTIME from which on it was to sound."""

    leg: str
    call: str
    since_ns: int
    sounding: bool = True
    expected: bool = True  # False: on hold, or only listening; then nothing is held against it


class Measured(msgspec.Struct, frozen=True):
    """What is shown of a side: levels in dB of full scale, per cent of samples at full scale, and `archive.judging`'s state."""

    rms: int
    peak: int
    clipped: int
    state: str
    why: str = ""


@dataclass(slots=True)
class _Leg:
    follower: Follower
    side: Side
    told: Verdict


class Prover:
    """`tell` journals a fact; what it raises ends the round, and the fact is told in the next one."""

    def __init__(self, captures_root: Path, tell: Callable[[Proof], object], now_ns: Callable[[], int]) -> None:
        self._root, self._tell, self._now_ns = captures_root, tell, now_ns
        self._legs: dict[str, _Leg] = {}

    def step(self, listed: Sequence[Listed]) -> dict[str, Measured]:
        """A second of each leg; what is to be shown of it. A leg that is listed no more is forgotten."""
        for name in set(self._legs) - {one.leg for one in listed}:
            self._legs.pop(name).follower.close()
        for one in listed:
            if one.leg not in self._legs:
                self._legs[one.leg] = self._followed(one)
        unread = {one.leg for one in listed if not self._read(one.leg)}
        return {one.leg: self._one(one, listed, one.leg in unread) for one in listed}

    def _followed(self, one: Listed) -> _Leg:
        """From its beginning, or from now on where that was missed: what was then is not known, and nobody's fault."""
        folder = self._root / incident_of_call(CallId(one.call)) / one.call
        now_ns = self._now_ns()
        begun_ns = one.since_ns if now_ns - one.since_ns < FRESH_NS else now_ns
        return _Leg(Follower(folder, one.leg), Side(begun_ns / SECOND_NS), _UNTOLD)

    def _read(self, leg: str) -> bool:
        try:
            self._legs[leg].follower.read(self._now_ns())
        except OSError as error:
            _log.warning("capture not readable", leg=leg, error=str(error))
            return False
        return True

    def _one(self, one: Listed, listed: Sequence[Listed], unread: bool) -> Measured:
        leg, now_ns = self._legs[one.leg], self._now_ns()
        others = [self._legs[each.leg].follower for each in listed if each.call == one.call and each.leg != one.leg]
        window = Window(share=0.0)
        try:
            window = window if unread else measure(leg.follower, others, now_ns)
        except BAD_SOUND as error:
            _log.warning("capture not decodable", leg=one.leg, error=str(error))
            unread = True
        if one.since_ns / SECOND_NS > leg.side.begun_s or not one.expected:
            leg.side.begin_again(max(one.since_ns, now_ns if not one.expected else 0) / SECOND_NS)
        verdict = _precisely(leg.side.take(window, now_ns / SECOND_NS), one, unread)
        if one.expected:
            verdict = self._told(one, leg, verdict, window)
        return Measured(
            round(window.rms_dbfs), round(window.peak_dbfs), round(100 * window.full_share), verdict.state, verdict.why
        )

    def _told(self, one: Listed, leg: _Leg, verdict: Verdict, window: Window) -> Verdict:
        """A fact where it is news; a confirmation is none before the disk has what it is about."""
        if verdict == leg.told or verdict.state not in (State.GOOD, State.DOUBTFUL):
            return verdict
        fact: Proof = RecordingDoubtful(CallId(one.call), LegId(one.leg), verdict.why)
        if verdict.state is State.GOOD:
            try:
                leg.follower.sync()
                fact = RecordingConfirmed(CallId(one.call), LegId(one.leg), round(window.rms_dbfs))
            except OSError as error:
                _log.warning("capture not on the disk", leg=one.leg, error=str(error))
                verdict = Verdict(State.DOUBTFUL, NOT_WRITTEN)
                if verdict == leg.told:
                    return verdict
                fact = RecordingDoubtful(CallId(one.call), LegId(one.leg), NOT_WRITTEN)
        self._tell(fact)
        leg.told = verdict
        return verdict


def _precisely(verdict: Verdict, one: Listed, unread: bool) -> Verdict:
    """Nothing on the disk means one thing where the device sends nothing, and another where it does."""
    if verdict.why != Kind.NOTHING:
        return verdict
    return replace(verdict, why=CANNOT_READ if unread else NOT_WRITTEN if one.sounding else verdict.why)
