"""People are told by webhook and mail, over real sockets, and nothing waits for them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from callserver.config import Config, ConfigError, load
from callserver.core.effects import Notify
from callserver.core.events import Event, NoticeDone
from callserver.core.ids import IncidentId, PointId
from callserver.runtime import notice_delivery, notices
from callserver.runtime.notice_delivery import Delivery
from callserver.runtime.notices import MOST_AT_ONCE, MOST_WAITING, Notices, NotTold
from dialplans.model import Notice
from tests.eventually import eventually
from tests.runtime.mail_server import MailServer

AT_NS = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z


def order(id: str = "i1.n1", url: str = "", to: str = "", text: str = "Nobody has answered for 30 s") -> Notify:
    """One notice about a press at the pier."""
    return Notify(id, Notice("duty", url=url, to=to), IncidentId("i1"), PointId("hb-pier"), "Pier", text)


class Webhook:
    """An HTTP server that answers with these codes in turn, the last one for ever."""

    def __init__(self, *codes: int) -> None:
        self.codes, self.got, self.headers = list(codes), list[dict[str, str]](), list[dict[str, str]]()
        webhook = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                webhook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                webhook.headers.append(dict(self.headers))
                code = webhook.codes.pop(0) if len(webhook.codes) > 1 else webhook.codes[0]
                self.send_response(code)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to standard error."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/told"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """One that takes everything."""
    made = Webhook(200)
    yield made
    made.close()


def config(tmp_path: Path, **mail: object) -> Config:
    """A configuration with a mail section."""
    file = tmp_path / "callserver.toml"
    file.write_text('[sip]\ndomain = "help.test"\n')
    return load(file, {f"mail.{key}": value for key, value in mail.items()})


def delivery(tmp_path: Path, **mail: object) -> Delivery:
    """A delivery with a clock that stands."""
    return Delivery(config(tmp_path, **mail), lambda: AT_NS)


def by_mail(server: MailServer, **more: object) -> dict[str, object]:
    """The mail section for a server on loopback."""
    return {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "callserver@help.test", **more}


async def test_a_webhook_gets_what_happened_where_and_when(tmp_path: Path, webhook: Webhook) -> None:
    posted: list[Event] = []
    Notices(delivery(tmp_path), posted.append)(order(url=webhook.url))
    await eventually(lambda: posted, 5)
    assert posted == [NoticeDone("i1.n1", True, "told")]
    assert webhook.got == [
        {
            "id": "i1.n1",
            "notice": "duty",
            "incident": "i1",
            "point": "hb-pier",
            "place": "Pier",
            "text": "Nobody has answered for 30 s",
            "at": "2026-03-01T12:00:00Z",
        }
    ]
    sent = webhook.headers[0]
    assert (sent["Content-Type"], sent["Idempotency-Key"]) == ("application/json", "i1.n1")


async def test_a_webhook_that_fails_is_tried_three_times(tmp_path: Path, webhook: Webhook) -> None:
    """The third answer counts, good or not."""
    posted: list[Event] = []
    told = Notices(delivery(tmp_path), posted.append, pauses_s=(0.0, 0.0))
    webhook.codes = [500, 404, 204]
    told(order("i1.n1", url=webhook.url))
    await eventually(lambda: posted, 5)
    webhook.codes = [500]
    told(order("i1.n2", url=webhook.url))
    await eventually(lambda: len(posted) == 2, 5)
    assert posted == [
        NoticeDone("i1.n1", True, "told at try 3"),
        NoticeDone("i1.n2", False, "given up after 3 tries: the webhook answered 500"),
    ]
    assert [got["id"] for got in webhook.got] == ["i1.n1"] * 3 + ["i1.n2"] * 3


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/token-secret", "the webhook cannot be reached: "),
        ("file:///etc/passwd", "neither http nor https"),
        ("http://127.0.0.1:99999/token-secret", "the webhook "),
    ],
)
def test_what_no_webhook_can_be_is_said_without_its_address(tmp_path: Path, url: str, why: str) -> None:
    """An address often holds a secret; the reason stands in the journal."""
    with pytest.raises(NotTold, match=why) as told:
        delivery(tmp_path)(order(url=url))
    assert "token-secret" not in str(told.value)


def test_a_redirect_is_no_delivery(tmp_path: Path, webhook: Webhook) -> None:
    webhook.codes = [302]
    with pytest.raises(NotTold, match="answered 302"):
        delivery(tmp_path)(order(url=webhook.url))
    assert len(webhook.got) == 1


def test_a_webhook_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connected, and silent."""
    import socket

    monkeypatch.setattr(notice_delivery, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotTold, match="timed out"):
        delivery(tmp_path)(order(url=f"http://127.0.0.1:{silent.getsockname()[1]}/"))


