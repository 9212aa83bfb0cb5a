"""Small scanners of RFC 3261 section 25, all of linear time: tokens, numbers, quoted strings, lists, parameters.

Every regular expression here is matched against one element and has no nested quantifier.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from callserver.sip.protocol.errors import bad

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_PARAM_VALUE = re.compile(r"[A-Za-z0-9\-.!%*_+`'~\[\]:/@?&=$#(){}|^]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_SPECIAL = re.compile(r'["\\<>,;]')
_HOSTNAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")

MAX_DELTA_SECONDS = 2**32 - 1


def is_token(text: str) -> bool:
    """Whether text is a token (RFC 3261 25.1)."""
    return _TOKEN.fullmatch(text) is not None


def number(text: str, limit: int, what: str) -> int:
    """An unsigned decimal of ASCII digits, at most `limit`. Raises `SipError` 400."""
    if not (0 < len(text) <= 10 and text.isascii() and text.isdigit()) or int(text) > limit:
        raise bad(f"{what} is not a number within its range")
    return int(text)


def split_outside(text: str, separator: str) -> list[str]:
    """Cut at `separator` (`,` or `;`) outside quotes and `<>`; elements are stripped. Raises on unbalanced ones."""
    if '"' not in text and "<" not in text and ">" not in text:
        return [part.strip(" \t") for part in text.split(separator)]
    parts: list[str] = []
    start = skip_to = 0
    in_quote = in_angle = False
    for match in _SPECIAL.finditer(text):
        at, mark = match.start(), match.group()
        if at < skip_to:
            continue
        if in_quote:
            if mark == "\\":
                skip_to = at + 2
            in_quote = mark != '"'
        elif mark == separator and not in_angle:
            parts.append(text[start:at].strip(" \t"))
            start = at + 1
        elif mark in "<>":
            if in_angle == (mark == "<"):
                raise bad("Angle brackets are not balanced")
            in_angle = mark == "<"
        elif mark == '"' and not in_angle:
            in_quote = True
    if in_quote or in_angle:
        raise bad("A quote or angle bracket is not closed")
    parts.append(text[start:].strip(" \t"))
    return parts


def is_quoted(text: str) -> bool:
    """Whether text is exactly one quoted string."""
    return _QUOTED.fullmatch(text) is not None


def unquote(text: str) -> str:
    """What a quoted string says; other text is returned as it is."""
    return _QUOTED_PAIR.sub(r"\1", text[1:-1]) if is_quoted(text) else text


def quote(text: str) -> str:
    """Text as a quoted string. Control characters become spaces: they may not stand in a header."""
    clean = "".join(" " if ord(mark) < 32 or ord(mark) == 127 else mark for mark in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unescape(text: str) -> str:
    """Percent escapes undone where they make printable text; other escapes stay as they are written."""

    def plain(match: re.Match[str]) -> str:
        decoded = bytes.fromhex(match.group().replace("%", "")).decode("utf-8", "replace")
        return decoded if decoded.isprintable() and "\ufffd" not in decoded else match.group()

    return _ESCAPES.sub(plain, text) if "%" in text else text


def host_port(text: str, what: str) -> tuple[str, int | None]:
    """`host[:port]` as (host in lower case, IPv6 in its brackets; port or None). Raises `SipError` 400."""
    if text.startswith("["):
        host, closed, rest = text.partition("]")
        if not _is_ipv6(host[1:]):
            raise bad(f"The host of {what} is not an IPv6 address")
        host += closed
        has_port, port = rest[:1], rest[1:]
        rest_is_port = not rest or (closed and has_port == ":")
    else:
        host, has_port, port = text.partition(":")
        host, port = host.rstrip(" \t"), port.lstrip(" \t")
        rest_is_port = _HOSTNAME.fullmatch(host) is not None
    if not rest_is_port or len(host) > 255:
        raise bad(f"The host of {what} is not a host")
    if not has_port:
        return host.lower(), None
    value = number(port, 65535, f"The port of {what}")
    if value == 0:
        raise bad(f"The port of {what} is zero")
    return host.lower(), value


def _is_ipv6(text: str) -> bool:
    try:
        return "%" not in text and ipaddress.IPv6Address(text) is not None
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters in their order: names in lower case, values as written (quotes kept), "" where there is no value."""

    items: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """The value as written; "" for a bare name, None when it is absent."""
        for known, value in self.items:
            if known == name:
                return value
        return None

    def __contains__(self, name: object) -> bool:
        return any(known == name for known, _ in self.items)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items)

    def with_value(self, name: str, value: str) -> "Params":
        """A copy with this parameter set (in its place when it is there)."""
        if name not in self:
            return Params((*self.items, (name, value)))
        return Params(tuple((known, value if known == name else old) for known, old in self.items))

    def without(self, name: str) -> "Params":
        """A copy without this parameter."""
        return Params(tuple(item for item in self.items if item[0] != name))

    def __str__(self) -> str:
        return "".join(f";{name}={value}" if value else f";{name}" for name, value in self.items)


NO_PARAMS = Params()


def parse_params(parts: list[str], what: str) -> Params:
    """Parameters from their already split parts. A repeated, empty or ungrammatical one is 400."""
    items: dict[str, str] = {}
    for part in parts:
        name, has_value, value = part.partition("=")
        name, value = name.rstrip(" \t").lower(), value.lstrip(" \t")
        if not is_token(name) or name in items:
            raise bad(f"A parameter of {what} is repeated or has no name")
        if has_value and not (_PARAM_VALUE.fullmatch(value) or is_quoted(value)):
            raise bad(f"A parameter of {what} has a bad value")
        items[name] = value
    return Params(tuple(items.items()))
