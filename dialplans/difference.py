"""What is different between two plans, place by place, in the words of the language. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum, IntEnum
from typing import Any, NamedTuple

from dialplans.model import Plan
from dialplans.values import spoken

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NEVER = frozenset({"ageing_ms", "preempt_after_ms"})  # whose "none at all" the language calls "never"
_NAMES: Mapping[str, str] = {
    # a field of the model: its key, where the two are not the same but for the unit
    "help_users": "help",
    "about_groups": "groups",
    "ring_group": "ring",
    "call_party": "call",
    "when": "or_at_once_when",
    "ring_ms": "ring_for",
    "from_min": "from",
    "until_min": "until",
    "ring_timeout_ms": "ring_timeout",
}
_ROUTE = {"ring_timeout_ms": "ring"}


class Change(NamedTuple):
    """One place that is different; None: there is no such thing in that plan."""

    where: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.where}: new: {self.new}"
        if self.new is None:
            return f"{self.where}: gone: {self.old}"
        return f"{self.where}: {self.old} -> {self.new}"


def differences(old: Plan, new: Plan) -> tuple[Change, ...]:
    """Every place that is different, in the order of the model; empty for plans that mean the same."""
    found: list[Change] = []
    for one in fields(Plan):
        before, after = getattr(old, one.name), getattr(new, one.name)
        table = isinstance(before, Mapping)
        found += _walk(_key(Plan, one.name) if table else f"plan.{_key(Plan, one.name)}", one.name, before, after)
    return tuple(found)


def _walk(where: str, name: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _entries(where, name, old, new)
    elif is_dataclass(old) and is_dataclass(new):
        for one in fields(old):
            place = f"{where}.{_key(type(old), one.name)}"
            yield from _walk(place, one.name, getattr(old, one.name), getattr(new, one.name))
    elif _of_records(old) or _of_records(new):
        yield from _entries(where, name, _numbered(old), _numbered(new))
    else:
        yield Change(where, _text(name, old), _text(name, new))


def _entries(where: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        place = f"{where}.{key}"
        if key not in old:
            yield Change(place, None, _text(name, new[key]))
        elif key not in new:
            yield Change(place, _text(name, old[key]), None)
        else:
            yield from _walk(place, name, old[key], new[key])


def _of_records(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and is_dataclass(value[0])


def _numbered(values: tuple[Any, ...]) -> Mapping[str, Any]:
    """By id where they have one, else by their place from 1, as people count."""
    return {getattr(value, "id", str(number)): value for number, value in enumerate(values, 1)}


def _key(kind: type, name: str) -> str:
    names = {**_NAMES, **_ROUTE} if kind.__name__ == "Route" else _NAMES
    return names.get(name) or name.removesuffix("_ms")


def _text(name: str, value: Any) -> str:
    """A value as people write it; of a whole entry what it says beside the defaults."""
    if is_dataclass(value):
        told = [(one, getattr(value, one.name)) for one in fields(value) if one.name != "id"]
        said = [f"{_key(type(value), one.name)} {_text(one.name, each)}" for one, each in told if _says(one, each)]
        return ", ".join(said) or "as by default"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(name, each)}" for key, each in value.items()) or "none"
    if isinstance(value, tuple):
        if name == "days":
            return " ".join(DAYS[day] for day in value)
        inner = "; ".join if _of_records(value) or any(isinstance(each, tuple) for each in value) else ", ".join
        return inner(_text(name, each) for each in value) or "none"
    return _plain(name, value)


def _plain(name: str, value: Any) -> str:
    if name in NEVER and not value and value is not False:
        return "0s" if name == "preempt_after_ms" and value == 0 else "never"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, Enum):
        return str(value.value)
    if name.endswith("_min"):
        return f"{value // 60:02d}:{value % 60:02d}"
    if name.endswith("_ms") and isinstance(value, int):
        return spoken(value)
    return "none" if value in ("", None) else str(value)


def _says(one: Any, value: Any) -> bool:
    default = one.default if one.default is not MISSING else one.default_factory() if one.default_factory is not MISSING else None
    return bool(value != default)
