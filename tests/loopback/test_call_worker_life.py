"""A real call worker from a real template, its life: deaths, disks, switchboards that come and go, orders it refuses."""

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from callserver.media.capture_format import Kind
from callserver.media.protocol import (
    Close,
    Codec,
    Refused,
    Remove,
    Removed,
    ShapeOrder,
    Strange,
)
from tests.eventually import eventually_sync
from tests.loopback.call_worker_board import Board, Template, boottime_ns, place_of
from tests.loopback.call_worker_rig import (
    OPERATOR_HZ,
    POINT_HZ,
    Rig,
    hear_each_other,
    kept_outer,
    rigged,
    two_legs,
)
from tests.loopback.rtp_peer import RtpPeer

pytestmark = pytest.mark.real


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rigged(tmp_path) as made:
        yield made


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGABRT])
def test_successor_goes_on_with_the_same_line_after_a_kill(rig: Rig, fault: int) -> None:
    """Same sockets, SSRC, sequence and timestamps by the clock; both tones are back at once."""
    board = rig.worker()
    spare = rig.worker()
    board.open("c1", rig.run_dir)
    places = []
    for number, hz in ((1, POINT_HZ), (2, OPERATOR_HZ)):
        peer, outer = rig.peer(hz)
        places.append(place_of(f"c1.{number}", peer.port))
        board.place(places[-1], outer)
    board.order(ShapeOrder(("c1.1", "c1.2"), ()))
    point, operator = rig.peers
    hear_each_other(point, operator)
    os.kill(board.pid, fault)
    assert board.ended.wait(0.5)
    spare.open("c1", rig.run_dir, segment=2)
    for place, outer in zip(places, rig.outers, strict=True):
        spare.place(place, outer)
    spare.order(ShapeOrder(("c1.1", "c1.2"), ()))
    counts = [len(peer.heard) for peer in rig.peers]
    for peer, count in zip(rig.peers, counts, strict=True):
        eventually_sync(lambda peer=peer, count=count: len(peer.heard) > count + 30, 3)
        assert_line_goes_on(peer)
    hear_each_other(point, operator)
    said = [record for name in ("c1.1.1.cap", "c1.1.2.cap") for record in rig.captures()[name] if record.kind is Kind.IN]
    sequences = [(int.from_bytes(record.data[2:4]) - 65_500) & 0xFFFF for record in said]
    assert sequences == sorted(sequences)
    assert len(set(range(sequences[-1])) - set(sequences)) <= 2, "at most 40 ms are missing from the record"


def assert_line_goes_on(peer: RtpPeer) -> None:
    """One SSRC; sequence and timestamp go forward together and with the clock, over whatever gap there was."""
    heard = peer.heard
    assert len({packet.ssrc for packet in heard}) == 1
    assert len({packet.source for packet in heard}) == 1
    largest = 0.0
    for before, after in itertools.pairwise(heard):
        steps = (after.sequence - before.sequence) & 0xFFFF
        assert 1 <= steps <= 8
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == steps * 160
        largest = max(largest, after.at_s - before.at_s)
    assert largest <= 0.150
    first, last = heard[0], heard[-1]
    by_clock = (last.at_s - first.at_s) / 0.02
    assert abs(by_clock - ((last.sequence - first.sequence) & 0xFFFF)) < 3


def test_disk_that_takes_no_captures_makes_no_gap_and_loses_nothing(rig: Rig) -> None:
    """The directory cannot be made, then it can: trouble, no gap in the sound, everything is written in the end."""
    board = rig.worker()
    wall = rig.run_dir / "captures"
    wall.write_text("a file where a directory should be")
    point, operator = two_legs(rig, board)
    _, trouble = board.until(kind="CaptureTrouble")
    assert "Not a directory" in trouble.what or "File exists" in trouble.what
    hear_each_other(point, operator)
    wall.unlink()
    board.until(kind="CaptureTrouble", cleared=True, within_s=4)
    gaps = np.diff([packet.at_s for packet in operator.heard])
    assert float(gaps.max()) < 0.1
    board.order(Close())
    board.until(kind="Closed", within_s=5)
    said = [record for record in rig.captures()["c1.1.1.cap"] if record.kind is Kind.IN]
    assert int.from_bytes(said[0].data[2:4]) == 65_500, "from the first packet on"
    assert [int.from_bytes(record.data[2:4]) for record in said] == [(65_500 + n) & 0xFFFF for n in range(len(said))]


