"""The matrix of live calls: the shapes that a call can have, the faults that can meet it, and what is expected of each pair.

`BEFORE` says of each shape who hears whom. `AFTER` says the same of each cell, once its fault is over, and what the journal tells
of it, in this order. Who is not in a cell's ears has no line that sounds. A pair that is not in the table cannot happen: there
are no police to hang up, no point to be silent, no operator who has the call.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Ears = Mapping[str, frozenset[str]]

VOICES = {"point": 440.0, "operator": 1_000.0, "colleague": 1_300.0, "police": 1_600.0, "other": 700.0}
PROMPTS = {"reassurance": 2_000.0, "hold": 2_300.0, "parked": 2_500.0, "transfer": 2_700.0, "calling-back": 2_900.0}
PROMPTS |= {"call-out": 2_200.0, "accept-1": 2_400.0}
TONES = {**VOICES, **PROMPTS}


def ears(**heard: str) -> Ears:
    """Who hears which voices and prompts, such as point="operator police"; "" hears nobody."""
    return {role: frozenset(names.split()) for role, names in heard.items()}


BEFORE: Mapping[str, Ears] = {
    "waiting": ears(point="reassurance"),
    "talking": ears(point="operator", operator="point"),
    "held": ears(point="hold", operator="police", police="operator"),
    "three-way": ears(point="operator police", operator="point police", police="point operator"),
    "police alone": ears(point="police", police="point"),
    "private": ears(point="hold", operator="colleague", colleague="operator"),
    "muted": ears(point="operator", operator="point", police="point operator"),
    "parked": ears(point="parked"),
    "calling back": ears(operator="calling-back"),
    "calling out": ears(operator="call-out"),
    "accepting": ears(point="operator", operator="point", police="accept-1"),
    "transferring": ears(point="transfer"),
    "listening": ears(point="operator", operator="point", colleague="point operator"),
    "whispering": ears(point="operator", operator="point colleague", colleague="point operator"),
    "joined": ears(point="operator colleague", operator="point colleague", colleague="point operator"),
    "group": ears(point="operator other", operator="point other", other="point operator"),
}
"""`held`: the operator speaks with the police. `muted`: the police are. `transferring`: the colleague's seat rings. `accepting`:
the police answered, and are to press a key. `group`: another point was brought in."""

RINGING = frozenset({"waiting", "calling back", "calling out", "transferring"})
"""Shapes in which somebody is being rung: an unanswered line does not outlive the switchboard, and is dialled again."""


@dataclass(frozen=True)
class Cell:
    """What is expected after a fault. `rings`: whether somebody may be rung because of it."""

    ears: Ears
    story: tuple[str, ...]
    rings: bool = False


OVER = ears()
TO_REVIEW = ("LegMoved point ended normal", "IncidentMoved unreviewed", "CallMoved ended")
SEAT_LOST = "LegMoved operator ended lost"
POLICE_LEFT = "LegMoved police ended normal"

OFFERED_ANEW = Cell(
    ears(point="colleague", colleague="point"),
    (SEAT_LOST, "LegMoved colleague ending", "IncidentMoved waiting", "OfferMade", "IncidentMoved attended"),
    rings=True,
)
"""Who only listened or whispered does not have the call: it waits again, and is offered to whoever is free."""

CALLED_BACK = Cell(BEFORE["group"], ("LegMoved point ended normal", "CallMoved calling-back", "CallMoved talking"), rings=True)
"""While others talk a point is called back whatever its hanging up means, and answers."""


def _unchanged() -> dict[tuple[str, str], Cell]:
    """What nobody in the call may notice, and a silent line, which takes nothing but its own voice."""
    found = {}
    for shape, heard in BEFORE.items():
        found[shape, "worker killed"] = found[shape, "worker hangs"] = Cell(heard, ("WorkerReplaced",))
        found[shape, "switchboard killed"] = Cell(heard, ("ServerStarted",), rings=shape in RINGING)
        found[shape, "disk stalls"] = found[shape, "journal refuses"] = Cell(heard, ("IncidentReclassified",))
        found[shape, "archivist dies"] = Cell(heard, ("AlarmRaised",))
        found[shape, "clock is set"] = Cell(heard, ("ClockAnchored",))
        if "point" in heard:
            without = {role: names - {"point"} for role, names in heard.items()}
            found[shape, "point silent"] = Cell(without, ("LineChanged point silent", "LineChanged point sounding"))
    return found


AFTER: Mapping[tuple[str, str], Cell] = {
    **_unchanged(),
    # The operator's device vanishes.
    ("talking", "seat gone"): Cell(ears(point="reassurance"), (SEAT_LOST, "IncidentMoved waiting"), rings=True),
    ("held", "seat gone"): Cell(ears(point="police", police="point"), (SEAT_LOST, "CallHeld off")),
    ("three-way", "seat gone"): Cell(ears(point="police", police="point"), (SEAT_LOST, "OperatorMoved available")),
    ("private", "seat gone"): Cell(ears(point="colleague", colleague="point"), (SEAT_LOST, "CallTaken")),
    ("muted", "seat gone"): Cell(ears(point="police", police="point"), (SEAT_LOST, "LegMuted police off")),
    ("calling back", "seat gone"): Cell(OVER, (SEAT_LOST, "IncidentMoved waiting"), rings=True),
    ("joined", "seat gone"): Cell(ears(point="colleague", colleague="point"), (SEAT_LOST, "CallTaken")),
    ("calling out", "seat gone"): Cell(OVER, (SEAT_LOST, "IncidentMoved unreviewed", "CallMoved ended")),
    ("accepting", "seat gone"): Cell(
        ears(point="reassurance", police="accept-1"), (SEAT_LOST, "IncidentMoved waiting"), rings=True
    ),
    ("listening", "seat gone"): OFFERED_ANEW,
    ("whispering", "seat gone"): OFFERED_ANEW,
    ("group", "seat gone"): Cell(
        ears(point="reassurance"), (SEAT_LOST, "LegMoved other ending", "IncidentMoved waiting"), rings=True
    ),
    # The point hangs up, and its profile says that this is meant.
    ("waiting", "point hangs up"): Cell(OVER, ("LegMoved point ended cancelled",)),
    ("parked", "point hangs up"): Cell(OVER, ("LegMoved point ended normal",)),
    ("transferring", "point hangs up"): Cell(OVER, ("LegMoved point ended normal",)),
    **{
        (shape, "point hangs up"): Cell(OVER, TO_REVIEW)
        for shape in (
            "talking",
            "held",
            "three-way",
            "police alone",
            "private",
            "muted",
            "listening",
            "whispering",
            "joined",
            "accepting",
        )
    },
    ("group", "point hangs up"): CALLED_BACK,
    # The police hang up.
    ("held", "police hang up"): Cell(ears(point="hold", operator=""), (POLICE_LEFT,)),
    ("three-way", "police hang up"): Cell(ears(point="operator", operator="point"), (POLICE_LEFT,)),
    ("police alone", "police hang up"): Cell(OVER, (POLICE_LEFT, "IncidentMoved unreviewed", "CallMoved ended")),
    ("accepting", "police hang up"): Cell(ears(point="operator", operator="point"), (POLICE_LEFT, "PartyGivenUp")),
    ("muted", "police hang up"): Cell(ears(point="operator", operator="point"), (POLICE_LEFT,)),
}

FAULTS = tuple(dict.fromkeys(fault for _, fault in AFTER))
CELLS = tuple(f"{shape} x {fault}" for shape, fault in AFTER)

# ---- what the journal tells --------------------------------------------------------------------------------------

_ROLES = {"point": "point", "operator": "operator", "outside": "police", "supervisor": "colleague", "brought": "other"}
_SAID = (("sounding", "sounding", "silent"), ("held", "on", "off"), ("muted", "on", "off"))


def roles_of(facts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Whose each leg is, by the facts that created them."""
    return {fact["leg"]: _ROLES[fact["role"]] for fact in facts if fact["kind"] == "LegCreated"}


def words(fact: Mapping[str, Any], roles: Mapping[str, str]) -> str:
    """A fact in a few words: its kind, whose leg, what is so now, how it ended."""
    return " ".join(_words(fact, roles))


def _words(fact: Mapping[str, Any], roles: Mapping[str, str]) -> Iterator[str]:
    yield fact["kind"]
    if fact.get("leg") and fact["kind"] != "CallTaken":
        yield roles[fact["leg"]]
    if "new" in fact:
        yield str(fact["new"])
    if fact.get("termination"):
        yield fact["termination"]["kind"]
    for name, yes, no in _SAID:
        if name in fact:
            yield yes if fact[name] else no


def tells(story: Sequence[str], said: Sequence[str]) -> bool:
    """Whether what is said has the story's words in their order. AssertionError with both when it has not."""
    rest = iter(said)
    if all(any(word.startswith(part) for word in rest) for part in story):
        return True
    raise AssertionError(f"{list(story)} is not told by {list(said)}")
