"""Carrying out exports: what store, recordings and key are put together to. For the archivist and for the commands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine

from audio.disk import DISK, Disk
from audio.peaks import unpack
from callserver.archive.export import LISTENING, SHAPE
from callserver.archive.pack import About, Camera, Content, Packed, Progress, Sound, as_json, compact_json, write_pack
from callserver.archive.pack_page import Line, page
from callserver.archive.redact import Cover, Origin, redact
from callserver.config import Config, site_keys
from callserver.core import desk as desks
from callserver.core import facts as f
from callserver.runtime.sealing import sealing_of
from callserver.sealed import SiteKey, opened
from callserver.store import plan_history, queries, retained
from callserver.store.evidence.extract import Extract, Found, extract
from callserver.store.evidence.keys import SigningKey, read_key
from callserver.store.evidence.notary import key_path
from callserver.store.register import read_desk
from callserver.version import VERSION
from dialplans.model import Plan

MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pack that somebody asked for. `made_utc_ns` is the time that it says it was made at."""

    pack: str
    incident: str
    by: str
    reason: str
    made_utc_ns: int
    redacted: bool = False
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class _Zone:
    name: str

    def utc(self, utc_ns: int) -> str:
        return _moment(utc_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def local(self, utc_ns: int) -> str:
        return _moment(utc_ns).astimezone(ZoneInfo(self.name)).isoformat(timespec="milliseconds")


def make_pack(
    config: Config,
    engine: Engine,
    wanted: Wanted,
    out: Path,
    progress: Progress = lambda done, total: None,
    disk: Disk = DISK,
) -> Packed:
    """Write the pack to `out`.

    Raises LookupError for an incident that there is not, KeyUnusable without the key, OSError for the disk, ValueError for too
    little room, sound that is not what the journal says, or a journal of another framing.
    """
    row = queries.incident(engine, wanted.incident)
    if row is None:
        raise LookupError(f"there is no incident {wanted.incident}")
    key = read_key(key_path(config))
    taken = extract(engine, wanted.incident)
    known = plan_history.version(engine, row.plan_version)
    plan = known[1] if known else None
    zone = _Zone(plan.time_zone if plan else "UTC")
    place = plan.points[row.point].place if plan and row.point in plan.points else row.point
    about = About(
        *(wanted.pack, wanted.incident, place, zone.utc(wanted.made_utc_ns), wanted.by, wanted.reason, wanted.approved_by),
        *(VERSION, zone.name),
    )
    content = Content(about, {}, [], [], {}, site_keys(config))
    _add_sound(config, engine, wanted, content, zone)
    _add_cameras(content, plan, row, zone)
    _add_texts(content, taken, zone, key)
    return write_pack(out, content, lambda digest: key.pack(digest, wanted.made_utc_ns), progress, disk)


def make_redaction(config: Config, engine: Engine, asked: f.ExportAsked, disk: Disk = DISK) -> f.RedactionMade:
    """Write the redaction's files; the fact that tells of them. Raises ValueError and OSError as `redact` does."""
    made = queries.recording(engine, asked.of)
    gone = retained.deletion(engine, asked.of)
    if gone is not None and not retained.made_since(engine, asked.of, gone.number):
        raise ValueError("the recording was deleted")
    legs = {leg.id: leg.role for leg in queries.legs_of(engine, asked.of)}
    before = [] if asked.alone else read_desk(engine).redactions_of(asked.of)
    earlier = [Cover(one.spans, one.party, one.cover) for one in before]
    cover = Cover(asked.spans, asked.party, asked.cover)
    who = Origin(asked.by, asked.reason, VERSION)
    keys = site_keys(config)
    files, sealing = made.files if made else {}, sealing_of(config)
    done = redact(config.storage.recordings, files, asked.export, cover, legs, who, disk, keys, sealing, earlier)
    return f.RedactionMade(
        *(asked.export, asked.incident, asked.of, done.origin, done.files),
        *(asked.spans, asked.party, asked.cover, asked.by, asked.reason),
        earlier=tuple(one.redaction for one in before),
        alone=asked.alone,
    )


def _moment(utc_ns: int) -> datetime:
    return datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC).replace(microsecond=utc_ns % 1_000_000_000 // 1000)


# ---- sound ------------------------------------------------------------------------------------------------------------------


def _add_sound(config: Config, engine: Engine, wanted: Wanted, content: Content, zone: _Zone) -> None:
    """Of each call the originals, or its newest redaction; what is not there is told and left out."""
    desk = read_desk(engine) if wanted.redacted else desks.Desk()
    for call in queries.calls_of(engine, wanted.incident):
        made = queries.recording(engine, call.id)
        known = {name: sum for name, sum in (made.files if made else {}).items() if name.endswith(".flac")}
        kind, why, prefix = "original", "" if known else "nothing was recorded", ""
        if wanted.redacted and known:
            newest = next(reversed(desk.redactions_of(call.id)), None)
            known = dict(newest.files) if newest else {}
            kind, why = "redacted", "" if newest else "it was not redacted, and this pack has redacted sound alone"
            prefix = f"redacted-{newest.redaction}-" if newest else ""
            if desk.left_open(call.id):
                known, why = {}, "its newest redaction leaves open what another one covered: redact it once more, and ask again"
        there = [name for name in known if (config.storage.recordings / name).is_file()]
        if len(there) < len(known):
            there, why = [], "it was deleted, or its files cannot be read"
        roles = {leg.id: f"what the {leg.role} {leg.party} said" for leg in queries.legs_of(engine, call.id)}
        told = {Path(LISTENING).stem: "left what the point said, right what it heard", **roles}
        on_it = {name: told.get(Path(name).stem.removeprefix(prefix), "a track of the call") for name in there}
        began = _shape(config.storage.recordings / call.id / SHAPE, content.keys) if there else (0, 0)
        content.sounds.append(_sound(call.id, kind if there else "none", why, on_it, began, zone))
        content.paths |= {f"sound/{name}": (config.storage.recordings / name, known[name]) for name in there}


def _sound(call: str, kind: str, why: str, on_it: dict[str, str], began: tuple[int, int], zone: _Zone) -> Sound:
    """The file for listening comes first, which is the one of two sides."""
    main = Path(LISTENING).stem
    ordered = sorted(on_it, key=lambda name: (not Path(name).stem.endswith(main), name))
    files = {f"sound/{name}": on_it[name] for name in ordered}
    at_ns, length_ms = began
    return Sound(call, kind, zone.utc(at_ns) if at_ns else None, zone.local(at_ns) if at_ns else None, length_ms, files, why)


def _content(path: Path, keys: Sequence[SiteKey]) -> bytes:
    with opened(path, keys) as file:
        return file.read()


def _shape(path: Path, keys: Sequence[SiteKey]) -> tuple[int, int]:
    """When a recording begins (UTC ns, 0: nobody knows) and how many ms it has."""
    try:
        peaks = unpack(_content(path, keys))
    except (OSError, ValueError):
        return 0, 0
    return peaks.began_utc_ns, peaks.duration_ms


# ---- cameras and the journal ------------------------------------------------------------------------------------------------


def _add_cameras(content: Content, plan: Plan | None, row: queries.IncidentRow, zone: _Zone) -> None:
    """For each camera of the point the stretch of each recording; of an incident without any, from its press to its end."""
    point = plan.points.get(row.point) if plan else None
    if plan is None or point is None:
        return
    stretches = [
        (sound.call, _utc_ns(sound.began_utc), _utc_ns(sound.began_utc) + sound.duration_ms * MS_NS)
        for sound in content.sounds
        if sound.began_utc
    ] or [("", row.opened_utc_ns, row.closed_utc_ns or row.changed_utc_ns)]
    for id in point.cameras:
        camera = plan.cameras[id]
        content.cameras += [
            Camera(
                id, camera.name, _address(camera.url), call, zone.utc(begin), zone.utc(end), zone.local(begin), zone.local(end)
            )
            for call, begin, end in stretches
        ]


def _address(url: str) -> str:
    """Where a camera is, without what opens it: a pack leaves the house, and user, password or token may stand in an address."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _utc_ns(text: str | None) -> int:
    whole = datetime.fromisoformat((text or "").replace("Z", "+00:00")) - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * 1_000_000_000 + whole.microseconds * 1000


def _add_texts(content: Content, taken: Extract, zone: _Zone, key: SigningKey) -> None:
    lines = list(_lines(taken.rows, content.sounds, zone))
    verifier = files("callserver.store.evidence").joinpath("verify_pack.py").read_bytes()
    content.texts = {
        "index.html": page(content.about, content.sounds, content.cameras, lines, key.name),
        "journal.json": compact_json(taken.journal),
        "texts.json": as_json(taken.texts),
        "verify_pack.py": verifier,
    }


def _lines(rows: Sequence[Found], sounds: Sequence[Sound], zone: _Zone) -> Iterator[Line]:
    began = {sound.call: (_utc_ns(sound.began_utc), sound.duration_ms) for sound in sounds if sound.began_utc}
    first = next(iter(began), "")
    for row in rows:
        fields: dict[str, Any] = msgspec.to_builtins(row.fact)
        call = _call_of(fields) or first
        since, length_ms = began.get(call, (0, 0))
        at_s = (row.utc_ns - since) / 1e9 if since else -1.0
        within = at_s if 0 <= at_s <= length_ms / 1000 else None
        kind = type(row.fact).__name__
        yield Line(row.number, zone.utc(row.utc_ns), zone.local(row.utc_ns), kind, list(fields.items()), call, within)


def _call_of(fields: dict[str, Any]) -> str:
    """The call that a fact names, by itself or by one of its legs or offers."""
    inner = fields.get("leg") or fields.get("offer") or ""
    return str(fields.get("call") or (inner.rpartition(".")[0] if inner else ""))
