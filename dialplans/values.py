"""Single values of a plan: from what TOML gives to what the model holds. Each raises `Wrong` with what to write instead."""

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from dialplans.model import Priority

Reader = Callable[[object], Any]

DAY_MS = 86_400_000

_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_URI = re.compile(r"sip:[^\s@;:<>\"]+@(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:;[^\s<>\"]+)?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})?")


class Wrong(ValueError):
    """A value that cannot be read: what is wrong with it and what to write instead."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(what)
        self.what = what
        self.instead = instead


def text(value: object) -> str:
    """A text that is not empty and stands on one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Wrong(f"{value!r} is no text", 'Write a text on one line in quotes, such as "Skinnergate"')
    return value.strip()


def ident(value: object) -> str:
    """An id: letters, digits, `.`, `_`, `-`; it is a SIP user and part of file names."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Wrong(f"{value!r} is no id", "Write letters, digits, '.', '_' and '-', at most 64, a letter or digit first")
    return value


def idents(value: object) -> tuple[str, ...]:
    """A list of different ids, at least one."""
    if not isinstance(value, list) or not value:
        raise Wrong(f"{value!r} is no list of ids", 'Write a list with at least one, such as ["control-room"]')
    found = tuple(ident(each) for each in value)
    if len(set(found)) != len(found):
        raise Wrong(f"{value!r} names something twice", "Name each once")
    return found


def boolean(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Wrong(f"{value!r} is neither true nor false", "Write true or false, without quotes")
    return value


def integer(low: int, high: int) -> Reader:
    """A whole number from `low` to `high`."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Wrong(f"{value!r} is no whole number from {low} to {high}", f"Write a number from {low} to {high}")
        return value

    return read


def degrees(limit: int) -> Reader:
    """Degrees from -limit to limit."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
            raise Wrong(f"{value!r} is no number of degrees", f"Write degrees from -{limit} to {limit}, such as 54.5253")
        return float(value)

    return read


def milliseconds(value: object) -> int:
    """The length that a duration such as "15s", "2m", "1m30s" or "250ms" tells."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if not found:
        raise Wrong(f"{value!r} is no duration", 'Write a number with its unit in quotes, such as "15s", "2m" or "250ms"')
    hours, minutes, seconds, rest = (int(part or 0) for part in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def duration(low_ms: int = 0, high_ms: int = DAY_MS) -> Reader:
    """A duration within limits, in milliseconds."""

    def read(value: object) -> int:
        length_ms = milliseconds(value)
        if not low_ms <= length_ms <= high_ms:
            limits = f"from {spoken(low_ms)} to {spoken(high_ms)}"
            raise Wrong(f"{value!r} is out of its limits", f"Write a duration {limits}")
        return length_ms

    return read


def spoken(length_ms: int) -> str:
    """A length as a plan writes it: 15000 is 15s."""
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if length_ms >= size and length_ms % size == 0:
            return f"{length_ms // size}{unit}"
    return f"{length_ms}ms" if length_ms else "0s"


def choice(meanings: Mapping[str, Any]) -> Reader:
    """One of a few words."""

    def read(value: object) -> Any:
        if not isinstance(value, str) or value not in meanings:
            raise Wrong(f"{value!r} is not known here", "Write one of " + ", ".join(f'"{word}"' for word in meanings))
        return meanings[value]

    return read


def member(kind: type[Enum]) -> Reader:
    """One member of an enum of words."""
    return choice({each.value: each for each in kind})


PRIORITIES: Mapping[str, Priority] = {each.name.lower(): each for each in Priority}


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


def zone(value: object) -> str:
    """The name of a time zone."""
    try:
        return zoneinfo.ZoneInfo(text(value)).key
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise Wrong(f"{value!r} is no known time zone", 'Write a name such as "Europe/London"') from error


def uri(value: object) -> str:
    """A SIP URI with user and host (RFC 3261 section 19.1)."""
    if not isinstance(value, str) or not _URI.fullmatch(value):
        raise Wrong(f"{value!r} is no SIP URI", 'Write user and host, such as "sip:police@192.0.2.7:5060"')
    return value


def host(value: object) -> str:
    """A host name or an IP address."""
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        raise Wrong(f"{value!r} is no host", 'Write a name or an address, such as "192.0.2.7"')
    return value


def language(value: object) -> str:
    """A language as espeak-ng and the prompts' directories name it."""
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise Wrong(f"{value!r} is no language", 'Write its short name, such as "en"')
    return value


def digit(value: object) -> str:
    """A key of a telephone."""
    if not isinstance(value, str) or len(value) != 1 or value not in "0123456789*#":
        raise Wrong(f"{value!r} is no key of a telephone", 'Write one of 0-9, * and # in quotes, such as "1"')
    return value
