"""Addresses in a plan: networks, SIP URIs, hosts, web addresses, mail, headers. See `dialplans.values`."""

import ipaddress
import re

from dialplans.values import Wrong, reader, spelled, whole

URI = r"sip:[^\s@;:<>\"]+@(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:;[^\s<>\"]+)?"
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
FILE = r"/[^\r\n\t\"]*[^\r\n\t\"/ ]"
WEB = r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:[/?#][^\s<>\"]*)?"
MAIL = r"[^\s@<>\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
HEADER = r"[A-Za-z][A-Za-z0-9-]*: ?[^\s:][^\r\n]*"

_HEADER = re.compile(HEADER)


@reader(type="array", items={"type": "string", "minLength": 1})
def networks(value: object) -> tuple[str, ...]:
    """A list of IP networks or addresses."""
    if not isinstance(value, list):
        raise Wrong(f"{value!r} is no list of networks", 'Write a list, such as ["10.20.0.0/16"]')
    return tuple(_network(each) for each in value)


def _network(value: object) -> str:
    try:
        return str(ipaddress.ip_network(str(value)))
    except ValueError as error:
        raise Wrong(f"{value!r} is no network ({error})", 'Write it as "10.20.0.0/16" or "10.20.0.7/32"') from error


uri = spelled(URI, "SIP URI", 'Write user and host, such as "sip:police@192.0.2.7:5060"')
"""A SIP URI with user and host (RFC 3261 section 19.1)."""

host = spelled(HOST, "host", 'Write a name or an address, such as "192.0.2.7"')
"""A host name or an IP address."""

file = spelled(FILE, "path of a file", 'Write it whole, such as "/etc/callserver/tls/carrier-ca.pem"')
"""The whole path of a file on the machine of the service."""

web_address = spelled(WEB, "web address", 'Write it whole, such as "https://cameras.example/7"')
"""The address of something on the web."""

mail_address = spelled(MAIL, "mail address", 'Write it as "security@site.example"')
"""One mail address, without a name around it."""


@reader(type="string", pattern=whole(HEADER))
def header(value: object) -> str:
    """A header of an INVITE with its value."""
    if not isinstance(value, str) or not value.isprintable() or not _HEADER.fullmatch(value):
        raise Wrong(f"{value!r} is no header", 'Write name and value, such as "X-Button: information"')
    name, _, content = value.partition(":")
    return f"{name}: {content.strip()}"
