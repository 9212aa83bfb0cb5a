"""The whole service on HTTPS: the real board reaches a page, and a killed web process is back on its listener."""

import json
import os
import signal
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner
from websockets import Origin
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from callserver.cli import app
from tests.loopback.service import Service, plan_text
from tests.peers.ports import Ports

BACK_WITHIN_S = 3.0


def _cookie(address: str, trust: ssl.SSLContext) -> str:
    body = json.dumps({"user": "op1", "password": "a-op1-password"}).encode()
    request = Request(f"{address}/api/session", body, {"Content-Type": "application/json", "Origin": address})
    with urlopen(request, timeout=5, context=trust) as answer:
        return str(answer.headers["Set-Cookie"]).split(";")[0]


def _next(page: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(page.recv(5))
        if message["type"] == kind:
            return message


@contextmanager
def _page(address: str, trust: ssl.SSLContext, cookie: str) -> Iterator[ClientConnection]:
    socket = address.replace("https", "wss") + "/api/live"
    with connect(socket, ssl=trust, origin=Origin(address), additional_headers={"Cookie": cookie}, proxy=None) as page:
        page.send('{"type": "watch", "epoch": "", "number": 0}')
        yield page


@pytest.fixture
def service(tmp_path: Path, ports: Ports) -> Iterator[tuple[Service, str, ssl.SSLContext]]:
    """A service with a certificate of its own, its HTTPS address, and a browser's trust in it."""
    made = CliRunner().invoke(app, ["certificate", "--host", "127.0.0.1", "--directory", str(tmp_path / "tls")])
    assert made.exit_code == 0, made.output
    service, port = Service(tmp_path / "service", ports, plan_text(["sip:police@127.0.0.1:9"]), spares=1), ports.take()
    file = service.directory / "callserver.toml"
    keys = f'[web]\ntls_cert = "../tls/server.pem"\ntls_key = "../tls/server.key"\nhttps_port = {port}\n'
    file.write_text(file.read_text().replace("[web]\n", keys))
    try:
        service.start()
        yield service, f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=tmp_path / "tls/callserver-ca.crt")
    finally:
        service.stop()


@pytest.mark.real
def test_the_board_is_seen_over_https_and_again_after_the_web_process_died(
    service: tuple[Service, str, ssl.SSLContext],
) -> None:
    """The same session, the same epoch of the switchboard, and all of it within the promised three seconds."""
    the, address, trust = service
    cookie = _cookie(address, trust)
    with _page(address, trust, cookie) as page:
        before = _next(page, "snapshot")
        assert {"service", "operator/op1", "point/p1", "queue/desk"} <= set(before["items"])
        assert _next(page, "beat")["live"] is True
        os.kill(the.pid("web"), signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            _next(page, "nothing")
    began_s = time.monotonic()
    with _page(address, trust, cookie) as page:  # what comes while nobody is there waits in the listener
        after = _next(page, "snapshot")
    assert time.monotonic() - began_s < BACK_WITHIN_S
    assert before["epoch"] == after["epoch"]
    assert set(before["items"]) <= set(after["items"])  # and an alarm that tells of the death


@pytest.mark.real
def test_a_killed_switchboard_is_another_epoch(service: tuple[Service, str, ssl.SSLContext]) -> None:
    """Pages that are open are told the whole again, without being touched."""
    the, address, trust = service
    with _page(address, trust, _cookie(address, trust)) as page:
        before = _next(page, "snapshot")
        os.kill(the.pid("switchboard"), signal.SIGKILL)
        after = _next(page, "snapshot")
        assert before["epoch"] != after["epoch"]
        told = {item for item in before["items"] if not item.startswith("disk/")}
        assert told <= set(after["items"]), "disks are measured by another, who tells of them again"
        while not _next(page, "beat")["live"]:
            pass
