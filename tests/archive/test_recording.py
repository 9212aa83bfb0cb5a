"""Whole recordings from captures: each voice on its own side and in its own file, at its true time, and safely kept."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from audio.levels import silences
from audio.peaks import peaks_of_file, unpack
from audio.tones import Samples, spans, strength, tone
from audio.tracks import read_sound
from callserver.archive import keep
from callserver.archive.export import make_recording
from callserver.core.facts import RecordingMade
from callserver.core.ids import CallId
from callserver.media import capture_format as cf
from tests.archive.wire import G722, SECOND, START_NS, UTC_NS, Sender, at, beeps, header, write_capture

CALL = CallId("i1.1")
POINT_HZ, OPERATOR_HZ, POLICE_HZ = 440.0, 880.0, 1500.0
NEAR_S = 0.02
OUT = cf.Kind.OUT


def conversation(folder: Path) -> list[Path]:
    """Ten seconds: the point from 0 s, the operator from 4 s, the police from 7 s; the point is sent both."""
    point = Sender().says(beeps(POINT_HZ, [1.0, 5.0], 0.5, 10.0), 0.0)
    both = beeps(OPERATOR_HZ, [4.5], 0.5, 10.0) // 2 + beeps(POLICE_HZ, [8.0], 0.5, 10.0) // 2
    sent = Sender(ssrc=0x2222, kind=OUT).says(both, 0.01)
    operator = Sender(ssrc=0x3333).says(beeps(OPERATOR_HZ, [0.5], 0.5, 6.0), 4.0)
    police = Sender(ssrc=0x4444).says(beeps(POLICE_HZ, [1.0], 0.5, 3.0), 7.0)
    return [
        write_capture(folder, header("i1.1.1", "point"), point + sent),
        write_capture(folder, header("i1.1.2", "operator"), operator),
        write_capture(folder, header("i1.1.3", "outside"), police),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "captures" / "i1" / CALL


def recorded(tmp_path: Path, captures: list[Path]) -> RecordingMade:
    return make_recording(CALL, captures, tmp_path / "recordings" / CALL)


def sound(tmp_path: Path, name: str) -> tuple[np.ndarray, int]:
    return read_sound(tmp_path / "recordings" / CALL / name)


def heard(samples: Samples, hz: float, rate_hz: int = 8000) -> list[float]:
    return [begin for begin, _ in spans(samples, hz, rate_hz, above=0.04)]


def test_each_voice_is_on_its_own_side_at_its_time_and_on_no_other(tmp_path: Path, folder: Path) -> None:
    made = recorded(tmp_path, conversation(folder))
    both, rate_hz = sound(tmp_path, "call.flac")
    left, right = both[:, 0], both[:, 1]
    assert (rate_hz, both.shape) == (8000, (80_080, 2))
    assert heard(left, POINT_HZ) == pytest.approx([1.0, 5.0], abs=NEAR_S)
    assert heard(right, OPERATOR_HZ) == pytest.approx([4.51], abs=NEAR_S)
    assert heard(right, POLICE_HZ) == pytest.approx([8.01], abs=NEAR_S)
    assert [heard(left, OPERATOR_HZ), heard(left, POLICE_HZ), heard(right, POINT_HZ)] == [[], [], []]
    assert (made.call, made.duration_ms, made.losses_ms) == (CALL, 10_010, 0)


def test_a_burst_as_the_call_begins_is_neither_squeezed_nor_late(tmp_path: Path, folder: Path) -> None:
    """A busy machine sends the first eight frames at once: the tone keeps its pitch, and its place beside the voice."""
    tone_of_all = tone(OPERATOR_HZ, 3.0, 8000)
    sent = [(max(row[0], at(0.16)), *row[1:]) for row in Sender(ssrc=0x2222, kind=OUT).says(tone_of_all, 0.0)]
    point = Sender().says(beeps(POINT_HZ, [1.0], 0.5, 2.8), 0.2)
    made = recorded(tmp_path, [write_capture(folder, header("i1.1.1", "point"), point + sent)])
    both, rate_hz = sound(tmp_path, "call.flac")
    assert "moved" not in made.report and made.duration_ms == 3_000
    assert strength(both[2_000:22_000, 1], OPERATOR_HZ, rate_hz) > 0.24
    assert heard(both[:, 0], POINT_HZ) == pytest.approx([1.2], abs=NEAR_S)
    peaks = unpack((tmp_path / "recordings" / CALL / "call.peaks").read_bytes())
    assert peaks.began_utc_ns == UTC_NS + START_NS


def test_each_leg_has_its_own_file_from_the_same_zero(tmp_path: Path, folder: Path) -> None:
    recorded(tmp_path, conversation(folder))
    voices = {POINT_HZ: [1.0, 5.0], OPERATOR_HZ: [4.5], POLICE_HZ: [8.0]}
    owners = {"i1.1.1.flac": POINT_HZ, "i1.1.2.flac": OPERATOR_HZ, "i1.1.3.flac": POLICE_HZ}
    for name, own in owners.items():
        samples, _ = sound(tmp_path, name)
        assert samples.shape[1] == 1
        for hz, times in voices.items():
            assert heard(samples[:, 0], hz) == (pytest.approx(times, abs=NEAR_S) if hz == own else []), (name, hz)


def test_the_fact_names_every_file_and_capture_with_its_sum(tmp_path: Path, folder: Path) -> None:
    captures = conversation(folder)
    plain = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in captures}
    made = recorded(tmp_path, captures)
    assert made.captures == {f"i1/{CALL}/{name}": total for name, total in plain.items()}
    names = ("call.flac", "call.peaks", "i1.1.1.flac", "i1.1.2.flac", "i1.1.3.flac")
    assert set(made.files) == {f"{CALL}/{name}" for name in names}
    for name, total in made.files.items():
        assert hashlib.sha256((tmp_path / "recordings" / name).read_bytes()).hexdigest() == total


def test_the_peaks_are_those_of_the_sound_and_know_when_it_began(tmp_path: Path, folder: Path) -> None:
    recorded(tmp_path, conversation(folder))
    peaks = unpack((tmp_path / "recordings" / CALL / "call.peaks").read_bytes())
    assert peaks.view(100) == peaks_of_file(tmp_path / "recordings" / CALL / "call.flac").view(100)
    assert (peaks.duration_ms, peaks.began_utc_ns) == (10_010, UTC_NS + START_NS)
    point, sent = ([top > 20 for _low, top in side] for side in peaks.view(10, 0, 10_000))
    assert [n for n, loud in enumerate(point) if loud] == [1, 5]
    assert [n for n, loud in enumerate(sent) if loud] == [4, 5, 8]


def test_captures_are_kept_compressed_to_the_byte(tmp_path: Path, folder: Path) -> None:
    captures = conversation(folder)
    plain = {path.name: path.read_bytes() for path in captures}
    recorded(tmp_path, captures)
    assert {path.read_bytes()[4:8] for path in folder.iterdir()} == {bytes(4)}  # no time in it: the same bytes each time
    assert {path.name: gzip.decompress(path.read_bytes()) for path in folder.iterdir()} == {
        f"{name}.gz": content for name, content in plain.items()
    }


def test_doing_it_again_gives_the_same_fact_from_whatever_was_left_half_done(tmp_path: Path, folder: Path) -> None:
    captures = conversation(folder)
    plain = captures[1].read_bytes()
    first = recorded(tmp_path, captures)
    captures[1].write_bytes(plain)  # killed between the compressed file and the removal of the plain one
    (folder / ".i1.1.1.1.cap.gz").write_bytes(b"cut")  # killed while compressing
    (tmp_path / "recordings" / CALL / ".call.flac.part").write_bytes(b"cut")
    (tmp_path / "recordings" / CALL / "i1.1.2.flac").unlink()
    assert recorded(tmp_path, keep.captures_of(folder)) == first
    assert [path.name for path in keep.captures_of(folder)] == ["i1.1.1.1.cap.gz", "i1.1.2.1.cap.gz", "i1.1.3.1.cap.gz"]


def test_segments_of_two_workers_make_one_track_with_the_hole_between(tmp_path: Path, folder: Path) -> None:
    """A worker died at 2 s; its successor took over 60 ms later, SSRC, numbers and timestamps going on."""
    voice = tone(POINT_HZ, 4.0, 8000)
    sender = Sender(timestamp=5)
    captures = [
        write_capture(folder, header("i1.1.1", "point", 1), sender.says(voice, 0.0, frames=range(100))),
        write_capture(folder, header("i1.1.1", "point", 2), sender.says(voice, 0.0, frames=range(103, 200))),
    ]
    made = recorded(tmp_path, captures)
    samples = sound(tmp_path, "i1.1.1.flac")[0][:, 0]
    assert silences(samples, 8000, 15) == [(16_000, 16_480)]
    assert (samples.size, made.losses_ms) == (32_000, 60)


def test_a_second_boot_of_the_host_goes_on_by_utc(tmp_path: Path, folder: Path) -> None:
    """BOOTTIME 0 of the second boot was 4,970 s after that of the first."""
    first = write_capture(folder, header("i1.1.1", "point", 1), Sender(ssrc=1).says(beeps(POINT_HZ, [0.5], 0.3, 2.0), 0.0))
    late = Sender(ssrc=2).says(beeps(POINT_HZ, [0.5], 0.3, 2.0), 30.0)
    rows = [(at_ns - 4_970 * SECOND, *rest) for at_ns, *rest in late]
    head = header("i1.1.1", "point", 2, boot="boot-b", anchor_utc_ns=UTC_NS + 4_970 * SECOND)
    recorded(tmp_path, [first, write_capture(folder, head, rows)])
    assert heard(sound(tmp_path, "call.flac")[0][:, 0], POINT_HZ) == pytest.approx([0.5, 30.5], abs=NEAR_S)


@pytest.mark.parametrize("wrong_s", [-30, 7_200, 50 * 31_557_600, -50 * 31_557_600])
@pytest.mark.parametrize("segments", [(9_000, 10), (1, 2)])
def test_a_host_that_boots_with_a_wrong_clock_loses_no_recording(
    tmp_path: Path, folder: Path, wrong_s: int, segments: tuple[int, int]
) -> None:
    """Its clock's battery is empty: by UTC the second boot was before the first, or years later; and its captures sort first."""
    first = write_capture(
        folder, header("i1.1.1", "point", segments[0]), Sender(ssrc=1).says(beeps(POINT_HZ, [0.5], 0.3, 2.0), 0.0)
    )
    late = Sender(ssrc=2).says(beeps(POINT_HZ, [0.5], 0.3, 2.0), 30.0)
    rows = [(at_ns - 4_970 * SECOND, *rest) for at_ns, *rest in late]
    utc_ns = UTC_NS + (4_970 + wrong_s) * SECOND
    head = header("i1.1.1", "point", segments[1], boot="boot-b", anchor_utc_ns=utc_ns, anchor_number=2)
    made = recorded(tmp_path, [first, write_capture(folder, head, rows)])
    assert heard(sound(tmp_path, "call.flac")[0][:, 0], POINT_HZ) == pytest.approx([0.5, 3.48], abs=NEAR_S)
    assert "another time of day" in made.report
    peaks = unpack((tmp_path / "recordings" / CALL / "call.peaks").read_bytes())
    assert peaks.began_utc_ns == UTC_NS + START_NS


