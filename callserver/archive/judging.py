"""Whether what lies on the disk of one side of a live conversation is that side's sound. Pure: windows in, verdicts out.

Each second of a side gives a `Window`, what was measured of it. `kind_of` says what that second is, and a `Side` draws from one
second after the other what is to be told:

    listening   too little was heard to say anything
    quiet       the microphone lives, and nobody has spoken yet; no fault, however long
    good        sound of a plausible level, that is nobody else's: confirmed
    doubtful    a fault, with its reason; it was so for long enough

A fault of the sound itself (static, a copy) shows within five seconds. Nothing at all, or a machine's silence, is waited out for
seven, so that the alarm comes within ten seconds of a conversation. A device that cuts its pauses out (it sends nothing, comfort
noise or zeros between words, as gates and voice activity detection do) is known by having come back from such pauses, and is
given a minute.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

QUIET_DBFS = -55.0  # RMS of a second: below it nobody speaks into this microphone
OVERLOAD_DBFS = -5.0  # above any voice, even one that is clipped all the time
STATIC_FLAT, STATIC_DBFS = 0.9, -30.0
RANDOM_BELOW = 2.0  # audio.texture.evenness
HOLLOW_BELOW, HOLLOW_DBFS = 0.02, -45.0
OTHER_LAW_DB, OTHER_LAW_ROUGH = 5.0, 1.15
COPY_SHARE, COPY_WITHIN_DB = 0.9, 6.0
TONE_FLAT = 0.03  # below it a sound repeats itself, and nobody can say whose it is
DEAD_ABOVE = 0.9  # share of frames

MEMORY = 5  # windows
FAULTY = 4  # of these
COPIES = 3  # of the last windows in which the other side spoke
SOUND_ENOUGH = 2
PATIENCE_S, PATIENCE_GATED_S = 7.0, 60.0
GATED_RETURNS = 2


class Kind(StrEnum):
    """What a second of a side is."""

    NOTHING = "nothing"  # no packets
    DEAD = "dead"  # a machine's silence
    RANDOM = "random"  # no codec's bytes
    LAW = "law"  # A-law taken for mu-law, or the other way round
    STATIC = "static"
    OVERLOAD = "overload"
    COPY = "copy"
    QUIET = "quiet"
    SOUND = "sound"


class State(StrEnum):
    """What is told of a side."""

    LISTENING = "listening"
    QUIET = "quiet"
    GOOD = "good"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Window:
    """A second of one side, measured; levels in dB of full scale. `share` is how much of the second packets came for."""

    share: float = 1.0
    rms_dbfs: float = -120.0
    peak_dbfs: float = -120.0
    full_share: float = 0.0  # samples at full scale
    dead_share: float = 1.0  # frames that hold a machine's silence
    flat: float = 0.0
    evenness: float = 100.0
    hollow: float = 1.0
    other_law_db: float = 0.0  # by how much louder this is than the same bytes under the other law; 0: there is none
    other_law_rough: float = 0.0  # by how much rougher, as a factor
    copy_share: float = 0.0
    copy_db: float = 0.0
    other_spoke: bool = False  # so that a copy of it would show
    paused: bool = False  # comfort noise or missing packets among sound


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is told of a side. `why`: of a doubtful one, its `Kind`."""

    state: State
    why: str = ""


def kind_of(window: Window) -> Kind:
    """What this second is, by the first thing that is true of it."""
    if window.share < 0.1:
        return Kind.NOTHING
    if window.dead_share >= DEAD_ABOVE:
        return Kind.DEAD
    if window.evenness < RANDOM_BELOW:
        return Kind.RANDOM
    if _wrong_law(window):
        return Kind.LAW
    if window.rms_dbfs > OVERLOAD_DBFS:
        return Kind.OVERLOAD
    if window.flat > STATIC_FLAT and window.rms_dbfs > STATIC_DBFS:
        return Kind.STATIC
    if _is_copy(window):
        return Kind.COPY
    return Kind.QUIET if window.rms_dbfs < QUIET_DBFS else Kind.SOUND


def _wrong_law(window: Window) -> bool:
    """The other law would make it quieter and smoother at once; or silence has become a square wave."""
    if window.hollow < HOLLOW_BELOW and window.rms_dbfs > HOLLOW_DBFS and window.other_law_db > 0:
        return True
    return window.other_law_db > OTHER_LAW_DB and window.other_law_rough > OTHER_LAW_ROUGH


def _is_copy(window: Window) -> bool:
    alike = window.copy_share >= COPY_SHARE and abs(window.copy_db) <= COPY_WITHIN_DB
    return window.other_spoke and alike and window.flat > TONE_FLAT


@dataclass(slots=True)
class Side:
    """One side of a conversation, second after second. Times are seconds of any clock that does not step."""

    begun_s: float  # when it was expected to sound first
    proven: bool = False
    state: State = State.LISTENING
    why: str = ""
    _kinds: deque[Kind] = field(default_factory=lambda: deque(maxlen=MEMORY))
    _copies: deque[bool] = field(default_factory=lambda: deque(maxlen=MEMORY))
    _alive_s: float = 0.0  # when it was last more than nothing and a machine's silence
    _returns: int = 0
    _pausing: bool = False

    def __post_init__(self) -> None:
        self._alive_s = self.begun_s

    def begin_again(self, at_s: float) -> None:
        """It was not expected to sound (on hold, say) and is from now on: what it is known for stays."""
        self.begun_s = self._alive_s = at_s
        self._kinds.clear()
        self._copies.clear()

    def take(self, window: Window, at_s: float) -> Verdict:
        """One more second, measured at `at_s`."""
        kind = kind_of(window)
        self._kinds.append(kind)
        if window.other_spoke:
            self._copies.append(kind is Kind.COPY)
        self._notice_pauses(kind, window, at_s)
        self._decide(kind, at_s)
        return Verdict(self.state, self.why)

    def _notice_pauses(self, kind: Kind, window: Window, at_s: float) -> None:
        silent = kind in (Kind.NOTHING, Kind.DEAD)
        if not silent:
            self._alive_s = at_s
        back = self._pausing and not silent  # each pause once: where it began and where it ended the second is half of it
        self._returns += back and self.proven
        self._pausing = silent or (window.paused and not back)

    def _decide(self, kind: Kind, at_s: float) -> None:
        kinds = list(self._kinds)
        fault = self._fault(kinds, at_s)
        if fault:
            self.state, self.why = State.DOUBTFUL, fault
            return
        if kinds.count(Kind.SOUND) >= SOUND_ENOUGH and kind is Kind.SOUND:
            self.proven, self.state, self.why = True, State.GOOD, ""
        elif self.state is State.LISTENING and kinds.count(Kind.QUIET) >= SOUND_ENOUGH:
            self.state = State.QUIET

    def _fault(self, kinds: list[Kind], at_s: float) -> str:
        for kind in (Kind.RANDOM, Kind.LAW, Kind.OVERLOAD, Kind.STATIC):
            if kinds.count(kind) >= FAULTY:
                return kind
        if self._copies.count(True) >= COPIES and self._copies[-1]:
            return Kind.COPY
        patience = PATIENCE_GATED_S if self._returns >= GATED_RETURNS else PATIENCE_S
        if at_s - self._alive_s >= patience:
            return kinds[-1]
        return ""
