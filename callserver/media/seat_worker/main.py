"""A seat worker's process: set-up that belongs to a process, then `SeatWorker`."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Sequence

import ifaddr

from callserver.media.seat_worker.peer import confine
from callserver.media.seat_worker.worker import SeatWorker
from callserver.media.urgency import FIRST, rank


def own_addresses() -> tuple[str, ...]:
    """Every IPv4 address of this machine, loopback last: a browser elsewhere cannot use that one."""
    found = {str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4}
    return tuple(sorted(found, key=lambda one: (one.startswith("127."), one)))


def run(worker_id: str, listener: socket.socket, addresses: Sequence[str], ports: range) -> None:
    """Be one seat on this listening SOCK_SEQPACKET socket; returns when it is over. Main thread only."""
    rank(FIRST)
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_live(worker_id, listener, addresses, ports))


async def _live(worker_id: str, listener: socket.socket, addresses: Sequence[str], ports: range) -> None:
    loop = asyncio.get_running_loop()
    confine(loop, addresses, ports)
    loop.set_exception_handler(_die)
    worker = SeatWorker(worker_id, listener)
    loop.add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()


def _die(loop: asyncio.AbstractEventLoop, what: dict[str, object]) -> None:
    """A fault in a callback ends the process: a seat that is half broken would only seem alive, another is there at once."""
    loop.default_exception_handler(what)
    if isinstance(what.get("exception"), Exception):
        os._exit(70)
