"""The rules of a plan at real telephones: who rings, and when. Points are baresip, operators softphones with a tone each."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import Desk, desk, now_s
from tests.loopback.phone import Phone
from tests.loopback.rules import HEAD, WallClock, calls_police, ladder, operators, points, police, queue
from tests.loopback.service import Service
from tests.peers.baresip import Baresip
from tests.peers.ports import Ports
from tests.peers.tones import loudest, read_wav

pytestmark = pytest.mark.real

TONES = {"op1": 900.0, "op2": 1000.0, "op3": 1100.0, "police": 1500.0}


class Room:
    """One running service with its people."""

    def __init__(self, service: Service, people: Desk, peers: Peers) -> None:
        self.service, self.people, self.peers = service, people, peers

    async def operator(self, user: str, answer_after_s: float | None = None, port: int = 0) -> Phone:
        """A softphone that rings, and answers after a while where it is told to; on duty."""
        phone = await self.people.phone(user, TONES[user], register=user != "police", answer_after_s=answer_after_s, port=port)
        if user != "police":
            await self.people.on_duty(phone)
        return phone

    async def point(self, user: str, hz: float) -> Baresip:
        """A help point, registered."""
        options = {"password": f"secret-{user}", "server": self.service.server, "answer": "manual", "hz": hz}
        point = self.peers.baresip(user, **options).start()
        await eventually(point.registered, 10)
        return point

    def press(self, point: Baresip) -> float:
        """The button; when."""
        point.dial(self.service.help)
        return now_s()


def rang_at(phone: Phone) -> list[float]:
    """When each INVITE came."""
    return [at for at, way, line in phone.sip if way == "<" and line.startswith("INVITE")]


async def first_ring(phone: Phone, within_s: float, count: int = 1) -> float:
    """When it rang for the count-th time."""
    await eventually(lambda: len(rang_at(phone)) >= count, within_s)
    return rang_at(phone)[count - 1]


@asynccontextmanager
async def room(
    directory: Path, ports: Ports, peers: Peers, plan: str, environment: dict[str, str] | None = None
) -> AsyncIterator[Room]:
    """A service with this plan."""
    service = Service(directory / "s", ports, plan, environment=environment)
    try:
        service.start()
        async with desk(service) as people:
            yield Room(service, people, peers)
    finally:
        service.stop()


async def test_a_second_tier_rings_after_its_delay(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """The desk at once; the back office as well two seconds later, while the desk rings on; whoever answers is heard."""
    tiers = 'tiers = [{ after = "2s", groups = ["office"] }]'
    plan = HEAD + points(p1="emergency") + operators(op1="desk", op2="office") + police(9)
    plan += queue("desk", tiers) + ladder("desk", calls_police())
    async with room(tmp_path, ports, peers, plan) as here:
        first, second = await here.operator("op1"), await here.operator("op2")
        point = await here.point("p1", 440.0)
        pressed = here.press(point)
        assert await first_ring(first, 3) - pressed < 1.0
        assert 1.8 < await first_ring(second, 5) - pressed < 3.0
        assert first.rang() == 1 and first.call.state != "ended"
        second.call.answer()
        await eventually(lambda: second.hears(440.0), 5)
        await eventually(lambda: first.call.state == "ended", 3)
        await eventually(lambda: point.seen("CALL_ESTABLISHED"), 3)


async def test_what_one_room_does_not_answer_overflows_to_the_other(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """After two seconds the other control room has it, and rings; the first does not ring any more."""
    plan = HEAD + points(p1="emergency") + operators(op1="desk", op2="west") + police(9)
    plan += queue("desk") + queue("west", groups='["west"]')
    plan += ladder("desk", 'after = "2s", hand_to = "west"') + ladder("west", calls_police())
    async with room(tmp_path, ports, peers, plan) as here:
        first, second = await here.operator("op1"), await here.operator("op2")
        point = await here.point("p1", 440.0)
        pressed = here.press(point)
        assert await first_ring(first, 3) - pressed < 1.0
        assert 1.8 < await first_ring(second, 5) - pressed < 3.0
        await eventually(lambda: first.call.state == "ended", 3)
        second.call.answer()
        await eventually(lambda: second.hears(440.0), 5)
        assert [fact["queue"] for fact in here.service.journal("IncidentHandedOver")] == ["west"]


async def test_the_emergency_that_came_last_rings_first(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """One operator talks, two information calls wait, then an emergency: it is next, whoever waits longer."""
    plan = HEAD + points(p1="emergency", p2="information", p3="information", p4="normal") + operators(op1="desk") + police(9)
    plan += queue("desk") + ladder("desk", calls_police())
    async with room(tmp_path, ports, peers, plan) as here:
        only = await here.operator("op1")
        talking, *others = [await here.point(f"p{number}", 400.0 + 60 * number) for number in (4, 2, 3, 1)]
        here.press(talking)
        await first_ring(only, 3)
        only.call.answer()
        await eventually(lambda: only.hears(640.0), 5)
        for number, point in enumerate(others, 2):
            here.press(point)
            await eventually(lambda count=number: len(here.service.journal("IncidentOpened")) == count, 3)
        only.answer_after_s = 0.05
        talking.hangup()
        await first_ring(only, 5, count=2)
        await eventually(lambda: only.hears(460.0), 5)
        assert here.service.journal("OfferMade")[-1]["call"].startswith(here.service.journal("IncidentOpened")[-1]["incident"])


async def test_an_emergency_parks_an_information_call_and_it_is_resumed(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """The only operator talks with somebody who asks the way. The emergency has the seat; then the first is taken up again."""
    plan = HEAD + points(p1="emergency", p2="information") + operators(op1="desk") + police(9)
    plan += queue("desk", 'preempt_after = "1s"') + ladder("desk", calls_police())
    async with room(tmp_path, ports, peers, plan) as here:
        only = await here.operator("op1", answer_after_s=0.05)
        asking, urgent = await here.point("p2", 520.0), await here.point("p1", 440.0)
        here.press(asking)
        await eventually(lambda: only.hears(520.0), 5)
        pressed = here.press(urgent)
        assert 0.8 < await first_ring(only, 5, count=2) - pressed < 3.0
        await eventually(lambda: only.hears(440.0) and not only.hears(520.0), 5)
        assert asking.in_call(), "the parked caller was dropped"
        shapes = [fact["shape"]["prompts"] for fact in here.service.journal("CallShaped")]
        assert any(prompt["name"] == "interrupted" for prompts in shapes for prompt in prompts)
        urgent.hangup()
        await first_ring(only, 5, count=3)
        await eventually(lambda: only.hears(520.0), 5)
        began = now_s()
        await eventually(lambda: now_s() - began > 1, 3)
        asking.hangup()
        await eventually(asking.idle, 5)
        received, rate = read_wav(asking.received_wav())
        assert loudest(received[-2 * rate :], TONES["op1"], rate) > 0.03, "nobody was heard after the parking"


HOURS = '[[hours.day]]\ndays = ["mon-sun"]\nfrom = "08:00"\nuntil = "22:00"\n[[hours.night]]\nfrom = "22:00"\nuntil = "08:00"\n'


async def test_at_ten_in_the_evening_the_night_ladder_begins(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """The clock is moved by hand: by day the desk rings and nobody else; at night the police ring after a second."""
    port = ports.take()
    plan = HEAD + HOURS + points(p1="emergency", p2="emergency") + operators(op1="desk") + police(port)
    plan += queue("desk", 'ladders = [{ hours = "night", ladder = "late" }]')
    plan += ladder("desk", calls_police()) + ladder("late", calls_police("1s"))
    clock = WallClock(tmp_path / "clock").set("2026-11-25 21:50:00")
    async with room(tmp_path, ports, peers, plan, clock.environment()) as here:
        officers = await here.operator("police", answer_after_s=0.05, port=port)
        await here.operator("op1")
        by_day, by_night = await here.point("p1", 440.0), await here.point("p2", 520.0)
        pressed = here.press(by_day)
        await eventually(lambda: now_s() - pressed > 3, 5)
        assert officers.rang() == 0
        clock.set("2026-11-25 22:00:05")
        await eventually(lambda: any(abs(f["step_ms"]) > 60_000 for f in here.service.journal("ClockAnchored")), 10)
        pressed = here.press(by_night)
        assert 0.8 < await first_ring(officers, 6) - pressed < 3.0
        await eventually(lambda: officers.hears(520.0), 5)
        assert [fact["ladder"] for fact in here.service.journal("IncidentOpened")] == ["desk", "late"]


def _reload(service: Service) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "callserver", "reload", "--config", str(service.directory / "callserver.toml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def test_a_reload_changes_who_rings_next_and_no_call(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """A talk goes on without a word of SIP; the next press goes by the new plan; a bad plan changes nothing and says why."""
    plan = HEAD + points(p1="emergency", p2="emergency") + operators(op1="desk", op2="office") + police(9)
    plan += queue("desk") + ladder("desk", calls_police())
    async with room(tmp_path, ports, peers, plan) as here:
        first, second = await here.operator("op1", answer_after_s=0.05), await here.operator("op2", answer_after_s=0.05)
        one, two = await here.point("p1", 440.0), await here.point("p2", 520.0)
        here.press(one)
        await eventually(lambda: first.hears(440.0), 5)
        messages, file = len(first.sip), here.service.directory / "plan.toml"
        file.write_text(plan.replace('groups = ["desk"]\nladder', 'groups = ["offices"]\nladder'))
        bad = _reload(here.service)
        assert bad.returncode == 1 and "offices" in bad.stdout + bad.stderr, (bad.stdout, bad.stderr)
        file.write_text(plan.replace('groups = ["desk"]\nladder', 'groups = ["office"]\nladder'))
        good = _reload(here.service)
        assert good.returncode == 0, (good.stdout, good.stderr)
        assert [fact["version"] for fact in here.service.journal("PlanAdopted")] == [1, 2]
        here.press(two)
        await eventually(lambda: second.hears(520.0), 5)
        assert first.hears(440.0) and len(first.sip) == messages
        assert [fact["plan_version"] for fact in here.service.journal("IncidentOpened")] == [1, 2]
