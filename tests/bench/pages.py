"""What pages cost the web process: CPU for each that watches the board, and what they do to /api/calls.

`python3 -m tests.bench.pages` starts a web process on a store of its own, tells it a board with 200 waiting incidents and 60
changes a second as the switchboard would, connects pages, and reads the process's CPU from /proc. Loopback only; the measuring
process is another, so its own work is not in the figures.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from websockets.asyncio.client import connect

from callserver import feed
from callserver.config import Config, dump_json
from callserver.web.sessions import COOKIE, Sessions
from tests.eventually import eventually
from tests.web.desk import config_in, fill, user_of
from tests.web.wire import Peer

RUN = (
    "import sys; from callserver.config import load_json; from callserver.web.main import run;"
    "run(load_json(sys.argv[1]), int(sys.argv[2]))"
)
WAITING = 200
PER_S = 60
FOR_S = 10.0
PAGES = (0, 1, 5, 20)
ASKED = 200


def incident(number: int, now_ms: int) -> feed.Item:
    """A waiting incident of the size that the switchboard tells."""
    return {
        "id": f"261125-104504-{number:06x}",
        "point": f"dl-{number}",
        "place": "High Row, by the clock tower, north side",
        "language": "en",
        "latitude": 54.5241,
        "longitude": -1.5534,
        "queue": "town",
        "priority": number % 4,
        "class": "emergency",
        "state": "waiting",
        "opened_ms": now_ms,
        "since_ms": now_ms,
        "waiting_since_ms": now_ms,
        "order_ms": now_ms,
        "presses": 1,
        "operator": None,
        "call": f"261125-104504-{number:06x}.1",
        "until_ms": None,
        "step": 1,
        "steps": 4,
        "can_ask": False,
        "parked": False,
        "prefers": "",
        "cameras": [],
        "party": None,
    }


@contextmanager
def process(config: Config) -> Iterator[tuple[int, int]]:
    """The web process: (pid, port)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-c", RUN, dump_json(config), str(descriptor)]
        running = subprocess.Popen(command, pass_fds=[descriptor])
        try:
            yield running.pid, port
        finally:
            running.terminate()
            running.wait(10)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def changes(peer: Peer, until_s: float) -> None:
    """`PER_S` changes a second, each of one incident, evenly; late ones are made up for."""
    began_s, sent = time.monotonic(), 0
    while (now_s := time.monotonic()) < until_s:
        while sent < (now_s - began_s) * PER_S:
            peer.change({f"incident/{sent % WAITING}": incident(sent % WAITING, sent)})
            sent += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.Event().wait()


async def asked_ms(client: httpx.AsyncClient) -> list[float]:
    """How long /api/calls takes, one after the other."""
    took = []
    for _ in range(ASKED):
        began_s = time.perf_counter()
        (await client.get("/api/calls?limit=50")).raise_for_status()
        took.append((time.perf_counter() - began_s) * 1000)
    return sorted(took)


async def watch(stack: AsyncExitStack, port: int, cookie: str, told: Counter[str]) -> None:
    """One page, read as fast as it comes; `told` counts the messages by type."""
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    page = await stack.enter_async_context(connect(f"ws://127.0.0.1:{port}/api/live", additional_headers=headers, proxy=None))
    await page.send(json.dumps({"type": "watch", "epoch": "", "number": 0}))

    async def read() -> None:
        async for text in page:
            told[str(text)[9:13]] += 1

    task = asyncio.ensure_future(read())
    stack.callback(task.cancel)


async def measure(port: int, pid: int, peer: Peer, cookie: str, pages: int) -> tuple[int, float, float, list[float], list[float]]:
    """(pages, cores while quiet, cores under changes, /api/calls quiet, /api/calls under changes)."""
    async with (
        AsyncExitStack() as stack,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", cookies={COOKIE: cookie}) as client,
    ):
        told: Counter[str] = Counter()
        for _ in range(pages):
            await watch(stack, port, cookie, told)
        quiet = await _cores(pid, None)
        busy = await _cores(pid, peer)
        assert told["snap"] == pages and told["chan"] >= 20 * FOR_S * pages * 0.9, told
        calls_quiet = await asked_ms(client)
        changing = asyncio.ensure_future(changes(peer, time.monotonic() + 600))
        calls_busy = await asked_ms(client)
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)
    return pages, quiet, busy, calls_quiet, calls_busy


async def _cores(pid: int, peer: Peer | None) -> float:
    began, until_s = cpu_s(pid), time.monotonic() + FOR_S
    if peer is not None:
        await changes(peer, until_s)
    else:
        await eventually(lambda: time.monotonic() >= until_s, FOR_S + 5, 0.2)
    return (cpu_s(pid) - began) / FOR_S


def _row(pages: int, quiet: float, busy: float, calls_quiet: Sequence[float], calls_busy: Sequence[float]) -> str:
    def told(took: Sequence[float]) -> str:
        return f"{statistics.median(took):.1f} / {took[int(len(took) * 0.95)]:.1f} / {took[-1]:.1f}"

    return f"| {pages} | {quiet * 100:.1f} % | {busy * 100:.1f} % | {told(calls_quiet)} | {told(calls_busy)} |"


async def main() -> None:
    """Print the table."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        fill(config)
        token = Sessions(config.storage.run / "web-sessions.json").begin(
            user_of("supervisor"), "supervisor", time.time() + 3600, time.time()
        )
        peer = Peer(config.storage.feed_socket)
        peer.board = {f"incident/{number}": incident(number, 0) for number in range(WAITING)}
        await peer.start()
        with process(config) as (pid, port):
            await eventually(lambda: peer.watched, 20)
            print("| pages | quiet, of a core | 60 changes/s | /api/calls quiet, ms (p50 / p95 / max) | 60 changes/s |")
            print("|---|---|---|---|---|")
            for pages in PAGES:
                print(_row(*await measure(port, pid, peer, token, pages)), flush=True)
        await peer.stop()


if __name__ == "__main__":
    asyncio.run(main())
