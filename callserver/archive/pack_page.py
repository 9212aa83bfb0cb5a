"""`index.html` of an evidence pack: for people, without a network, from a directory. It loads nothing but the sound beside it."""

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from callserver.archive.pack import About, Camera, Sound
from callserver.core import facts

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1.5rem; color: #14181c; background: #fff }
h1 { font-size: 1.6rem } h2 { margin-top: 2.2rem; font-size: 1.2rem } dt { font-weight: 600 } dd { margin: 0 0 .5rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem }
tr { border-bottom: 1px solid #c9d0d6 } td:first-child { white-space: nowrap } code, dd, li { overflow-wrap: anywhere }
.wide { overflow-x: auto }
audio { width: 100% } button { font: inherit; padding: .1rem .5rem } pre { overflow: auto; background: #f1f4f6; padding: .8rem }
@media print { audio, button { display: none } }
"""
_SCRIPT = """
for (const button of document.querySelectorAll("button[data-at]")) {
  button.addEventListener("click", () => {
    const player = document.getElementById(button.dataset.player);
    player.currentTime = Number(button.dataset.at);
    player.play();
  });
}
"""
_HOW = """python3 verify_pack.py PACK.zip --key FINGERPRINT"""


@dataclass(frozen=True, slots=True)
class Line:
    """A fact on the page. `at_s` is where it is in the sound of `call`, None where it is in none."""

    number: int
    utc: str
    local: str
    kind: str
    fields: Sequence[tuple[str, Any]]
    call: str = ""
    at_s: float | None = None


def page(about: About, sounds: Sequence[Sound], cameras: Sequence[Camera], lines: Iterable[Line], key: str) -> bytes:
    """The page as UTF-8. Everything that comes from outside is escaped."""
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Evidence pack {escape(about.pack)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>Evidence pack of incident {escape(about.incident)}</h1>",
        _about(about, key),
        "<h2>Sound</h2>",
        *(_sound(one) for one in sounds),
        *_cameras(cameras, about.time_zone),
        f"<h2>What happened</h2><p>Every row of the journal that is about this incident, in order. Local times are those of "
        f"{escape(about.time_zone)}.</p>",
        _timeline(lines, sounds),
        _how(key),
        f"<script>{_SCRIPT}</script></body></html>\n",
    ]
    return "\n".join(parts).encode()


def _about(about: About, key: str) -> str:
    rows = [
        ("Place", about.place),
        ("Made", f"{about.made_utc} by {about.by}"),
        ("Agreed to by", about.approved_by or "nobody was asked"),
        ("Why", about.reason),
        ("Pack", about.pack),
        ("Made with", f"callserver {about.version}"),
        ("Signed with key", key),
    ]
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows) + "</dl>"


def _sound(sound: Sound) -> str:
    head = f"<section><h3>Call {escape(sound.call)}</h3>"
    if not sound.files:
        return f"{head}<p>No sound: {escape(sound.why)}.</p></section>"
    kind = (
        "Redacted: some of it is covered; the original is kept." if sound.kind == "redacted" else "The recording as it is kept."
    )
    began = (
        f"<p>{kind} Begins {escape(sound.began_local or 'at a time that is not known')}, {sound.duration_ms / 1000:.1f} s.</p>"
    )
    main, *others = sound.files.items()
    named = f'id="{_id(sound.call)}" aria-label="Call {escape(sound.call)}"'
    player = f'<audio {named} controls preload="metadata" src="{escape(main[0])}"></audio>'
    rest = "".join(f'<li><a href="{escape(name)}">{escape(name)}</a>: {escape(what)}</li>' for name, what in (main, *others))
    return f"{head}{began}{player}<ul>{rest}</ul></section>"


def _cameras(cameras: Sequence[Camera], zone: str) -> list[str]:
    if not cameras:
        return ["<h2>Cameras</h2><p>The plan names no camera for this point.</p>"]
    names = ("Camera", "Call", "From (UTC)", "To (UTC)", f"From ({zone})", f"To ({zone})")
    head = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in names)}</tr>"
    rows = [
        "<tr>"
        + "".join(
            f"<td>{escape(cell)}</td>"
            for cell in (f"{one.name} ({one.camera})", one.call, one.from_utc, one.to_utc, one.from_local, one.to_local)
        )
        + "</tr>"
        for one in cameras
    ]
    told = "<p>In each camera's own recording look between these times. Compare that system's clock with ours first.</p>"
    return ["<h2>Cameras</h2>", told, _table(head, rows)]


def _timeline(lines: Iterable[Line], sounds: Sequence[Sound]) -> str:
    heard = {sound.call for sound in sounds if sound.files}
    shown = list(lines)
    rows = [_row(line, line.call in heard) for line in shown]
    head = "<tr><th>Local time</th><th>Row</th><th>What</th><th>Details</th><th>Sound</th></tr>"
    return _table(head, rows) + _meanings(sorted({line.kind for line in shown}))


def _meanings(kinds: Iterable[str]) -> str:
    """What each kind of row on the page tells, for those who have never seen one."""
    known = ((kind, inspect.getdoc(getattr(facts, kind, None)) or "") for kind in kinds)
    told = "".join(f"<dt>{escape(_words(kind))}</dt><dd>{escape(_sentence(text))}</dd>" for kind, text in known if text)
    return f"<details><summary>What each kind of row means</summary><dl>{told}</dl></details>" if told else ""


def _sentence(text: str) -> str:
    """The first paragraph, without the marks of code and without where it points to."""
    return re.sub(r"; see [\w.]+", "", " ".join(text.split("\n\n")[0].split()).replace("`", ""))


def _table(head: str, rows: Iterable[str]) -> str:
    """One that is wider than the window is moved within it; the keyboard gets there too."""
    return f'<div class="wide" tabindex="0"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def _row(line: Line, heard: bool) -> str:
    details = "; ".join(
        f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in line.fields if value not in ("", None, [], {})
    )
    listen = ""
    if heard and line.at_s is not None:
        clock = f"{int(line.at_s) // 60}:{int(line.at_s) % 60:02d}"
        where = f'data-player="{_id(line.call)}" data-at="{line.at_s:.3f}"'
        listen = f'<button type="button" {where} aria-label="Listen from {clock}">{clock}</button>'
    cells = (f'<span title="{escape(line.utc)}">{escape(line.local)}</span>', str(line.number), escape(_words(line.kind)))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in (*cells, escape(details), listen)) + "</tr>"


def _how(key: str) -> str:
    return (
        "<h2>How to verify</h2><p>The program <code>verify_pack.py</code> in this pack checks that no file was altered, that the "
        "rows above belong to the journal that the service signed, and that the sound is what the journal says. It needs Python "
        "3.11 and the package <code>cryptography</code>. Read it first, or use a copy that did not come with the pack. "
        "FINGERPRINT is what the owner of the service wrote down when it was installed; this pack was signed with "
        f"<code>{escape(key)}</code>.</p><pre>{escape(_HOW)}</pre>"
    )


def _words(kind: str) -> str:
    """`LegMoved` as `Leg moved`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: " " + found[1].lower(), kind)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)


def _id(call: str) -> str:
    return "sound-" + re.sub(r"[^A-Za-z0-9-]", "-", call)
