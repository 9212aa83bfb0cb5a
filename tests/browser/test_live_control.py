"""What an operator does with a live call, in real browsers: every step by key or button, every voice by its tone."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.browser.console import Console, answered, both_hear, console
from tests.eventually import eventually
from tests.loopback.desk import Desk, desk
from tests.loopback.phone import Phone
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POINT_HZ, OPERATOR_HZ, OTHER_HZ, POLICE_HZ = 440.0, 700.0, 1000.0, 1200.0
HEARD_S = 8.0

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@asynccontextmanager
async def talking(directory: Path, ports: Ports) -> AsyncIterator[tuple[Service, Desk, Phone, Phone, Console]]:
    """A point and an operator at Chromium who hear each other, and a police that answers when it is called."""
    police_port = ports.take()
    plan = plan_text([f"sip:police@127.0.0.1:{police_port}"], wrap_up="60s", strategy="longest-idle")
    plan += '[operators.supervisor]\nname = "Sue"\ngroups = ["bosses"]\n'
    with running(directory / "s", ports, plan) as service:
        async with desk(service) as people, console(service, directory, "op1", OPERATOR_HZ) as seat:
            police = await people.phone("police", POLICE_HZ, register=False, port=police_port)
            point = await answered(people, seat, POINT_HZ, HEARD_S)
            yield service, people, point, police, seat


async def test_the_police_are_spoken_with_alone_left_with_the_caller_and_come_back_to(tmp_path: Path, ports: Ports) -> None:
    """Three talk; then two while the caller waits; then the other two without the operator; then three again, in one call."""
    async with talking(tmp_path, ports) as (service, _, point, police, seat):
        await seat.press("p")
        await eventually(lambda: police.hears(POINT_HZ) and police.hears(OPERATOR_HZ), 15)
        await seat.page.get_by_role("button", name="Speak privately").wait_for()
        await seat.press("u")
        await seat.page.get_by_text("Private", exact=True).wait_for()
        await eventually(lambda: seat.hears_tone(POLICE_HZ), 5)
        await eventually(lambda: police.hears(OPERATOR_HZ) and not police.hears(POINT_HZ), 5)
        await eventually(lambda: not point.hears(OPERATOR_HZ) and not point.hears(POLICE_HZ), 5)
        await seat.press("u")
        await eventually(lambda: point.hears(OPERATOR_HZ) and point.hears(POLICE_HZ), 5)
        await seat.press("l")
        await seat.page.get_by_role("list", name="News").get_by_text("You left the call to Police").wait_for()
        await eventually(lambda: point.hears(POLICE_HZ) and not point.hears(OPERATOR_HZ), 5)
        await eventually(lambda: police.hears(POINT_HZ) and not police.hears(OPERATOR_HZ), 5)
        await seat.page.get_by_text("Left to Police").wait_for()
        await seat.press("w")
        await seat.page.get_by_role("dialog").get_by_role("button", name="Place p1").wait_for()
        await seat.press("1")
        await eventually(lambda: point.hears(OPERATOR_HZ) and police.hears(OPERATOR_HZ), 8)
        await eventually(lambda: point.hears(POLICE_HZ), 5)
        assert len(service.journal("CallOpened")) == 1
        assert police.rang() <= 1


async def test_a_colleague_is_asked_while_the_caller_waits_and_then_has_the_call(tmp_path: Path, ports: Ports) -> None:
    """Both at browsers. Who asked is free at once, and the caller has heard both, one after the other."""
    async with talking(tmp_path, ports) as (service, _, point, _, seat):
        (tmp_path / "other").mkdir()
        async with console(service, tmp_path / "other", "op2", OTHER_HZ) as other:
            await other.on_duty()
            await seat.page.get_by_text("1 available").wait_for()  # nobody can be asked before the page knows of a colleague
            await seat.press("t")
            await seat.page.get_by_role("dialog").get_by_role("button", name="op2").wait_for()
            await seat.press("1")
            await other.page.get_by_text("op1 asks you").wait_for()
            await other.press("Space")
            await eventually(lambda: other.hears_tone(OPERATOR_HZ), 8)
            await eventually(lambda: seat.hears_tone(OTHER_HZ), 5)
            await eventually(lambda: not point.hears(OPERATOR_HZ) and not point.hears(OTHER_HZ), 5)
            await seat.page.get_by_role("button", name="Hand the call over to op2").click()
            await both_hear(point, other, HEARD_S)
            await seat.page.get_by_role("list", name="News").get_by_text("op2 has the call now").wait_for()
            await eventually(seat.hears_nothing, 5)
            await other.page.get_by_role("button", name="Hold").wait_for()
            moves = [fact["new"] for fact in service.journal("OperatorMoved") if fact["operator"] == "op1"]
            assert moves[-1] == "available" and len(service.journal("CallOpened")) == 1


async def test_a_call_is_given_to_a_colleague_without_asking(tmp_path: Path, ports: Ports) -> None:
    """Both at browsers. Who gives it is free at once, the caller hears that it is put through, and the other alone is rung."""
    async with talking(tmp_path, ports) as (service, _, point, _, seat):
        (tmp_path / "other").mkdir()
        async with console(service, tmp_path / "other", "op2", OTHER_HZ) as other:
            await other.on_duty()
            await seat.page.get_by_text("1 available").wait_for()
            await seat.press("t")
            await seat.page.get_by_role("dialog").get_by_role("button", name="Without asking").click()
            await seat.page.get_by_role("dialog").get_by_role("button", name="op2").click()
            await other.page.get_by_role("button", name="Answer").wait_for()
            await eventually(lambda: _playing(service) == ["transfer"], 5)
            await eventually(lambda: not point.hears(OPERATOR_HZ), 5)
            await other.press("Space")
            await both_hear(point, other, HEARD_S)
            await eventually(seat.hears_nothing, 5)
            directed = [(fact["only"], fact["by"]) for fact in service.journal("IncidentDirected")]
            assert directed == [("operator:op2", "op1")] and len(service.journal("CallOpened")) == 1


async def test_a_call_is_given_to_the_police_without_asking(tmp_path: Path, ports: Ports) -> None:
    """The operator is free while they are called, and they have the call when they answer."""
    async with talking(tmp_path, ports) as (service, _, point, police, seat):
        police.answer_after_s = None
        await seat.press("t")
        await seat.page.get_by_role("dialog").get_by_role("button", name="Police").click()
        await eventually(police.rang, 10)
        await eventually(lambda: _playing(service) == ["transfer"], 5)
        await eventually(seat.hears_nothing, 5)
        police.call.answer()
        await eventually(lambda: point.hears(POLICE_HZ) and police.hears(POINT_HZ), 8)
        assert [fact["only"] for fact in service.journal("IncidentDirected")] == ["party:police"]
        await seat.page.get_by_text("Left to Police").wait_for()


def _playing(service: Service) -> list[str]:
    """What plays in the one call now."""
    return [prompt["name"] for prompt in service.journal("CallShaped")[-1]["shape"]["prompts"]]


async def test_a_parked_caller_is_told_so_rings_nowhere_and_is_picked_up_by_a_key(tmp_path: Path, ports: Ports) -> None:
    """The seat is free meanwhile; what is taken is put through without another press of a key."""
    async with talking(tmp_path, ports) as (service, _, point, _, seat):
        offers = len(service.journal("OfferMade"))
        await seat.press("k")
        await seat.page.get_by_text(re.compile(r"Parked, \d:\d\d left")).wait_for()
        await eventually(lambda: not point.hears(OPERATOR_HZ), 5)
        shape = service.journal("CallShaped")[-1]["shape"]
        assert [prompt["name"] for prompt in shape["prompts"]] == ["parked"]
        assert len(service.journal("OfferMade")) == offers
        await seat.press("w")
        await seat.page.get_by_role("dialog").get_by_role("button", name="Place p1").wait_for()
        await seat.press("1")
        await both_hear(point, seat, HEARD_S)
        assert [fact["operator"] for fact in service.journal("IncidentChosen")] == ["op1"]


async def test_a_supervisor_listens_whispers_and_takes_over(tmp_path: Path, ports: Ports) -> None:
    """With a reason, which is journalled first. Unheard by all, then by the caller, and then the one who has the call."""
    async with talking(tmp_path, ports) as (service, _, point, _, seat):
        (tmp_path / "boss").mkdir()
        async with console(service, tmp_path / "boss", "supervisor", OTHER_HZ) as boss:
            await boss.on_duty()
            await boss.page.get_by_role("button", name="Take part in Place p1").click()
            await boss.page.get_by_label("Why you listen").fill("a new colleague")
            await boss.press("Enter")
            await eventually(lambda: boss.hears_among(POINT_HZ), 8)
            await eventually(lambda: boss.hears_among(OPERATOR_HZ), 5)
            assert _listened(service) == [("supervisor", "a new colleague")]
            assert not point.hears(OTHER_HZ) and not await seat.hears_among(OTHER_HZ)
            await boss.page.get_by_role("button", name="Whisper").click()
            await eventually(lambda: seat.hears_among(OTHER_HZ), 5)
            assert not point.hears(OTHER_HZ)
            await boss.page.get_by_role("button", name="Take over").click()
            await both_hear(point, boss, HEARD_S)
            await seat.page.get_by_role("list", name="News").get_by_text("Sue has the call now").wait_for()
            await eventually(seat.hears_nothing, 5)


def _listened(service: Service) -> list[tuple[str, str]]:
    """Who listened to the one call, and why, as the API tells it."""
    (call,) = [fact["call"] for fact in service.journal("CallOpened")]
    with service.client("auditor") as client:
        facts = client.get(f"/api/calls/{call}/timeline").json()["items"]
    return [(fact["body"]["by"], fact["body"]["reason"]) for fact in facts if fact["kind"] == "Listened"]


async def test_a_point_is_called_by_a_part_of_its_name(tmp_path: Path, ports: Ports) -> None:
    """The seat is put through first, by itself, then the point answers: an incident without a press."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"], wrap_up="60s")) as service:
        async with desk(service) as people, console(service, tmp_path, "op1", OPERATOR_HZ) as seat:
            point = await people.phone("p3", POINT_HZ)
            await seat.on_duty()
            await seat.page.get_by_role("button", name="Call…").wait_for()
            await seat.press("d")
            await seat.page.get_by_label("Place or number").fill("p3")
            await seat.press("Enter")
            await both_hear(point, seat, HEARD_S)
            opened = service.journal("IncidentOpened")
            assert [(fact["point"], fact["called_by"]) for fact in opened] == [("p3", "op1")]
            await seat.page.get_by_role("button", name="Hang up").wait_for()
