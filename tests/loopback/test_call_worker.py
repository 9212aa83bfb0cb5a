"""A real call worker from a real template, with real RTP: the test plays the switchboard and the devices."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from callserver.media.capture_format import DTMF, Kind
from callserver.media.protocol import Close, Codec, Digit, PromptMissing, PromptOrder, Remove, ShapeOrder
from tests.eventually import eventually_sync
from tests.loopback.call_worker_board import place_of
from tests.loopback.call_worker_rig import ABSENT, OPERATOR_HZ, POINT_HZ, PRESENT, Rig, hear_each_other, rigged, two_legs
from tests.loopback.prompt_files import bursts, write_prompt
from tests.loopback.rtp_peer import RtpPeer

pytestmark = pytest.mark.real

STRANGER_HZ, PROMPT_HZ = 1_700.0, 2_300.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rigged(tmp_path) as made:
        yield made


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
    sound = stranger.tone
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


def test_prompt_repeats_and_mixes_with_talk_and_once_is_once(rig: Rig) -> None:
    board = rig.worker()
    point, operator = two_legs(rig, board)
    write_prompt(rig, "please-wait", 200, PROMPT_HZ)
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


def test_joined_names_play_one_after_the_other_without_a_gap_and_repeat_as_one(rig: Rig) -> None:
    """Of recordings that differ in rate; what is missing is left out, and told once."""
    board = rig.worker()
    point, _ = two_legs(rig, board)
    write_prompt(rig, "help-point-call", 300, PROMPT_HZ)
    write_prompt(rig, "place-hp1", 300, 2_900.0, rate_hz=16_000)
    write_prompt(rig, "hour-14", 300, 3_300.0)
    name = "help-point-call+place:hp1+class-emergency+time:14-05"
    board.order(ShapeOrder((), (PromptOrder(name, ("c1.1",), 1),)))
    eventually_sync(lambda: len(bursts(point, PROMPT_HZ)) >= 4, 6)
    begun = [bursts(point, hz) for hz in (PROMPT_HZ, 2_900.0, 3_300.0)]
    first = [times[0] for times in begun]
    assert np.diff(first) == pytest.approx([0.3, 0.3], abs=0.07)
    assert np.diff(begun[0][:4]) == pytest.approx([0.9] * 3, abs=0.1), "all of it, then from its beginning"
    loud = np.abs(point.pcm(0.8)).reshape(-1, 160).max(axis=1) > 2_000
    assert loud.sum() >= len(loud) - 3, "no silence between the pieces"
    assert sorted(m.name for m in board.all_of(PromptMissing)) == ["class-emergency", "minute-05"]


def test_joined_names_of_which_none_is_there_are_a_tone(rig: Rig) -> None:
    board = rig.worker()
    point, _ = two_legs(rig, board)
    board.order(ShapeOrder((), (PromptOrder("nowhere+../en/x", ("c1.1",), 500),)))
    eventually_sync(lambda: {m.name for m in board.all_of(PromptMissing)} == {"nowhere", "../en/x"}, 2)
    eventually_sync(lambda: point.hears(660.0, 1.0) > 0.02, 3)


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
