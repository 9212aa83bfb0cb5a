"""What a worker checks of a `Place` before it acts, and what it notes of it in the capture. Pure."""

import ipaddress

import msgspec

from callserver.media.call_worker.inner_codec import INNER_PAYLOAD_TYPES
from callserver.media.protocol import Place
from dialplans.model import MediaSource

RULES = frozenset(rule.value for rule in MediaSource)
PTIMES_MS = (10, 20, 30, 40, 60)


def unfit(place: Place) -> str:
    """Why a leg cannot be carried as ordered; "" when it can. (A name instead of an address would ask the DNS per packet.)"""
    if place.codec.name not in INNER_PAYLOAD_TYPES:
        return f"codec {place.codec.name} is not carried"
    if place.codec.ptime_ms not in PTIMES_MS:
        return f"packets of {place.codec.ptime_ms} ms are not carried"
    if place.source not in RULES:
        return f"no rule of source is called {place.source}"
    if "/" in place.leg or not place.leg:
        return "a leg's name is part of a file's"
    if not 0 <= place.remote_port <= 65_534:
        return f"port {place.remote_port} does not exist, or its RTCP port does not"
    for host in (place.remote_host, place.source_host):
        try:
            if host:
                ipaddress.IPv4Address(host)
        except ValueError:
            return f"{host} is no IPv4 address"
    return ""


def note_of(place: Place) -> bytes:
    """The capture's note of what was agreed for the leg from here on."""
    note = {
        "note": "placed",
        "codec": msgspec.to_builtins(place.codec),
        "remote": f"{place.remote_host}:{place.remote_port}",
        "source": place.source,
        "send": place.send,
        "receive": place.receive,
    }
    return msgspec.json.encode(note)
