"""The switchboard's end of the feed over a real Unix socket: snapshot, changes of a turn together, pages of seats, strangers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from callserver import feed
from callserver.core import events as ev
from callserver.core.ids import PointId
from callserver.runtime import feed_server
from callserver.runtime.board import Board
from callserver.runtime.feed_server import FeedServer
from tests.core.driver import Driver
from tests.eventually import eventually
from tests.runtime.test_board import ANCHOR


@dataclass
class Pages:
    """What seats would be told."""

    said: list[tuple[str, ...]] = field(default_factory=list)

    def opened(self, seat: str, operator: str) -> None:
        self.said.append(("opened", seat, operator))

    def closed(self, seat: str) -> None:
        self.said.append(("closed", seat))

    def pages_lost(self) -> None:
        self.said.append(("lost",))


class Web:
    """The web process's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.frames = feed.Frames()
        self.had: list[feed.Message] = []

    def say(self, message: feed.Message) -> None:
        self.writer.write(feed.frame(message))

    async def ended(self) -> bool:
        """Whether the server has cut us off; what came before that is read and forgotten."""
        while data := await asyncio.wait_for(self.reader.read(65_536), 3):
            assert data
        return True

    async def next(self, kind: type[feed.Message]) -> Any:
        """The next message of a kind; others are passed over."""
        while True:
            while self.had:
                message = self.had.pop(0)
                if isinstance(message, kind):
                    return message
            data = await asyncio.wait_for(self.reader.read(65_536), 3)
            assert data, "the connection was ended"
            self.had += self.frames.feed(data)


@asynccontextmanager
async def serving(path: Path, driver: Driver) -> AsyncIterator[tuple[FeedServer, Pages]]:
    """A server for the length of a block."""
    server = FeedServer(path, Board(lambda: ANCHOR, 0), lambda: driver.state, "epoch-1", lambda: 7)
    pages = Pages()
    server.seats = pages  # type: ignore[assignment]
    await server.start()
    try:
        yield server, pages
    finally:
        await server.stop()


async def test_who_watches_gets_the_board_and_then_what_changes(tmp_path: Path) -> None:
    """Facts of one turn of the loop come as one message; the number is that of the facts taken in."""
    driver = Driver(None, "ann")
    async with serving(tmp_path / "feed.sock", driver) as (server, _):
        web = Web(*await asyncio.open_unix_connection(str(tmp_path / "feed.sock")))
        web.say(feed.Watch())
        snapshot = await web.next(feed.Snapshot)
        assert (snapshot.epoch, snapshot.number, snapshot.utc_ms) == ("epoch-1", driver.state.facts, 7)
        assert {"service", "operator/ann", "point/p1"} <= set(snapshot.items)
        for step in (driver.press, lambda: driver.do(ev.PointLost(PointId("p2"), "gone"))):
            step()
            server.watched(driver.facts)
        changes = await web.next(feed.Changes)
        assert changes.number == driver.state.facts
        assert {"incident/i1", "call/i1.1", "operator/ann", "point/p2", "alarm/point:p2"} <= set(changes.items)
        server.renewed()
        assert (await web.next(feed.Snapshot)).number == driver.state.facts
        assert (await web.next(feed.Pulse)).utc_ms == 7
        web.writer.close()


async def test_pages_speak_through_it_and_are_lost_with_it(tmp_path: Path) -> None:
    """Both ways; the end of the last connection is the end of every page's."""
    async with serving(tmp_path / "feed.sock", Driver()) as (server, pages):
        pages_said = pages.said
        web = Web(*await asyncio.open_unix_connection(str(tmp_path / "feed.sock")))
        web.say(feed.Watch())
        await web.next(feed.Snapshot)
        web.say(feed.SeatOpened("s-1", "ann"))
        web.say(feed.SeatClosed("s-1"))
        await eventually(lambda: pages_said == [("opened", "s-1", "ann"), ("closed", "s-1")], 2)
        server.tell("s-1", {"type": "fit"})
        assert (await web.next(feed.SeatTold)) == feed.SeatTold("s-1", {"type": "fit"})
        web.writer.close()
        await eventually(lambda: pages_said[-1] == ("lost",), 2)


async def test_a_stranger_is_cut_off_and_others_are_served(tmp_path: Path) -> None:
    """What is no frame of ours, and what only a switchboard says."""
    path = tmp_path / "feed.sock"
    async with serving(path, Driver()):
        for nonsense in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{}", feed.frame(feed.Pulse(1, 1))):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(nonsense)
            assert await asyncio.wait_for(reader.read(10), 3) == b""
            writer.close()
        assert path.stat().st_mode & 0o777 == 0o600
        web = Web(*await asyncio.open_unix_connection(str(path)))
        web.say(feed.Watch())
        await web.next(feed.Snapshot)
        web.writer.close()


async def test_a_web_process_that_answers_no_more_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that answers stays; with the silence of the last its pages count as away."""
    monkeypatch.setattr(feed, "PULSE_S", 0.05)
    monkeypatch.setattr(feed_server, "HUNG_S", 0.08)
    path = tmp_path / "feed.sock"
    async with serving(path, Driver()) as (_, pages):
        old, web = [Web(*await asyncio.open_unix_connection(str(path))) for _ in range(2)]
        for each in (old, web):
            each.say(feed.Watch())
        for _ in range(8):
            await web.next(feed.Pulse)
            web.say(feed.Here())
        assert pages.said == []
        old.writer.close()
        await eventually(web.ended, 2)
        await eventually(lambda: pages.said == [("lost",)], 2)
        web.writer.close()


async def test_a_web_process_of_before_is_not_asked_to_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never said that it answers pulses: many of them go by and it is served."""
    monkeypatch.setattr(feed, "PULSE_S", 0.02)
    monkeypatch.setattr(feed_server, "HUNG_S", 0.03)
    async with serving(tmp_path / "feed.sock", Driver()) as (_, pages):
        web = Web(*await asyncio.open_unix_connection(str(tmp_path / "feed.sock")))
        web.say(feed.Watch())
        for _ in range(10):
            await web.next(feed.Pulse)
        assert pages.said == []
        web.writer.close()


async def test_what_is_different_without_a_fact_is_told_under_the_same_number(tmp_path: Path) -> None:
    driver = Driver()
    async with serving(tmp_path / "feed.sock", driver) as (server, _):
        server.show(["point/p1"])  # nobody watches
        web = Web(*await asyncio.open_unix_connection(str(tmp_path / "feed.sock")))
        web.say(feed.Watch())
        snapshot = await web.next(feed.Snapshot)
        server.show(["point/p1", "sound/none"])
        changes = await web.next(feed.Changes)
        assert (changes.number, set(changes.items)) == (snapshot.number, {"point/p1", "sound/none"})
        assert (changes.items["point/p1"]["id"], changes.items["sound/none"]) == ("p1", None)
        web.writer.close()
