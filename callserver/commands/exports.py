"""`pack` and `redact`: what leaves the record by the command line. docs/evidence-pack.md tells what a pack shows.

Where the site wants four eyes these two only ask; another person approves in the replay, and the archivist makes it. A pack that
was asked for so is taken by `pack --export`.
"""

import hashlib
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callserver.commands.noting import person
from callserver.commands.output import (
    MISUSE,
    ConfigOption,
    JsonOption,
    SetOption,
    configured,
    fail,
    say,
    write_json,
    write_program,
)
from callserver.commands.store import reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.config import Config
    from callserver.core.desk import DeskFact
    from callserver.core.facts import RedactionMade

NOTE_S = 5.0

ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is journalled with your name.")]


def pack(
    id: Annotated[str, typer.Argument(metavar="INCIDENT", help="An incident, or a call of it.")] = "",
    reason: ReasonOption = "",
    out: Annotated[Path, typer.Option(metavar="FILE", help="The zip to write.")] = Path("pack.zip"),
    redacted: Annotated[bool, typer.Option("--redacted", help="Redacted sound in the place of the original.")] = False,
    export: Annotated[str, typer.Option(metavar="ID", help="Take one that was asked for and approved.")] = "",
    write_verifier: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the stand-alone verifier of packs to a file instead.")
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an evidence pack of an incident: sound, journal with proof, camera times, signed, with its verifier."""
    if write_verifier is not None:
        write_program("verify_pack.py", write_verifier)
        return
    the = configured(config, settings)
    with reading(the) as engine:
        if export:
            _fetch(the, engine, export, out)
            return
        incident = _incident(engine, id)
        _need(reason)
        if the.evidence.four_eyes:
            _ask(the, {"what": "pack", "incident": incident, "redacted": redacted, "reason": reason.strip()})
        told = _make(the, engine, incident, reason.strip(), out, redacted)
    if as_json:
        write_json(told)
    else:
        say(f"{out}: {told['size']} bytes, SHA-256 {told['digest']}")


def redact(
    call: Annotated[str, typer.Argument(metavar="CALL", help="Its id.")],
    reason: ReasonOption = "",
    span: Annotated[
        list[str] | None,
        typer.Option(metavar="FROM-TO", help="Seconds of the recording, 12.0-15.5. Repeatable. Without: all of it."),
    ] = None,
    party: Annotated[str, typer.Option(help="point, others, everyone, or the id of a leg.")] = "everyone",
    cover: Annotated[str, typer.Option("--with", help="tone or silence.")] = "tone",
    alone: Annotated[bool, typer.Option("--alone", help="Leave open what earlier redactions of the call covered.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write a copy of it there too, in the clear where it lies encrypted."),
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a copy of a call's recording in which spans or a party are covered. The original stays as it is."""
    from callserver.core.ids import CallId, incident_of_call

    the = configured(config, settings)
    _need(reason)
    wish: dict[str, Any] = {"what": "redaction", "incident": incident_of_call(CallId(call)), "of": call, "reason": reason.strip()}
    wish |= {"spans": [_span(one) for one in span or ()], "party": party, "cover": cover, "alone": alone}
    if the.evidence.four_eyes:
        _ask(the, wish)
    made = _redacted(the, wish)
    paths = [the.storage.recordings / name for name in made.files]
    paths = _copied(the, paths, out) if out else paths
    if as_json:
        write_json({"redaction": made.redaction, "files": dict(made.files), "origin": dict(made.origin)})
        return
    for path in paths:
        say(str(path))


def _copied(the: "Config", paths: list[Path], out: Path) -> list[Path]:
    """In the clear, for whoever takes them away."""
    from callserver.config import site_keys
    from callserver.sealed import opened

    try:
        out.mkdir(parents=True, exist_ok=True)
        for path in paths:
            with opened(path, site_keys(the)) as file, (out / path.name).open("xb") as copy:
                shutil.copyfileobj(file, copy)
    except OSError as error:
        fail(f"the redaction is made, and not copied to {out}: {error}")
    return [out / path.name for path in paths]


def _redacted(the: "Config", wish: dict[str, Any]) -> "RedactionMade":
    """The files, journalled; without their fact in the journal there are none."""
    import msgspec

    from callserver.core import facts as f
    from callserver.runtime.packing import make_redaction
    from callserver.store.register import read_desk

    asked = msgspec.convert({**wish, "export": uuid.uuid4().hex[:12], "by": person()}, f.ExportAsked)
    with reading(the) as engine:
        try:
            made = make_redaction(the, engine, asked)
        except (ValueError, OSError) as error:
            fail(str(error))
    try:
        note(the, made)
    except typer.Exit:
        with reading(the) as engine:
            if made.redaction in read_desk(engine).redactions:
                typer.echo("it was journalled all the same: the answer was lost, and the redaction is there", err=True)
                return made
        for name in made.files:
            (the.storage.recordings / name).unlink(missing_ok=True)
        raise
    return made


def _make(the: "Config", engine: "Engine", incident: str, reason: str, out: Path, redacted: bool) -> dict[str, Any]:
    """The pack, journalled; without its fact in the journal there is none."""
    from audio.disk import DISK
    from callserver.core import facts as f
    from callserver.core.ids import IncidentId
    from callserver.runtime.packing import Wanted, make_pack

    name, by = uuid.uuid4().hex[:12], person()
    aside = out.with_name(f".{out.name}.new")
    try:
        made = make_pack(the, engine, Wanted(name, incident, by, reason, time.time_ns(), redacted), aside, disk=DISK)
        try:
            note(the, f.PackMade(name, IncidentId(incident), made.digest, made.size, by, reason, redacted))
            DISK.keep(aside, out)
        finally:
            aside.unlink(missing_ok=True)
    except (LookupError, ValueError, OSError) as error:
        fail(str(error.args[0] if isinstance(error, LookupError) and error.args else error))
    return {"pack": name, "incident": incident, "file": str(out), "digest": made.digest, "size": made.size}


def _fetch(the: "Config", engine: "Engine", id: str, out: Path) -> None:
    from audio.disk import DISK
    from callserver.core import desk as desks
    from callserver.core import facts as f
    from callserver.runtime.desk_work import packs_of
    from callserver.store.register import read_desk

    export = read_desk(engine).exports.get(id)
    if export is None or export.asked.what != desks.PACK:
        fail(f"there is no pack {id} that was asked for")
    state = export.state(time.time_ns(), the.evidence.four_eyes)
    if state != desks.READY:
        fail(f"pack {id} is {state}{': ' * bool(export.failed)}{export.failed}")
    if export.approved_by and desks.person(person()) not in map(desks.person, (export.asked.by, export.approved_by)):
        fail(f"pack {id} is {export.asked.by}'s: who asked for it or approved it can take it, or ask for one of your own")
    aside = out.with_name(f".{out.name}.new")
    try:
        shutil.copyfile(packs_of(the) / f"{id}.zip", aside)
        with aside.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != export.digest:
                fail(f"pack {id} is not what the journal says: ask for it anew")
        note(the, f.ExportFetched(id, export.asked.incident, export.digest, person()))
        DISK.keep(aside, out)
    except OSError as error:
        fail(str(error))
    finally:
        aside.unlink(missing_ok=True)
    say(f"{out}: SHA-256 {export.digest}")


def _ask(the: "Config", wish: dict[str, Any]) -> None:
    """Journal the wish, and leave: somebody else must agree."""
    import msgspec

    from callserver.core import facts as f

    name = uuid.uuid4().hex[:12]
    note(the, msgspec.convert({**wish, "export": name, "by": person(), "four_eyes": True}, f.ExportAsked))
    then = f" Then: callserver pack --export {name} --out FILE" if wish["what"] == "pack" else ""
    fail(f"{name} is asked for. A supervisor or auditor approves it within a day, in the replay under Exports.{then}")


def _incident(engine: "Engine", id: str) -> str:
    from callserver.core.ids import CallId, incident_of_call
    from callserver.store import queries

    known = [one for one in (id, incident_of_call(CallId(id))) if one and queries.incident(engine, one) is not None]
    if not known:
        fail(f"there is no incident or call {id or '(none was named)'}")
    return known[0]


def _need(reason: str) -> None:
    if not reason.strip():
        fail("--reason: say in a few words why; nothing leaves the record without", MISUSE)


def _span(text: str) -> tuple[int, int]:
    begin, dash, end = text.partition("-")
    try:
        span = round(float(begin) * 1000), round(float(end) * 1000)
    except (ValueError, OverflowError):
        span = (0, 0)
    if not dash or not 0 <= span[0] < span[1]:
        fail(f"--span {text}: write seconds, 12.0-15.5", MISUSE)
    return span


def note(the: "Config", fact: "DeskFact") -> None:
    """Journal a fact by the running service, or leave."""
    import msgspec

    from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
    from callserver.store.register import id_of

    args = {"id": id_of(fact, uuid.uuid4().hex), "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)}
    try:
        ask_sync(the.storage.control_socket, Verb.NOTE_FACT, args, NOTE_S)
    except (Unavailable, CommandRefused) as error:
        fail(f"nothing leaves the record that the journal does not have: {error}")
