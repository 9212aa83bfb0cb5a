"""Addresses in a plan: networks, SIP URIs, hosts, web addresses, mail, headers. See `dialplans.values`."""

import ipaddress
import re

from dialplans.values import Wrong, reader, whole

URI = r"sip:[^\s@;:<>\"]+@(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:;[^\s<>\"]+)?"
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
WEB = r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:[/?#][^\s<>\"]*)?"
MAIL = r"[^\s@<>\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
HEADER = r"[A-Za-z][A-Za-z0-9-]*: ?[^\s:][^\r\n]*"

_URI, _HOST, _WEB, _MAIL, _HEADER = (re.compile(pattern) for pattern in (URI, HOST, WEB, MAIL, HEADER))


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


@reader(type="string", pattern=whole(URI))
def uri(value: object) -> str:
    """A SIP URI with user and host (RFC 3261 section 19.1)."""
    if not isinstance(value, str) or not _URI.fullmatch(value):
        raise Wrong(f"{value!r} is no SIP URI", 'Write user and host, such as "sip:police@192.0.2.7:5060"')
    return value


@reader(type="string", pattern=whole(HOST))
def host(value: object) -> str:
    """A host name or an IP address."""
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        raise Wrong(f"{value!r} is no host", 'Write a name or an address, such as "192.0.2.7"')
    return value


@reader(type="string", pattern=whole(WEB))
def web_address(value: object) -> str:
    """The address of something on the web."""
    if not isinstance(value, str) or not _WEB.fullmatch(value):
        raise Wrong(f"{value!r} is no web address", 'Write it whole, such as "https://cameras.example/7"')
    return value


@reader(type="string", pattern=whole(MAIL))
def mail_address(value: object) -> str:
    """One mail address, without a name around it."""
    if not isinstance(value, str) or not _MAIL.fullmatch(value):
        raise Wrong(f"{value!r} is no mail address", 'Write it as "security@site.example"')
    return value


@reader(type="string", pattern=whole(HEADER))
def header(value: object) -> str:
    """A header of an INVITE with its value."""
    if not isinstance(value, str) or not value.isprintable() or not _HEADER.fullmatch(value):
        raise Wrong(f"{value!r} is no header", 'Write name and value, such as "X-Button: information"')
    name, _, content = value.partition(":")
    return f"{name}: {content.strip()}"
