"""Tracks from packets: true times under drift, jitter, loss, restarts; nothing invented, nothing in a wrong place."""

import numpy as np
import pytest

from audio.levels import silences
from audio.tones import Samples, spans, strength, tone
from audio.tracks import Track
from callserver.archive.align import Laid, lay, stretches
from callserver.archive.decode import RATES_HZ
from callserver.archive.packets import Gathering
from tests.archive.wire import G722, PCMA, SECOND, START_NS, Row, Sender, at, beeps, rtp

NEAR_S = 0.02


def track_of(rows: list[Row], rate_hz: int = 8000) -> tuple[Samples, list[Laid]]:
    """All rows of one leg and direction as one track of `rate_hz` from the call's beginning."""
    gathering = Gathering()
    for at_ns, _, packet, _ in sorted(rows, key=lambda row: row[0]):
        gathering.add(at_ns, packet)
    track = Track(rate_hz)
    results = []
    for sender in stretches(gathering.packets(), {}, START_NS):
        end = 0
        for stretch in sender:
            assert RATES_HZ[stretch.codec] == rate_hz
            results.append(lay(stretch, track, end))
            end = results[-1].end
    return track.samples(), results


def starts(samples: Samples, hz: float, rate_hz: int = 8000) -> list[float]:
    return [begin for begin, _ in spans(samples, hz, rate_hz)]


@pytest.mark.parametrize("codec", [None, PCMA])
def test_a_steady_sender_is_laid_sample_by_sample_as_it_came(codec: object) -> None:
    sound = beeps(600, [0.3, 1.1], 0.2, 2.0)
    sender = Sender() if codec is None else Sender(codec=PCMA)
    track, (laid,) = track_of(sender.says(sound, 0.5))
    assert laid.moved == 0
    assert laid.lost_s == 0
    assert np.max(np.abs(track[4000:20_000].astype(int) - sound)) < 600  # G.711's own error, and no shift at all
    assert not track[:4000].any()


def test_lost_packets_are_silence_of_their_true_length() -> None:
    sound = tone(500, 4.0, 8000)
    lost = [*range(50, 53), *range(120, 145), 170]
    track, (laid,) = track_of(Sender().says(sound, 0.0, lost))
    assert laid.lost_s == pytest.approx(29 * 0.02, abs=0.001)
    assert silences(track, 8000, longer_than_ms=15) == [(8000, 8480), (19_200, 23_200), (27_200, 27_360)]
    assert track.size == 32_000


def test_jitter_moves_no_sound() -> None:
    sound = beeps(600, np.arange(0.5, 39, 1.0), 0.2, 40.0)
    track, (laid,) = track_of(Sender(jitter_s=0.015).says(sound, 0.0))
    assert starts(track, 600) == pytest.approx(np.arange(0.5, 39, 1.0).tolist(), abs=NEAR_S)
    assert laid.lost_s == 0
    assert laid.moved < 50


def test_a_burst_after_a_stalled_second_stays_where_it_was_spoken() -> None:
    sound = beeps(600, [4.9, 5.2, 5.6, 7.0], 0.1, 12.0)
    rows = [(max(at_ns, at(6.0)) if at(5.0) <= at_ns < at(6.0) else at_ns, *rest) for at_ns, *rest in Sender().says(sound, 0.0)]
    track, _ = track_of(rows)
    assert starts(track, 600) == pytest.approx([4.9, 5.2, 5.6, 7.0], abs=NEAR_S)


def test_swapped_and_repeated_packets_are_put_right() -> None:
    sound = tone(500, 1.0, 8000)
    rows = Sender().says(sound, 0.0)
    plain, _ = track_of(list(rows))
    swapped = [(rows[11][0] + 3_000_000, *rows[10][1:]), rows[11]]
    again = [(rows[20][0] + 5_000_000, *rows[20][1:])]
    mended, (laid,) = track_of(rows[:10] + swapped + rows[12:] + again)
    assert np.array_equal(plain, mended)
    assert laid.lost_s == 0


