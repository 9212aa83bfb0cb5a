"""Keys to devices as the switchboard sends them: which way, what comes of them, and how long an end waits for them."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from callserver.core.effects import Keys
from callserver.core.events import DigitsDone
from callserver.core.ids import LegId
from callserver.media import protocol
from callserver.runtime import signals
from callserver.runtime.signals import Signals
from tests.eventually import eventually

LEG = LegId("i1.1.1")
EVENTS, INFO = Keys("*7", False, 120, 100), Keys("*7", True, 120, 100)


class Desk:
    """An edge and a sound that note what they are asked."""

    def __init__(self, agreed: int = 101, version: int = protocol.SENDS_DIGITS) -> None:
        self.posted: list[object] = []
        self.ordered: list[object] = []
        self.asked: list[tuple[str, Callable[[str], None]]] = []
        worker = SimpleNamespace(hello=SimpleNamespace(version=version), send=self.ordered.append)
        leg = SimpleNamespace(placed=True, remote=SimpleNamespace(dtmf_payload_type=agreed))
        self.sound = SimpleNamespace(legs={LEG: leg}, calls={"i1.1": SimpleNamespace(worker=worker)})
        edge = SimpleNamespace(send_digits=lambda leg, digits, length, gap, told: self.asked.append((digits, told)))
        self.signals = Signals(edge, self.sound, self.posted.append)  # type: ignore[arg-type]


def test_keys_go_among_the_sound_and_the_worker_says_what_came_of_them() -> None:
    desk = Desk()
    desk.signals.send(LEG, EVENTS)
    assert desk.ordered == [protocol.SendDigits(LEG, "*7", 120, 100)] and desk.posted == []
    desk.signals.gone(LEG, "*7", "")
    assert desk.posted == [DigitsDone(LEG, "*7", "")]


@pytest.mark.parametrize(("agreed", "keys"), [(101, INFO), (-1, EVENTS)])
def test_keys_go_by_info_where_the_profile_says_so_or_the_device_agreed_to_no_events(agreed: int, keys: Keys) -> None:
    desk = Desk(agreed)
    desk.signals.send(LEG, keys)
    assert desk.ordered == [] and [digits for digits, _ in desk.asked] == ["*7"]
    desk.asked[0][1]("the device answered 415 to INFO")
    assert desk.posted == [DigitsDone(LEG, "*7", "the device answered 415 to INFO")]


def test_a_process_of_an_older_service_and_a_leg_without_sound_are_told_at_once() -> None:
    old, silent = Desk(version=1), Desk()
    silent.sound.calls["i1.1"].worker = None
    for desk in (old, silent):
        desk.signals.send(LEG, EVENTS)
        assert [event.why != "" for event in desk.posted] == [True] and desk.ordered == []  # type: ignore[attr-defined]


async def test_the_end_follows_the_keys_and_is_done_once() -> None:
    desk, ended = Desk(), list[str]()
    desk.signals.end(LEG, EVENTS, lambda: ended.append("bye"))
    desk.signals.end(LEG, EVENTS, lambda: ended.append("again"))
    assert ended == [] and len(desk.ordered) == 1
    desk.signals.gone(LEG, "71", "")
    assert ended == [], "others than those before the end"
    desk.signals.gone(LEG, "*7", "")
    assert ended == ["bye"]


async def test_the_end_waits_for_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "FAREWELL_S", 0.02)
    desk, ended = Desk(), list[float]()
    desk.signals.end(LEG, INFO, lambda: ended.append(asyncio.get_running_loop().time()))
    await eventually(lambda: ended, 2)
    desk.asked[0][1]("")
    assert len(ended) == 1
