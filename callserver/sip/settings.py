"""What the edge is told once, at its start."""

from dataclasses import dataclass, field

from callserver.sip.limits import LimitSettings


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """Addresses, times and terms of the edge.

    `domain` is the SIP domain and digest realm. `also` are further names and addresses that it answers to. `host` and the ports
    are what Via and Contact say; a port of 0 means the one that we listen on. `secret` keys the nonces and must be the same
    after a restart. `codecs` in the order of our preference.
    """

    domain: str
    secret: bytes
    host: str = "127.0.0.1"
    udp_port: int = 0
    tcp_port: int = 0
    tls_port: int = 0
    also: tuple[str, ...] = ()
    min_expires_s: int = 30
    default_expires_s: int = 300
    max_expires_s: int = 3_600
    codecs: tuple[str, ...] = ("PCMU", "PCMA", "G722")
    probe_ms: int = 30_000
    session_expires_s: int = 1_800  # the time between refreshes that we ask trunks for (RFC 4028); 0: none
    limits: LimitSettings = field(default_factory=LimitSettings)
