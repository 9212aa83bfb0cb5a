"""Facts of processes that do not decide; the state knows of them what the time of day is, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callserver.core.ids import CallId

ERASABLE: Mapping[str, bool] = {"erasable": True}
"""Metadata of a field that holds personal data or free text; see `facts`."""


@dataclass(frozen=True, slots=True)
class ServerStarted:
    """The switchboard took up its work, after folding `folded` facts."""

    version: str
    folded: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class ClockAnchored:
    """The tie between boottime and UTC was made anew (start, or a step of the wall clock)."""

    anchor: int
    boot: str
    utc_ns: int
    instant_ns: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class RecordingMade:
    """Files made from a call's captures, and the SHA-256 of each file and of each capture (uncompressed)."""

    call: CallId
    files: Mapping[str, str]  # path below the recordings directory -> SHA-256
    captures: Mapping[str, str]
    duration_ms: int
    losses_ms: int
    report: str = ""


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """The archivist could not finish a recording; it tries again."""

    call: CallId
    why: str


@dataclass(frozen=True, slots=True)
class Listened:
    """A recording was opened, by whom and why."""

    call: CallId
    by: str
    reason: str = field(metadata=ERASABLE)
    first_byte: int = 0
    leg: str = ""  # of one leg's file; empty: the whole call


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in to the web service, or failed to."""

    user: str
    accepted: bool
    source: str = field(default="", metadata=ERASABLE)


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """An account of the directory was made, changed or removed."""

    user: str
    what: str
    by: str


@dataclass(frozen=True, slots=True)
class CheckpointKeyMade:
    """Checkpoints are signed with this key from here on; the key before it, if there was one, says that it may."""

    key: str  # SHA-256 of the public key, in hex: its fingerprint
    public: str  # Ed25519, 32 bytes in hex
    previous: str = ""
    consent: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointSigned:
    """The journal up to row `number` is signed: nobody without the key can make it anew."""

    sequence: int
    number: int
    hash: str
    utc_ns: int
    key: str
    signature: str