@pytest.mark.parametrize("every_s", [60, 600])
@pytest.mark.parametrize("ppm", [80.0, -80.0])
def test_an_hour_of_a_clock_that_runs_wrong_stays_true(ppm: float, every_s: int) -> None:
    """A sender that suppresses silence: a second of sound now and then, its timestamps going on by its own clock."""
    beep = tone(700, 1.0, 8000)
    count = 3600 // every_s
    rows: list[Row] = []
    for number in range(count):
        first = round(number * every_s * 50 * (1 + ppm * 1e-6))  # frames by the sender's clock
        burst = Sender(ppm=ppm, jitter_s=0.004, seq=65_500 + number * 50 - first)
        rows += burst.says(beep, 0.0, since=first)
    track, _ = track_of(rows)
    loud = np.flatnonzero(np.abs(track.astype(np.int32)) > 1000)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-8000) > 4000)] / 8000
    assert begins.tolist() == pytest.approx([number * every_s for number in range(count)], abs=NEAR_S)


def later(rows: list[Row], begin_s: float, end_s: float, by_s: float) -> list[Row]:
    """The same packets, those sent in that time delayed on their way."""
    return [(at_ns + at(by_s) - at(0) if at(begin_s) <= at_ns < at(end_s) else at_ns, *rest) for at_ns, *rest in rows]


def test_ten_seconds_of_a_slow_network_move_no_sound() -> None:
    times = np.arange(0.5, 59, 3.0).tolist()
    rows = Sender().says(beeps(600, times, 0.2, 60.0), 0.0)
    track, (laid,) = track_of(later(rows, 19.9, 31.0, 0.06))
    assert starts(track, 600) == pytest.approx(times, abs=NEAR_S)
    assert laid.moved == 0


def test_what_was_delayed_from_the_beginning_does_not_lie_on_what_follows() -> None:
    """The network becomes 300 ms faster: all is heard, one word after the other."""
    sound = np.concatenate((tone(600, 3.0, 8000), tone(900, 6.0, 8000)))
    track, _ = track_of(later(Sender().says(sound, 0.0), 0.0, 3.0, 0.3))
    ((begin, end),) = spans(track, 600, 8000)
    assert end - begin == pytest.approx(3.0, abs=NEAR_S)
    assert end <= spans(track, 900, 8000)[0][0] + 0.01


@pytest.mark.parametrize("ppm", [700.0, -700.0])
def test_a_wrong_clock_without_pauses_is_followed_in_single_samples(ppm: float) -> None:
    times = np.arange(1.0, 119, 4.0)
    own = times * (1 + ppm * 1e-6)  # when its own clock says so
    sound = beeps(700, own, 0.3, 120.0)
    track, (laid,) = track_of(Sender(ppm=ppm, jitter_s=0.003).says(sound, 0.0))
    assert starts(track, 700) == pytest.approx(times.tolist(), abs=NEAR_S)
    assert laid.moved == pytest.approx(120 * 700e-6 * 8000, rel=0.15)
    assert laid.lost_s == 0


def test_a_sender_whose_clock_begins_anew_goes_on_at_its_arrival() -> None:
    """After a restart of its RTP clock, and after a pause in which it stood still, with the same SSRC."""
    sound = beeps(600, [0.5], 0.2, 1.0)
    reset = Sender(seq=65_550, timestamp=123_456)
    stood_still = Sender(seq=65_600, timestamp=123_456 + 8000)
    rows = Sender().says(sound, 0.0) + reset.says(sound, 1.0) + stood_still.says(sound, 6.0)
    track, results = track_of(rows)
    assert starts(track, 600) == pytest.approx([0.5, 1.5, 6.5], abs=NEAR_S)
    assert sum(laid.lost_s for laid in results) == 0


def test_a_sender_that_numbers_anew_is_not_put_before_itself() -> None:
    sound = beeps(600, [0.5], 0.2, 2.0)
    rows = Sender(seq=30_000).says(sound, 0.0) + Sender(seq=10).says(sound, 2.0)
    track, _ = track_of(rows)
    assert starts(track, 600) == pytest.approx([0.5, 2.5], abs=NEAR_S)
    assert track.size == 32_000