def test_any_wideband_leg_makes_the_recording_wideband(tmp_path: Path, folder: Path) -> None:
    wide = Sender(codec=G722, ssrc=3).says(beeps(5000, [0.5], 0.5, 2.0, 16_000), 0.0)
    captures = [
        write_capture(folder, header("i1.1.1", "point"), Sender().says(beeps(POINT_HZ, [1.0], 0.5, 2.0), 0.0)),
        write_capture(folder, header("i1.1.2", "operator", codec=G722), wide),
    ]
    recorded(tmp_path, captures)
    point, point_hz = sound(tmp_path, "call.flac")
    operator, operator_hz = sound(tmp_path, "i1.1.2.flac")
    assert (point_hz, operator_hz, len(point)) == (16_000, 16_000, 32_000)
    assert heard(point[:, 0], POINT_HZ, 16_000) == pytest.approx([1.0], abs=NEAR_S)
    assert heard(operator[:, 0], 5000, 16_000) == pytest.approx([0.5], abs=NEAR_S)
    assert heard(point[:, 0], 5000, 16_000) == []


def test_a_point_that_was_called_back_is_one_side(tmp_path: Path, folder: Path) -> None:
    captures = [
        write_capture(folder, header("i1.1.1", "point"), Sender(ssrc=1).says(beeps(POINT_HZ, [0.5], 0.3, 1.0), 0.0)),
        write_capture(folder, header("i1.1.3", "point"), Sender(ssrc=2).says(beeps(POINT_HZ, [0.5], 0.3, 1.0), 5.0)),
    ]
    recorded(tmp_path, captures)
    assert heard(sound(tmp_path, "call.flac")[0][:, 0], POINT_HZ) == pytest.approx([0.5, 5.5], abs=NEAR_S)


