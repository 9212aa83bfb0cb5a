"""A small model of SDP (RFC 8866): what our gate reads of it, and nothing else. The parser is strict and of linear time.

It knows v, o, c, m and a few attributes; all other lines are dropped by never being kept.
"""

import ipaddress
import re
from dataclasses import dataclass, replace

from callserver.sip.protocol.errors import SipError

MAX_LINES = 512
MAX_LINE = 1024
MAX_MEDIA = 4
MAX_FORMATS = 32
MIN_PORT, MAX_PORT = 1024, 65535

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
HOLD_HOST = "0.0.0.0"  # RFC 2543's hold

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~#$&^{|}]+")
_PROTOCOL = re.compile(r"[A-Za-z0-9\-./]{1,32}")
_MEDIA = re.compile(r"([a-z]{1,16}) ([0-9]{1,5})(?:/[0-9]{1,5})? ([^ ]+) (.+)")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([^ /]+)/([0-9]{1,6})(?:/([0-9]{1,3}))? *")
_RTCP = re.compile(r"([0-9]{1,5})(?: .*)?")
_DIGITS = re.compile(r"[0-9]{1,20}")


def refused(reason: str) -> SipError:
    """A 488 with this sentence."""
    return SipError(488, reason)


@dataclass(frozen=True, slots=True)
class RtpMap:
    """One a=rtpmap: encoding in upper case, clock in Hz, channels."""

    encoding: str
    clock_hz: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line with what stands below it. `host` "" : the description's. Times 0: not said, or outside 10-60 ms."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    host: str = ""
    direction: str = ""
    ptime_ms: int = 0
    maxptime_ms: int = 0
    rtcp_port: int = 0
    rtcp_mux: bool = False
    maps: tuple[tuple[str, RtpMap], ...] = ()

    def rtpmap(self, payload_type: str) -> RtpMap | None:
        """The map of a format, or None."""
        return next((known for name, known in self.maps if name == payload_type), None)


@dataclass(frozen=True, slots=True)
class Description:
    """A whole SDP body, reduced."""

    origin_id: str
    origin_version: int
    host: str
    direction: str
    media: tuple[Media, ...]


def parse_description(body: bytes) -> Description:
    """Raises `SipError` 488 on anything malformed, more than 4 m= lines or 32 formats, and addresses other than IPv4."""
    result = Description("", 0, "", "sendrecv", ())
    kinds: set[str] = set()
    for number, line in enumerate(_lines(body)):
        kind, equals, value = line[:1], line[1:2], line[2:]
        if equals != "=" or not kind.islower() or (number == 0) != (kind == "v"):
            raise refused("The SDP is malformed")
        if kind in ("o", "c") and not result.media and kind in kinds:
            raise refused("An SDP line is repeated")
        kinds.add(kind)
        result = _with_line(result, kind, value)
    if not {"v", "o", "m"} <= kinds:
        raise refused("The SDP lacks a line that it must have")
    return result


def _lines(body: bytes) -> list[str]:
    if b"\0" in body:
        raise refused("The SDP holds a NUL")
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE or "\r" in line for line in lines):
        raise refused("The SDP is too long or has a bare CR")
    return lines


def _with_line(so_far: Description, kind: str, value: str) -> Description:
    if kind == "v" and value.strip() != "0":
        raise refused("The SDP has another version")
    if kind == "o":
        return _with_origin(so_far, value)
    if kind == "m":
        return replace(so_far, media=(*so_far.media, _media(value, len(so_far.media))))
    if kind == "c":
        host = _connection(value)
        return _with_last(so_far, host=host) if so_far.media else replace(so_far, host=host)
    return _with_attribute(so_far, value) if kind == "a" else so_far


def _with_last(so_far: Description, **changes: object) -> Description:
    last = replace(so_far.media[-1], **changes)  # type: ignore[arg-type]  # names and types are those of Media
    return replace(so_far, media=(*so_far.media[:-1], last))


def _with_origin(so_far: Description, value: str) -> Description:
    parts = value.split(" ")
    if len(parts) != 6 or not _DIGITS.fullmatch(parts[1]) or not _DIGITS.fullmatch(parts[2]):
        raise refused("The SDP's origin is malformed")
    return replace(so_far, origin_id=parts[1], origin_version=int(parts[2]))


def _connection(value: str) -> str:
    parts = value.split(" ")
    if len(parts) != 3 or parts[:2] != ["IN", "IP4"]:
        raise refused("The SDP's address is not IPv4")
    try:
        address = ipaddress.IPv4Address(parts[2])
    except ValueError:
        raise refused("The SDP's address is not IPv4") from None
    usable = not (address.is_multicast or address.is_reserved or int(address) >> 24 == 0)
    if not usable and str(address) != HOLD_HOST:
        raise refused("The SDP's address is not unicast")
    return str(address)


def _media(value: str, had: int) -> Media:
    match = _MEDIA.fullmatch(value)
    if match is None or had >= MAX_MEDIA:
        raise refused("An m= line is malformed or there are too many")
    port, formats = int(match[2]), tuple(match[4].split(" "))
    if len(formats) > MAX_FORMATS or not all(_TOKEN.fullmatch(name) for name in formats):
        raise refused("The formats of an m= line are malformed or too many")
    if not _PROTOCOL.fullmatch(match[3]) or (port and not MIN_PORT <= port <= MAX_PORT):
        raise refused("The port of an m= line is outside 1024-65535")
    return Media(match[1], port, match[3], formats)


def _with_attribute(so_far: Description, value: str) -> Description:
    name, _, text = value.partition(":")
    if name in DIRECTIONS:
        return _with_last(so_far, direction=name) if so_far.media else replace(so_far, direction=name)
    if not so_far.media:
        return so_far
    if name in ("ptime", "maxptime"):
        return _with_last(so_far, **{f"{name}_ms": _ptime(text)})
    if name == "rtcp-mux":
        return _with_last(so_far, rtcp_mux=True)
    if name == "rtcp":
        return _with_last(so_far, rtcp_port=_rtcp_port(text))
    if name == "rtpmap":
        return _with_map(so_far, text)
    return so_far


def _ptime(text: str) -> int:
    text = text.strip()
    value = int(text) if len(text) <= 3 and text.isascii() and text.isdigit() else 0
    return value if 10 <= value <= 60 and value % 10 == 0 else 0


def _rtcp_port(text: str) -> int:
    match = _RTCP.fullmatch(text)
    port = int(match[1]) if match else 0
    return port if MIN_PORT <= port <= MAX_PORT else 0


def _with_map(so_far: Description, text: str) -> Description:
    match = _RTPMAP.fullmatch(text)
    last = so_far.media[-1]
    if match is None or match[1] not in last.formats or last.rtpmap(match[1]) or len(last.maps) >= MAX_FORMATS:
        return so_far
    known = RtpMap(match[2].upper(), int(match[3]), int(match[4] or 1))
    return _with_last(so_far, maps=(*last.maps, (match[1], known)))
