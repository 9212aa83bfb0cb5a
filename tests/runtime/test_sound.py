"""The lead of call workers, with real sockets and processes that only pretend to be workers."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from callserver.core.shape import Shape
from callserver.media import protocol
from callserver.runtime import sound as sound_of
from callserver.runtime import supervision, worker_link
from callserver.runtime.clock import Anchor
from callserver.runtime.sound import Sound
from callserver.runtime.sound_records import SoundTells
from callserver.runtime.supervisor_link import OuterSockets
from callserver.runtime.watchers import Watchers
from callserver.sip.interface import RemoteMedia
from tests.eventually import eventually

REMOTE = RemoteMedia("127.0.0.1", 4_000, "PCMA", 8, 20, 101, True, True, False, "127.0.0.1")
CALL, POINT, OPERATOR = "i.1", "i.1.1", "i.1.2"


@dataclass
class Supervisor:
    """What `Sound` wants of it."""

    needed: int = 0
    taken: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    full: bool = False

    def open_sockets(self, leg: str, inside: bool = False) -> OuterSockets:
        if self.full:
            raise OSError("no free port pair")
        rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        return OuterSockets("127.0.0.1", 6_000, 6_001, rtp, rtcp)

    def close_sockets(self, leg: str) -> None:
        self.closed.append(leg)

    def take_worker(self, worker: str) -> None:
        self.taken.append(worker)

    def need_worker(self) -> None:
        self.needed += 1

    def flush(self) -> None:
        return


class Actor:
    """A process that can be killed, and the worker's end of a connection, played by the test."""

    def __init__(self, directory: Path, name: str, call: str = "", legs: tuple[str, ...] = ()) -> None:
        self.name, self.call, self.legs = name, call, legs
        self.path = directory / f"{name}.sock"
        self.process = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.path))
        self.listener.listen(4)
        self.connection: socket.socket | None = None
        self.orders: list[Any] = []
        self.number = 0

    def ready(self) -> supervision.WorkerReady:
        return supervision.WorkerReady(self.name, self.process.pid, str(self.path))

    def greet(self) -> None:
        self.connection, _ = self.listener.accept()
        self.connection.setblocking(False)
        hello = protocol.Hello(protocol.VERSION, 0, self.name, self.process.pid, self.call, self.legs)
        self.connection.send(protocol.encode(0, hello))

    def say(self, report: protocol.Report) -> None:
        assert self.connection is not None
        self.number += 1
        self.connection.send(protocol.encode(self.number, report))

    def beat(self) -> None:
        assert self.connection is not None
        self.connection.send(protocol.encode(0, protocol.Beat(0, True, ())))

    def kinds(self) -> list[str]:
        """What it was told so far."""
        assert self.connection is not None
        while True:
            try:
                datagram, fds, _, _ = socket.recv_fds(self.connection, 65_536, 4)
            except (BlockingIOError, ConnectionError):
                break
            if not datagram:
                break
            supervision.close_all(fds)
            message = protocol.decode(datagram).message
            if not isinstance(message, protocol.Hello | protocol.Ack):
                self.orders.append(message)
        return [type(order).__name__ for order in self.orders]

    def dead(self) -> bool:
        return self.process.poll() is not None

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.listener.close()
        if self.connection is not None:
            self.connection.close()


class Stage:
    """A `Sound`, its actors, and everything that it told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.supervisor = Supervisor()
        self.told: list[tuple[Any, ...]] = []
        self.actors: list[Actor] = []
        note = lambda kind: lambda *what: self.told.append((kind, *what))  # noqa: E731
        tells = SoundTells(*(note(kind) for kind in ("lost", "unheard", "silent", "sounding", "digit", "trouble")))
        self.sound = Sound(self.supervisor, directory, lambda: Anchor(1, "boot", 0, 0, 0), tells)  # type: ignore[arg-type]

    async def spare(self, name: str) -> Actor:
        actor = self.actor(name)
        self.sound.worker_ready(actor.ready())
        actor.greet()
        await eventually(lambda: name in self.sound.spares or actor.kinds(), 2)
        return actor

    def actor(self, name: str, call: str = "", legs: tuple[str, ...] = ()) -> Actor:
        self.actors.append(Actor(self.directory, name, call, legs))
        return self.actors[-1]

    def leg(self, leg: str) -> None:
        self.sound.open_leg(leg, "point", "sdp-host")
        self.sound.agreed(leg, REMOTE)
        self.sound.place(leg, "en")

    def lost(self) -> int:
        return sum(told[0] == "lost" for told in self.told)

    def trouble(self, key: str) -> list[bool]:
        """Raised (False) and cleared (True) in turn."""
        return [told[3] for told in self.told if told[0] == "trouble" and told[1] == key]


@pytest.fixture
async def stage(tmp_path: Path) -> Any:
    """Ends every actor."""
    made = Stage(tmp_path)
    yield made
    for link in list(made.sound.workers.values()):
        link.leave()
    for leg in made.sound.legs.values():
        leg.sockets.close()
    for actor in made.actors:
        actor.close()


async def test_orders_wait_for_a_worker_that_is_late(stage: Stage) -> None:
    """No spare: one is asked for, and has everything when it comes."""
    stage.leg(POINT)
    stage.sound.shape(CALL, Shape((POINT,)))
    assert stage.supervisor.needed == 1
    actor = await stage.spare("w1")
    await eventually(lambda: actor.kinds() == ["Open", "Place", "ShapeOrder"], 2)
    assert stage.supervisor.taken == ["w1"]


async def test_a_worker_that_never_comes_is_asked_for_again_and_alarmed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again each second; an alarm after three; it ends when the call is heard."""
    now = [1]
    monkeypatch.setattr(sound_of, "boottime_ns", lambda: now[0])
    stage.leg(POINT)
    for _ in range(4):
        now[0] += sound_of.ASK_AGAIN_NS
        stage.sound.watch()
        stage.sound.watch()
    assert stage.supervisor.needed == 5
    assert stage.trouble(f"sound:{CALL}") == [False, False]
    actor = await stage.spare("w1")
    actor.say(protocol.Placed(POINT))
    await eventually(lambda: stage.trouble(f"sound:{CALL}")[-1], 2)


