"""Redaction: a call's recording with something covered, as new files beside the original ones, which stay as they are.

Outside of what is covered every sample is that of the original; inside it there is a tone or silence, and nothing else. Whom a
party is heard by decides where it is covered: what the point said is its own track and the left side of the file for listening;
what anybody else said, another point among them, is that leg's track and the right side, which is all that the point was sent.

Spans are chosen by whoever listens to that file. What its right side holds was said a little earlier, on the track of its leg: so
there a span begins `LAG_MS` earlier, and nothing of a word is left behind.
"""

import contextlib
import json
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audio.disk import DISK, Disk
from audio.tones import Samples, tone
from audio.tracks import read_sound, write_flac
from callserver.archive import keep
from callserver.archive.sealing import Sealing
from callserver.core.desk import EVERYONE, OTHERS, POINT, SILENCE, TONE
from callserver.sealed import SiteKey, opened

LISTENING = "call"
COVER_HZ, COVER_DBFS = 1000.0, -20.0
LAG_MS = 500  # from a mouth to the point's line: two jitter buffers and the way between them
_ALL_MS = 1 << 40
COMMENT = "callserver-redaction-1 "
REDACTED = "redacted-"

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """What is covered with what.

    `spans` are (from, to) in ms of the file for listening, none: all of it; `party` is point, others, everyone or a leg;
    `cover` is tone or silence.
    """

    spans: Spans
    party: str
    cover: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Who redacts why, by which version; it goes into the files."""

    by: str
    reason: str
    version: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """SHA-256 by path below the recordings' directory: of what was read, and of what was written."""

    origin: Mapping[str, str]
    files: Mapping[str, str]


def fault(cover: Cover, legs: Mapping[str, str]) -> str:
    """What is wrong with the wish, in words; "" for nothing. `legs`: the role of each leg of the call."""
    if cover.cover not in (TONE, SILENCE):
        return "it is covered with tone or with silence"
    if cover.party not in (POINT, OTHERS, EVERYONE, *legs):
        return f"there is no party {cover.party}: point, others, everyone, or one of the legs {', '.join(legs)}"
    if any(not 0 <= begin < end for begin, end in cover.spans):
        return "a span begins at 0 or later and ends after it begins"
    return ""


def redact(
    root: Path,
    files: Mapping[str, str],
    id: str,
    cover: Cover,
    legs: Mapping[str, str],
    who: Origin,
    disk: Disk = DISK,
    keys: Sequence[SiteKey] = (),
    sealing: Sealing | None = None,
    earlier: Sequence[Cover] = (),
) -> Redacted:
    """Write `redacted-<id>-<name>` beside each of `files`, the FLACs of one call below `root` with their SHA-256 in the journal.

    All files of the call are written, also those in which nothing is covered, so that the redaction is whole by itself. What
    `earlier` redactions of the call covered is covered too: whoever adds one does not open the others. The same wish gives the
    same bytes. Raises ValueError for a wish that makes no sense or an original that is not what the journal says,
    OSError for the disk; what was written by then is taken away. `keys` are for originals that lie there encrypted; with
    `sealing` what is written is encrypted too.
    """
    if wrong := fault(cover, legs):
        raise ValueError(wrong)
    origin, written = {}, {}
    with _all_or_none(disk) as begun:
        for name in sorted(name for name in files if name.endswith(".flac")):
            origin[name] = keep.sum_of(root / name, keys)
            if origin[name] != files[name]:
                raise ValueError(f"{name} is not what the journal says; run callserver verify")
            tracks, rate_hz = _tracks(root / name, keys)
            _put_over_all(tracks, rate_hz, Path(name).stem, (*earlier, cover), legs)
            path = (root / name).with_name(f"{REDACTED}{id}-{Path(name).name}")
            begun.append((path, path.exists()))
            write_flac(path, tracks, rate_hz, disk, _comment(name, origin[name], id, cover, who, earlier))
            written[f"{Path(name).parent}/{path.name}"] = keep.sum_of(path)
            if sealing:
                sealing.seal(path, disk)
    if not written:
        raise ValueError("the call has no recording")
    return Redacted(origin, written)


