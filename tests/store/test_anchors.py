"""Checkpoints reach their anchors by real files and sockets; an anchor that fails or hangs is an alarm and stops nothing."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from callserver.config import Config, load
from callserver.core.facts import CheckpointSigned
from callserver.store.evidence import anchors
from callserver.store.evidence.anchors import AGAIN_NS, DAY_NS, PATIENCE_NS, Anchor, Anchoring, anchors_of, files_of
from callserver.store.evidence.statement import line_of, lines_in
from tests.eventually import eventually_sync
from tests.runtime.mail_server import MailServer


def checkpoint(sequence: int) -> CheckpointSigned:
    """One that nobody verifies."""
    return CheckpointSigned(sequence, sequence * 10, "ab" * 32, 10**18, "cd" * 32, "ef" * 64)


def configured(tmp_path: Path, *names: str, **more: object) -> Config:
    """A configuration with these anchors."""
    file = tmp_path / "callserver.toml"
    file.write_text("")
    return load(file, {"evidence.anchors": list(names), **more})


class Place:
    """Anchoring to one anchor, with a clock and alarms."""

    def __init__(self, *anchor: Anchor) -> None:
        self.alarms: dict[str, str] = {}
        self.now_ns = 0
        self.anchors = anchor
        clear = lambda key: self.alarms.pop(key, None)  # noqa: E731
        self.anchoring = Anchoring(anchor, self.alarms.__setitem__, clear, lambda: self.now_ns)

    def bring(self, sequence: int) -> None:
        """Until nothing is under way."""
        self.anchoring.step(checkpoint(sequence))
        eventually_sync(lambda: all(a.attempt is None or a.attempt.over.is_set() for a in self.anchors), 10)
        self.anchoring.step(None)


def test_a_file_gets_a_line_for_each_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "anchor.txt"
    config = configured(tmp_path, f"file:{path}")
    place = Place(*anchors_of(config))
    for sequence in (1, 1, 2, 5):
        place.bring(sequence)
    assert [found.checkpoint.sequence for found in lines_in(path.read_text())] == [1, 2, 5]
    assert (files_of(config), place.alarms) == ([path], {})


def test_a_directory_that_is_not_there_is_an_alarm_and_the_newest_makes_up_for_the_missed(tmp_path: Path) -> None:
    path = tmp_path / "mount" / "anchor.txt"
    place = Place(*anchors_of(configured(tmp_path, f"file:{path}")))
    place.bring(1)
    assert "No such file" in place.alarms[f"anchor:file:{path}"]
    path.parent.mkdir()
    place.bring(2)
    assert not path.exists()
    place.now_ns += AGAIN_NS
    place.bring(3)
    assert [found.checkpoint.sequence for found in lines_in(path.read_text())] == [3]
    assert place.alarms == {}


def test_an_anchor_that_hangs_is_an_alarm_and_holds_up_no_other() -> None:
    free, sent = threading.Event(), list[int]()
    hanging = Anchor("slow", lambda told: (free.wait(10), None)[1])
    place = Place(hanging, Anchor("quick", lambda told: sent.append(told.sequence)))
    place.anchoring.step(checkpoint(1))
    place.now_ns += PATIENCE_NS
    place.anchoring.step(checkpoint(2))
    assert "does not answer" in place.alarms["anchor:slow"]
    eventually_sync(lambda: place.anchoring.step(checkpoint(2)) or sent[-1:] == [2], 5)
    free.set()
    eventually_sync(lambda: place.anchoring.step(checkpoint(2)) or hanging.sequence == 2, 5)
    assert place.alarms == {}


@pytest.fixture
def answers() -> Iterator[tuple[str, list[int], list[dict[str, object]]]]:
    """A web server: its address, the codes that it answers with (the last one for ever), and what it got."""
    codes, got = [200], list[dict[str, object]]()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(codes[0])
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/anchor", codes, got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_gets_the_line_number_and_hash(tmp_path: Path, answers: tuple[str, list[int], list[dict[str, object]]]) -> None:
    url, codes, got = answers
    place = Place(*anchors_of(configured(tmp_path, url)))
    place.bring(7)
    assert got == [{"checkpoint": line_of(checkpoint(7)), "number": 70, "hash": "ab" * 32}]
    for code, why in ((500, "500"), (302, "302")):
        codes[0] = code
        place.now_ns += AGAIN_NS
        place.bring(8)
        assert why in place.alarms[f"anchor:{url}"]


def test_a_webhook_that_nobody_serves_is_an_alarm(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    place = Place(*anchors_of(configured(tmp_path, url)))
    place.bring(1)
    assert "refused" in place.alarms[f"anchor:{url}"]


def test_syslog_gets_a_datagram_here_and_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "log"
    monkeypatch.setattr(anchors, "_LOCAL_SYSLOG", str(here))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as near,
    ):
        far.bind(("127.0.0.1", 0))
        near.bind(str(here))
        place = Place(*anchors_of(configured(tmp_path, "syslog:", f"syslog://127.0.0.1:{far.getsockname()[1]}")))
        place.bring(3)
        for sock in (far, near):
            sock.settimeout(5)
            assert sock.recv(1000).decode() == f"<85>callserver: {line_of(checkpoint(3))}"
    here.unlink()
    place.bring(4)
    assert list(place.alarms) == ["anchor:syslog:"]


async def test_a_mail_holds_the_line_in_one_piece_and_goes_once_a_day(tmp_path: Path) -> None:
    async with MailServer() as server:
        mail = {"mail.host": "127.0.0.1", "mail.port": server.port, "mail.security": "none", "mail.sender": "cs@h.example"}
        (anchor,) = anchors_of(configured(tmp_path, "mailto:auditor@h.example", **mail))
        place = Place(anchor)
        await asyncio.to_thread(place.bring, 1)
        await asyncio.to_thread(place.bring, 2)
        assert place.alarms == {}
        place.now_ns += DAY_NS
        await asyncio.to_thread(place.bring, 3)
    assert [found.checkpoint.sequence for one in server.mails for found in lines_in(one.as_string())] == [1, 3]
    assert "auditor@h.example" in server.recipients[0]