def test_a_capture_cut_by_a_kill_gives_all_before_and_is_told_of(tmp_path: Path, folder: Path) -> None:
    path = write_capture(folder, header("i1.1.1", "point"), Sender().says(tone(POINT_HZ, 2.0, 8000), 0.0))
    path.write_bytes(path.read_bytes()[:-100])
    total = hashlib.sha256(path.read_bytes()).hexdigest()
    made = recorded(tmp_path, [path])
    assert (made.duration_ms, list(made.captures.values())) == (1980, [total])
    assert "i1.1.1.1.cap: cut in a record" in made.report


def test_a_capture_without_a_header_keeps_nothing_from_the_others(tmp_path: Path, folder: Path) -> None:
    captures = conversation(folder)
    empty = folder / "i1.1.4.1.cap"
    empty.write_bytes(b"")
    made = recorded(tmp_path, [*captures, empty])
    assert made.duration_ms == 10_010
    assert "i1.1.4.1.cap: not a capture file" in made.report
    assert f"i1/{CALL}/i1.1.4.1.cap" in made.captures


def test_dropped_packets_and_a_new_codec_in_the_notes_are_understood(tmp_path: Path, folder: Path) -> None:
    path = write_capture(folder, header("i1.1.1", "point"), Sender().says(tone(POINT_HZ, 1.0, 8000), 0.0))
    notes = [
        {"note": "placed", "codec": {"name": "PCMA", "payload_type": 96, "ptime_ms": 20}},
        {"note": "dropped", "count": 17},
    ]
    moved = Sender(codec=cf.Codec("PCMA", 96), ssrc=5).says(tone(POINT_HZ, 1.0, 8000), 1.0)
    with path.open("ab") as more:
        for note in notes:
            more.write(cf.encode_note(moved[0][0], note))
        for at_ns, kind, data, flags in moved:
            more.write(cf.encode_record(at_ns, kind, data, flags))
    made = recorded(tmp_path, [path])
    assert "17 packets were not written" in made.report
    assert silences(sound(tmp_path, "i1.1.1.flac")[0][:, 0], 8000, 15) == []
    assert made.duration_ms == 2000