async def test_a_refused_open_replaces_the_worker_and_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal is told as one loss, up to the bound; then an alarm, and a try each two seconds."""
    now = [1]
    monkeypatch.setattr(sound_of, "boottime_ns", lambda: now[0])
    await stage.spare("w0")
    stage.leg(POINT)
    for number in range(sound_of.MOST_FAILURES):
        actor = stage.actors[-1]
        await stage.spare(f"w{number + 1}")
        actor.say(protocol.Refused("Open", "", "the library will not start"))
        actor.say(protocol.Refused("Place", POINT, "no call is open"))
        await eventually(actor.dead, 3)
        if number < sound_of.MOST_FAILURES - 1:
            await eventually(lambda number=number: stage.lost() == number + 1, 2)  # type: ignore[misc]
            stage.sound.revive(CALL, Shape())
    await eventually(lambda: stage.trouble(f"sound:{CALL}") == [False], 2)
    assert stage.lost() == sound_of.MOST_FAILURES - 1
    assert POINT in stage.sound.legs and not [told for told in stage.told if told[0] == "unheard"]
    now[0] += sound_of.AGAIN_NS
    stage.sound.watch()
    assert stage.lost() == sound_of.MOST_FAILURES
    stage.sound.revive(CALL, Shape())
    stage.actors[-1].say(protocol.Placed(POINT))
    await eventually(lambda: stage.trouble(f"sound:{CALL}")[-1], 2)


async def test_a_leg_that_two_workers_refuse_ends(stage: Stage) -> None:
    """Its sound would be missing in silence; the other leg of the call is not touched a second time."""
    first = await stage.spare("w1")
    stage.leg(POINT)
    first.say(protocol.Placed(POINT))
    second = await stage.spare("w2")
    stage.leg(OPERATOR)
    first.say(protocol.Refused("Place", OPERATOR, "codec"))
    await eventually(lambda: stage.lost() == 1, 2)
    stage.sound.revive(CALL, Shape())
    second.say(protocol.Placed(POINT))
    second.say(protocol.Refused("Place", OPERATOR, "codec"))
    await eventually(lambda: ("unheard", OPERATOR, "no worker carries it: codec") in stage.told, 2)
    assert stage.lost() == 1 and not second.dead()


async def test_a_fifth_party_ends_and_nobody_else_notices(stage: Stage) -> None:
    """A worker would refuse it, and be taken for one that is no good."""
    worker = await stage.spare("w1")
    legs = [f"i.1.{number}" for number in range(1, 6)]
    for leg in legs:
        stage.leg(leg)
    assert ("unheard", legs[4], "a call carries 4 parties") in stage.told
    await eventually(lambda: worker.kinds().count("Place") == 4, 2)
    stage.sound.remove(legs[4])
    stage.sound.remove(legs[3])
    stage.leg("i.1.6")
    await eventually(lambda: worker.kinds().count("Place") == 5, 2)
    assert [told[0] for told in stage.told] == ["unheard"]


async def test_a_worker_that_dies_between_close_and_closed_harms_nothing(stage: Stage) -> None:
    """The call is over for us; nothing is told, the sockets are let go once."""
    actor = await stage.spare("w1")
    stage.leg(POINT)
    stage.sound.close(CALL)
    await eventually(lambda: actor.kinds()[-2:] == ["Remove", "Close"], 2)
    os.kill(actor.process.pid, signal.SIGKILL)
    await eventually(lambda: not stage.sound.workers, 3)
    assert stage.lost() == 0 and stage.supervisor.closed == [POINT] and not stage.sound.calls


async def test_a_leg_is_let_go_though_its_worker_is_dead_already(stage: Stage) -> None:
    """The order to remove fails, the sockets are closed all the same, nothing raises."""
    actor = await stage.spare("w1")
    stage.leg(POINT)
    assert actor.connection is not None
    actor.connection.close()
    stage.sound.remove(POINT)
    assert stage.supervisor.closed == [POINT] and POINT not in stage.sound.legs


async def test_silence_of_a_leg_that_has_ended_is_not_remembered(stage: Stage) -> None:
    """Its worker's word crossed the leg's end: nobody is asked about it, now or ten seconds later for ever."""
    actor = await stage.spare("w1")
    stage.leg(POINT)
    stage.leg(OPERATOR)
    stage.sound.remove(OPERATOR)
    for leg in (OPERATOR, POINT):
        actor.say(protocol.Silent(leg, 1_000))
    await eventually(lambda: ("silent", POINT, 1_000) in stage.told, 2)
    assert set(stage.sound.silent_since) == {POINT}
    assert [told[1] for told in stage.told if told[0] == "silent"] == [POINT]


async def test_a_worker_that_outlived_a_switchboard_forgets_legs_that_ended(stage: Stage) -> None:
    """What it holds and nobody knows is removed; what it lacks is placed."""
    stage.leg(POINT)
    stage.sound.calls[CALL].wanted_ns = 0
    actor = stage.actor("w1", CALL, ("i.1.9",))
    stage.sound.worker_ready(actor.ready())
    actor.greet()
    await eventually(lambda: sorted(actor.kinds()) == ["Place", "Remove", "ShapeOrder"], 2)
    assert next(order.leg for order in actor.orders if isinstance(order, protocol.Remove)) == "i.1.9"


async def test_a_worker_that_never_greets_is_ended(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs from its birth."""
    monkeypatch.setattr(worker_link, "GREETING_LIMIT_NS", 0)
    actor = stage.actor("w1")
    stage.sound.worker_ready(actor.ready())
    stage.sound.watch()
    await eventually(actor.dead, 3)
    await eventually(lambda: not stage.sound.workers, 3)