async def test_a_mail_says_it_in_words_and_can_be_known_again(tmp_path: Path) -> None:
    async with MailServer(password="pw") as server:
        (tmp_path / "password").write_text("pw\n")
        told = delivery(tmp_path, **by_mail(server, user="us", password_file=tmp_path / "password"))
        await asyncio.to_thread(told, order(to="duty@site.test", text="Nobody answers\r\nBcc: all@site.test"))
    (mail,) = server.mails
    assert (mail["From"], mail["To"], mail["Message-ID"]) == ("callserver@help.test", "duty@site.test", "<i1.n1@help.test>")
    assert mail["Subject"] == "Pier: Nobody answers  Bcc: all@site.test" and mail["Bcc"] is None
    assert [line.split(":")[1].split(">")[0] for line in server.recipients] == ["<duty@site.test"]
    body = mail.get_content()
    assert all(word in body for word in ("Place: Pier", "Point: hb-pier", "Incident: i1", "At: 2026-03-01T12:00:00Z"))


async def test_a_mail_server_that_will_not_says_why(tmp_path: Path) -> None:
    """No such person, a wrong password, no TLS where it is wanted, nobody there, none configured, no password to be had."""
    whys = {}
    async with MailServer(password="pw") as server:

        async def try_it(name: str, **mail: object) -> None:
            with pytest.raises(NotTold) as told:
                await asyncio.to_thread(delivery(tmp_path, **mail), order(to="duty@site.test"))
            whys[name] = str(told.value)

        await try_it("password", **by_mail(server, user="us", password_file=_file(tmp_path, "wrong")))
        await try_it("tls", **by_mail(server, security="starttls"))
        await try_it("file", **by_mail(server, user="us", password_file=tmp_path / "none"))
        await try_it("none configured")
        server.password, server.refuses = "", "550 no such person\r\n"
        await try_it("person", **by_mail(server))
    await try_it("gone", **by_mail(server))
    assert {name: next(part for part in PARTS[name] if part in why) for name, why in whys.items()} == {
        name: parts[0] for name, parts in PARTS.items()
    }


PARTS = {
    "password": ("bad password",),
    "tls": ("STARTTLS extension not supported",),
    "file": ("[mail] password_file",),
    "none configured": ("no mail server is configured",),
    "person": ("no such person",),
    "gone": ("cannot be reached",),
}


def _file(tmp_path: Path, text: str) -> Path:
    (tmp_path / "secret").write_text(text)
    return tmp_path / "secret"


class Gate:
    """A delivery that stands until it is let go, and counts."""

    def __init__(self) -> None:
        self.open, self.lock, self.now, self.most, self.begun = threading.Event(), threading.Lock(), 0, 0, 0

    def __call__(self, order: Notify) -> None:
        with self.lock:
            self.begun += 1
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.open.wait(20)
        with self.lock:
            self.now -= 1


async def test_few_are_told_at_once_and_each_once_however_often_it_is_ordered() -> None:
    """The loop goes on meanwhile: what waits is in threads."""
    gate, posted = Gate(), list[Event]()
    told = Notices(gate, posted.append)
    for _ in range(2):
        for number in range(2 * MOST_AT_ONCE):
            told(order(f"i1.n{number}"))
    await eventually(lambda: gate.begun == MOST_AT_ONCE, 5)
    assert posted == []
    gate.open.set()
    await eventually(lambda: len(posted) == 2 * MOST_AT_ONCE, 5)
    assert (gate.begun, gate.most) == (2 * MOST_AT_ONCE, MOST_AT_ONCE)


async def test_too_many_that_wait_are_given_up_at_once() -> None:
    gate, posted = Gate(), list[Event]()
    told = Notices(gate, posted.append)
    for number in range(MOST_WAITING + 1):
        told(order(f"i1.n{number}"))
    assert posted == [NoticeDone(f"i1.n{MOST_WAITING}", False, f"{MOST_WAITING} notices wait already")]
    await told.stop()
    gate.open.set()


async def test_a_try_without_an_end_is_left_and_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "TRY_LIMIT_S", 0.05)
    gate, posted = Gate(), list[Event]()
    Notices(gate, posted.append, pauses_s=(0.0, 0.0))(order())
    await eventually(lambda: posted, 5)
    assert posted == [NoticeDone("i1.n1", False, "given up after 3 tries: no end within 0 s")] and gate.begun == 3
    gate.open.set()


async def test_what_is_stopped_is_left_unsettled() -> None:
    """A successor is told to begin it again."""
    gate, posted = Gate(), list[Event]()
    told = Notices(gate, posted.append)
    told(order())
    await eventually(lambda: gate.begun == 1, 5)
    await told.stop()
    gate.open.set()
    await eventually(lambda: gate.now == 0, 5)
    assert posted == []


def test_a_mail_server_needs_a_sender(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sender must be a mail address"):
        config(tmp_path, host="mail.test")
