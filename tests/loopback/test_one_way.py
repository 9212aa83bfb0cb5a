"""A real call worker whose device does not hear: its port is closed, its reports say so, or it listens elsewhere."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.media.protocol import Deaf, ShapeOrder
from tests.eventually import eventually_sync
from tests.loopback.call_worker_board import Board, place_of
from tests.loopback.call_worker_rig import OPERATOR_HZ, POINT_HZ, PRESENT, Rig, hear_each_other, kept_outer, rigged, two_legs
from tests.loopback.rtp_peer import RtpPeer

pytestmark = pytest.mark.real

WITHIN_S = 5.0
"""How soon it must be told."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rigged(tmp_path) as made:
        yield made


def _deaf(board: Board) -> list[str]:
    return [message.why for message in board.all_of(Deaf) if message.leg == "c1.1"]


def _report(peer: RtpPeer, to: tuple[str, int], about: int = 0, fraction: int = 0, highest: int = 0) -> None:
    """RTCP of the device, from its RTP port's host: with a block about a line, or without any."""
    block = struct.pack("!IIIIII", about, fraction << 24, highest, 0, 0, 0) if about else b""
    head = struct.pack("!BBHI", 0x80 | bool(about), 201, (8 + len(block)) // 4 - 1, peer._ssrc)
    peer.socket.sendto(head + block, (to[0], to[1] + 1))


def test_a_closed_port_is_told_within_five_seconds_and_so_is_its_opening(rig: Rig) -> None:
    """The network's ICMP; packets go on being sent, so that the device is heard the moment its port is open."""
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    port = point.port
    point.close()
    told_at, told = board.until(within_s=WITHIN_S, kind="Deaf", leg="c1.1")
    assert told.why == f"nobody listens at 127.0.0.1:{port}"
    beats = len(board.beats)
    eventually_sync(lambda: len(board.beats) > beats + 10, 3)
    sent = [next(leg for leg in beat.legs if leg.leg == "c1.1").sent for _, beat in board.beats[-10:]]
    assert sent[-1] - sent[0] > 35, "each packet is sent still, whatever became of the one before"
    again = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    again.bind(("127.0.0.1", port))
    eventually_sync(lambda: _deaf(board)[-1] == "", WITHIN_S)
    again.close()
    assert told_at


def test_reports_that_nothing_arrives_are_told_and_a_good_one_ends_it(rig: Rig) -> None:
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    to = rig.outers[0].address
    eventually_sync(lambda: len(point.heard) > 170, 6)
    line = point.heard[-1]
    _report(point, to, line.ssrc, 255, line.sequence)
    _, told = board.until(within_s=1, kind="Deaf", leg="c1.1")
    assert told.why == "the device reports that everything is lost on the way to it"
    line = point.heard[-1]
    _report(point, to, line.ssrc, 2, line.sequence)
    eventually_sync(lambda: _deaf(board)[-1] == "", 1)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.3", 0))
    stranger.sendto(struct.pack("!BBHI", 0x80, 201, 1, 5), (to[0], to[1] + 1))
    eventually_sync(lambda: len(point.heard) > 400, 6)
    assert _deaf(board)[-1] == "", "a stranger's word about us counts for nothing"
    stranger.close()


def test_a_device_that_listens_elsewhere_than_it_sends_from_is_found(rig: Rig) -> None:
    """It names one port and sends from another, where it does not listen: its report makes us send to the one that it named."""
    board = rig.worker()
    board.open("c1", rig.run_dir)
    (mouth, one), (operator, two) = rig.peer(POINT_HZ), rig.peer(OPERATOR_HZ)
    ear = RtpPeer(0.0)
    rig.peers.append(ear)
    board.place(place_of("c1.1", ear.port, source="sdp-host"), one)
    board.place(place_of("c1.2", operator.port, role="operator"), two)
    board.order(ShapeOrder(("c1.1", "c1.2"), ()))
    eventually_sync(lambda: len(mouth.heard) > 160, 6)
    ear.start(kept_outer(rig).address)  # a thread of its own reads
    heard = len(ear.heard)
    _report(mouth, one.address)
    eventually_sync(lambda: len(ear.heard) > heard + 25 and ear.hears(OPERATOR_HZ) > PRESENT, 3)
    assert operator.hears(POINT_HZ) > PRESENT, "and is heard from where it speaks"
    line = ear.heard[-1]
    _report(mouth, one.address, line.ssrc, 0, line.sequence)
    eventually_sync(lambda: _deaf(board) == ["the device reports that it receives nothing", ""], 2)
