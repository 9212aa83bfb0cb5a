"""Identifiers: one type per kind, and how a child's id is made from its parent's.

Randomness stays outside the core: the shell mints incident ids (see `runtime.clock`); everything
below an incident is numbered, so the same facts always give the same ids.
"""

from typing import Final, NewType

IncidentId = NewType("IncidentId", str)
CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
OfferId = NewType("OfferId", str)
OperatorId = NewType("OperatorId", str)
PointId = NewType("PointId", str)
PartyId = NewType("PartyId", str)

NO_LEG: Final = LegId("")
"""Where a fact of an older journal names no leg."""


def call_id(incident: IncidentId, number: int) -> CallId:
    """The id of an incident's call: `<incident>.<number>`, numbered from 1."""
    return CallId(f"{incident}.{number}")


def leg_id(call: CallId, number: int) -> LegId:
    """The id of a call's leg: `<call>.<number>`, numbered from 1."""
    return LegId(f"{call}.{number}")


def offer_id(call: CallId, number: int) -> OfferId:
    """The id of a call's offer: `<call>.o<number>`, numbered from 1."""
    return OfferId(f"{call}.o{number}")


def call_of_leg(leg: LegId) -> CallId:
    """The call that a leg id names."""
    return CallId(leg.rpartition(".")[0])


def incident_of_call(call: CallId) -> IncidentId:
    """The incident that a call id names."""
    return IncidentId(call.rpartition(".")[0])
