"""The board as pages see it: whole at first, then what changes, and never old without saying so."""

import asyncio
import json
import weakref
from itertools import pairwise

import pytest
from websockets.exceptions import InvalidStatus

from callserver import feed
from callserver.store.directory import remove_web
from callserver.store.engine import open_store
from callserver.web import outlet as outlets
from callserver.web import sockets
from callserver.web.board import Board
from callserver.web.sessions import COOKIE
from callserver.web.sockets import AT_ONCE, MAX_MESSAGE_BYTES
from tests.eventually import eventually
from tests.web.desk import OPERATOR, Desk, user_of
from tests.web.wire import BOARD, Peer, Wire, listening


async def test_a_new_page_gets_the_whole_board(wire: Wire) -> None:
    """With who is asking."""
    page = await wire.watcher("auditor")
    snapshot = await page.hears("snapshot")
    assert ("e1", 10, dict(BOARD)) == (snapshot["epoch"], snapshot["number"], snapshot["items"])
    assert (user_of("auditor"), "auditor", int(wire.desk.now_s * 1000)) == (
        snapshot["user"],
        snapshot["role"],
        snapshot["now_ms"],
    )


async def test_changes_follow_and_say_what_is_gone(wire: Wire) -> None:
    """In order, with the number of the last."""
    page = await wire.watcher()
    await page.hears("snapshot")
    wire.peer.change({"incident/b": {"id": "b"}})
    assert (await page.hears("changes"))["items"] == {"incident/b": {"id": "b"}}
    wire.peer.change({"incident/a": None, "incident/b": {"id": "b", "state": "attended"}})
    second = await page.hears("changes", 2)
    assert (second["number"], second["items"]) == (12, {"incident/a": None, "incident/b": {"id": "b", "state": "attended"}})


async def test_many_changes_at_once_are_told_together(wire: Wire) -> None:
    """The last state of each item, in a few messages, and the beat is never ahead of what was told."""
    page = await wire.watcher()
    await page.hears("snapshot")
    for number in range(300):
        wire.peer.change({f"call/{number % 3}": {"at": number}})
    await eventually(lambda: page.of("changes") and page.of("changes")[-1]["number"] == 310, 5)
    board = {key: item for one in page.of("changes") for key, item in one["items"].items()}
    assert board == {"call/0": {"at": 297}, "call/1": {"at": 298}, "call/2": {"at": 299}}
    assert len(page.of("changes")) < 60
    await page.hears("beat", 2)
    numbers = [one["number"] for one in page.told]
    assert all(before <= after for before, after in pairwise(numbers))


async def test_a_page_that_comes_back_gets_what_it_missed(wire: Wire) -> None:
    """By epoch and number; items as they are now."""
    for at in range(4):
        wire.peer.change({f"call/{at}": {"at": at}})
    wire.peer.change({"call/1": None})
    await eventually(lambda: wire.desk.app.state.service.present.board.number == 15, 5)
    page = await wire.watcher(epoch="e1", number=13)
    changes = await page.hears("changes")
    assert changes["items"] == {"call/2": {"at": 2}, "call/3": {"at": 3}, "call/1": None}
    assert (changes["number"], page.of("snapshot")) == (15, [])


@pytest.mark.parametrize(("epoch", "number"), [("e0", 12), ("e1", 9), ("e1", 99), ("e1", -1)])
async def test_what_is_not_known_any_more_is_answered_with_the_whole(wire: Wire, epoch: str, number: int) -> None:
    """Another epoch, too long ago, or ahead of us."""
    wire.peer.change({"call/1": {}})
    await eventually(lambda: wire.desk.app.state.service.present.board.number == 11, 5)
    page = await wire.watcher(epoch=epoch, number=number)
    assert "call/1" in (await page.hears("snapshot"))["items"]


async def test_beats_say_when_the_switchboard_is_gone_and_when_it_is_back(wire: Wire) -> None:
    """Each second; a new run of it brings a new epoch to pages that are there, whole."""
    page = await wire.watcher()
    await eventually(lambda: page.of("beat") and page.of("beat")[-1]["live"] is True, 4)
    await wire.peer.stop()
    await eventually(lambda: page.of("beat")[-1]["live"] is False, 4)
    wire.peer.epoch, wire.peer.number, wire.peer.board = "e2", 3, {"service": {"version": "2"}}
    await wire.peer.start()
    second = await page.hears("snapshot", 2)
    assert (second["epoch"], second["number"], second["items"]) == ("e2", 3, {"service": {"version": "2"}})
    await eventually(lambda: page.of("beat")[-1]["live"] is True, 4)


