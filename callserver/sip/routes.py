"""Where a request goes: to the address that a URI names, or back over the flow that its owner was last heard on."""

import ipaddress
from dataclasses import replace

from callserver.sip.flow import Flow
from callserver.sip.leg import Leg
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.uri import Uri


def is_address(host: str) -> bool:
    """Whether a host is an IPv4 address and needs no resolver."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def flow_of(uri: Uri) -> Flow | None:
    """The address that a URI names, None when it needs a resolver (RFC 3263 4)."""
    if not uri.is_sip or not is_address(uri.host):
        return None
    return way(uri, uri.host)


def way(uri: Uri, address: str) -> Flow:
    """To a URI whose host has this address: by TLS for sips: and transport=tls, proven by the host's name (RFC 3261 26.2.2)."""
    if uri.scheme == "sips" or uri.transport == "tls":
        return Flow("tls", address, uri.port or 5061, name=uri.host)
    return Flow("tcp" if uri.transport == "tcp" else "udp", address, uri.port or 5060)


def unresolved(flow: Flow) -> Flow:
    """A way whose host still has to be looked up: port 0, and the port beside the name."""
    return replace(flow, host=f"{flow.host}:{flow.port}", port=0)


def towards(uri: Uri, heard: Flow) -> Flow:
    """To a contact: its own address when it is where we heard it from, else back over that flow (a NAT lies between).

    A connection is used again as long as it is open.
    """
    if heard.stream:
        return heard
    if uri.is_sip and uri.host == heard.host and uri.transport in ("", "udp"):
        return Flow("udp", uri.host, uri.port or 5060)
    return heard


def in_dialog(dialog: Dialog, heard: Flow) -> Flow:
    """Where requests within a dialog go: by its first route, or to its target."""
    hop = dialog.next_hop
    if dialog.routes:
        return heard if heard.stream else flow_of(hop) or heard
    return towards(hop, heard)


def refreshed(leg: Leg, heard: Flow) -> Flow:
    """A leg's flow after a request of its peer."""
    assert leg.dialog is not None, "a leg with requests has a dialog"
    return in_dialog(leg.dialog, heard)
