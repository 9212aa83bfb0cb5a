"""How each fault of the matrix strikes a scene: its people, the service's processes, the disks, the clock."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable

from callserver.control import Verb
from tests.eventually import eventually
from tests.loopback.desk import now_s
from tests.loopback.disks import frozen, refused
from tests.loopback.matrix_scene import NOTICED_S, Scene

HOUR_MS = 3_600_000


async def _strike_worker(it: Scene, number: signal.Signals) -> None:
    (worker,) = it.service.workers()
    os.kill(worker, number)
    await eventually(lambda: it.service.workers() and worker not in it.service.workers(), NOTICED_S)


async def _kill(it: Scene, name: str) -> None:
    old = it.service.pid(name)
    os.kill(old, signal.SIGKILL)
    await eventually(lambda: it.service.pid(name) not in (0, old), NOTICED_S)


async def _decided_during(it: Scene, trouble: contextlib.AbstractContextManager[None]) -> None:
    """Something is decided in a second of trouble; the journal has it afterwards."""
    incident = it.incident
    with trouble:
        await asyncio.to_thread(it.service.ask, Verb.CLASSIFY, incident=incident, priority=3)
        at = now_s()
        await eventually(lambda: now_s() - at > 1.0, 2)


async def _stall_disk(it: Scene) -> None:
    assert it.service.disk is not None
    await _decided_during(it, frozen(it.service.disk))


async def _refuse_journal(it: Scene) -> None:
    """Its spool neither takes anything."""
    await _decided_during(it, refused(it.service.pid("switchboard")))


async def _set_clock(it: Scene) -> None:
    """By an hour, ahead or back."""
    known = len(it.service.journal("ClockAnchored"))
    it.service.clock.ahead(next(it.service.hours) * HOUR_MS)
    await eventually(lambda: len(it.service.journal("ClockAnchored")) > known, 5)


async def _silence_point(it: Scene) -> None:
    it.phones["point"].rtp.muted = True


async def _operator_vanishes(it: Scene) -> None:
    operator = it.phones.pop("operator")
    operator.ua.dead = operator.rtp.muted = True


async def _point_hangs_up(it: Scene) -> None:
    call = it.phones["point"].call
    if call.state == "up":
        assert await call.bye() == 200
    else:
        call.cancel()


async def _police_hang_up(it: Scene) -> None:
    assert await it.phones["police"].call.bye() == 200


STRIKE: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "worker killed": lambda it: _strike_worker(it, signal.SIGKILL),
    "worker hangs": lambda it: _strike_worker(it, signal.SIGSTOP),
    "switchboard killed": lambda it: _kill(it, "switchboard"),
    "disk stalls": _stall_disk,
    "journal refuses": _refuse_journal,
    "archivist dies": lambda it: _kill(it, "archivist"),
    "clock is set": _set_clock,
    "point silent": _silence_point,
    "seat gone": _operator_vanishes,
    "point hangs up": _point_hangs_up,
    "police hang up": _police_hang_up,
}
