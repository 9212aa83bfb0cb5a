"""Browser seats as the switchboard leads them, with a seat worker that the test plays and pages that only speak."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from callserver.core.events import Event, LegAnswered, LegEnded, LegRang, SeatBound, SeatUnbound
from callserver.core.ids import LegId
from callserver.core.instant import SECOND
from callserver.core.termination import Class
from callserver.media import protocol
from callserver.runtime import seats as module
from callserver.runtime.clock import Anchor
from callserver.runtime.seat_fitness import BEAT_IDLE_NS, GIVE_UP_NS
from callserver.runtime.seats import Seats
from callserver.runtime.sound import Sound
from callserver.runtime.sound_records import SoundTells
from tests.eventually import eventually
from tests.runtime.test_sound import Actor, Supervisor

LEG = LegId("i.1.2")


class SeatSupervisor(Supervisor):
    """One that is asked for seat workers too."""

    def need_worker(self, kind: str = "call") -> None:
        self.needed += kind == "seat"


class Room:
    """Seats, what they post, what their pages are told. `pass_by` moves the clock that they look at."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.now_ns = 1_000 * SECOND
        monkeypatch.setattr(module, "boottime_ns", lambda: self.now_ns)
        self.supervisor = SeatSupervisor()
        ignore: Any = lambda *_: None  # noqa: E731
        tells = SoundTells(*[ignore] * 6)
        sound = Sound(self.supervisor, directory, lambda: Anchor(1, "b", 0, 0, 0), tells)  # type: ignore[arg-type]
        self.posted: list[Event] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.softphones: dict[str, str] = {}
        self.seats = Seats(
            self.supervisor,  # type: ignore[arg-type]
            sound,
            self.posted.append,
            lambda seat, message: self.told.append((seat, message)),
            lambda operator: self.softphones.get(operator, ""),
        )
        self.actors: list[Actor] = []

    async def worker(self, name: str = "s1") -> Actor:
        """A spare seat worker that has greeted."""
        actor = Actor(self.directory, name)
        self.actors.append(actor)
        self.seats.worker_ready(actor.ready())
        self.seats.workers[name].clock = lambda: self.now_ns
        actor.greet()
        await eventually(lambda: name in self.seats.spares or any(s.link for s in self.seats.seats.values()), 2)
        return actor

    async def fit(self) -> Actor:
        """Ann's page is a seat, and its sound is proven."""
        actor = await self.worker()
        self.seats.opened("s-1", "ann")
        self.seats.said("s-1", {"type": "sdp_offer", "number": 1, "sdp": "v=0"})
        self.seats.said("s-1", {"type": "beat", "number": 1, "audio_ms": 1})
        actor.say(protocol.SeatHeard())
        await eventually(lambda: self.seats.serves("ann"), 2)
        return actor

    async def talk(self) -> Actor:
        """And talks."""
        actor = await self.fit()
        self.seats.ring("ann", LEG, {"place": "Bridge"})
        self.seats.said("s-1", {"type": "ringing", "leg": LEG})
        self.seats.said("s-1", {"type": "accept", "leg": LEG})
        return actor

    def pass_by(self, ns: int, beat: bool = True) -> None:
        """Time passes, and they look."""
        self.now_ns += ns
        for seat in self.seats.seats.values() if beat else ():
            seat.signs.beat_ns = self.now_ns
        for link in self.seats.workers.values():
            link.beat_ns = self.now_ns
        self.seats.watch()

    def types(self, seat: str = "s-1") -> list[str]:
        """What a page was told, in order."""
        return [message["type"] for to, message in self.told if to == seat]


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    """Everything closed at the end."""
    made = Room(tmp_path, monkeypatch)
    yield made
    for seat in made.seats.seats.values():
        for leg in list(seat.legs):
            made.seats.sound.remove(leg)
    for link in list(made.seats.workers.values()):
        link.leave()
    for actor in made.actors:
        actor.close()


async def test_a_seat_is_bound_only_when_its_sound_is_proven(room: Room) -> None:
    """Not when its page opens, not when it offers."""
    await room.fit()
    assert room.posted == [SeatBound("ann", "browser", "browser")]  # type: ignore[arg-type]
    assert room.types()[:2] == ["opened", "fit"] and room.told[-1][1] == {"type": "fit", "fit": True, "why": ""}


async def test_an_answer_is_connected_and_told(room: Room) -> None:
    """The page rings, says so, accepts; the seat worker is told where the leg is."""
    actor = await room.talk()
    assert room.posted[1:] == [LegRang(LEG), LegAnswered(LEG)]
    await eventually(lambda: actor.kinds()[-1:] == ["SeatConnect"], 2)
    room.seats.placed(LEG)
    assert room.told[-1] == ("s-1", {"type": "talking", "leg": LEG, "call": "i.1"})


