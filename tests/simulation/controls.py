"""What operators and supervisors do with live calls by chance: every event of live control, in any state, sensible or not."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING, TypeVar

from callserver.core import events as ev
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId
from callserver.core.state import Call, State
from tests.simulation.town import Place

if TYPE_CHECKING:
    from tests.simulation.world import World

One = TypeVar("One")

MODES = ("listen", "whisper", "join", "private")


class Controls:
    """Everybody's hands on live calls, in one world."""

    def __init__(self, world: "World", place: Place, chance: Random) -> None:
        self.world, self.place, self.chance = world, place, chance
        self.called = 0

    def begin(self) -> None:
        """Lets everybody begin to act."""
        often: Sequence[tuple[int, Callable[[], ev.Event | None]]] = (
            (150_000, self.mute),
            (400_000, self.drop),
            (120_000, self.bring),
            (200_000, self.set_mode),
            (400_000, self.take_over),
            (300_000, self.transfer),
            (400_000, self.park),
            (200_000, self.take),
            (900_000, self.call_out),
            (400_000, self.renew),
            (300_000, self.give),
            (200_000, self.acknowledge),
            (300_000, self.call_back),
            (900_000, self.go_off_duty),
            (1_200_000, self.call_group),
            (300_000, self.bring_point),
            (200_000, self.send_control),
            (200_000, self.one_way),
            (200_000, self.hold_button),
        )
        for mean_ms, act in often:
            self.world.every(mean_ms, lambda act=act: self.do(act()))

    def do(self, event: ev.Event | None) -> None:
        """Asks for it, where there is anything to ask for."""
        if event is not None:
            self.world.deliver(event)

    # ---- some call, some leg, somebody ------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The core's."""
        return self.world.state

    def some_call(self) -> Call | None:
        """More often one in which somebody talks."""
        talking = [call for call in self.state.calls.values() if call.state == "talking"]
        return self.one_of(talking or list(self.state.calls.values()), key=lambda call: call.id)

    def some_leg(self, *roles: str) -> tuple[CallId, LegId] | None:
        """A leg of some call."""
        call = self.some_call()
        leg = None if call is None else self.one_of([one for one in call.legs.values() if not roles or one.role in roles])
        return None if call is None or leg is None else (call.id, leg.id)

    def some_operator(self) -> OperatorId:
        """Anybody of the place; more often one who could answer."""
        ready = [one.id for one in self.state.operators.values() if one.reachable and not one.legs]
        return OperatorId(self.chance.choice(sorted(ready or self.place.staff)))

    def one_of(self, all_of_them: Iterable[One], key: Callable[[One], str] = str) -> One | None:
        """One by chance, whatever their order."""
        found = sorted(all_of_them, key=key)
        return self.chance.choice(found) if found else None

    # ---- what is asked ------------------------------------------------------------------------------------------

    def mute(self) -> ev.Event | None:
        """A leg is muted, or heard again."""
        leg = self.some_leg()
        return None if leg is None else ev.Mute(*leg, self.chance.random() < 0.7, "sue")

    def drop(self) -> ev.Event | None:
        """A leg is dropped."""
        leg = self.some_leg()
        return None if leg is None else ev.Drop(*leg, "sue")

    def bring(self) -> ev.Event | None:
        """A colleague is brought in."""
        call = self.some_call()
        who = OperatorId(self.chance.choice((self.some_operator(), self.some_operator(), *self.place.plan.groups)))
        return None if call is None else ev.Bring(call.id, who, self.chance.choice(MODES), "sue")

    def set_mode(self) -> ev.Event | None:
        """Who was brought in takes part in another way."""
        leg = self.some_leg("supervisor", "outside")
        return None if leg is None else ev.SetMode(*leg, self.chance.choice(MODES), "sue")

    def take_over(self) -> ev.Event | None:
        """Somebody takes a call over: who is in it, or another."""
        call = self.some_call()
        if call is None:
            return None
        inside = sorted(leg.party for leg in call.legs.values() if leg.role == "supervisor")
        who = OperatorId(self.chance.choice(inside)) if inside else self.some_operator()
        return ev.TakeOver(call.id, who, "sue")

    def transfer(self) -> ev.Event | None:
        """A call is given to somebody, to a group, or to an outside party."""
        call = self.some_call()
        to = self.chance.choice((self.some_operator(), *self.place.plan.groups, *self.place.plan.parties))
        return None if call is None else ev.Transfer(call.id, to, "sue")

    def park(self) -> ev.Event | None:
        """A call is parked."""
        call = self.some_call()
        return None if call is None else ev.ParkCall(call.id, "sue")

    def take(self) -> ev.Event | None:
        """An operator picks somebody; more often one who was parked, or left to the police."""
        left = [one.id for one in self.state.incidents.values() if one.only or (one.state == "attended" and not one.operator)]
        incidents = sorted(left or self.state.incidents)
        return ev.Take(IncidentId(self.chance.choice(incidents)), self.some_operator(), "sue") if incidents else None

    def call_out(self) -> ev.Event | None:
        """An operator calls a point."""
        self.called += 1
        point = PointId(self.chance.choice(sorted(self.place.plan.points)))
        return ev.CallOut(point, self.some_operator(), "sue", IncidentId(f"o{self.called}"))

    def one_way(self) -> ev.Event | None:
        """No person's deed, and as little expected: a line goes one way only, or both ways again."""
        leg = self.some_leg()
        side = self.chance.choice(("out", "in"))
        if leg is None:
            return None
        return ev.OneWay(leg[1], side, "lost on the way") if self.chance.random() < 0.6 else ev.OneWayOver(leg[1], side)

    def call_group(self) -> ev.Event | None:
        """An operator calls a group of points."""
        self.called += 1
        groups = sorted(self.place.plan.point_groups)
        fresh = IncidentId(f"o{self.called}")
        return ev.CallGroup(self.chance.choice(groups), self.some_operator(), "sue", fresh) if groups else None

    def bring_point(self) -> ev.Event | None:
        """One more point is called into a call."""
        call = self.some_call()
        point = PointId(self.chance.choice(sorted(self.place.plan.points)))
        return None if call is None else ev.BringPoint(call.id, point, "sue")

    def send_control(self) -> ev.Event | None:
        """A device is to do something."""
        leg = self.some_leg("point", "brought")
        return None if leg is None else ev.SendControl(leg[0], self.chance.choice(("beacon", "none")), "sue", leg[1])

    def hold_button(self) -> ev.Event | None:
        """A device is put on hold, or taken back."""
        leg = self.some_leg()
        return None if leg is None else ev.DeviceHeld(leg[1], self.chance.random() < 0.5)

    def renew(self) -> ev.Event | None:
        """A line is renewed."""
        call = self.some_call()
        return None if call is None else ev.Renew(call.id, "sue")

    def some_listed(self) -> IncidentId | None:
        """An incident on the call-back list."""
        return self.one_of(one for mine in self.state.owned.values() for one in mine)

    def give(self) -> ev.Event | None:
        """What is on the list is given to somebody, or to the next on duty."""
        incident = self.some_listed()
        to = self.chance.choice((self.some_operator(), ""))
        return None if incident is None else ev.GiveOwner(incident, to, self.chance.choice(("sue", to or "sue")))

    def acknowledge(self) -> ev.Event | None:
        """An owner has seen it, or all."""
        incident = self.some_listed()
        owner = None if incident is None else self.state.incidents[incident].owner
        who = owner or self.some_operator()
        return ev.Acknowledge(who, self.chance.choice((incident, None)), who)

    def call_back(self) -> ev.Event | None:
        """A point on the list is called back."""
        incident = self.some_listed()
        return None if incident is None else ev.CallBack(incident, self.some_operator(), "sue")

    def go_off_duty(self) -> ev.Event | None:
        """Somebody pauses and names who gets what they own."""
        owners = sorted(one for one in self.state.owned if one)
        who = OperatorId(self.chance.choice(owners)) if owners else self.some_operator()
        return ev.Pause(who, "", who, self.chance.choice((self.some_operator(), "")))
