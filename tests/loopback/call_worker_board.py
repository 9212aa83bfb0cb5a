"""A switchboard's end for tests of the call worker: starts the template, spawns, connects, orders, keeps what is told."""

import array
import itertools
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from callserver.media.peer import Numbered
from callserver.media.protocol import VERSION, Codec, Continuity, Hello, Open, Place, decode, encode
from tests.eventually import eventually_sync

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


class Template:
    """The forkserver as a process."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(10)
        command = [
            sys.executable,
            "-m",
            "callserver.media.template",
            "--control-fd",
            str(theirs.fileno()),
            "--run-dir",
            str(run_dir),
        ]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT)
        theirs.close()

    def spawn(self, worker_id: str = "") -> tuple[str, int]:
        """A new worker's id and pid."""
        worker_id = worker_id or f"w{next(_numbers)}"
        self.control.send(f"spawn {worker_id}".encode())
        name, pid = self.control.recv(1_024).decode().split(" ")[:2]
        assert name == worker_id
        return worker_id, int(pid)

    def close(self) -> None:
        """End of file ends it."""
        self.control.close()
        assert self.process.wait(5) == 0


class Outer:
    """A leg's outer sockets, as a supervisor keeps them."""

    def __init__(self) -> None:
        while True:
            self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtp.setsockopt(socket.SOL_SOCKET, 35, 1)
            self.rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 19)
            self.rtp.bind(("127.0.0.1", 0))
            self.address: tuple[str, int] = self.rtp.getsockname()
            try:
                self.rtcp.bind(("127.0.0.1", self.address[1] + 1))
                break
            except OSError:  # the next port is somebody else's
                self.close()
        self.rtp.setblocking(False)
        self.rtcp.setblocking(False)

    def close(self) -> None:
        """Close both."""
        self.rtp.close()
        self.rtcp.close()


class Board:
    """One connection to one worker. A thread reads; `told` holds every report with the time at which it came."""

    def __init__(self, run_dir: Path, worker_id: str, pid: int, numbered: Numbered | None = None) -> None:
        self.pid = pid
        self.numbered = numbered or Numbered()
        self.told: list[tuple[float, Any]] = []
        self.beats: list[tuple[float, Any]] = []
        self.hello: Hello | None = None
        self.ended = threading.Event()
        self.acknowledge = True
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(str(run_dir / "workers" / f"{worker_id}.sock"))
        self.socket.send(encode(0, Hello(VERSION, self.numbered.had)))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        eventually_sync(lambda: self.hello, 3, 0.001)

    def _read(self) -> None:
        while True:
            try:
                datagram = self.socket.recv(65_536)
            except OSError:
                datagram = b""
            if not datagram:
                self.ended.set()
                return
            self._take(datagram)

    def _take(self, datagram: bytes) -> None:
        now = time.monotonic()
        message = self.numbered.receive(datagram)
        if isinstance(message, Hello):
            for sending in self.numbered.hello(message.had):
                self.socket.send(sending.datagram)
            self.hello = message
        elif decode(datagram).number == 0:
            if message is not None:
                self.beats.append((now, message))
        elif message is not None:
            self.told.append((now, message))
        if self.acknowledge and (ack := self.numbered.ack_due()):
            self.socket.send(ack)

    def order(self, message: Any, *fds: int) -> float:
        """Send an order; the time at which it went."""
        datagram = self.numbered.send(message)
        at = time.monotonic()
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.sendmsg([datagram], ancillary)
        return at

    def all_of(self, kind: type) -> list[Any]:
        """The reports of one kind."""
        return [message for _, message in self.told if isinstance(message, kind)]

    def until(self, within_s: float = 3, **wanted: Any) -> tuple[float, Any]:
        """The first report whose class name is `kind` and whose other fields are as given."""
        kind = wanted.pop("kind")

        def find() -> Any:
            for at, message in list(self.told):
                if type(message).__name__ == kind and all(getattr(message, key) == value for key, value in wanted.items()):
                    return at, message
            return None

        found: Any = eventually_sync(find, within_s, 0.001)
        return found

    def open(self, call: str, tmp: Path, segment: int = 1, rate_hz: int = 8_000, capture_dir: Path | None = None) -> float:
        """Open a call; seconds until `Opened`."""
        order = Open(
            call,
            rate_hz,
            segment,
            str(capture_dir or tmp / "captures"),
            str(tmp / "prompts"),
            "en",
            "boot",
            1,
            time.monotonic_ns(),
            time.time_ns(),
        )
        at = self.order(order)
        return float(self.until(kind="Opened", call=call)[0] - at)

    def place(self, place: Place, outer: Outer | None) -> float:
        """Place a leg; seconds until `Placed`."""
        fds = [outer.rtp.fileno(), outer.rtcp.fileno()] if outer else []
        seen = len(self.told)
        at = self.order(place, *fds)

        def placed() -> Any:
            return next((at for at, m in self.told[seen:] if type(m).__name__ == "Placed" and m.leg == place.leg), None)

        found: Any = eventually_sync(placed, 3, 0.001)
        return float(found - at)

    def close(self) -> None:
        """Hang up the connection."""
        if self.socket.fileno() < 0:
            return
        self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)
        self.socket.close()


def place_of(leg: str, remote_port: int, codec: str = "PCMU", **more: Any) -> Place:
    """A `Place` on loopback, with a line of its own."""
    kinds = {"PCMU": 0, "PCMA": 8, "G722": 9}
    chosen = more.pop("codec_as", None) or Codec(codec, kinds[codec], dtmf_payload_type=101)
    line = more.pop("continuity", None) or Continuity(
        secrets.randbits(32), secrets.randbits(16), secrets.randbits(32), boottime_ns()
    )
    return Place(
        leg,
        more.pop("role", "point"),
        chosen,
        "127.0.0.1",
        remote_port,
        more.pop("source", "sdp-host"),
        "127.0.0.1",
        line,
        **more,
    )


def boottime_ns() -> int:
    """The clock of the protocol."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def kill(pid: int, signal: int) -> None:
    """End a worker that this test started."""
    os.kill(pid, signal)
