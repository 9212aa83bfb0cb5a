"""A browser as a seat: what its page says reaches the switchboard and back, and nobody else speaks for it."""

import json
from typing import Any

import pytest

from callserver import feed
from callserver.store.directory import set_web
from callserver.store.engine import open_store
from callserver.web import feed as ours
from callserver.web.seats import SeatIds
from tests.eventually import eventually
from tests.web.desk import OPERATOR, Desk, user_of
from tests.web.wire import WITHIN_S, Page, Peer, Wire, listening

SAID: list[dict[str, Any]] = [
    {"type": "sdp_offer", "sdp": "v=0", "number": 1},
    {"type": "beat", "number": 2, "audio_ms": 40.5, "muted": False, "hidden": True},
    {"type": "ringing", "leg": "a.1.2"},
    {"type": "accept", "leg": "a.1.2"},
    {"type": "trouble", "what": "microphone", "text": "the track ended"},
    {"type": "leave"},
]


async def _opened(wire: Wire, count: int = 1) -> feed.SeatOpened:
    await eventually(lambda: len(wire.peer.of(feed.SeatOpened)) >= count, WITHIN_S)
    one = wire.peer.of(feed.SeatOpened)[count - 1]
    assert isinstance(one, feed.SeatOpened)
    return one


async def test_what_page_and_switchboard_say_reaches_the_other(wire: Wire) -> None:
    """Unknown keys are left out; the end of the socket is told."""
    page = await wire.seat()
    opened_ = await _opened(wire)
    assert (opened_.operator, opened_.seat[:2], len(opened_.seat)) == (OPERATOR, "s-", 26)
    wire.peer.say(feed.SeatTold(opened_.seat, {"type": "opened", "seat": opened_.seat}))
    assert opened_.seat == (await page.hears("opened"))["seat"]
    for message in SAID:
        await page.connection.send(json.dumps({**message, "unknown": 1}))
    await eventually(lambda: len(wire.peer.of(feed.SeatSaid)) == len(SAID), WITHIN_S)
    assert [one.message for one in wire.peer.of(feed.SeatSaid)] == SAID
    assert {opened_.seat} == {one.seat for one in wire.peer.of(feed.SeatSaid)}
    await page.close()
    await eventually(lambda: wire.peer.of(feed.SeatClosed) == [feed.SeatClosed(opened_.seat)], WITHIN_S)
    wire.peer.say(feed.SeatTold(opened_.seat, {"type": "stop"}))  # to nobody
    assert page.of("refused") == []


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ({"type": "invent"}, "invent"),
        ({"type": "open", "seat": ""}, "open"),
        ({"type": 7}, ""),
        ({}, ""),
        ({"type": "accept"}, "accept"),
        ({"type": "accept", "leg": "x" * 129}, "accept"),
        ({"type": "beat", "number": "1", "audio_ms": 1}, "beat"),
        ({"type": "beat", "number": -1, "audio_ms": 1}, "beat"),
        ({"type": "sdp_offer", "sdp": "v" * 65_537, "number": 1}, "sdp_offer"),
        ({"type": "trouble", "what": "mood", "text": ""}, "trouble"),
    ],
)
async def test_a_message_of_no_known_shape_is_refused(wire: Wire, message: dict[str, Any], what: str) -> None:
    """In words; the seat stays."""
    page = await wire.seat()
    await _opened(wire)
    await page.connection.send(json.dumps(message))
    refused = await page.hears("refused")
    assert what == refused["what"] and refused["why"]
    await page.say("accept", leg="a")
    await eventually(lambda: len(wire.peer.of(feed.SeatSaid)) == 1, WITHIN_S)


async def test_nothing_is_said_before_the_seat_is_opened(wire: Wire) -> None:
    """The switchboard hears nothing of it."""
    page = await wire.connect("/api/seat", await wire.cookie("operator"))
    await page.say("accept", leg="a")
    assert (await page.hears("refused"))["what"] == "accept"
    await page.say("open", seat="")
    await _opened(wire)
    assert [feed.Watch, feed.SeatOpened] == [type(one) for one in wire.peer.heard]


async def test_a_reload_is_the_same_seat_and_an_invented_one_is_not(wire: Wire) -> None:
    """Nor is another operator's."""
    first = await wire.seat()
    seat = (await _opened(wire)).seat
    await first.close()
    foreign = SeatIds(wire.desk.config.storage.run / "web-seats.key").new("somebody-else")
    claims = [seat, foreign, "s-" + "a" * 24, seat[:-1], "s-äöü", "../../x"]
    for claim in claims:
        page = await wire.seat(seat=claim)
        await eventually(lambda: len(wire.peer.of(feed.SeatOpened)) == 2 + claims.index(claim), WITHIN_S)  # noqa: B023
        await page.close()
    got = [one.seat for one in wire.peer.of(feed.SeatOpened)][1:]
    assert [True] + [False] * (len(claims) - 1) == [one == claim for one, claim in zip(got, claims, strict=True)]
    assert len(set(got)) == len(claims)


async def test_a_seat_outlives_the_web_process(wire: Wire) -> None:
    """Its successor knows the id again; the key is its owner's to read alone."""
    await wire.seat()
    seat = (await _opened(wire)).seat
    file = wire.desk.config.storage.run / "web-seats.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert SeatIds(file).knows(seat, OPERATOR)
    assert not SeatIds(file).knows(seat, "another")
    file.write_bytes(b"short")
    assert not SeatIds(file).knows(seat, OPERATOR)


