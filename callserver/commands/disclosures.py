"""`disclosures`: the register of what was handed out, and requests for access with their month."""

import time
import uuid
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from callserver.commands.exports import note
from callserver.commands.noting import person
from callserver.commands.output import MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, table, write_json
from callserver.commands.store import reading
from callserver.web.times import rfc3339

if TYPE_CHECKING:
    from callserver.config import Config

app = typer.Typer(no_args_is_help=True, help="What was handed out to whom, and who asked what is held of them.")


@app.command("list")
def list_(
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV, oldest first.")] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """The register, oldest first."""
    from callserver.store.register import read_desk
    from callserver.web.api.disclosures import COLUMNS, csv_of

    with reading(configured(config, settings)) as engine:
        desk = read_desk(engine)
    rows = [
        (
            *(one.fact.disclosure, rfc3339(one.utc_ns), one.fact.incident, one.fact.what, one.fact.digest, one.fact.recipient),
            *(one.fact.legal_basis, one.fact.why, one.fact.by),
        )
        for one in desk.disclosures.values()
    ]
    if as_csv:
        typer.echo(csv_of(desk), nl=False)
    elif as_json:
        write_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    else:
        table(COLUMNS, rows)


@app.command()
def add(
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="What it is about.")],
    what: Annotated[str, typer.Option(help="What was handed out.")],
    recipient: Annotated[str, typer.Option(help="To whom.")],
    basis: Annotated[str, typer.Option(help="By which law or order.")],
    why: Annotated[str, typer.Option(help="In a few words.")] = "",
    digest: Annotated[str, typer.Option(metavar="SHA-256", help="Of the file, where it was one.")] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Enter something that was handed out."""
    from callserver.core import facts as f
    from callserver.core.ids import IncidentId
    from callserver.store import queries

    the = configured(config, settings)
    with reading(the) as engine:
        if queries.incident(engine, incident) is None:
            fail(f"there is no incident {incident}")
    if not all(text.strip() for text in (what, recipient, basis)):
        fail("what was handed out, to whom and by which law cannot be empty", MISUSE)
    name = uuid.uuid4().hex[:12]
    note(the, f.DisclosureMade(name, IncidentId(incident), what.strip(), digest, recipient.strip(), basis.strip(), why, person()))
    say(name)


@app.command()
def requests(config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """Requests for access; those that are due first come first. Leaves with 1 when one is late."""
    from callserver.store.register import read_desk

    with reading(configured(config, settings)) as engine:
        desk = read_desk(engine)
    now_ns = time.time_ns()
    ordered = sorted(desk.access.values(), key=lambda one: (one.answered is not None, one.asked.due_utc_ns))
    columns = ("id", "received", "due", "answered", "how", "subject")
    rows = [
        (
            *(one.asked.request, rfc3339(one.asked.received_utc_ns), rfc3339(one.asked.due_utc_ns)),
            *(rfc3339(one.answered_utc_ns or None), one.answered.how if one.answered else None, one.asked.subject),
        )
        for one in ordered
    ]
    if as_json:
        write_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table(columns, rows)
    if any(one.answered is None and now_ns >= one.asked.due_utc_ns for one in ordered):
        raise typer.Exit(1)


@app.command()
def ask(
    subject: Annotated[str, typer.Option(help="Who asks.")],
    received: Annotated[str, typer.Option(metavar="DAY", help="When it came, 2026-03-31. Default: today.")] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Enter a request for access; it is due one calendar month after it came."""
    from callserver.core import desk as desks
    from callserver.core import facts as f

    the, now_ns = configured(config, settings), time.time_ns()
    zone, received_ns = _zone(the), now_ns
    if received:
        try:
            day = datetime.fromisoformat(received).replace(tzinfo=zone)
        except ValueError:
            fail(f"--received {received}: write a day, 2026-03-31", MISUSE)
        received_ns = (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 1_000_000_000
    if not 0 < received_ns <= now_ns or not subject.strip():
        fail("a request has somebody who asks, and was received in the past", MISUSE)
    name = uuid.uuid4().hex[:12]
    due_ns = desks.due(received_ns, zone)
    note(the, f.AccessAsked(name, received_ns, due_ns, subject.strip(), person()))
    say(f"{name} is due {rfc3339(due_ns)}")


def _zone(the: "Config") -> tzinfo:
    """The plan's, in which days are counted."""
    from callserver.store import queries

    with reading(the) as engine:
        known = queries.plan(engine)
    return ZoneInfo(known[1].time_zone) if known else UTC


@app.command()
def answer(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="Its id.")],
    how: Annotated[str, typer.Option(help="given, refused or nothing-held.")],
    note_: Annotated[str, typer.Option("--note", help="In a few words.")] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Enter how a request was answered."""
    from callserver.core import facts as f
    from callserver.store.register import read_desk

    the = configured(config, settings)
    if how not in ("given", "refused", "nothing-held"):
        fail("--how is given, refused or nothing-held", MISUSE)
    with reading(the) as engine:
        found = read_desk(engine).access.get(request)
    if found is None or found.answered is not None:
        fail(f"there is no open request {request}")
    note(the, f.AccessAnswered(request, how, note_, person()))
    say(f"{request}: {how}")
