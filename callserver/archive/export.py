"""From a call's captures to its recording: one stereo file for listening with its peaks, one file per leg for looking closer.

All files begin at the same instant, where the earliest sound of the call belongs. Doing it again gives the same files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audio.disk import DISK, Disk
from audio.peaks import pack, peaks_of
from audio.resample import resample
from audio.tones import Samples
from audio.tracks import Track, write_aside, write_flac
from callserver.archive import keep
from callserver.archive.align import lay, stretches
from callserver.archive.decode import G722, RATES_HZ, CallCapture, LegCapture, codec_of, read_call
from callserver.archive.packets import Packets
from callserver.archive.sealing import Sealing
from callserver.core.facts import RecordingMade
from callserver.core.ids import CallId

LISTENING = "call.flac"
SHAPE = "call.peaks"
POINT = "point"
SHORTEST_S = 0.02  # a file of no sound at all could not be told from a broken one


@dataclass(slots=True)
class _Sums:
    """What the report tells of one direction of a leg."""

    lost_s: float = 0.0
    senders: int = 0
    moved: int = 0


@dataclass(slots=True)
class _Made:
    files: dict[str, str] = field(default_factory=dict)
    lost_s: float = 0.0
    longest_s: float = 0.0
    report: list[str] = field(default_factory=list)


def make_recording(
    call: CallId, captures: Sequence[Path], out_dir: Path, disk: Disk = DISK, sealing: Sealing | None = None
) -> RecordingMade:
    """Make `<out_dir>/call.flac` (left: what the points said; right: what they were sent) and `<leg>.flac` for each leg.

    Beside them lies `call.peaks`, the shape of the first. 8 kHz, or 16 kHz when any sound of the call is G.722. Every file is
    read back and compared; then the captures are compressed and kept, and with `sealing` all of it is encrypted; the hashes are
    those of what is inside. `files` are named below the directory of `out_dir`,
    `captures` below that of the incidents; both hold SHA-256. Raises OSError, EOFError (a compressed capture that ends too
    soon) or ValueError; nothing is then half done that doing it again does not put right.
    """
    keys = sealing.required() if sealing else ()
    sums = {keep.name_of(path): keep.sum_uncompressed(path, keys) for path in captures}
    heard = read_call(captures, keys)
    made = _Made(report=list(heard.remarks))
    if any(len(leg.heard) or len(leg.sent) for leg in heard.legs):
        _begin_early(heard)
        _write(heard, out_dir, made, disk)
    else:
        made.report.append("no sound was captured")
    kept = [keep.compress(path, sums[keep.name_of(path)], disk) for path in captures]
    if sealing:
        for path in (*(out_dir.parent / name for name in made.files), *kept):
            sealing.seal(path, disk)
    return RecordingMade(
        call=call,
        files=made.files,
        captures=sums,
        duration_ms=round(made.longest_s * 1000),
        losses_ms=round(made.lost_s * 1000),
        report="; ".join(made.report),
    )


def _begin_early(call: CallCapture) -> None:
    """Have the files begin where the earliest sound belongs: what leaves in a burst at first belongs before its packets."""
    begins_s = [
        float(stretch.laid_s[0])
        for leg in call.legs
        for way in (leg.heard, leg.sent)
        for sender in stretches(way, leg.codecs, call.zero_ns)
        for stretch in sender
    ]
    early_ns = max(0, round(-min(begins_s, default=0.0) * 1e9))
    call.zero_ns -= early_ns
    call.zero_utc_ns -= early_ns


def _write(call: CallCapture, out_dir: Path, made: _Made, disk: Disk) -> None:
    """One leg after the other, so that no more than three tracks are in memory, and packets only of legs to come."""
    rate_hz = _rate_hz(call)
    left, right = Track(rate_hz), Track(rate_hz)
    for leg in sorted(call.legs, key=lambda leg: leg.leg):
        said = _track(leg, leg.heard, call.zero_ns, rate_hz, made, "said")
        made.longest_s = max(made.longest_s, said.size / rate_hz)
        _keep_file(out_dir / f"{leg.leg}.flac", [said], rate_hz, made, disk)
        if leg.role == POINT:
            left.lay(0, said)
            said = _track(leg, leg.sent, call.zero_ns, rate_hz, made, "was sent")
            right.lay(0, said)
        leg.forget()
    length = max(left.length, right.length, round(made.longest_s * rate_hz))
    made.longest_s = length / rate_hz
    sides = [left.samples(length), right.samples(length)]
    _keep_file(out_dir / LISTENING, sides, rate_hz, made, disk)
    write_aside(out_dir / SHAPE, pack(peaks_of(sides, rate_hz, call.zero_utc_ns)), disk)
    _sum(out_dir / SHAPE, made)


def _rate_hz(call: CallCapture) -> int:
    kinds = {
        codec_of(int(kind), leg.codecs)
        for leg in call.legs
        for way in (leg.heard, leg.sent)
        for kind in np.unique(way.payload_type)
    }
    return RATES_HZ[G722] if G722 in kinds else 8000


def _track(leg: LegCapture, packets: Packets, zero_ns: int, rate_hz: int, made: _Made, way: str) -> Samples:
    """All that one leg said, or was sent, as one track from the call's zero on."""
    tracks = {each: Track(each) for each in set(RATES_HZ.values())}
    sums = _Sums()
    for sender in stretches(packets, leg.codecs, zero_ns):
        sums.senders += 1
        end_s = 0.0
        for stretch in sender:
            track = tracks[RATES_HZ[stretch.codec]]
            laid = lay(stretch, track, not_before=round(end_s * track.rate_hz))
            end_s = laid.end / track.rate_hz
            sums.lost_s += laid.lost_s
            sums.moved += laid.moved
    whole = tracks.pop(rate_hz)
    whole.lay(0, np.zeros(round(SHORTEST_S * rate_hz), np.int16))
    for each in tracks.values():
        if each.length:
            whole.lay(0, resample(each.samples(), each.rate_hz, rate_hz))
    _report(leg, sums, made, way)
    return whole.samples()


def _report(leg: LegCapture, sums: _Sums, made: _Made, way: str) -> None:
    if way == "said":
        made.lost_s += sums.lost_s
    if sums.lost_s or sums.moved or sums.senders > 1:
        lost = f"{round(sums.lost_s * 1000)} ms lost"
        made.report.append(f"{leg.leg} {way}: {lost}, {sums.senders} senders, {sums.moved} samples moved for clock drift")


def _keep_file(path: Path, tracks: Sequence[Samples], rate_hz: int, made: _Made, disk: Disk) -> None:
    write_flac(path, tracks, rate_hz, disk)
    _sum(path, made)


def _sum(path: Path, made: _Made) -> None:
    made.files[f"{path.parent.name}/{path.name}"] = keep.sum_of(path)
