"""What is journalled of ladders: steps, routes, conditions, hours and notices. For `facts`, whose rules hold here too."""

from dataclasses import dataclass

from callserver.core.ids import IncidentId, LegId, PartyId


@dataclass(frozen=True, slots=True)
class ConditionMet:
    """Something happened to a waiting incident that its ladder may go up for; see dialplans.model.When."""

    incident: IncidentId
    condition: str
    why: str


@dataclass(frozen=True, slots=True)
class LadderStepTaken:
    """The incident's ladder went one step up, and why: "step 2: unanswered 30 s under plan v7"."""

    incident: IncidentId
    step: int
    reason: str
    passed: bool = False  # passed over outside of its hours: nothing of it was done


@dataclass(frozen=True, slots=True)
class RouteTried:
    """The ladder (or an operator) calls a party by route number `route`; `cycle` counts rounds from 1."""

    incident: IncidentId
    party: PartyId
    route: int
    cycle: int
    leg: LegId
    reason: str
    step: int = 0  # the ladder's step that wants it; 0: a person
    asked: str = ""  # the party that was wanted, where this is a fallback of it


@dataclass(frozen=True, slots=True)
class RouteAwaited:
    """The next route is tried at the instant `at` (pause after a failed round)."""

    incident: IncidentId
    party: PartyId
    at: int


@dataclass(frozen=True, slots=True)
class PartyGivenUp:
    """No route of the party (or of its fallbacks) is tried any more, until a step or a person wants it again."""

    incident: IncidentId
    party: PartyId
    reason: str


@dataclass(frozen=True, slots=True)
class HoursTurned:
    """While something waited: of this plan's hours these are open, until the moment at which the next opens or closes."""

    plan_version: int
    open: tuple[str, ...]
    until_utc_ns: int | None  # of UTC, for hours go by the clock; None: for ever


@dataclass(frozen=True, slots=True)
class NoticeOrdered:
    """Somebody is to be told by webhook or mail. Sent again after a restart until it is settled."""

    id: str  # <incident>.n<number>
    incident: IncidentId
    notice: str
    text: str


@dataclass(frozen=True, slots=True)
class NoticeSettled:
    """The notice was delivered, or given up."""

    id: str
    incident: IncidentId
    delivered: bool
    why: str
