"""What the edge is asked for and what it tells: the seam between SIP and the rest.

The edge knows dialogs, transactions, bindings and digest; it knows nothing of incidents and queues. The runtime
orders by leg id; the edge answers through `Listener`, on the event loop, synchronously and without waiting.
A leg id is a string that the runtime chooses; until an inbound INVITE is adopted it is known by `dialog`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec


class LocalMedia(msgspec.Struct, frozen=True):
    """Our side of a leg's RTP: the address that our SDP names (from the supervisor's sockets) and the RTP line we send."""

    host: str
    rtp_port: int
    rtcp_port: int
    ssrc: int
    first_seq: int
    first_timestamp: int
    started_ns: int


class RemoteMedia(msgspec.Struct, frozen=True):
    """What was agreed with a leg's device. `source_host` is the SIP source's address."""

    host: str
    rtp_port: int
    codec: str  # PCMU | PCMA | G722
    payload_type: int
    ptime_ms: int
    dtmf_payload_type: int  # -1: none
    device_sends: bool  # the device's direction: it will send to us
    device_receives: bool
    rtcp_mux: bool
    source_host: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where an outbound leg is dialled: exactly one of the first three.

    `user` rings every binding of a registered user in parallel (first 200 wins, the rest are cancelled), or the
    `fallback` contact when there is none; `uri` goes straight; `trunk` with `uri` goes through the trunk.
    """

    user: str = ""
    uri: str = ""
    trunk: str = ""
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Who we say is calling: user part and display name of From.

    `auto_answer` names the header that asks the device to answer by itself: "", both, call-info or alert-info.
    """

    user: str
    display: str
    auto_answer: str = ""


class LegRecord(msgspec.Struct, frozen=True):
    """A stored outer leg, enough to go on with it after a restart. `blob` is the edge's own encoding."""

    leg: str
    up: bool
    local: LocalMedia | None
    remote: RemoteMedia | None
    blob: bytes


class Listener(Protocol):
    """What the edge tells. Every call is made on the loop's thread and must return at once."""

    def pressed(self, dialog: str, point: str, has_sdp: bool, button: str) -> None:
        """A point's authenticated INVITE to a help user, by which of its buttons ("": not told apart); 100 was sent."""

    def code_dialled(self, dialog: str, user: str, code: str) -> None:
        """An operator called a service code; 100 was sent."""

    def rang(self, leg: str) -> None:
        """An outbound leg got 180 or 183."""

    def answered(self, leg: str, remote: RemoteMedia) -> None:
        """An outbound leg got its 2xx (and has its ACK)."""

    def changed(self, leg: str, remote: RemoteMedia) -> None:
        """A re-INVITE or UPDATE (or late offer's ACK) agreed other media."""

    def ended(self, leg: str, status: int, by_party: bool, was_up: bool, reason: str) -> None:
        """The leg's dialog is over. `status`: failure or 487 of an INVITE; 0 for BYE; 408 for no reply. Exactly once per leg."""

    def digit(self, leg: str, digit: str) -> None:
        """DTMF by INFO."""

    def bound(self, user: str, contact: str) -> None:
        """A user has a first binding (registered)."""

    def unbound(self, user: str, why: str) -> None:
        """A user has no binding any more."""

    def probed(self, user: str, reachable: bool, why: str) -> None:
        """OPTIONS to a user's binding (or a trunk id) changed its outcome."""


class Accounts(Protocol):
    """Who may speak, from plan and directory; lookups are in memory and quick."""

    def role(self, user: str) -> str:
        """`point`, `operator` or "" for a SIP user."""

    def ha1(self, user: str) -> tuple[str, str]:
        """(algorithm, HA1 in hex): algorithm `MD5` or `SHA-256`; ("", "") for an unknown user. Realm is the SIP domain."""

    def trusted(self, user: str, source_host: str) -> bool:
        """Whether requests as `user` from this address need no digest."""

    def is_help(self, user: str) -> bool:
        """Whether points press by calling this user part."""

    def button(self, point: str, called: str, values: Callable[[str], Sequence[str]]) -> str:
        """Which of a point's buttons calls this user part, or sends such a header; `values` are a header's. "": none of them."""

    def trunk(self, trunk: str) -> "TrunkAccess | None":
        """Where a trunk is and what it needs."""

    def trunk_source(self, source_host: str, source_port: int) -> str:
        """The trunk id that sends from this address, or ""."""

    def trunks(self) -> tuple[str, ...]:
        """All trunk ids, for the prober."""


@dataclass(frozen=True, slots=True)
class TrunkAccess:
    """Address and credentials of a trunk. `transport` is udp, tcp or tls; `ca` a file of authorities, "" for the system's.

    `register`: `user` is made known there, and calls are made as it.
    """

    id: str
    host: str
    port: int
    transport: str
    user: str
    password: str
    probe_ms: int
    ca: str = ""
    register: bool = False


class Storage(Protocol):
    """Where the edge keeps what must survive it."""

    async def save_leg(self, record: LegRecord) -> None:
        """Returns when it is on disk, or after 250 ms at the latest (people before papers)."""

    def forget_leg(self, leg: str) -> None:
        """The leg is over and its 32 s of lingering too."""

    async def save_binding(self, user: str, blob: bytes) -> None:
        """All bindings of one user (b"" for none)."""


class Connections(Protocol):
    """Keeps duplicates of accepted TCP connections alive while the switchboard is replaced."""

    def keep(self, connection: int, fileno: int) -> None:
        """Hold a duplicate of this connection under this number."""

    def drop(self, connection: int) -> None:
        """The connection is closed; let the duplicate go."""
