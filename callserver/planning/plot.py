"""The plot of a rehearsal as SVG: each incident's wait for an answer over the time of its press, and how many waited. Text alone.

Both plans stand in one picture, told apart by shape and by colour. The scale of waits is logarithmic, because four seconds and
forty minutes have to be read from it alike; a wait without an answer stands on a line of its own above all others.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from callserver.core.instant import SECOND
from callserver.planning.figures import Wait, class_name, words
from callserver.planning.rehearse import Rehearsal, Run

WIDTH, HEIGHT = 1000, 620
LEFT, RIGHT = 70, 20
WAITS_TOP, WAITS_BOTTOM = 90, 410  # the wait of the scale's greatest length, of its least
NEVER_Y = 66
CROWD_TOP, CROWD_BOTTOM = 460, 570
LEAST_MS = 1_000
TITLED_MOST = 2_000  # more marks than these are drawn without words of their own

_TICKS_MS = (1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000)
_STEPS_S = (60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)
_MARKS: Mapping[str, tuple[str, str, str]] = {
    # run: what it is called, its colour, its mark
    "recorded": ("as it was", "#666666", "cross"),
    "old": ("old plan", "#b34700", "ring"),
    "new": ("new plan", "#0b5cad", "dot"),
}
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.title{font-size:18px;font-weight:600}.small{font-size:12px}"
    ".grid{stroke:#d5d5d5;stroke-width:1}.axis{stroke:#555;stroke-width:1}"
)


@dataclass(frozen=True, slots=True)
class _Scale:
    begins_s: float
    ends_s: float
    longest_ms: float
    most: int

    def x(self, at_ns: int) -> float:
        part = (at_ns / SECOND - self.begins_s) / max(self.ends_s - self.begins_s, 1.0)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, ms: float | None) -> float:
        if ms is None:
            return NEVER_Y
        part = math.log(max(ms, LEAST_MS) / LEAST_MS) / math.log(self.longest_ms / LEAST_MS)
        return WAITS_BOTTOM - part * (WAITS_BOTTOM - WAITS_TOP)

    def crowd_y(self, count: int) -> float:
        return CROWD_BOTTOM - count / self.most * (CROWD_BOTTOM - CROWD_TOP)


def svg(rehearsal: Rehearsal) -> str:
    """The whole picture, with a title and a description for those who cannot see it."""
    crowds = {run.name: _crowd(rehearsal, run) for run in rehearsal.runs}
    answers = [wait.answer_ms or 0 for run in rehearsal.runs for wait in run.waits]
    scale = _Scale(
        begins_s=rehearsal.period.begins / SECOND,
        ends_s=rehearsal.period.ends / SECOND,
        longest_ms=next((tick for tick in _TICKS_MS if tick >= max(answers, default=0) and tick >= 10_000), _TICKS_MS[-1] * 4),
        most=max((count for crowd in crowds.values() for _, count in crowd), default=1) or 1,
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(_title(rehearsal))}</title>',
        f'<desc id="desc">{escape(_description(rehearsal))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text class="title" x="{LEFT}" y="28">{escape(_title(rehearsal))}</text>',
        *_legend(rehearsal.runs),
        *_waits_axis(scale),
        *_time_axis(scale, rehearsal.zone),
        *_crowd_axis(scale),
    ]
    for run in rehearsal.runs:
        lines += _crowd_line(scale, run.name, crowds[run.name])
    for run in rehearsal.runs:
        lines += _waits_of(scale, run, rehearsal.zone)
    return "\n".join([*lines, "</svg>", ""])


def _title(rehearsal: Rehearsal) -> str:
    return f"{rehearsal.period.name}: how long callers waited for an answer"


def _description(rehearsal: Rehearsal) -> str:
    zone = ZoneInfo(rehearsal.zone)
    begins, ends = (_local(at, zone) for at in (rehearsal.period.begins, rehearsal.period.ends))
    said = [f"From {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}, {rehearsal.zone}."]
    for run in rehearsal.runs:
        row = run.rows[0]
        median, most, worst = (words(ms) for ms in row.answer or (None, None, None))
        said.append(
            f"{_MARKS[run.name][0].capitalize()}: {row.incidents} incidents, half answered within {median}, "
            f"95 % within {most}, the last within {worst}; {row.unanswered} never."
        )
    return " ".join(said)


def _local(at_ns: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ns // SECOND, UTC).astimezone(zone)


# ---- axes ----------------------------------------------------------------------------------------------------


def _legend(runs: Sequence[Run]) -> Iterator[str]:
    x = WIDTH - RIGHT - 115 * len(runs)
    for run in runs:
        name, colour, shape = _MARKS[run.name]
        yield _mark(shape, colour, x, 42, "")
        yield f'<text x="{x + 10}" y="46">{name}</text>'
        x += 115


def _waits_axis(scale: _Scale) -> Iterator[str]:
    yield f'<text class="small" x="{LEFT}" y="48">wait for an answer</text>'
    for tick in _TICKS_MS:
        if tick <= scale.longest_ms:
            yield from _across(scale.y(tick), words(tick))
    yield from _across(NEVER_Y, "never")


def _across(y: float, label: str) -> Iterator[str]:
    yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    yield f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _crowd_axis(scale: _Scale) -> Iterator[str]:
    yield f'<text class="small" x="{LEFT}" y="{CROWD_TOP - 10}">how many wait</text>'
    for count in sorted({0, scale.most // 2 if scale.most > 1 else 0, scale.most}):
        yield from _across(scale.crowd_y(count), str(count))


def _time_axis(scale: _Scale, name: str) -> Iterator[str]:
    zone = ZoneInfo(name)
    step = next((step for step in _STEPS_S if (scale.ends_s - scale.begins_s) / step <= 12), _STEPS_S[-1])
    offset = _local(round(scale.begins_s) * SECOND, zone).utcoffset()
    shift = 0.0 if offset is None else offset.total_seconds()
    at = math.ceil((scale.begins_s + shift) / step) * step - shift
    while at <= scale.ends_s:
        local, x = _local(round(at) * SECOND, zone), scale.x(round(at) * SECOND)
        label = f"{local.day} {local:%b}" if (local.hour, local.minute) == (0, 0) or step >= 86_400 else f"{local:%H:%M}"
        for top, bottom in ((NEVER_Y, WAITS_BOTTOM), (CROWD_TOP, CROWD_BOTTOM)):
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        yield f'<text class="small" x="{x:.1f}" y="{CROWD_BOTTOM + 20}" text-anchor="middle">{label}</text>'
        at += step
    yield f'<text class="small" x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{escape(name)}</text>'


# ---- what happened -------------------------------------------------------------------------------------------


def _waits_of(scale: _Scale, run: Run, zone_name: str) -> Iterator[str]:
    _, colour, shape = _MARKS[run.name]
    zone, titled = ZoneInfo(zone_name), len(run.waits) <= TITLED_MOST
    yield f'<g id="{run.name}">'
    for wait in run.waits:
        yield _mark(shape, colour, scale.x(wait.opened), scale.y(wait.answer_ms), _words_of(wait, zone) if titled else "")
    yield "</g>"


def _words_of(wait: Wait, zone: ZoneInfo) -> str:
    length = words(math.inf if wait.answer_ms is None else wait.answer_ms)
    by = f" by {wait.answered_by}" if wait.answered_by else ""
    return f"{_local(wait.opened, zone):%d %b %H:%M:%S} {wait.point} ({class_name(wait.priority)}): {length}{by}"


def _mark(shape: str, colour: str, x: float, y: float, title: str) -> str:
    inner = f"<title>{escape(title)}</title>" if title else ""
    if shape == "cross":
        path = f"M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"
        return f'<path d="{path}" stroke="{colour}" fill="none" stroke-opacity=".8">{inner}</path>'
    if shape == "ring":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke="{colour}" stroke-width="1.4" fill="none">{inner}</circle>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}" fill-opacity=".75">{inner}</circle>'


def _crowd(rehearsal: Rehearsal, run: Run) -> list[tuple[int, int]]:
    """(instant, how many wait from then on) of a run, within the period."""
    end = int(rehearsal.period.ends)
    turns: dict[int, int] = {}
    for wait in run.waits:
        turns[wait.opened] = turns.get(wait.opened, 0) + 1
        if wait.answer_ms is not None and wait.opened + wait.answer_ms * 1_000_000 < end:
            answered = wait.opened + wait.answer_ms * 1_000_000
            turns[answered] = turns.get(answered, 0) - 1
    count, found = 0, [(int(rehearsal.period.begins), 0)]
    for at in sorted(turns):
        count += turns[at]
        found.append((at, count))
    return [*found, (end, count)]


def _crowd_line(scale: _Scale, name: str, crowd: Sequence[tuple[int, int]]) -> Iterator[str]:
    path, before = [], 0
    for number, (at, count) in enumerate(crowd):
        x = scale.x(at)
        if number == 0:
            path.append(f"M{x:.1f} {scale.crowd_y(count):.1f}")
        elif count != before or number == len(crowd) - 1:
            path.append(f"H{x:.1f}V{scale.crowd_y(count):.1f}")
        before = count
    dashes = ' stroke-dasharray="5 3"' if name == "old" else ""
    yield f'<path d="{"".join(path)}" fill="none" stroke="{_MARKS[name][1]}" stroke-width="1.4"{dashes}/>'