async def test_one_page_at_a_time_speaks_for_a_seat(wire: Wire) -> None:
    """A tab that was duplicated: the older is told and closed, is heard no more, and its end is not the seat's."""
    cookie = await wire.cookie("operator")
    older = await wire.seat(cookie)
    seat = (await _opened(wire)).seat
    newer = await wire.seat(cookie, seat)
    await older.hears("displaced")
    assert await older.ended() == 1000
    await _opened(wire, 2)
    wire.peer.say(feed.SeatTold(seat, {"type": "opened", "seat": seat}))
    await newer.hears("opened")
    assert wire.peer.of(feed.SeatClosed) == []


async def test_two_seats_of_an_operator_are_the_switchboards_to_choose_from(wire: Wire) -> None:
    """Each gets what is told to it."""
    cookie = await wire.cookie("operator")
    pages: list[Page] = [await wire.seat(cookie)]
    await _opened(wire, 1)
    pages.append(await wire.seat(cookie))
    await _opened(wire, 2)
    seats = [one.seat for one in wire.peer.of(feed.SeatOpened)]
    wire.peer.say(feed.SeatTold(seats[0], {"type": "displaced", "why": "another page"}))
    await pages[0].hears("displaced")
    assert pages[1].told == []


async def test_seats_are_opened_again_when_the_switchboard_is_back(wire: Wire) -> None:
    """Meanwhile what the page wants is refused, and beats are let fall."""
    page = await wire.seat()
    seat = (await _opened(wire)).seat
    await wire.peer.stop()
    await eventually(lambda: not wire.desk.app.state.service.present.feed.live, WITHIN_S)
    await page.say("beat", number=1, audio_ms=1)
    await page.say("accept", leg="a")
    refused = await page.hears("refused")
    assert (refused["what"], len(page.of("refused"))) == ("accept", 1)
    await wire.peer.start()
    assert feed.SeatOpened(seat, OPERATOR) == await _opened(wire, 2)
    await page.say("accept", leg="a")
    await eventually(lambda: len(wire.peer.of(feed.SeatSaid)) == 1, WITHIN_S)


async def test_only_operators_of_the_plan_have_a_seat(wire: Wire) -> None:
    """A supervisor is none, an auditor never; an operator who is taken out of the plan loses it."""
    for role in ("supervisor", "auditor", "administrator"):
        page = await wire.connect("/api/seat", await wire.cookie(role))
        assert await page.ended() == 4403
    page = await wire.seat()
    await _opened(wire)
    wire.peer.change({f"operator/{OPERATOR}": None})
    assert await page.ended() == 4403
    await eventually(lambda: len(wire.peer.of(feed.SeatClosed)) == 1, WITHIN_S)


async def test_a_supervisor_who_is_in_the_plan_may_answer(wire: Wire) -> None:
    """The role watches and answers; the plan says who."""
    wire.peer.change({f"operator/{user_of('supervisor')}": {"id": user_of("supervisor"), "name": ""}})
    await eventually(lambda: wire.desk.app.state.service.present.board.number == 11, WITHIN_S)
    await wire.seat(await wire.cookie("supervisor"))
    assert user_of("supervisor") == (await _opened(wire)).operator
    wire.peer.change({f"operator/{user_of('auditor')}": {"id": user_of("auditor"), "name": ""}})
    await eventually(lambda: wire.desk.app.state.service.present.board.number == 12, WITHIN_S)
    page = await wire.connect("/api/seat", await wire.cookie("auditor"))
    assert await page.ended() == 4403


async def test_a_session_that_ends_takes_the_seat_with_it(wire: Wire) -> None:
    """Expired or of another role now: 4401, and the switchboard hears that the page is gone."""
    page = await wire.seat()
    await _opened(wire)
    engine = open_store(wire.desk.config.storage.data)
    set_web(engine, user_of("operator"), "auditor", "secret of operator")
    engine.dispose()
    wire.desk.now_s += 3
    assert await page.ended() == 4401
    await eventually(lambda: len(wire.peer.of(feed.SeatClosed)) == 1, WITHIN_S)
    nobody = await wire.connect("/api/seat", "invented")
    assert await nobody.ended() == 4401


async def test_before_the_board_is_known_a_page_is_asked_to_come_later(desk: Desk) -> None:
    """1013, and it does."""
    peer = Peer(desk.config.storage.feed_socket)
    async with listening(desk, peer) as wire:
        page = await wire.connect("/api/seat", await wire.cookie("operator"))
        assert await page.ended() == 1013
        await peer.start()
        await wire.heard_of_board()
        await wire.seat()
        await _opened(wire)
    await peer.stop()


async def test_a_page_cannot_say_things_faster_than_a_person_and_a_heartbeat(wire: Wire) -> None:
    """It is closed; what it said until then was passed on."""
    page = await wire.seat()
    await _opened(wire)
    for number in range(400):
        if page.connection.close_code is not None:
            break
        await page.connection.send(f'{{"type": "beat", "number": {number}, "audio_ms": 1}}')
    assert await page.ended() == 1008
    assert 90 < len(wire.peer.of(feed.SeatSaid)) < 400


async def test_a_switchboard_that_does_not_read_is_given_up_and_found_again(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be said to it is bounded; the seat is opened again on the new connection."""
    monkeypatch.setattr(ours, "MOST_UNSENT_BYTES", 100_000)
    page = await wire.seat()
    await _opened(wire)
    wire.peer.deaf = True
    sdp = "v" * 60_000
    said = 0
    while wire.peer.watched == 1 and said < 90:
        said += 1
        await page.say("sdp_offer", sdp=sdp, number=said)
    wire.peer.deaf = False
    await eventually(lambda: wire.peer.watched == 2, WITHIN_S)
    await _opened(wire, 2)
