"""The web process as the supervisor runs it: on an inherited listener, and gone in time."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from callserver.config import Config, dump_json
from tests.eventually import eventually_sync

RUN = (
    "import sys; from callserver.config import load_json; from callserver.web.main import run;"
    "run(load_json(sys.argv[1]), int(sys.argv[2]), beat=lambda: None, beat_every_s=1.0)"
)
STOP_WITHIN_S = 3.0


@contextmanager
def _process(config: Config, listener: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", RUN, dump_json(config), str(listener.fileno())]
    process = subprocess.Popen(command, pass_fds=[listener.fileno()], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _health(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(json.load(answer)["alive"])
    except OSError:
        return False


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """What the supervisor holds open."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.real
def test_it_serves_stops_in_time_and_is_followed_by_another(config: Config, listener: socket.socket) -> None:
    """A request that comes between two processes waits in the listener; an open connection does not delay the end."""
    port = listener.getsockname()[1]
    with _process(config, listener) as process:
        eventually_sync(lambda: _health(port), 20)
        with pytest.raises(HTTPError) as caught:
            urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
        assert (caught.value.code, "server" in caught.value.headers) == (503, False)
        caught.value.close()
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\n")  # never finished
            began_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) in (0, -signal.SIGTERM)
            assert time.monotonic() - began_s < STOP_WITHIN_S
    with socket.create_connection(("127.0.0.1", port)) as early:
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with _process(config, listener):
            early.settimeout(20)
            assert early.recv(12) == b"HTTP/1.1 200"
