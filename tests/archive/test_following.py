"""Sides of live conversations, judged from captures on the disk: what each second is, and what it is never taken for."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

from audio.tones import Samples, tone
from callserver.archive.following import MOST_OPEN, Follower, measure
from callserver.archive.judging import Kind, Window, kind_of
from callserver.media import capture_format as cf
from callserver.media.protocol import Codec
from tests.archive.wire import G722, PCMA, PCMU, Row, Sender, at, encoded, header, rtp, write_capture
from tests.audio.sounds import honest, louder, noise, random_bytes, speech

CODECS = {"PCMU": PCMU, "PCMA": PCMA, "G722": G722}
RATES = {"PCMU": 8000, "PCMA": 8000, "G722": 16_000}
FAULTS = frozenset({Kind.RANDOM, Kind.LAW, Kind.STATIC, Kind.OVERLOAD, Kind.COPY, Kind.NOTHING, Kind.DEAD})


def followed(folder: Path, leg: str, rows: Iterable[Row], codec: Codec = PCMU) -> Follower:
    write_capture(folder, header(leg, "point", codec=codec), rows)
    return Follower(folder, leg)


def window(follower: Follower, second: float, *others: Follower) -> Window:
    for each in (follower, *others):
        each.read(at(second))
    return measure(follower, others, at(second))


def kinds(folder: Path, rows: list[Row], codec: Codec = PCMU, seconds: Iterable[float] = (1.5, 2.5, 3.2)) -> list[Kind]:
    follower = followed(folder, "i1.1.1", rows, codec)
    return [kind_of(window(follower, second)) for second in seconds]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", honest(8000))
def test_no_sound_of_a_living_microphone_is_taken_for_a_fault(tmp_path: Path, codec: str, name: str) -> None:
    rows = Sender(CODECS[codec]).says(honest(RATES[codec])[name], 0.0)
    found = kinds(tmp_path, rows, CODECS[codec])
    assert not FAULTS.intersection(found), found


@pytest.mark.parametrize("codec", CODECS)
def test_speech_is_sound_and_a_room_in_which_nobody_speaks_is_quiet(tmp_path: Path, codec: str) -> None:
    made = honest(RATES[codec])
    assert set(kinds(tmp_path / "a", Sender(CODECS[codec]).says(made["speech"], 0.0), CODECS[codec])) == {Kind.SOUND}
    assert set(kinds(tmp_path / "b", Sender(CODECS[codec]).says(made["quiet room"], 0.0), CODECS[codec])) == {Kind.QUIET}


@pytest.mark.parametrize("codec", CODECS)
def test_a_muted_microphone_sends_a_machines_silence(tmp_path: Path, codec: str) -> None:
    silence = np.zeros(3 * RATES[codec], np.int16)
    assert set(kinds(tmp_path, Sender(CODECS[codec]).says(silence, 0.0), CODECS[codec])) == {Kind.DEAD}


@pytest.mark.parametrize("codec", CODECS)
def test_bytes_that_are_no_sound_are_known_as_such(tmp_path: Path, codec: str) -> None:
    payload = random_bytes(3 * 8000)
    sent = [rtp(CODECS[codec].payload_type, 7 + n, n * 160, 0x11, payload[n * 160 : n * 160 + 160]) for n in range(150)]
    rows: list[Row] = [(at(n * 0.02), cf.Kind.IN, packet, 0) for n, packet in enumerate(sent)]
    assert set(kinds(tmp_path, rows, CODECS[codec])) == {Kind.RANDOM}


@pytest.mark.parametrize("name", ["speech", "whisper", "speech in a street", "street", "wind", "quiet room", "tone"])
@pytest.mark.parametrize(("truly", "taken_for"), [(PCMU, PCMA), (PCMA, PCMU)], ids=["mu-law as A-law", "A-law as mu-law"])
def test_the_wrong_law_is_known_by_the_other_ones_fitting_better(
    tmp_path: Path, truly: Codec, taken_for: Codec, name: str
) -> None:
    data = encoded(truly, honest(8000)[name])
    sent = [rtp(taken_for.payload_type, 7 + n, n * 160, 0x11, data[n * 160 : n * 160 + 160]) for n in range(150)]
    rows: list[Row] = [(at(n * 0.02), cf.Kind.IN, packet, 0) for n, packet in enumerate(sent)]
    assert set(kinds(tmp_path, rows, taken_for)) == {Kind.LAW}


def test_loud_white_noise_is_static(tmp_path: Path) -> None:
    assert set(kinds(tmp_path, Sender().says(noise(8000, 3, -15), 0.0))) == {Kind.STATIC}


def test_wideband_bytes_taken_for_narrowband_ones_are_told_and_so_are_narrowband_ones_taken_for_wideband(tmp_path: Path) -> None:
    wide = encoded(G722, honest(16_000)["speech in a street"])
    narrow = encoded(PCMU, honest(8000)["speech"])
    for name, data, codec in (("wide", wide, PCMU), ("narrow", narrow, G722)):
        sent = [rtp(codec.payload_type, 7 + n, n * 160, 0x11, data[n * 160 : n * 160 + 160]) for n in range(150)]
        rows: list[Row] = [(at(n * 0.02), cf.Kind.IN, packet, 0) for n, packet in enumerate(sent)]
        assert FAULTS.issuperset(kinds(tmp_path / name, rows, codec)), name


def test_a_side_without_packets_is_nothing(tmp_path: Path) -> None:
    rows = Sender().says(tone(500, 1.0, 8000), 0.0)
    assert kinds(tmp_path, rows, seconds=[1.2, 3.0]) == [Kind.SOUND, Kind.NOTHING]
    assert kind_of(window(Follower(tmp_path / "none", "i1.1.1"), 1.0)) is Kind.NOTHING


# ---- copies ---------------------------------------------------------------------------------------------------


def two(
    folder: Path, sounds: Mapping[str, Samples], heard_by_point: Samples | None = None, late_s: float = 0.0
) -> list[Follower]:
    """A point and an operator, each saying its sound; the point's is `late_s` behind."""
    sent = [] if heard_by_point is None else Sender(ssrc=9, kind=cf.Kind.OUT).says(heard_by_point, 0.03)
    point = followed(folder, "i1.1.1", Sender(PCMA, ssrc=5).says(sounds["point"], late_s) + sent, PCMA)
    return [point, followed(folder, "i1.1.2", Sender(PCMU, ssrc=6).says(sounds["operator"], 0.0))]


