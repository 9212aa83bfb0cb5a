"""What people and machines do by chance in the simulated place: presses, seats, supervisors, plans, clocks, faults."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from callserver.core import events as ev
from callserver.core.facts import ClockAnchored, RecordingConfirmed, RecordingDoubtful
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PartyId, PointId, call_of_leg
from callserver.core.instant import MS, SECOND
from dialplans.model import Plan, Priority
from tests.simulation.town import Place

if TYPE_CHECKING:
    from tests.simulation.world import World

RETRANSMIT_MS = 500
SEATS_OFTEN = 1_200_000  # ms between changes of one seat, on average
HOUR_NS = 3_600 * SECOND
NIGHTS_NS = tuple(
    at * SECOND
    for at in (
        1_774_706_400,  # 28 March 2026, 14:00: the night in which an hour is skipped
        1_792_857_600,  # 24 October 2026, 16:00: the night in which an hour comes twice
        1_798_131_600,  # 24 December 2026, 17:00: holidays, with a weekend between
        1_781_870_400,  # a Friday in June
    )
)


class People:
    """Everybody, in one world."""

    def __init__(self, world: "World", place: Place, chance: Random) -> None:
        self.world, self.place, self.chance = world, place, chance
        self.version = 0
        self.anchors = 0
        self.utc_ns = chance.choice(NIGHTS_NS) + chance.randrange(12) * HOUR_NS - world.now  # UTC less the instant
        self.bound: dict[str, bool] = {}
        self.numbered = 0
        self.presses = 0

    def begin(self) -> None:
        """Sets the clock, loads the plan and lets everybody begin to act."""
        every, plan = self.world.every, self.place.plan
        self.set_clock(0)
        self.load_plan(plan)
        for operator in self.place.staff:
            every(SEATS_OFTEN, lambda who=operator: self.seat_changes(who))
            every(900_000, lambda who=operator: self.operator_asks(OperatorId(who)))
        for point in plan.points:
            every(1_500_000, lambda which=point: self.press(PointId(which)))
            every(7_200_000, lambda which=point: self.burst(PointId(which)))
        every(14_400_000, self.crowd)
        every(400_000, self.supervise)
        every(int(1_800_000 / max(self.world.faults, 0.01)), self.worker_dies)
        every(7_200_000, lambda: self.load_plan(self.place.another(self.chance)))
        every(3_000_000, self.trunk_changes)
        every(1_200_000, self.police_mood)
        every(600_000, self.line_silent)
        every(10_000_000, self.clock_steps)
        every(5_000_000, self.machine_in_trouble)
        every(int(2_400_000 / max(self.world.faults, 0.01)), self.disk_stalls)

    # ---- plans and clocks -------------------------------------------------------------------------------------

    def load_plan(self, loaded: Plan) -> None:
        """A new version comes into force; the shell tells again who is registered."""
        self.version += 1
        self.world.deliver(ev.PlanLoaded(self.version, f"digest {self.version}", loaded, "admin"))
        for operator, bound in self.bound.items():
            if bound and operator in loaded.operators:
                self.world.deliver(ev.SeatBound(OperatorId(operator), "sip"))

    def set_clock(self, step_ms: int) -> None:
        """The wall clock departs from the anchor: a new one is a fact."""
        self.anchors += 1
        self.utc_ns += step_ms * MS
        now = self.world.now
        self.world.deliver(ev.Noted(ClockAnchored(self.anchors, "boot", now + self.utc_ns, now, step_ms)))

    def clock_steps(self) -> None:
        """By seconds or by hours, either way."""
        self.set_clock(self.chance.choice((-3_600_000, -90_000, -2_000, 2_000, 600_000, 3_600_000, 28_800_000)))

    # ---- callers ----------------------------------------------------------------------------------------------

    def press(self, point: PointId) -> None:
        """Somebody presses; the device sends its INVITE again while nobody takes it."""
        self.presses += 1
        self.numbered += 1
        dialog, fresh = f"d{self.numbered}", IncidentId(f"i{self.numbered}")
        button = self.chance.choice(self.place.buttons) if self.place.plan.points[point].buttons else ""

        def arrive() -> None:
            if self.world.down:
                self.world.after(RETRANSMIT_MS, arrive)
                return
            self.world.edge.presses[dialog] = point
            self.world.deliver(ev.Pressed(point, dialog, fresh, button))

        arrive()

    def burst(self, point: PointId) -> None:
        """Somebody presses again and again."""
        for _ in range(self.chance.randrange(2, 6)):
            self.world.after(self.chance.randrange(120_000), lambda: self.press(point))

    def crowd(self) -> None:
        """Something happens in the middle of the town: everybody presses."""
        for point in self.place.plan.points:
            self.world.after(self.chance.randrange(60_000), lambda which=point: self.press(PointId(which)))

    def line_silent(self) -> None:
        """RTP stops on some leg, which the archivist notices too, and comes back."""
        dialogs = self.world.edge.dialogs
        heard = sorted(leg for leg, dialog in dialogs.items() if dialog.up or dialog.inbound)
        if heard:
            leg = self.chance.choice(heard)
            self.world.deliver(ev.LineSilent(leg, self.chance.choice((1_000, 5_000, 10_000, 20_000))))
            self._archivist_finds(RecordingDoubtful(call_of_leg(leg), leg, "nothing"))
            self.world.after(self.chance.randrange(60_000), lambda: self._sounds_again(leg))

    def _sounds_again(self, leg: LegId) -> None:
        """Or the leg is over, and the archivist is late."""
        if leg in self.world.edge.dialogs:
            self.world.deliver(ev.LineSounding(leg))
            self._archivist_finds(RecordingConfirmed(call_of_leg(leg), leg, -25))
        else:
            self._archivist_finds(RecordingDoubtful(call_of_leg(leg), leg, "dead"))

    def _archivist_finds(self, fact: RecordingConfirmed | RecordingDoubtful) -> None:
        self.world.deliver(ev.Noted(fact))

    # ---- operators and supervisors ----------------------------------------------------------------------------

    def seat_changes(self, operator: str) -> None:
        """A softphone registers, or a browser is proven, or either is gone."""
        self.bound[operator] = not self.bound.get(operator, False) or self.chance.random() < 0.2
        if operator in self.world.state.operators:
            who = OperatorId(operator)
            kind = "browser" if self.chance.random() < 0.3 else "softphone"
            self.world.deliver(ev.SeatBound(who, kind, kind) if self.bound[operator] else ev.SeatUnbound(who, "expired"))

    def operator_asks(self, operator: OperatorId) -> None:
        """By code or console."""
        self.numbered += 1
        code = self.chance.choice(("*1", "*1", "*2", "*51", "*52", "*9", "*7"))
        dialog = f"c{self.numbered}"
        self.world.edge.codes.add(dialog)
        event: ev.Event = ev.CodeDialled(operator, code, dialog)
        if self.chance.random() < 0.5:
            event = self.chance.choice(
                (
                    ev.MakeAvailable(operator, "console"),
                    ev.MakeAvailable(operator, "console"),
                    ev.Pause(operator, "break", "console"),
                )
            )
        self.world.deliver(event)

    def supervise(self) -> None:
        """A supervisor closes, hangs up, holds, escalates, reclassifies, climbs."""
        state, deliver, chance = self.world.state, self.world.deliver, self.chance
        for incident in sorted(state.incidents):
            if chance.random() < 0.3:
                outcome = chance.choice(("helped", "helped", "false"))
                deliver(ev.GiveOutcome(IncidentId(incident), outcome, "sue"))
        self.about_a_call(0.5, lambda call: ev.Hold(call, chance.random() < 0.6, "sue"))
        self.about_a_call(0.3, lambda call: ev.HangUp(call, "sue"))
        parties = sorted(self.place.plan.parties)
        self.about_a_call(0.5, lambda call: ev.Escalate(call, PartyId(chance.choice(parties)), "sue"))
        self.about_an_incident(0.4, lambda incident: ev.Reclassify(incident, chance.choice(tuple(Priority)), "sue"))
        self.about_an_incident(0.3, lambda incident: ev.ClimbLadder(incident, "sue"))
        self.about_an_incident(0.02, lambda incident: ev.LastResort(incident, "somebody erred"))

    def about_a_call(self, chance: float, event: Callable[[CallId], ev.Event]) -> None:
        """Something about some call, now and then."""
        calls = sorted(self.world.state.calls)
        if calls and self.chance.random() < chance:
            self.world.deliver(event(CallId(self.chance.choice(calls))))

    def about_an_incident(self, chance: float, event: Callable[[IncidentId], ev.Event]) -> None:
        """Something about some incident, now and then."""
        incidents = sorted(self.world.state.incidents)
        if incidents and self.chance.random() < chance:
            self.world.deliver(event(IncidentId(self.chance.choice(incidents))))

    # ---- faults -----------------------------------------------------------------------------------------------

    def worker_dies(self) -> None:
        """kill -9 of a call worker."""
        call = self.world.edge.kill_worker()
        if call is not None:
            self.world.after(self.chance.randrange(2, 700), lambda: self.world.deliver(ev.WorkerLost(call, "killed")))

    def trunk_changes(self) -> None:
        """A trunk is lost or back."""
        trunk = self.chance.choice(("trunk-a", "trunk-b"))
        self.world.deliver(ev.TrunkLost(trunk, "no reply") if self.chance.random() < 0.5 else ev.TrunkReached(trunk))

    def police_mood(self) -> None:
        """How often outside parties fail, for a while."""
        self.world.edge.police_fails = self.chance.choice((0.1, 0.5, 0.9, 1.0))

    def machine_in_trouble(self) -> None:
        """An alarm of the machine for some minutes."""
        key = self.chance.choice(("disk:data", "journal", "rtp:ports"))
        self.world.deliver(ev.ConditionRaised(key, "full"))
        self.world.after(self.chance.randrange(300_000), lambda: self.world.deliver(ev.ConditionCleared(key)))

    def disk_stalls(self) -> None:
        """Facts take longer than a quarter of a second for a while."""
        self.world.stall(self.chance.randrange(300, 8_000))