def test_switchboard_comes_back_and_nothing_is_lost_or_done_twice(rig: Rig) -> None:
    """Audio goes on without it; what happened meanwhile is told to the next one, which numbers on."""
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    name = board.hello.worker if board.hello else ""
    board.acknowledge = False
    board.close()
    point.muted = True
    count = len(operator.heard)
    eventually_sync(lambda: len(operator.heard) > count + 75, 4)
    assert max(np.diff([packet.at_s for packet in operator.heard])) < 0.1
    again = Board(rig.run_dir, name, board.pid)
    rig.boards.append(again)
    assert again.hello is not None and (again.hello.call, again.hello.legs) == ("c1", ("c1.1", "c1.2"))
    again.until(kind="Silent", leg="c1.1")
    assert again.hello.had == 4, "open, two places, a shape"
    again.order(Remove("c1.1"))
    again.until(kind="Removed", leg="c1.1")
    newer = Board(rig.run_dir, name, board.pid, again.numbered)
    rig.boards.append(newer)
    assert again.ended.wait(1), "a newer connection displaces the older"
    newer.order(Close())
    newer.until(kind="Closed", call="c1")
    assert [m for m in newer.told if type(m[1]).__name__ == "Removed" and m[1].leg == "c1.1"] == []


def test_orders_that_cannot_be_carried_out_are_refused(rig: Rig) -> None:
    board = rig.worker()
    peer, outer = rig.peer(POINT_HZ)
    fds = (outer.rtp.fileno(), outer.rtcp.fileno())
    board.order(place_of("c1.1", peer.port), *fds)
    assert board.until(kind="Refused", leg="c1.1")[1].why == "no call is open"
    board.open("c1", rig.run_dir)
    board.order(place_of("c1.2", peer.port))
    board.order(place_of("c1.3", peer.port, source="anything"), *fds)
    board.order(place_of("c1.4", peer.port, codec_as=Codec("OPUS", 96)), *fds)
    for number in range(5, 9):
        board.place(place_of(f"c1.{number}", peer.port), kept_outer(rig))
    board.order(place_of("c1.9", peer.port), *fds)
    board.until(kind="Refused", leg="c1.9")
    assert [(m.leg, m.order) for m in board.all_of(Refused)] == [(f"c1.{n}", "Place") for n in (1, 2, 3, 4, 9)]
    board.order(Remove("c1.5"))
    board.until(kind="Removed", leg="c1.5")
    board.place(place_of("c1.9", peer.port), kept_outer(rig))
    assert board.until(kind="Refused", leg="c1.9")[1].why == "the worker has 4 legs already"


def test_death_is_seen_at_once_although_siblings_were_forked_later(rig: Rig) -> None:
    """No sibling holds another's sockets; and a template that ends leaves its workers alive."""
    board = rig.worker()
    point, operator = two_legs(rig, board)
    sibling = rig.worker()
    rig.template.close()
    hear_each_other(point, operator)
    os.kill(board.pid, signal.SIGKILL)
    assert board.ended.wait(0.2)
    beats = len(sibling.beats)
    eventually_sync(lambda: len(sibling.beats) > beats + 2, 1)
    again, control = Template(rig.run_dir), rig.template
    rig.template = again
    assert control.process.returncode == 0


def test_spare_whose_socket_file_is_gone_ends_itself(rig: Rig) -> None:
    board = rig.worker()
    next((rig.run_dir / "workers").glob("*.sock")).unlink()
    assert board.ended.wait(3)


def test_worker_asked_by_sigterm_seals_its_captures(rig: Rig) -> None:
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    os.kill(board.pid, signal.SIGTERM)
    board.until(kind="Closed", call="c1")
    assert board.ended.wait(3)
    for records in rig.captures().values():
        assert len(records) > 20


def test_beats_come_each_tenth_of_a_second_and_prove_the_engine(rig: Rig) -> None:
    board = rig.worker()
    two_legs(rig, board)
    eventually_sync(lambda: len(board.beats) > 15, 3)
    assert all(beat.engine_alive for _, beat in board.beats)
    assert max(np.diff([at for at, _ in board.beats])) < 0.25
    legs = board.beats[-1][1].legs
    assert [leg.leg for leg in legs] == ["c1.1", "c1.2"]
    assert all(leg.from_engine > 20 and leg.sent > 20 and leg.received > 20 for leg in legs)
    assert board.all_of(Strange) == []
    assert boottime_ns() - board.beats[-1][1].at_ns < 1_000_000_000


def test_switchboard_that_vanishes_in_mid_sentence_harms_nothing(rig: Rig) -> None:
    """It sends orders and closes at once; connected again, it has one answer to each."""
    board = rig.worker()
    two_legs(rig, board)
    name = board.hello.worker if board.hello else ""
    board.acknowledge = False
    for number in range(40):
        board.order(Remove(f"c1.x{number}"))
    board.close()
    again = Board(rig.run_dir, name, board.pid, board.numbered)
    rig.boards.append(again)
    eventually_sync(lambda: len(board.all_of(Removed) + again.all_of(Removed)) >= 40, 2)
    told = [removed.leg for removed in board.all_of(Removed) + again.all_of(Removed)]
    assert told == [f"c1.x{number}" for number in range(40)]