def voices() -> tuple[Samples, Samples]:
    whole = speech(8000, 12.0)
    return whole[: 4 * 8000], whole[6 * 8000 : 10 * 8000]


def test_two_voices_are_no_copies_of_each_other(tmp_path: Path) -> None:
    mine, theirs = voices()
    point, operator = two(tmp_path, {"point": mine, "operator": theirs}, theirs)
    for second in (3.0, 3.5, 4.0):
        assert kind_of(window(point, second, operator)) is Kind.SOUND
        assert kind_of(window(operator, second, point)) is Kind.SOUND


@pytest.mark.parametrize("late_s", [0.005, 0.05, 0.3])
def test_a_side_that_sends_the_other_sides_voice_back_is_a_copy_and_the_voice_itself_is_none(
    tmp_path: Path, late_s: float
) -> None:
    _, theirs = voices()
    point, operator = two(tmp_path, {"point": theirs, "operator": theirs}, theirs, 0.03 + late_s)
    copied = window(point, 4.0, operator)
    assert (kind_of(copied), copied.copy_share > 0.95) == (Kind.COPY, True)
    assert kind_of(window(operator, 4.0, point)) is Kind.SOUND


def test_sides_that_were_crossed_say_what_they_are_sent(tmp_path: Path) -> None:
    """The point's capture holds the operator's voice; it is what the point is sent, too."""
    mine, theirs = voices()
    point, operator = two(tmp_path, {"point": theirs, "operator": mine}, theirs, 0.04)
    assert kind_of(window(point, 4.0, operator)) is Kind.COPY


def test_two_tones_of_one_pitch_are_no_copies_for_nobody_can_say_whose_they_are(tmp_path: Path) -> None:
    same = tone(1000, 4.0, 8000)
    point, operator = two(tmp_path, {"point": same, "operator": same}, same)
    assert kind_of(window(point, 4.0, operator)) is Kind.SOUND
    assert kind_of(window(operator, 4.0, point)) is Kind.SOUND


