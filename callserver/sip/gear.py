"""What all parts of the edge work with, and the register of its legs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from callserver.sip.addresses import Addresses
from callserver.sip.composer import Composer
from callserver.sip.interface import Accounts, Listener, Storage
from callserver.sip.leg import Leg, Phase
from callserver.sip.outbox import Action, Outbox
from callserver.sip.protocol.dialog import DialogKey
from callserver.sip.protocol.transaction import Retransmit2xx
from callserver.sip.settings import EdgeConfig
from callserver.sip.timers import Timers
from callserver.sip.trace import Trace
from callserver.sip.wire import Wire

MS = 1_000_000
LINGER_NS = 32_000 * MS


class Legs:
    """All legs by id, dialog and Call-ID, until their lingering is over. A dialog that is not adopted has an id of its own."""

    def __init__(self) -> None:
        self._legs: dict[str, Leg] = {}
        self._dialogs: dict[DialogKey, Leg] = {}
        self._calls: dict[str, Leg] = {}

    def add(self, leg: Leg) -> None:
        """A new one."""
        self._legs[leg.id] = leg

    def index(self, leg: Leg, call_id: str = "") -> None:
        """Its dialog (or a fork's Call-ID) is known now."""
        if leg.dialog is not None:
            self._dialogs[leg.dialog.key] = leg
        if call_id:
            self._calls[call_id] = leg
        for early in (early for fork in leg.forks for early in fork.early):
            self._dialogs[early.dialog.key] = leg

    def rename(self, leg: Leg, name: str) -> None:
        """The runtime's id instead of the dialog's."""
        del self._legs[leg.id]
        leg.id = name
        self._legs[name] = leg

    def remove(self, leg: Leg) -> None:
        """Its lingering is over."""
        self._legs.pop(leg.id, None)
        self._dialogs = {key: other for key, other in self._dialogs.items() if other is not leg}
        self._calls = {key: other for key, other in self._calls.items() if other is not leg}

    def get(self, name: str) -> Leg | None:
        """By leg or dialog id."""
        return self._legs.get(name)

    def of_dialog(self, key: DialogKey) -> Leg | None:
        """By the dialog that a request names."""
        return self._dialogs.get(key)

    def of_call(self, call_id: str) -> Leg | None:
        """By the Call-ID of a fork."""
        return self._calls.get(call_id)

    def all(self) -> Iterable[Leg]:
        """Every leg."""
        return tuple(self._legs.values())

    def pending(self, user: str) -> int:
        """How many unanswered inbound INVITEs of a user there are."""
        waiting = (Phase.PRESSED, Phase.RINGING)
        return sum(leg.inbound and leg.user == user and leg.phase in waiting for leg in self._legs.values())


@dataclass(slots=True)
class Gear:
    """Made once by the edge."""

    config: EdgeConfig
    composer: Composer
    wire: Wire
    outbox: Outbox
    timers: Timers
    clock: Callable[[], int]
    trace: Trace
    listener: Listener
    accounts: Accounts
    storage: Storage
    legs: Legs = field(default_factory=Legs)
    addresses: Addresses = field(default_factory=Addresses)
    retransmits: dict[str, Retransmit2xx] = field(default_factory=dict)  # by leg

    def keep(self, leg: Leg, then: Action) -> None:
        """Store the leg as it is now, then act."""
        self.outbox.put(leg.record(), then)

    def name_call(self, leg: Leg, call_id: str) -> None:
        """A Call-ID that we chose for this leg, for finding and tracing it."""
        self.legs.index(leg, call_id)
        self.trace.name(leg.id, call_id)
