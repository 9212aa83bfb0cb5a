"""The recording of a call in which parties are muted, listen, speak privately and take over: no voice is lost or misplaced."""

from pathlib import Path

import numpy as np
import pytest

from audio.levels import silences
from audio.tones import Samples, spans
from audio.tracks import read_sound
from callserver.archive.export import make_recording
from callserver.core.facts import RecordingMade
from callserver.core.ids import CallId
from callserver.media import capture_format as cf
from tests.archive.wire import Row, Sender, beeps, header, write_capture

CALL = CallId("i1.1")
POINT_HZ, OPERATOR_HZ, POLICE_HZ, SUPERVISOR_HZ, HOLD_HZ = 440.0, 880.0, 1_500.0, 2_000.0, 2_600.0
TOTAL_S = 12.0
NEAR_S = 0.02
PRIVATE_S = (4.0, 6.0)  # operator and police hear each other, the point hears the hold prompt


def voice(hz: float, times_s: list[float], ssrc: int, kind: cf.Kind = cf.Kind.IN) -> list[Row]:
    return Sender(ssrc=ssrc, kind=kind).says(beeps(hz, times_s, 0.4, TOTAL_S), 0.0)


def sent_to_point() -> list[Row]:
    """What the worker's bridge gave the point: the operator and the supervisor, and the hold prompt in the private time."""
    mixed = (
        beeps(OPERATOR_HZ, [1.0, 7.0], 0.4, TOTAL_S) // 2
        + beeps(HOLD_HZ, [PRIVATE_S[0], 5.0], 0.4, TOTAL_S) // 2
        + beeps(SUPERVISOR_HZ, [9.0, 11.0], 0.4, TOTAL_S) // 2
    )
    return Sender(ssrc=0x2222, kind=cf.Kind.OUT).says(mixed, 0.0)


def control_room(folder: Path) -> list[Path]:
    """Point, operator, police and a supervisor's seat, which whispers at 8 s, takes over, and is an operator from 10 s on.

    The point is muted at 3 s and speaks nevertheless. The worker is replaced at 10 s: the roles of then are in the new captures.
    """
    supervisor = voice(SUPERVISOR_HZ, [8.0, 9.0, 11.0], 0x5555)
    return [
        write_capture(folder, header("i1.1.1", "point"), voice(POINT_HZ, [0.5, 3.0], 0x1111) + sent_to_point()),
        write_capture(folder, header("i1.1.2", "operator"), voice(OPERATOR_HZ, [1.0, 4.0, 7.0], 0x3333)),
        write_capture(folder, header("i1.1.3", "outside"), voice(POLICE_HZ, [5.0], 0x4444)),
        write_capture(folder, header("i1.1.4", "supervisor"), supervisor[:500]),
        write_capture(folder, header("i1.1.4", "operator", segment=2), supervisor[500:]),
    ]


@pytest.fixture
def made(tmp_path: Path) -> RecordingMade:
    return make_recording(CALL, control_room(tmp_path / "captures" / "i1" / CALL), tmp_path / "recordings" / CALL)


def heard(samples: Samples, hz: float) -> list[float]:
    return [begin for begin, _ in spans(samples, hz, 8_000, above=0.04)]


def track(tmp_path: Path, name: str, side: int = 0) -> np.ndarray:
    return read_sound(tmp_path / "recordings" / CALL / name)[0][:, side]


def test_every_voice_is_in_its_own_file_whatever_the_shape_was(tmp_path: Path, made: RecordingMade) -> None:
    """The muted word, the private talk of both, the whisper; and a leg that took over is one file from end to end."""
    expected = {
        "i1.1.1.flac": {POINT_HZ: [0.5, 3.0]},
        "i1.1.2.flac": {OPERATOR_HZ: [1.0, 4.0, 7.0]},
        "i1.1.3.flac": {POLICE_HZ: [5.0]},
        "i1.1.4.flac": {SUPERVISOR_HZ: [8.0, 9.0, 11.0]},
    }
    assert set(made.files) == {f"{CALL}/{name}" for name in (*expected, "call.flac", "call.peaks")}
    assert len(made.captures) == 5
    for name, own in expected.items():
        samples = track(tmp_path, name)
        for hz in (POINT_HZ, OPERATOR_HZ, POLICE_HZ, SUPERVISOR_HZ, HOLD_HZ):
            assert heard(samples, hz) == pytest.approx(own.get(hz, []), abs=NEAR_S), (name, hz)


def test_the_right_side_is_what_the_point_was_sent_and_nothing_of_what_it_was_not(tmp_path: Path, made: RecordingMade) -> None:
    left, right = track(tmp_path, "call.flac"), track(tmp_path, "call.flac", 1)
    assert heard(left, POINT_HZ) == pytest.approx([0.5, 3.0], abs=NEAR_S)
    assert [heard(left, hz) for hz in (OPERATOR_HZ, POLICE_HZ, SUPERVISOR_HZ, HOLD_HZ)] == [[], [], [], []]
    assert heard(right, OPERATOR_HZ) == pytest.approx([1.0, 7.0], abs=NEAR_S)
    assert heard(right, HOLD_HZ) == pytest.approx([4.0, 5.0], abs=NEAR_S)
    assert heard(right, SUPERVISOR_HZ) == pytest.approx([9.0, 11.0], abs=NEAR_S), "the whisper at 8 s was not for the point"
    assert [heard(right, hz) for hz in (POINT_HZ, POLICE_HZ)] == [[], []]
    assert made.duration_ms == TOTAL_S * 1_000


def test_an_operator_who_called_out_and_was_not_answered_has_a_recording(tmp_path: Path) -> None:
    """There was no point: both sides of the listening file are silent, the operator's file is not."""
    capture = write_capture(tmp_path / "i1" / CALL, header("i1.1.1", "operator"), voice(OPERATOR_HZ, [2.0], 0x3333))
    made = make_recording(CALL, [capture], tmp_path / "recordings" / CALL)
    assert heard(track(tmp_path, "i1.1.1.flac"), OPERATOR_HZ) == pytest.approx([2.0], abs=NEAR_S)
    assert [silences(track(tmp_path, "call.flac", side), 8_000, 20) for side in (0, 1)] == [[(0, 96_000)]] * 2
    assert made.duration_ms == 12_000
