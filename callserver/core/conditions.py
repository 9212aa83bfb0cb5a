"""What makes a ladder go up to a step before its time (`dialplans.model.When`), and whether it is so for an incident.

    of this moment   nobody-on-duty, all-busy, queue-over-size, degraded: asked anew at every look at the ladder
    kept             seat-dead, caller-silent, digits:<dtmf>, asked: once it happened it stays so for this wait

A kept one is journalled (ConditionMet) only where the incident's ladder names it.
"""

from collections.abc import Mapping
from typing import Final

from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core import pools
from callserver.core.decision import Decision
from callserver.core.facts import ConditionMet
from callserver.core.instant import Instant
from callserver.core.lookup import ladder_of, queue_of
from callserver.core.state import Incident, OperatorState, State
from dialplans.model import DIGITS, When

MACHINE_ALARMS: Final = ("control:socket", "disk:", "journal", "journal:slow", "process:", "rtp:ports", "sound:")
"""Alarms of these keys, or of keys that begin with one of those with a colon at the end, are a machine in trouble.

All of them are cleared when the trouble is over; one that stays (`internal:…`, `journal:holes`) would call the police for
every press until somebody looked.
"""

SILENT_CALLER_MS = 5_000

_WORDS: Mapping[str, str] = {
    When.NOBODY: "nobody on duty",
    When.ALL_BUSY: "everybody busy",
    When.OVER_SIZE: "too many wait",
    When.SEAT_DEAD: "the seat was lost",
    When.DEGRADED: "the machine is in trouble",
    When.ASKED: "asked for",
    When.CALLER_SILENT: "the caller is silent",
}

_BUSY = frozenset({operators.TALKING, operators.WRAP_UP})
LIVE: Final = frozenset({When.NOBODY, When.ALL_BUSY, When.OVER_SIZE, When.DEGRADED})
"""The conditions of this moment."""


def words(condition: str) -> str:
    """A condition in the words of a reason."""
    if condition.startswith(DIGITS):
        return f"the caller pressed {condition.removeprefix(DIGITS)}"
    return _WORDS.get(condition, condition)


def met(d: Decision, incident: Incident, condition: str) -> bool:
    """Whether a step with this condition is to be taken now."""
    if condition == When.NOBODY:
        return not any(True for _ in pools.on_duty(d.state, incident, d.now))
    if condition == When.ALL_BUSY:
        return _all_busy(d.state, incident, d.now)
    if condition == When.OVER_SIZE:
        return _over_size(d.state, incident, d.now)
    if condition == When.DEGRADED:
        return any(_raised(d.state, key) for key in MACHINE_ALARMS)
    return condition in incident.met


def happened(d: Decision, incident: Incident, condition: str, why: str) -> bool:
    """Keeps a condition for a waiting incident whose ladder names it; False where it does not, or it was met before."""
    named = incident.state == incidents.WAITING and any(
        condition in step.conditions for step in ladder_of(d.state, incident).steps
    )
    if not named or condition in incident.met:
        return False
    d.record(ConditionMet(incident.id, condition, why))
    return True


def pressed_digits(d: Decision, incident: Incident, digits: str) -> None:
    """The caller's keys, those that belong together: every condition that they end with is met."""
    if incident.state != incidents.WAITING:
        return
    named = {one for step in ladder_of(d.state, incident).steps for one in step.conditions if one.startswith(DIGITS)}
    for condition in sorted(named):
        if digits.endswith(condition.removeprefix(DIGITS)):
            happened(d, incident, condition, f"pressed {digits}")


def _all_busy(state: State, incident: Incident, now: Instant) -> bool:
    """Somebody is on duty, and all of them talk or wrap up: nobody rings, is free, or is about to be."""
    somebody = False
    for operator in pools.on_duty(state, incident, now):
        if operator.state not in _BUSY and not _is_brought(state, operator):
            return False
        somebody = True
    return somebody


def _is_brought(state: State, operator: OperatorState) -> bool:
    """Whether the seat is in a call, or rings for one, that somebody else has."""
    mine = [state.legs[leg] for leg in operator.legs]
    return any(leg.role == legs.SUPERVISOR and leg.state != legs.ENDING for leg in mine)


def _over_size(state: State, incident: Incident, now: Instant) -> bool:
    most = queue_of(state, incident).most_waiting
    return 0 < most < pools.waiting_in(state, incident.queue, now)


def _raised(state: State, key: str) -> bool:
    return bool(pools.alarms(state, key[:-1])) if key.endswith(":") else key in state.alarms