async def test_a_switchboard_that_hangs_is_not_live(wire: Wire) -> None:
    """The connection stands, nothing comes: the beats say so within three seconds, and that it is back with its next word."""
    page = await wire.watcher()
    await eventually(lambda: page.of("beat") and page.of("beat")[-1]["live"] is False, 4)
    assert wire.peer.watched == 1
    wire.peer.say(feed.Pulse(10, 0))
    await eventually(lambda: page.of("beat")[-1]["live"] is True, 3)


async def test_a_feed_that_was_cut_goes_on_with_the_difference(wire: Wire) -> None:
    """The same run of the switchboard: pages are told what changed meanwhile, and no snapshot."""
    page = await wire.watcher()
    await page.hears("snapshot")
    await wire.peer.stop()
    wire.peer.change({"incident/a": None, "incident/c": {"id": "c"}})
    await wire.peer.start()
    changes = await page.hears("changes")
    assert changes["items"] == {"incident/a": None, "incident/c": {"id": "c"}}
    assert len(page.of("snapshot")) == 1


async def test_what_is_no_feed_is_hung_up_on(wire: Wire) -> None:
    """And connected to anew."""
    wire.peer.raw(b"\xff" * 64)
    await eventually(lambda: wire.peer.watched == 2, 5)
    wire.peer.say(feed.Watch())  # ours to say
    await eventually(lambda: wire.peer.watched == 3, 5)


async def test_without_a_switchboard_there_are_beats_and_later_a_board(desk: Desk) -> None:
    """A web process that is there first."""
    peer = Peer(desk.config.storage.feed_socket)
    async with listening(desk, peer) as wire:
        page = await wire.watcher()
        assert (await page.hears("beat"))["live"] is False
        assert page.of("snapshot") == []
        await peer.start()
        assert dict(BOARD) == (await page.hears("snapshot"))["items"]
    await peer.stop()


