"""What lies on the disk of a conversation is proven while it goes on: voices within ten seconds, and so is what is none."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.audio.sounds import mixed, noise, speech
from tests.eventually import eventually
from tests.loopback.desk import Desk, desk, now_s
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import CODECS
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]
WITHIN_S = 10.0
NS = 1e9

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@dataclass
class Talk:
    """A point with an operator; what each says was chosen before they met."""

    service: Service
    point: Phone
    operator: Phone
    begun_s: float

    def leg(self, phone: Phone) -> str:
        """Its leg."""
        return str([fact["leg"] for fact in self.service.journal("LegCreated") if fact["party"] == phone.user][-1])

    async def told(self, kind: str, phone: Phone, since_s: float, why: str = "") -> None:
        """A fact of this kind about a phone's leg comes within ten seconds of `since_s`."""

        def found() -> list[dict[str, Any]]:
            about = [fact for fact in self.service.journal(kind) if fact["leg"] == self.leg(phone)]
            return [fact for fact in about if fact["utc"] / NS > since_s and fact.get("why", "") == why]

        (fact,) = (await eventually(found, since_s + WITHIN_S + 3 - now_s(), 0.1))[:1]
        print(f"{kind} {why} of a {phone.user[0]}: {fact['utc'] / NS - since_s:.1f} s")
        assert fact["utc"] / NS - since_s <= WITHIN_S, (kind, fact["utc"] / NS - since_s)


async def talking(people: Desk, number: int, prepare: Callable[[Phone, Phone], None] = lambda point, operator: None) -> Talk:
    operator = await people.phone(f"op{number}", 1000.0 + 40 * number)
    await people.on_duty(operator)
    point = await people.phone(f"p{number}", 440.0 + 40 * number)
    prepare(point, operator)
    await point.press()
    await eventually(lambda: point.call.state == "up" and operator.acknowledged(), 5)
    return Talk(people.service, point, operator, now_s())


@contextlib.asynccontextmanager
async def town(tmp_path: Path, ports: Ports) -> AsyncIterator[Desk]:
    with running(tmp_path / "s", ports, plan_text(POLICE), spares=4) as service:
        async with desk(service) as people:
            yield people


def alarms(service: Service) -> set[str]:
    with service.client() as client:
        return {alarm["key"] for alarm in client.get("/api/alarms").json()["items"]}


async def test_two_voices_are_confirmed_within_ten_seconds(tmp_path: Path, ports: Ports) -> None:
    async with town(tmp_path, ports) as people:
        talk = await talking(people, 1)
        for phone in (talk.point, talk.operator):
            await talk.told("RecordingConfirmed", phone, talk.begun_s)
        assert not {key for key in alarms(people.service) if key.startswith("recorded")}
        assert people.service.journal("RecordingDoubtful") == []


def _random(point: Phone, _: Phone) -> None:
    point.rtp.payload = os.urandom(8_000)


def _zeros(_: Phone, operator: Phone) -> None:
    operator.rtp.payload = operator.rtp.silence


def _echo(point: Phone, operator: Phone) -> None:
    """What the operator says does not repeat itself: of a tone nobody could say whose it is."""
    point.rtp.echo = True
    voice = speech(8_000, 30.0)
    operator.rtp.payload = CODECS["PCMA"][1](mixed(voice, noise(8_000, 30.0, -60, 0.3)))


def _nothing(point: Phone, _: Phone) -> None:
    point.rtp.muted = True


async def test_static_silence_of_a_machine_crossed_sides_and_a_dead_side_each_raise_the_alarm_and_it_clears(
    tmp_path: Path, ports: Ports
) -> None:
    async with town(tmp_path, ports) as people:
        cases = [
            (await talking(people, 1, _random), "point", "random"),
            (await talking(people, 2, _zeros), "operator", "dead"),
            (await talking(people, 3, _echo), "point", "copy"),
            (await talking(people, 4, _nothing), "point", "nothing"),
        ]
        for talk, side, why in cases:
            await talk.told("RecordingDoubtful", getattr(talk, side), talk.begun_s, why)
        raised = alarms(people.service)
        assert {f"recorded:{talk.leg(getattr(talk, side))}" for talk, side, _ in cases} <= raised
        assert len({key for key in raised if key.startswith("recorded:")}) == len(cases)  # the others' sides are good
        mended_s = now_s()
        for talk, side, _ in cases:
            phone = getattr(talk, side)
            phone.rtp.payload, phone.rtp.echo, phone.rtp.muted = phone.rtp.tone, False, False
        for talk, side, _ in cases:
            await talk.told("RecordingConfirmed", getattr(talk, side), mended_s)
        await eventually(lambda: not {key for key in alarms(people.service) if key.startswith("recorded:")}, 3)


async def test_a_microphone_that_is_muted_in_mid_conversation_raises_the_alarm(tmp_path: Path, ports: Ports) -> None:
    async with town(tmp_path, ports) as people:
        talk = await talking(people, 1)
        await talk.told("RecordingConfirmed", talk.operator, talk.begun_s)
        muted_s = now_s()
        talk.operator.rtp.payload = talk.operator.rtp.silence
        await talk.told("RecordingDoubtful", talk.operator, muted_s, "dead")


async def test_an_archivist_that_stands_still_in_a_conversation_is_an_alarm_until_it_goes_on(
    tmp_path: Path, ports: Ports
) -> None:
    async with town(tmp_path, ports) as people:
        await talking(people, 1)
        archivist = people.service.pid("archivist")
        os.kill(archivist, signal.SIGSTOP)
        try:
            await eventually(lambda: "recorded" in alarms(people.service), 14, 0.2)
        finally:
            os.kill(archivist, signal.SIGCONT)
        await eventually(lambda: "recorded" not in alarms(people.service), 5, 0.2)
