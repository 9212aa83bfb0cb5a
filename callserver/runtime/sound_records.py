"""What is known of the audio of legs and calls, and where the workers' reports go; `runtime.sound` keeps and uses it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from callserver.core.shape import Shape
from callserver.runtime.supervisor_link import OuterSockets
from callserver.runtime.worker_link import WorkerLink
from callserver.sip.interface import LocalMedia, RemoteMedia


@dataclass(slots=True)
class LegSound:
    """What is known of one leg's audio."""

    leg: str
    role: str
    source: str  # dialplans.model.MediaSource
    sockets: OuterSockets
    local: LocalMedia
    remote: RemoteMedia | None = None
    placed: bool = False
    wanted: str = ""  # the language to place it with, once media is agreed (a late offer)
    learned: tuple[str, int] | None = None  # where the device was found to send from, for these media
    refusals: int = 0  # by how many workers

    def sends_nothing(self) -> bool:
        """Whether the device said that it will send nothing, as one does that holds the call by itself."""
        return self.remote is not None and not self.remote.device_sends


@dataclass(slots=True)
class CallSound:
    """One call's worker and what it was told last."""

    call: str
    language: str
    worker: WorkerLink | None = None
    rate_hz: int = 0
    shape: Shape = field(default_factory=Shape)
    wanted_ns: int = 0  # since when it waits for a worker; 0: it does not
    asked_ns: int = 0  # when the supervisor was asked for one last
    carried: bool = False  # the present worker has placed a leg
    failures: int = 0  # workers in a row that were lost before that
    again_ns: int = 0  # when the next is tried, after too many of those; 0: not awaited


@dataclass(frozen=True, slots=True)
class SoundTells:
    """Where what the workers report goes."""

    worker_lost: Callable[[str, str], None]  # call, why
    unheard: Callable[[str, str], None]  # leg, why: no worker carries it
    silent: Callable[[str, int], None]  # leg, ms
    sounding: Callable[[str], None]
    digit: Callable[[str, str], None]  # leg, digit
    trouble: Callable[[str, str, bool], None]  # key, text, cleared
    placed: Callable[[str], None] = lambda leg: None  # the leg's sound runs both ways
    one_way: Callable[[str, str, str, bool], None] = lambda leg, side, why, reported: None  # see runtime.one_way
    digits_gone: Callable[[str, str, str], None] = lambda leg, digits, why: None  # keys that were sent, "" or why not
