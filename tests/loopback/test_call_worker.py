"""A real call worker from a real template, with real RTP: the test plays the switchboard and the devices."""

import itertools
import os
import signal
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from callserver.media.capture_format import DTMF, Kind, read
from callserver.media.protocol import Close, Codec, Digit, PromptMissing, PromptOrder, Refused, Remove, ShapeOrder, Strange
from tests.eventually import eventually_sync
from tests.loopback.call_worker_board import Board, Outer, Template, boottime_ns, place_of
from tests.loopback.rtp_peer import RtpPeer

pytestmark = pytest.mark.real

POINT_HZ, OPERATOR_HZ, STRANGER_HZ, PROMPT_HZ = 600.0, 1_100.0, 1_700.0, 2_300.0
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

    def captures(self) -> dict[str, list[object]]:
        """All capture files' records by name."""
        found = {}
        for path in sorted((self.run_dir / "captures").glob("*.cap")):
            with path.open("rb") as stream:
                found[path.name] = list(read(stream))
        return found


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
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


def test_two_devices_hear_each_other_and_not_themselves(rig: Rig) -> None:
    """And the captures hold what each said and was sent, with the wire's own packets."""
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    board.order(Close())
    _, closed = board.until(kind="Closed", call="c1")
    assert sorted(closed.captures) == ["c1.1.1.cap", "c1.2.1.cap"]
    assert board.ended.wait(4), "the worker ends after its call"
    assert list((rig.run_dir / "workers").iterdir()) == []
    records = rig.captures()["c1.1.1.cap"]
    heard = {packet.sequence: packet.payload for packet in point.heard}
    sent_to_point = [record for record in records if record.kind is Kind.OUT]
    assert len(sent_to_point) >= len(point.heard)
    for record in sent_to_point[: len(point.heard)]:
        assert heard[int.from_bytes(record.data[2:4])] == record.data[12:]
    said = [record for record in records if record.kind is Kind.IN]
    assert [int.from_bytes(record.data[2:4]) for record in said] == [(65_500 + n) & 0xFFFF for n in range(len(said))]
    gaps = np.diff([record.at_ns for record in said]) / 1e6
    assert abs(float(np.median(gaps)) - 20) < 2, "records bear the time of arrival"


def test_g722_talks_with_alaw_under_a_dynamic_payload_type(rig: Rig) -> None:
    board = rig.worker()
    board.open("c1", rig.run_dir, rate_hz=16_000)
    (point, one), (operator, two) = rig.peer(POINT_HZ, codec="G722"), rig.peer(OPERATOR_HZ, codec="PCMA", payload_type=107)
    board.place(place_of("c1.1", point.port, "G722"), one)
    board.place(place_of("c1.2", operator.port, codec_as=Codec("PCMA", 107)), two)
    board.order(ShapeOrder(("c1.1", "c1.2"), ()))
    hear_each_other(point, operator)
    assert {packet.payload_type for packet in operator.heard} == {107}
    steps = np.diff([packet.timestamp for packet in point.heard])
    assert set(steps.tolist()) == {160}, "G.722 has an RTP clock of 8 kHz (RFC 3551 4.5.2)"


def test_stranger_in_bursts_changes_nothing_and_gets_nothing(rig: Rig) -> None:
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    stranger = RtpPeer(STRANGER_HZ)
    rig.peers.append(stranger)
    target = rig.outers[0].address
    eventually_sync(lambda: board.beats[-1][1].legs[0].refused == 0, 1)
    sound = stranger._sound
    for burst in range(20):
        for packet in range(15):
            at = burst * 15 + packet
            stranger.send(sound[at % 50 * 160 :][:160], 0, at * 160, to=target)
    eventually_sync(lambda: board.beats[-1][1].legs[0].refused >= 300, 3)
    _, strange = board.until(kind="Strange", leg="c1.1")
    assert strange.what == f"audio arrives from 127.0.0.1:{stranger.port}, expected 127.0.0.1:{point.port}"
    heard = len(operator.heard)
    eventually_sync(lambda: len(operator.heard) >= heard + 25, 3)
    assert operator.hears(STRANGER_HZ, 1.0) < ABSENT
    assert operator.hears(POINT_HZ) > PRESENT
    assert stranger.heard == [] and stranger.others == 0
    board.order(Remove("c1.1"))
    board.until(kind="Removed", leg="c1.1")
    ssrcs = {record.data[8:12] for record in rig.captures()["c1.1.1.cap"] if record.kind is Kind.IN}
    assert ssrcs == {point._ssrc.to_bytes(4)}


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