async def test_a_page_that_does_not_ring_is_passed_over(room: Room) -> None:
    """Others ring instead."""
    await room.fit()
    room.seats.ring("ann", LEG, {"place": "Bridge"})
    room.pass_by(module.SHOWN_WITHIN_NS + 1)
    (ended,) = [event for event in room.posted if isinstance(event, LegEnded)]
    assert (ended.leg, ended.termination.kind) == (LEG, Class.UNREACHABLE)
    assert room.types()[-1] == "stop"


async def test_a_silent_browser_is_lost_and_its_call_is_offered_there_again(room: Room) -> None:
    """First the seat is unbound, then, when it does not come back, its leg is lost; on its return the ring says `again`."""
    actor = await room.talk()
    actor.say(protocol.SeatSilent(1_000))
    await eventually(lambda: any(isinstance(event, SeatUnbound) for event in room.posted), 2)
    room.seats.closed("s-1")
    room.pass_by(GIVE_UP_NS, beat=False)
    assert isinstance(room.posted[-1], LegEnded) and room.posted[-1].termination.kind is Class.LOST
    room.seats.opened("s-1", "ann")
    actor.say(protocol.SeatHeard())
    await eventually(lambda: room.seats.serves("ann"), 2)
    room.seats.ring("ann", LegId("i.1.3"), {"place": "Bridge"})
    assert room.told[-1][1]["again"] is True


async def test_a_frozen_idle_page_is_no_seat_and_a_softphone_takes_its_place(room: Room) -> None:
    """Known within ten seconds."""
    await room.fit()
    room.softphones["ann"] = "sip:ann@192.0.2.5"
    room.pass_by(BEAT_IDLE_NS + 1, beat=False)
    assert room.posted[-1] == SeatBound("ann", "sip:ann@192.0.2.5")  # type: ignore[arg-type]
    assert not room.seats.serves("ann")


async def test_a_dead_seat_worker_is_replaced_and_the_leg_stays(room: Room) -> None:
    """The page is asked to connect anew; the successor is told of the leg."""
    actor = await room.talk()
    successor = await room.worker("s2")
    actor.process.kill()
    actor.close()
    await eventually(lambda: "renew" in room.types(), 2)
    await eventually(lambda: successor.kinds() == ["SeatOpen", "SeatConnect"], 2)
    assert room.seats.live_legs() == {LEG}
    room.seats.said("s-1", {"type": "sdp_offer", "number": 2, "sdp": "v=0"})
    await eventually(lambda: successor.kinds()[-1] == "SeatOffer", 2)


async def test_a_newer_page_takes_the_seat_over_with_its_conversation(room: Room) -> None:
    """The old one is told, and is no seat any more."""
    await room.talk()
    room.seats.opened("s-2", "ann")
    assert room.types()[-1] == "displaced"
    assert room.types("s-2") == ["opened", "fit", "talking"]
    room.seats.said("s-1", {"type": "beat"})
    assert room.types()[-1] == "displaced"


async def test_whose_microphone_is_muted_at_the_page_is_known_by_the_leg(room: Room) -> None:
    await room.talk()
    assert not room.seats.muted(LEG)
    room.seats.said("s-1", {"type": "beat", "number": 2, "audio_ms": 2, "muted": True})
    assert room.seats.muted(LEG)
    assert not room.seats.muted("i9.1.2")
    room.seats.said("s-1", {"type": "beat", "number": 3, "audio_ms": 3, "muted": False})
    assert not room.seats.muted(LEG)


async def test_what_a_page_says_wrongly_is_refused_in_words(room: Room) -> None:
    """Unknown messages, missing fields, an answer to a call that rings no more."""
    await room.fit()
    for message in ({"type": "dance"}, {"type": "sdp_offer"}, {"type": "accept", "leg": "i.9.9"}, {}):
        room.seats.said("s-1", message)
        assert room.types()[-1] == "refused"


async def test_leaving_closes_the_seat_at_once(room: Room) -> None:
    """Its worker is told to end, its conversation goes to others."""
    actor = await room.talk()
    room.seats.said("s-1", {"type": "leave"})
    await eventually(lambda: actor.kinds()[-1] == "Close", 2)
    assert isinstance(room.posted[-1], SeatUnbound) and isinstance(room.posted[-2], LegEnded)
    assert room.seats.seats == {}