@contextlib.contextmanager
def _all_or_none(disk: Disk) -> Iterator[list[tuple[Path, bool]]]:
    """Whoever goes on with an error leaves none of these files, (where, was it there before), and nothing that lies aside.

    One that was there before may be known to the journal by now: its fact may have been told, and the answer lost.
    """
    begun: list[tuple[Path, bool]] = []
    try:
        yield begun
    except BaseException:
        for path, was_there in begun:
            disk.remove(path.with_name(f".{path.name}.part"))
            if not was_there:
                disk.remove(path)
        raise


def unknown(root: Path, known: Container[str], since_s: float, before_s: float) -> Iterator[Path]:
    """Files of redactions that are none of `known`, whole or not: somebody was broken off before the journal had their fact.

    Looks into directories that were changed since then, at files that were not changed since `before_s` (both as st_mtime);
    whoever writes one now has a younger one. Raises OSError.
    """
    for folder in _changed(root, since_s):
        for path in folder.iterdir():
            id = path.name.removeprefix(".").removeprefix(REDACTED).partition("-")[0]
            begins = path.name.startswith((REDACTED, f".{REDACTED}"))
            if begins and id not in known and path.lstat().st_mtime < before_s:
                yield path


def _changed(root: Path, since_s: float) -> list[Path]:
    if not root.is_dir():
        return []
    with os.scandir(root) as entries:
        return [Path(one.path) for one in entries if one.is_dir() and one.stat().st_mtime >= since_s]


def _put_over_all(tracks: list[Samples], rate_hz: int, stem: str, covers: Sequence[Cover], legs: Mapping[str, str]) -> None:
    for one in covers:
        for side, spans in _where(stem, one, legs).items():
            put_over(tracks[side], rate_hz, spans, one.cover)


def put_over(track: Samples, rate_hz: int, spans: Spans, cover: str) -> None:
    """Cover these spans (ms) of a track: from the sample at or before a beginning to that after an end."""
    for begin_ms, end_ms in spans:
        begin, end = begin_ms * rate_hz // 1000, min(-(-end_ms * rate_hz // 1000), track.size)
        if begin >= end:
            continue  # this track is shorter than the call
        length = end - begin
        track[begin:end] = tone(COVER_HZ, length / rate_hz, rate_hz, COVER_DBFS)[:length] if cover == TONE else 0


def _where(stem: str, cover: Cover, legs: Mapping[str, str]) -> dict[int, Spans]:
    """The spans of each side of a file that hold something of the party's voice."""
    points = {leg for leg, role in legs.items() if role == POINT}
    parties = {POINT: points, OTHERS: set(legs) - points, EVERYONE: set(legs)}
    wanted = parties.get(cover.party, {cover.party})
    spans = cover.spans or ((0, _ALL_MS),)
    if stem != LISTENING:
        said = spans if stem in points else tuple((max(0, begin - LAG_MS), end) for begin, end in spans)
        return {0: said} if stem in wanted else {}
    there: dict[int, Spans] = {}
    if wanted & points:
        there[0] = spans
    if wanted - points:
        there[1] = spans
    return there


def _tracks(path: Path, keys: Sequence[SiteKey]) -> tuple[list[Samples], int]:
    """The sides of a file, each by itself: an hour of two takes 230 MB once, and not four times."""
    with opened(path, keys) as file:
        samples, rate_hz = read_sound(path, file)
    return [np.ascontiguousarray(samples[:, side]) for side in range(samples.shape[1])], rate_hz


def _comment(name: str, sha256: str, id: str, cover: Cover, who: Origin, earlier: Sequence[Cover]) -> str:
    told: dict[str, object] = {
        "redaction": id,
        "origin": name,
        "sha256": sha256,
        "spans_ms": cover.spans,
        "party": cover.party,
        "cover": cover.cover,
        "by": who.by,
        "reason": who.reason,
        "version": who.version,
    }
    if earlier:
        told["earlier"] = [{"spans_ms": one.spans, "party": one.party, "cover": one.cover} for one in earlier]
    return COMMENT + json.dumps(told, ensure_ascii=True)
