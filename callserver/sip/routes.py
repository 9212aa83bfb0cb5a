"""Where a request goes: to the address that a URI names, or back over the flow that its owner was last heard on."""

import ipaddress

from callserver.sip.leg import Leg
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.uri import Uri
from callserver.sip.transport import Flow


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
    return Flow("tcp" if uri.transport == "tcp" else "udp", uri.host, uri.port or 5060)


def towards(uri: Uri, heard: Flow) -> Flow:
    """To a contact: its own address when it is where we heard it from, else back over that flow (a NAT lies between).

    A connection is used again as long as it is open.
    """
    if heard.kind == "tcp":
        return heard
    if uri.is_sip and uri.host == heard.host and uri.transport in ("", "udp"):
        return Flow("udp", uri.host, uri.port or 5060)
    return heard


def in_dialog(dialog: Dialog, heard: Flow) -> Flow:
    """Where requests within a dialog go: by its first route, or to its target."""
    hop = dialog.next_hop
    if dialog.routes:
        return heard if heard.kind == "tcp" else flow_of(hop) or heard
    return towards(hop, heard)


def refreshed(leg: Leg, heard: Flow) -> Flow:
    """A leg's flow after a request of its peer."""
    assert leg.dialog is not None, "a leg with requests has a dialog"
    return in_dialog(leg.dialog, heard)
