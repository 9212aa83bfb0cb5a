"""Verbs of the command socket: each becomes the event that it names, and what the core refuses is told as a refusal."""

from typing import Any

import pytest

from callserver.control import CommandRefused, Verb
from callserver.core import events as ev
from callserver.core.facts import Fact, Refused
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId
from callserver.runtime.commands import Commands

CALL, LEG = CallId("i1.1"), LegId("i1.1.2")
ANN = OperatorId("ann")
EVENTS = [
    (Verb.MUTE, {"call": CALL, "leg": LEG, "on": True}, ev.Mute(CALL, LEG, True, "sue")),
    (Verb.DROP, {"call": CALL, "leg": LEG}, ev.Drop(CALL, LEG, "sue")),
    (Verb.BRING, {"call": CALL, "operator": "ann", "mode": "listen"}, ev.Bring(CALL, ANN, "listen", "sue")),
    (Verb.SET_MODE, {"call": CALL, "leg": LEG, "mode": "join"}, ev.SetMode(CALL, LEG, "join", "sue")),
    (Verb.TAKE_OVER, {"call": CALL, "operator": "ann"}, ev.TakeOver(CALL, ANN, "sue")),
    (Verb.TRANSFER, {"call": CALL, "to": "desk"}, ev.Transfer(CALL, "desk", "sue")),
    (Verb.PARK, {"call": CALL}, ev.ParkCall(CALL, "sue")),
    (Verb.RENEW, {"call": CALL}, ev.Renew(CALL, "sue")),
    (Verb.TAKE, {"incident": "i1", "operator": "ann"}, ev.Take(IncidentId("i1"), ANN, "sue")),
    (Verb.CALL_OUT, {"point": "p1", "operator": "ann"}, ev.CallOut(PointId("p1"), ANN, "sue", IncidentId("fresh"))),
    (Verb.CALL_GROUP, {"group": "square", "operator": "ann"}, ev.CallGroup("square", ANN, "sue", IncidentId("fresh"))),
    (Verb.BRING_POINT, {"call": CALL, "point": "p1"}, ev.BringPoint(CALL, PointId("p1"), "sue")),
    (Verb.SEND_CONTROL, {"call": CALL, "control": "beacon", "leg": ""}, ev.SendControl(CALL, "beacon", "sue")),
    (Verb.SEND_CONTROL, {"call": CALL, "control": "beacon", "leg": LEG}, ev.SendControl(CALL, "beacon", "sue", LEG)),
]


class Core:
    """What the commands ask of it; refuses when it is told to."""

    def __init__(self, refusal: str = "") -> None:
        self.asked: list[ev.Event] = []
        self.refusal = refusal
        nothing: Any = lambda *_: None  # noqa: E731
        self.commands = Commands(self.ask, nothing, nothing, nothing, nothing, nothing, lambda: IncidentId("fresh"))

    async def ask(self, event: ev.Event) -> list[Fact]:
        self.asked.append(event)
        return [Refused(type(event).__name__, "i1.1", self.refusal)] if self.refusal else []


@pytest.mark.parametrize(("verb", "args", "event"), EVENTS, ids=[verb for verb, _, _ in EVENTS])
async def test_a_verb_of_live_control_becomes_its_event(verb: str, args: dict[str, Any], event: ev.Event) -> None:
    core = Core()
    assert await core.commands.dispatch(verb, {**args, "by": "sue"}) == {}
    assert core.asked == [event]


@pytest.mark.parametrize(("verb", "args"), [(verb, args) for verb, args, _ in EVENTS], ids=[verb for verb, _, _ in EVENTS])
async def test_what_the_core_refuses_is_told_in_its_words(verb: str, args: dict[str, Any]) -> None:
    with pytest.raises(CommandRefused, match="nobody talks"):
        await Core("nobody talks there").commands.dispatch(verb, {**args, "by": "sue"})


@pytest.mark.parametrize("verb", Verb)
async def test_every_verb_is_served(verb: str) -> None:
    """Without its arguments it is done, where it needs none, or says which one is missing."""
    try:
        await Core().commands.dispatch(verb, {})
    except CommandRefused as refused:
        assert refused.code == "missing-argument"
