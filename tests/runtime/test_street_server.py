"""The street by HTTP: its files, what may be pressed, what is refused, and news as it comes."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callserver.runtime.street_scene import scene_of
from callserver.runtime.street_server import HEADERS, TYPES, Street, open_street
from dialplans.load import shipped
from tests.peers.ports import Ports

KEY = "k3y"
POINTS = [point for point in shipped("darlington").points.values() if point.profile != "spare"]


@pytest.fixture
def orders() -> list[tuple[str, str]]:
    """What was ordered."""
    return []


@pytest.fixture
def street(orders: list[tuple[str, str]]) -> Street:
    """A street whose phones obey, but for High Row's, which has died."""

    def order(user: str, verb: str) -> bool:
        orders.append((user, verb))
        return user != "dl-high-row"

    return Street(scene_of(POINTS, {}, "police"), {"title": "Town", "links": {}, "lonely": False}, order)


@pytest.fixture
def port(street: Street) -> Iterator[int]:
    """Where it is served."""
    ports = Ports()
    number = ports.take()
    end = open_street(street, number, KEY)
    yield number
    end()
    ports.close()


@contextmanager
def asked(port: int, method: str, path: str, body: bytes | None = None) -> Iterator[http.client.HTTPResponse]:
    """One request's answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body)
        yield connection.getresponse()
    finally:
        connection.close()


def do(port: int, user: str, verb: str) -> int:
    """The status of an order."""
    with asked(port, "POST", f"/{KEY}/do", json.dumps({"user": user, "verb": verb}).encode()) as reply:
        return reply.status


def event(reply: http.client.HTTPResponse) -> dict[str, Any]:
    """The next piece of news."""
    line = b""
    while not line.startswith(b"data: "):
        line = reply.readline()
        assert line, "the news have ended"
    read: dict[str, Any] = json.loads(line[6:])
    return read


@pytest.mark.parametrize("name", ["", *TYPES])
def test_its_files_are_served_with_a_strict_policy(port: int, name: str) -> None:
    with asked(port, "GET", f"/{KEY}/{name}") as reply:
        assert (reply.status, reply.headers["Content-Type"]) == (200, TYPES[name or "index.html"])
        assert {key: reply.headers[key] for key in HEADERS} == dict(HEADERS)
        text = reply.read().decode()
    assert len(text) > 100
    assert "style=" not in text and "http://" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    "path", ["/", "/state", "/wrong/state", f"/{KEY}", f"/{KEY}/../pyproject.toml", f"/{KEY}/street_talk.py"]
)
def test_without_the_key_and_beside_the_files_there_is_nothing(port: int, path: str) -> None:
    with asked(port, "GET", path) as reply:
        assert reply.status == 404


def test_what_is_pressed_is_handed_on_and_shown(port: int, street: Street, orders: list[tuple[str, str]]) -> None:
    assert do(port, "dl-northgate", "press") == 204
    assert do(port, "police", "by-hand") == 204
    assert orders == [("dl-northgate", "press"), ("police", "by-hand")]
    with asked(port, "GET", f"/{KEY}/state") as reply:
        state = json.loads(reply.read())
    assert [each["id"] for each in state["points"] if each["state"] == "calling"] == ["dl-northgate"]
    assert (state["title"], state["desk"]["automatic"]) == ("Town", False)


def test_a_press_without_the_key_presses_nothing(port: int, orders: list[tuple[str, str]]) -> None:
    body = json.dumps({"user": "dl-northgate", "verb": "press"}).encode()
    for path in ("/do", "/wrong/do", f"/{KEY}/press"):
        with asked(port, "POST", path, body) as reply:
            assert reply.status == 404
    assert orders == []


@pytest.mark.parametrize(
    ("user", "verb"), [("dl-northgate", "leave"), ("police", "press"), ("night-desk", "press"), ("dl-northgate", "press\nquit")]
)
def test_only_what_is_on_the_page_can_be_done(port: int, orders: list[tuple[str, str]], user: str, verb: str) -> None:
    assert do(port, user, verb) == 422
    assert orders == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"user": "police"}', b"\xff", b"x" * 2_000])
def test_what_is_no_order_is_refused(port: int, orders: list[tuple[str, str]], body: bytes) -> None:
    with asked(port, "POST", f"/{KEY}/do", body) as reply:
        assert reply.status == 400
    assert orders == []


def test_a_dead_phone_is_told(port: int, street: Street) -> None:
    assert do(port, "dl-high-row", "press") == 503
    assert street.scene.parties["dl-high-row"].state == "idle"


def test_news_come_as_they_happen(port: int, street: Street) -> None:
    with asked(port, "GET", f"/{KEY}/news") as reply:
        assert reply.headers["Content-Type"] == "text/event-stream"
        first = event(reply)
        street.told("dl-northgate", "ringing")
        second = event(reply)
        street.told("dl-northgate", "says Hello?")
        third = event(reply)
    shown = [next(each for each in state["points"] if each["id"] == "dl-northgate") for state in (first, second, third)]
    assert [(each["state"], each["said"]) for each in shown] == [("idle", ""), ("calling", ""), ("calling", "Hello?")]


def test_news_end_with_the_demo(port: int, street: Street) -> None:
    with asked(port, "GET", f"/{KEY}/news") as reply:
        event(reply)
        street.close()
        assert reply.read() in (b"\n", b"\n: alive\n\n")