@pytest.mark.parametrize("late_s", [0.02, 0.3, 0.55])
def test_a_copy_is_found_up_to_six_tenths_of_a_second_behind(tmp_path: Path, late_s: float) -> None:
    whole = speech(8000, 12.0)[2 * 8000 : 12 * 8000]
    point, operator = two(tmp_path, {"point": whole, "operator": whole}, whole, 0.03 + late_s)
    found = [(window(point, second, operator), window(operator, second, point)) for second in (4.0, 5.0, 6.0, 7.0, 8.0, 9.0)]
    copies = [kind_of(copy) for copy, _ in found if copy.other_spoke]
    assert copies.count(Kind.COPY) >= 4, copies
    assert Kind.COPY not in [kind_of(voice) for _, voice in found]


def test_a_faint_echo_of_a_line_is_no_copy(tmp_path: Path) -> None:
    _, theirs = voices()
    point, operator = two(tmp_path, {"point": louder(theirs, 0.1), "operator": theirs}, theirs, 0.1)
    assert kind_of(window(point, 4.0, operator)) is not Kind.COPY


# ---- files that grow --------------------------------------------------------------------------------------------


def test_a_capture_is_read_on_from_where_it_was_even_in_the_middle_of_a_record(tmp_path: Path) -> None:
    whole = write_capture(tmp_path / "whole", header("i1.1.1", "point"), Sender().says(speech(8000, 3.0), 0.0)).read_bytes()
    growing = tmp_path / "i1.1.1.1.cap"
    growing.write_bytes(b"")
    follower = Follower(tmp_path, "i1.1.1")
    for cut in range(0, len(whole), 997):
        with growing.open("ab") as out:
            out.write(whole[cut : cut + 997])
        follower.read(at(3.0))
    follower.sync()
    one = Follower(tmp_path / "whole", "i1.1.1")
    assert window(follower, 3.2) == window(one, 3.2)
    follower.close()


def test_a_second_file_of_the_leg_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    rows = Sender().says(speech(8000, 3.0), 0.0)
    follower = followed(tmp_path, "i1.1.1", rows[:100])
    assert kind_of(window(follower, 2.2)) is Kind.SOUND
    write_capture(tmp_path, header("i1.1.1", "point", 2), rows[100:])
    assert kind_of(window(follower, 3.2)) is Kind.SOUND
    assert window(follower, 3.2).share == pytest.approx(1.0, abs=0.03)


def test_what_is_damaged_ends_a_file_and_nothing_else(tmp_path: Path) -> None:
    rows = Sender().says(speech(8000, 3.0), 0.0)
    follower = followed(tmp_path, "i1.1.1", rows[:50])
    path = tmp_path / "i1.1.1.1.cap"
    path.write_bytes(path.read_bytes() + b"\xff" * 300)
    write_capture(tmp_path, header("i1.1.1", "point", 2), rows[50:])
    assert kind_of(window(follower, 3.2)) is Kind.SOUND


def test_a_leg_whose_worker_dies_for_ever_takes_few_descriptors_and_its_newest_file_is_read_on(tmp_path: Path) -> None:
    """Segments are named by the host's time since its boot, which has had one figure more since a while ago."""
    packets = Sender().says(speech(8000, 8.0), 0.0)
    for number in range(60):
        write_capture(tmp_path, header("leg", "operator", segment=9_970 + number), packets[number : number + 1])
    newest = write_capture(tmp_path, header("leg", "operator", segment=10_030), packets[60:100])
    follower = Follower(tmp_path, "leg")
    before = len(os.listdir("/proc/self/fd"))
    follower.read(at(2.0))
    assert len(os.listdir("/proc/self/fd")) - before <= MOST_OPEN
    with newest.open("ab") as file:
        file.write(b"".join(cf.encode_record(*row) for row in packets[100:200]))
    follower.read(at(4.0))
    assert follower.said(at(3.9), 3_000_000_000).share == pytest.approx(1.0, abs=0.02)
    follower.sync()
    follower.close()
    assert len(os.listdir("/proc/self/fd")) == before