async def test_a_page_that_does_not_read_is_closed_and_delays_nobody(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is bounded; it may come back, and gets the whole board."""
    monkeypatch.setattr(outlets, "MOST_CHARACTERS", 2_000_000)
    slow = await wire.connect("/api/live", await wire.cookie("auditor"), max_queue=1, ping_interval=None)
    slow._reading.cancel()
    await slow.say("watch", epoch="", number=0)
    page = await wire.watcher()
    await page.hears("snapshot")
    present, large = wire.desk.app.state.service.present, "x" * 400_000
    await eventually(lambda: len(present.live) == 2, 5)

    def gone() -> bool:
        wire.peer.change({"call/large": {"text": large, "number": wire.peer.number}})
        return len(present.live) == 1

    await eventually(gone, 20)
    await eventually(lambda: page.of("changes")[-1]["number"] == wire.peer.number, 5)


async def test_a_session_that_ends_closes_its_pages(wire: Wire) -> None:
    """Signed out, expired, account removed: 4401 within seconds."""
    signed_out, expired = await wire.watcher("auditor"), await wire.watcher("operator")
    async with wire.desk.client(cookies={COOKIE: signed_out.connection.request.headers["Cookie"].split("=")[1]}) as client:  # type: ignore[union-attr]
        assert (await client.delete("/api/session")).status_code == 204
    assert await signed_out.ended() == 4401
    assert expired.connection.close_code is None
    wire.desk.now_s += 13 * 3600
    assert await expired.ended() == 4401
    removed = await wire.watcher("administrator")
    engine = open_store(wire.desk.config.storage.data)
    remove_web(engine, user_of("administrator"))
    engine.dispose()
    wire.desk.now_s += 3
    assert await removed.ended() == 4401


@pytest.mark.parametrize("path", ["/api/live", "/api/seat"])
@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1"])
async def test_another_sites_page_gets_no_socket(wire: Wire, path: str, origin: str) -> None:
    """Though the browser sends the cookie along: refused before it is one, in the shape of every error."""
    cookie = await wire.cookie("operator")
    with pytest.raises(InvalidStatus) as caught:
        await wire.connect(path, cookie, origin=origin)
    response = caught.value.response
    assert (response.status_code, json.loads(response.body or b"")["error"]["code"]) == (403, "foreign-origin")
    assert "default-src" in response.headers["content-security-policy"]


async def test_a_script_without_origin_and_a_configured_origin_are_let_in(wire: Wire) -> None:
    """A script has no cookie of a person's browser; but one that a browser marks as another site's is not."""
    cookie = await wire.cookie("operator")
    page = await wire.connect("/api/live", cookie, origin=None)
    await page.say("watch", epoch="", number=0)
    await page.hears("snapshot")
    with pytest.raises(InvalidStatus):
        headers = {"Cookie": f"{COOKIE}={cookie}", "Sec-Fetch-Site": "cross-site"}
        await wire.connect("/api/live", origin=None, additional_headers=headers)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("no json", 1008),
        ("[1]", 1008),
        ("[" * 100_000, 1008),
        (b"\x00", 1003),
        ('{"type": "watch", "epoch": 1, "number": 0}', 1008),
        ('{"type": "watch", "epoch": "", "number": true}', 1008),
        ("x" * (MAX_MESSAGE_BYTES + 1), 1009),
    ],
    ids=["text", "list", "deep", "binary", "epoch", "number", "long"],
)
async def test_what_is_no_message_closes_the_page(wire: Wire, message: str | bytes, code: int) -> None:
    """With the code of RFC 6455 7.4.1."""
    page = await wire.connect("/api/live", await wire.cookie("operator"))
    await page.connection.send(message)
    assert await page.ended() == code


async def test_a_page_that_floods_is_closed(wire: Wire) -> None:
    """Some hundred at once are taken."""
    page = await wire.connect("/api/live", await wire.cookie("operator"))
    for _ in range(int(AT_ONCE)):
        await page.say("unknown")
    await page.say("watch", epoch="", number=0)
    page_of_patience = await wire.watcher()
    await page_of_patience.hears("snapshot")

    async def flood() -> None:
        while True:
            await asyncio.gather(*(page.say("unknown") for _ in range(20)))

    flooding = asyncio.ensure_future(flood())
    assert await page.ended() == 1008
    await asyncio.gather(flooding, return_exceptions=True)
    assert page_of_patience.connection.close_code is None


async def test_one_browser_takes_nobodys_place(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many pages of a session, so many of all; what is over it comes later. The figures count those that are there."""
    monkeypatch.setattr(sockets, "MOST_OF_A_SESSION", 2)
    monkeypatch.setattr(sockets, "MOST_SOCKETS", 4)
    first, second = await wire.cookie("supervisor"), await wire.cookie("operator")
    kept = [await wire.connect("/api/live", first) for _ in range(2)]
    assert await (await wire.connect("/api/live", first)).ended() == 1013
    await wire.connect("/api/live", second)
    await wire.seat(second)
    assert await (await wire.connect("/api/live", await wire.cookie("auditor"))).ended() == 1013
    assert [page.connection.close_code for page in kept] == [None, None]
    await eventually(lambda: wire.peer.of(feed.SeatOpened), 5)
    async with wire.desk.client() as client:
        figures = (await client.get("/metrics")).text
    assert "callserver_web_pages 3.0" in figures and "callserver_web_seats 1.0" in figures


async def test_the_name_of_the_operator_is_told_at_sign_in(wire: Wire) -> None:
    """By the board; for those who may open its seat."""
    async with wire.desk.signed_in("operator") as operator, wire.desk.signed_in("auditor") as auditor:
        mine, other = (await operator.get("/api/session")).json(), (await auditor.get("/api/session")).json()
    assert (mine["user"], mine["operator"], mine["name"]) == (OPERATOR, OPERATOR, "Anna Example")
    assert (user_of("auditor"), None) == (other["name"], other["operator"])


def test_what_is_gone_is_not_kept_for_pages_that_come_back() -> None:
    """They are told of an item as it is now: old values, thousands of them, would be most of the process."""

    class Watched(dict[str, object]):
        """A dict that can be watched."""

    board = Board()
    board.renew(feed.Snapshot("e1", 1, 0, {}))
    item = Watched(state="waiting")
    gone = weakref.ref(item)
    board.change(feed.Changes(2, 0, {"call/1": item}))
    board.change(feed.Changes(3, 0, {"call/1": None}))
    del item
    assert gone() is None
    assert board.since("e1", 2) == {"call/1": None}
