"""What the call worker's tests stand on: a template, boards, devices, all ended with the test."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from callserver.media.capture_format import Record, read
from callserver.media.protocol import ShapeOrder
from tests.eventually import eventually_sync
from tests.loopback.call_worker_board import Board, Outer, Template, place_of
from tests.loopback.rtp_peer import RtpPeer

POINT_HZ, OPERATOR_HZ = 600.0, 1_100.0
PRESENT, ABSENT = 0.12, 0.01  # of full scale; tones are sent at 0.25


@dataclass
class Rig:
    """What a test makes, ended after it."""

    run_dir: Path
    template: Template
    boards: list[Board] = field(default_factory=list)
    peers: list[RtpPeer] = field(default_factory=list)
    outers: list[Outer] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)

    def worker(self) -> Board:
        """A connected spare."""
        name, pid = self.template.spawn()
        self.pids.append(pid)
        board = Board(self.run_dir, name, pid)
        self.boards.append(board)
        return board

    def peer(self, hz: float, **more: object) -> tuple[RtpPeer, Outer]:
        """A device that sends its tone to outer sockets of its own leg."""
        peer, outer = RtpPeer(hz, **more), Outer()  # type: ignore[arg-type]
        self.peers.append(peer)
        self.outers.append(outer)
        peer.start(outer.address)
        return peer, outer

    def captures(self) -> dict[str, list[Record]]:
        """All capture files' records by name."""
        found = {}
        for path in sorted((self.run_dir / "captures").glob("*.cap")):
            with path.open("rb") as stream:
                found[path.name] = list(read(stream))
        return found


@contextmanager
def rigged(tmp_path: Path) -> Iterator[Rig]:
    (tmp_path / "prompts" / "en").mkdir(parents=True)
    rig = Rig(tmp_path, Template(tmp_path))
    yield rig
    for pid in rig.pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for end in (*rig.boards, *rig.peers, *rig.outers, rig.template):
        end.close()


def two_legs(rig: Rig, board: Board, rate_hz: int = 8_000) -> tuple[RtpPeer, RtpPeer]:
    """An open call of point and operator who talk."""
    board.open("c1", rig.run_dir, rate_hz=rate_hz)
    (point, one), (operator, two) = rig.peer(POINT_HZ), rig.peer(OPERATOR_HZ)
    board.place(place_of("c1.1", point.port), one)
    board.place(place_of("c1.2", operator.port, role="operator"), two)
    board.order(ShapeOrder(("c1.1", "c1.2"), ()))
    return point, operator


def hear_each_other(one: RtpPeer, other: RtpPeer) -> None:
    """Each has the other's tone and not its own."""
    for peer, foreign in ((one, other), (other, one)):
        eventually_sync(lambda peer=peer: len(peer.heard) >= 25, 3)
        eventually_sync(lambda peer=peer, foreign=foreign: peer.hears(foreign.hz) > PRESENT, 3)
        eventually_sync(lambda peer=peer: peer.hears(peer.hz) < ABSENT, 3)


def kept_outer(rig: Rig) -> Outer:
    outer = Outer()
    rig.outers.append(outer)
    return outer