def test_a_call_without_sound_is_finished_and_says_so(tmp_path: Path, folder: Path) -> None:
    silent = write_capture(folder, header("i1.1.1", "point"), [])
    made = recorded(tmp_path, [silent])
    assert (made.files, made.duration_ms, made.report) == ({}, 0, "no sound was captured")
    assert list(made.captures) == [f"i1/{CALL}/i1.1.1.1.cap"]


def test_a_point_that_only_listened_has_a_silent_side(tmp_path: Path, folder: Path) -> None:
    sent = Sender(kind=OUT).says(beeps(OPERATOR_HZ, [0.5], 0.3, 2.0), 0.0)
    recorded(tmp_path, [write_capture(folder, header("i1.1.1", "point"), sent)])
    both, _ = sound(tmp_path, "call.flac")
    assert not both[:, 0].any()
    assert heard(both[:, 1], OPERATOR_HZ) == pytest.approx([0.5], abs=NEAR_S)


def test_a_compressed_capture_that_does_not_read_back_never_replaces_the_plain_one(folder: Path) -> None:
    capture = write_capture(folder, header("i1.1.1", "point"), Sender().says(tone(POINT_HZ, 0.5, 8000), 0.0))
    with pytest.raises(OSError, match="does not read back"):
        keep.compress(capture, "another sum")
    assert keep.captures_of(folder) == [capture]