def test_two_senders_each_keep_their_own_clock() -> None:
    first = Sender(ssrc=1).says(beeps(600, [0.5], 0.2, 2.0), 0.0)
    second = Sender(ssrc=2, timestamp=77, seq=9).says(beeps(900, [0.5], 0.2, 2.0), 2.3)
    track, _ = track_of(first + second)
    assert starts(track, 600) == pytest.approx([0.5], abs=NEAR_S)
    assert starts(track, 900) == pytest.approx([2.8], abs=NEAR_S)
    assert silences(track, 8000, 290)[1][1] >= 2.29 * 8000


def test_senders_at_the_same_moment_are_both_heard() -> None:
    track, _ = track_of(Sender(ssrc=1).says(tone(600, 1.0, 8000), 0.0) + Sender(ssrc=2).says(tone(900, 1.0, 8000), 0.0))
    assert strength(track, 600, 8000) == pytest.approx(strength(track, 900, 8000), rel=0.05)
    assert strength(track, 600, 8000) > 0.2


def test_digits_are_neither_sound_nor_loss() -> None:
    sender = Sender()
    sound = tone(500, 2.0, 8000)
    rows = sender.says(sound, 0.0, lost=range(40, 45)) + sender.digit(40, 0.0)
    track, (laid,) = track_of(rows)
    assert laid.lost_s == 0
    assert silences(track, 8000, 50) == [(40 * 160, 45 * 160)]
    assert track.size == 16_000


def test_a_packet_lost_beside_a_digit_is_a_loss() -> None:
    sender = Sender()
    rows = sender.says(tone(500, 2.0, 8000), 0.0, lost=range(40, 47)) + sender.digit(40, 0.0)
    _, (laid,) = track_of(rows)
    assert laid.lost_s > 0


def test_comfort_noise_does_not_break_a_stream() -> None:
    sender = Sender()
    rows = sender.says(tone(500, 2.0, 8000), 0.0, lost=range(40, 60))
    rows.append((at(0.8), rows[0][1], rtp(13, sender.seq + 40, sender.timestamp + 40 * 160, sender.ssrc, b"\x40"), 0))
    _, results = track_of(rows)
    assert len(results) == 1


@pytest.mark.parametrize("ticks", [160, 320])
def test_g722_counts_8000_or_wrongly_16000_a_second(ticks: int) -> None:
    """RFC 3551 section 4.5.2 has 8000; senders that count samples are understood too."""
    sound = beeps(3000, [0.5, 6.0], 0.3, 8.0, 16_000)
    track, (laid,) = track_of(Sender(codec=G722, ticks_per_frame=ticks).says(sound, 0.0), 16_000)
    assert starts(track, 3000, 16_000) == pytest.approx([0.5, 6.0], abs=NEAR_S)
    assert laid.moved == 0
    assert track.size == 128_000


def test_a_change_of_codec_goes_on_without_a_seam() -> None:
    first = Sender().says(tone(500, 1.0, 8000), 0.0)
    second = Sender(codec=PCMA).says(tone(500, 1.0, 8000), 0.0, since=50)
    track, _ = track_of(first + second)
    assert silences(track, 8000, 9) == []
    assert track.size == 16_000


def test_what_is_no_packet_is_counted_and_left_out() -> None:
    gathering = Gathering()
    for bad in (
        b"",
        b"\x80\x00",
        b"\x40" + bytes(30),
        rtp(0, 1, 1, 1, b""),
        bytes([0x90]) + bytes(12),
        bytes([0xA0]) + bytes(20) + b"\xff",
    ):
        gathering.add(SECOND, bad)
    assert (gathering.refused, len(gathering.packets())) == (6, 0)


def test_extension_sources_and_padding_are_no_sound() -> None:
    gathering = Gathering()
    plain = rtp(0, 1, 1, 1, b"sound")
    dressed = (
        bytes([0x80 | 0x20 | 0x10 | 2]) + plain[1:12] + bytes(8) + b"\xbe\xde\x00\x01" + bytes(4) + b"sound" + b"\x00\x00\x03"
    )
    gathering.add(SECOND, dressed)
    assert gathering.packets().payloads() == b"sound"
