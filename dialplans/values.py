"""Single values of a plan: from what TOML gives to what the model holds. Each raises `Wrong` with what to write instead.

A reader also says what an editor is told of the value, as JSON Schema. Addresses stand in `values_site`, days in `values_time`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dialplans.model import DIGITS, Priority, When

DAY_MS = 86_400_000

DURATION = r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?"
ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
LANGUAGE = r"[a-z]{2,3}(?:-[a-z0-9]{2,8})?"
KEYS_OF_A_TELEPHONE = "0123456789*#"

_DURATION = re.compile(DURATION, re.ASCII)
_DIGITS = re.compile(r"[0-9*#]{1,16}")


@dataclass(frozen=True, slots=True)
class Reader:
    """How one kind of value is read, and what an editor is told of it (JSON Schema)."""

    read: Callable[[object], Any]
    schema: Mapping[str, Any]

    def __call__(self, value: object) -> Any:
        return self.read(value)


def reader(**schema: Any) -> Callable[[Callable[[object], Any]], Reader]:
    """Makes a reader of a function."""
    return lambda read: Reader(read, schema)


def whole(pattern: str) -> str:
    """The pattern of a value that is nothing but this."""
    return f"^(?:{pattern})$"


class Wrong(ValueError):
    """A value that cannot be read: what is wrong with it and what to write instead."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(what)
        self.what = what
        self.instead = instead


@reader(type="string", minLength=1)
def text(value: object) -> str:
    """A text that is not empty and stands on one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Wrong(f"{value!r} is no text", 'Write a text on one line in quotes, such as "Skinnergate"')
    return value.strip()


def spelled(pattern: str, kind: str, instead: str) -> Reader:
    """A text that is nothing but `pattern`; `kind` says what another text is not."""
    known = re.compile(pattern)

    @reader(type="string", pattern=whole(pattern))
    def read(value: object) -> str:
        if not isinstance(value, str) or not known.fullmatch(value):
            raise Wrong(f"{value!r} is no {kind}", instead)
        return value

    return read


ident = spelled(ID, "id", "Write letters, digits, '.', '_' and '-', at most 64, a letter or digit first")
"""An id: letters, digits, `.`, `_`, `-`; it is a SIP user and part of file names."""


@reader(type="array", items=ident.schema, minItems=1, uniqueItems=True)
def idents(value: object) -> tuple[str, ...]:
    """A list of different ids, at least one."""
    if not isinstance(value, list) or not value:
        raise Wrong(f"{value!r} is no list of ids", 'Write a list with at least one, such as ["control-room"]')
    found = tuple(ident(each) for each in value)
    if len(set(found)) != len(found):
        raise Wrong(f"{value!r} names something twice", "Name each once")
    return found


@reader(type="boolean")
def boolean(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Wrong(f"{value!r} is neither true nor false", "Write true or false, without quotes")
    return value


def integer(low: int, high: int) -> Reader:
    """A whole number from `low` to `high`."""

    @reader(type="integer", minimum=low, maximum=high)
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Wrong(f"{value!r} is no whole number from {low} to {high}", f"Write a number from {low} to {high}")
        return value

    return read


def count(low: int, high: int) -> Reader:
    """A whole number from `low` to `high`, or 0 for none."""

    @reader(anyOf=[{"const": 0}, {"type": "integer", "minimum": low, "maximum": high}])
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not (value == 0 or low <= value <= high):
            instead = f"Write a number from {low} to {high}, or 0 for none"
            raise Wrong(f"{value!r} is neither 0 nor a whole number from {low} to {high}", instead)
        return value

    return read


def degrees(limit: int) -> Reader:
    """Degrees from -limit to limit."""

    @reader(type="number", minimum=-limit, maximum=limit)
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
    days, hours, minutes, seconds, rest = (int(part or 0) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + rest


def duration(low_ms: int = 0, high_ms: int = DAY_MS) -> Reader:
    """A duration within limits, in milliseconds."""

    @reader(type="string", minLength=1, pattern=whole(DURATION))
    def read(value: object) -> int:
        length_ms = milliseconds(value)
        if not low_ms <= length_ms <= high_ms:
            limits = f"from {spoken(low_ms)} to {spoken(high_ms)}"
            raise Wrong(f"{value!r} is out of its limits", f"Write a duration {limits}")
        return length_ms

    return read


def never_or(length: Reader, never: object) -> Reader:
    """A duration, or the word "never", which the model knows as `never`."""

    @reader(anyOf=[{"const": "never"}, length.schema])
    def read(value: object) -> Any:
        if value == "never":
            return never
        try:
            return length(value)
        except Wrong as wrong:
            raise Wrong(wrong.what, f'{wrong.instead}, or "never"') from wrong

    return read


def spoken(length_ms: int) -> str:
    """A length as a plan writes it: 15000 is 15s."""
    if length_ms > DAY_MS and length_ms % DAY_MS == 0:
        return f"{length_ms // DAY_MS}d"
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if length_ms >= size and length_ms % size == 0:
            return f"{length_ms // size}{unit}"
    return f"{length_ms}ms" if length_ms else "0s"


def choice(meanings: Mapping[str, Any]) -> Reader:
    """One of a few words."""

    @reader(enum=list(meanings))
    def read(value: object) -> Any:
        if not isinstance(value, str) or value not in meanings:
            raise Wrong(f"{value!r} is not known here", "Write one of " + ", ".join(f'"{word}"' for word in meanings))
        return meanings[value]

    return read


def member(kind: type[Enum]) -> Reader:
    """One member of an enum of words."""
    return choice({each.value: each for each in kind})


PRIORITIES: Mapping[str, Priority] = {each.name.lower(): each for each in Priority}


def _condition(value: object) -> str:
    known = [str(each.value) for each in When]
    if isinstance(value, str) and value.startswith(DIGITS) and _DIGITS.fullmatch(value.removeprefix(DIGITS)):
        return value
    if not isinstance(value, str) or value not in known:
        words = ", ".join(f'"{word}"' for word in known)
        raise Wrong(f"{value!r} is no condition", f'Write one of {words}, or "digits:" and keys, such as "digits:55"')
    return value


_CONDITION: Mapping[str, Any] = {
    "anyOf": [{"enum": [str(each.value) for each in When]}, {"type": "string", "pattern": whole(DIGITS + _DIGITS.pattern)}]
}


@reader(anyOf=[_CONDITION, {"type": "array", "items": _CONDITION, "minItems": 1, "uniqueItems": True}])
def conditions(value: object) -> tuple[str, ...]:
    """One condition of a step, or a list of different ones."""
    if not isinstance(value, list):
        return (_condition(value),)
    found = tuple(_condition(each) for each in value)
    if not found or len(set(found)) != len(found):
        raise Wrong(f"{value!r} is empty or names something twice", "Name each condition once, or leave the key out")
    return found


language = spelled(LANGUAGE, "language", 'Write its short name, such as "en"')
"""A language as espeak-ng and the prompts' directories name it."""


keys = spelled("[0-9A-D*#]{1,16}", "row of keys", 'Write 1 to 16 of 0-9, *, # and A-D in quotes, such as "*71"')
"""Keys of a telephone, one after the other."""


@reader(type="string", pattern=whole("[0-9*#]"))
def digit(value: object) -> str:
    """A key of a telephone."""
    if not isinstance(value, str) or len(value) != 1 or value not in KEYS_OF_A_TELEPHONE:
        raise Wrong(f"{value!r} is no key of a telephone", 'Write one of 0-9, * and # in quotes, such as "1"')
    return value