async def test_a_worker_that_stops_beating_is_ended(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its call is told of the loss once it is dead; not even one beat is needed."""
    actor = await stage.spare("w1")
    stage.leg(POINT)
    actor.beat()
    monkeypatch.setattr(worker_link, "HUNG_AFTER_NS", 0)
    await eventually(lambda: stage.sound.watch() or actor.dead(), 3)
    await eventually(lambda: stage.lost() == 1, 3)


async def test_a_worker_that_does_not_read_is_ended(stage: Stage) -> None:
    """Its socket is full: nothing blocks, nothing raises, the call is told of the loss."""
    await stage.spare("w1")
    stage.leg(POINT)
    for _ in range(20_000):
        stage.sound.shape(CALL, Shape((POINT,)))
        if stage.lost():
            break
    assert stage.lost() == 1
    await eventually(stage.actors[0].dead, 3)


async def test_a_worker_that_speaks_nonsense_is_ended(stage: Stage) -> None:
    """What cannot be read cannot be trusted to carry a call."""
    actor = await stage.spare("w1")
    stage.leg(POINT)
    assert actor.connection is not None
    actor.connection.send(b"\xc1 nonsense")
    await eventually(lambda: stage.lost() == 1 and actor.dead(), 3)


async def test_a_missing_prompt_is_an_alarm_until_its_file_is_there(stage: Stage) -> None:
    """Under the name that the worker looks for."""
    actor = await stage.spare("w1")
    stage.leg(POINT)
    actor.say(protocol.PromptMissing("place:p1"))
    await eventually(lambda: stage.trouble("prompt:place:p1") == [False], 2)
    made = stage.directory / "prompts" / "en" / "place-p1.wav"
    made.parent.mkdir(parents=True)
    made.touch()
    watchers = Watchers.__new__(Watchers)
    watchers.sound = stage.sound
    await watchers._look_for_prompts()
    await watchers._look_for_prompts()
    assert stage.trouble("prompt:place:p1") == [False, True]


async def test_captures_that_cannot_be_written_are_alarmed_until_they_are(stage: Stage) -> None:
    """Also after the call is over: what waits for room is in the worker still. It ends with the trouble, or with the worker."""
    actor = await stage.spare("w1")
    stage.leg(POINT)
    key = f"capture:{CALL}"
    actor.say(protocol.CaptureTrouble("No space left on device", 0))
    await eventually(lambda: stage.trouble(key) == [False], 2)
    stage.sound.close(CALL)
    assert stage.trouble(key) == [False]
    actor.say(protocol.CaptureTrouble("No space left on device", 0, cleared=True))
    await eventually(lambda: stage.trouble(key) == [False, True], 2)
    actor.say(protocol.CaptureTrouble("Input/output error", 0))
    await eventually(lambda: stage.trouble("capture:w1") == [False], 2)
    actor.close()
    await eventually(lambda: stage.trouble("capture:w1") == [False, True], 2)
