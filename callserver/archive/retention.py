"""What is kept for how long. Pure: calls, holds, rules and the time in; what goes, by which rule and since when, out.

The days count from the moment at which the incident was closed; an open one is never due, and a held one goes only when the last
hold on it is lifted. A text counts from its own row on, if its incident is closed by then. The register's texts (what left the
record, to whom and why, who asked for access or erasure and what was answered) outlive those of the calls: by them it is shown
later that what was done was right (Regulation (EU) 2016/679 article 5(2)).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from callserver.core.facts_retention import REQUEST as REQUEST
from callserver.core.ids import CallId, IncidentId

DAY_NS = 86_400_000_000_000
DEFAULT = "default"
TEXTS, REGISTER = "texts", "register"

Holds = Mapping[IncidentId, Sequence[str]]
"""The holds that stand, by incident."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Calls that fit all that is said are kept so many days; 0: for ever. Empty and None fit every call."""

    name: str
    days: int
    classes: frozenset[int] = frozenset()  # priorities
    outcomes: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    silent: bool | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The first rule that fits counts, else `days`. `text_days` is for texts, `register_days` for those of the register; 0 is
    for ever, in all three."""

    days: int
    text_days: int
    rules: tuple[Rule, ...] = ()
    register_days: int = 0

    def days_of(self, register: bool) -> int:
        """For a text."""
        return self.register_days if register else self.text_days


@dataclass(frozen=True, slots=True)
class Kept:
    """A call whose sound, or captures, may still be there. `silent`: the sound of none of its legs was ever confirmed."""

    call: CallId
    incident: IncidentId
    closed_utc_ns: int | None  # None: its incident is open, or the call is not over
    priority: int
    outcome: str
    queue: str
    silent: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A row with texts beside it that were not erased. `open`: of an incident that is; `register`: of the register."""

    row: int
    incident: IncidentId | None
    utc_ns: int
    open: bool = False
    register: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A call whose time is over at `utc_ns`, by `rule`; `held`: the holds that keep it all the same."""

    call: CallId
    incident: IncidentId
    rule: str
    utc_ns: int
    held: tuple[str, ...] = ()


def rule_for(call: Kept, rules: Rules) -> tuple[str, int]:
    """(name, days) of what counts for this call."""
    found = next((rule for rule in rules.rules if _fits(call, rule)), None)
    return (found.name, found.days) if found else (DEFAULT, rules.days)


def schedule(calls: Iterable[Kept], holds: Holds, rules: Rules) -> list[Due]:
    """Every call whose time will be over some day, the oldest first, held or not."""
    found: list[Due] = []
    for call in calls:
        name, days = rule_for(call, rules)
        if days and call.closed_utc_ns is not None:
            held = tuple(holds.get(call.incident, ()))
            found.append(Due(call.call, call.incident, name, call.closed_utc_ns + days * DAY_NS, held))
    return sorted(found, key=lambda one: (one.utc_ns, one.call))


def due(calls: Iterable[Kept], holds: Holds, rules: Rules, now_utc_ns: int) -> list[Due]:
    """What is deleted now, the oldest first: expired, closed and not held."""
    return [one for one in schedule(calls, holds, rules) if one.utc_ns <= now_utc_ns and not one.held]


def texts_due(
    texts: Iterable[Text], holds: Holds, rules: Rules, now_utc_ns: int
) -> dict[tuple[IncidentId | None, str], list[int]]:
    """Rows whose texts are erased now, by incident and rule, in their order."""
    found: dict[tuple[IncidentId | None, str], list[int]] = {}
    for text in texts:
        days = rules.days_of(text.register)
        held = text.incident is not None and text.incident in holds
        if days and not (held or text.open) and text.utc_ns + days * DAY_NS <= now_utc_ns:
            found.setdefault((text.incident, REGISTER if text.register else TEXTS), []).append(text.row)
    return found


def _fits(call: Kept, rule: Rule) -> bool:
    return (
        (not rule.classes or call.priority in rule.classes)
        and (not rule.outcomes or call.outcome in rule.outcomes)
        and (not rule.queues or call.queue in rule.queues)
        and (rule.silent is None or rule.silent == call.silent)
    )