def write_prompt(rig: Rig, name: str, ms: int, hz: float = PROMPT_HZ) -> None:
    samples = np.arange(8 * ms)
    with wave.open(str(rig.run_dir / "prompts" / "en" / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes((8_000 * np.sin(2 * np.pi * hz * samples / 8_000)).astype("<i2").tobytes())


def bursts(peer: RtpPeer, hz: float) -> list[float]:
    """When a tone began, in seconds of the received line."""
    begun, was = [], False
    heard = list(peer.heard)
    for at in range(0, len(heard) - 2, 3):
        pcm = peer._decode(b"".join(packet.payload for packet in heard[at : at + 3]))
        phase = np.exp(-2j * np.pi * hz / 8_000 * np.arange(len(pcm)))
        present = 2 * abs(np.dot(pcm.astype(float), phase)) / len(pcm) > 2_000
        if present and not was:
            begun.append(at * 0.02)
        was = present
    return begun


def test_prompt_repeats_and_mixes_with_talk_and_once_is_once(rig: Rig) -> None:
    board = rig.worker()
    point, operator = two_legs(rig, board)
    write_prompt(rig, "please-wait", 200)
    write_prompt(rig, "place-hp1", 200, hz=2_900.0)
    shape = ShapeOrder(
        ("c1.1", "c1.2"),
        (PromptOrder("please-wait", ("c1.1",), 600), PromptOrder("place:hp1", ("c1.2",)), PromptOrder("ringback", ("c1.9",))),
    )
    board.order(shape)
    eventually_sync(lambda: len(bursts(point, PROMPT_HZ)) >= 4, 5)
    starts = bursts(point, PROMPT_HZ)
    assert [round(gap, 1) for gap in np.diff(starts[:4])] == [0.6, 0.6, 0.6]
    assert point.hears(OPERATOR_HZ) > PRESENT
    assert bursts(operator, PROMPT_HZ) == []
    board.order(shape)
    count = len(operator.heard)
    eventually_sync(lambda: len(operator.heard) > count + 20, 2)
    assert len(bursts(operator, 2_900.0)) == 1, "the same shape again does not say a place twice"
    assert board.all_of(PromptMissing) == []


def test_missing_prompt_is_told_once_and_is_a_tone(rig: Rig) -> None:
    board = rig.worker()
    point, _ = two_legs(rig, board)
    board.order(ShapeOrder((), (PromptOrder("nowhere", ("c1.1",), 500), PromptOrder("../en/x", ("c1.1",)))))
    eventually_sync(lambda: {m.name for m in board.all_of(PromptMissing)} == {"nowhere", "../en/x"}, 2)
    eventually_sync(lambda: point.hears(660.0, 1.0) > 0.02, 3)
    assert len(board.all_of(PromptMissing)) == 2


def test_prompt_plays_before_anyone_talks_and_ringback_is_a_tone(rig: Rig) -> None:
    board = rig.worker()
    board.open("c1", rig.run_dir)
    board.order(ShapeOrder(("c1.1",), (PromptOrder("ringback", ("c1.1",)),)))
    point, outer = rig.peer(POINT_HZ)
    board.place(place_of("c1.1", point.port), outer)
    eventually_sync(lambda: point.hears(425.0) > 0.05, 2)
    assert board.all_of(PromptMissing) == []


def test_dtmf_is_told_once_per_event_and_does_not_reach_the_others(rig: Rig) -> None:
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    operator.muted = True
    for digit, start in ((5, 1_000), (11, 9_000)):
        for packet in range(5):
            operator.send(bytes([digit, 10, *(160 * packet).to_bytes(2)]), 101, start, marker=packet == 0)
        for _ in range(3):
            operator.send(bytes([digit, 0x8A, *(800).to_bytes(2)]), 101, start)
    eventually_sync(lambda: len(board.all_of(Digit)) >= 2, 2)
    eventually_sync(lambda: point.hears(OPERATOR_HZ, 0.2) < ABSENT, 2)
    assert [(m.leg, m.digit) for m in board.all_of(Digit)] == [("c1.2", "5"), ("c1.2", "#")]
    board.order(Remove("c1.2"))
    board.until(kind="Removed", leg="c1.2")
    flags = [record.flags & DTMF for record in rig.captures()["c1.2.1.cap"] if record.kind is Kind.IN]
    assert flags.count(DTMF) == 16


def test_silence_of_a_leg_is_told_after_a_second_and_its_return(rig: Rig) -> None:
    board = rig.worker()
    point, _ = two_legs(rig, board)
    board.until(kind="Sounding", leg="c1.1")
    point.muted = True
    muted_at = time.monotonic()
    at, silent = board.until(kind="Silent", leg="c1.1")
    assert 0.9 <= at - muted_at <= 1.3
    assert 1_000 <= silent.for_ms <= 1_200
    point.muted = False
    eventually_sync(lambda: len([m for _, m in board.told if type(m).__name__ == "Sounding" and m.leg == "c1.1"]) == 2, 1)
    history = [type(m).__name__ for _, m in board.told if type(m).__name__ in ("Silent", "Sounding") and m.leg == "c1.1"]
    assert history == ["Sounding", "Silent", "Sounding"]


def test_held_leg_is_neither_heard_nor_sent_to_and_no_silence_is_told(rig: Rig) -> None:
    board = rig.worker()
    board.open("c1", rig.run_dir)
    (point, one), (operator, two) = rig.peer(POINT_HZ), rig.peer(OPERATOR_HZ)
    first = place_of("c1.1", point.port)
    board.place(first, one)
    board.place(place_of("c1.2", operator.port), two)
    board.order(ShapeOrder(("c1.1", "c1.2"), ()))
    hear_each_other(point, operator)
    line = {"continuity": first.continuity}
    board.place(place_of("c1.1", point.port, send=False, receive=False, **line), None)
    sent = len(point.heard)
    eventually_sync(lambda: operator.hears(POINT_HZ) < ABSENT, 2)
    assert len(point.heard) - sent <= 2
    point.muted = True
    count = len(operator.heard)
    eventually_sync(lambda: len(operator.heard) > count + 75, 3)
    assert not [m for _, m in board.told if type(m).__name__ == "Silent" and m.leg == "c1.1"]
    point.muted = False
    board.place(place_of("c1.1", point.port, **line), None)
    hear_each_other(point, operator)
    assert len({packet.ssrc for packet in point.heard}) == 1


def test_codec_change_replaces_the_inner_leg_on_the_same_line(rig: Rig) -> None:
    board = rig.worker()
    point, operator = two_legs(rig, board)
    hear_each_other(point, operator)
    point.close()
    again = RtpPeer(POINT_HZ, "PCMA")
    rig.peers[0] = again
    again.start(rig.outers[0].address)
    took_s = board.place(place_of("c1.1", again.port, "PCMA"), None)
    assert took_s < 0.1
    hear_each_other(again, operator)
    assert {packet.payload_type for packet in again.heard} == {8}


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


def kept_outer(rig: Rig) -> Outer:
    outer = Outer()
    rig.outers.append(outer)
    return outer


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
