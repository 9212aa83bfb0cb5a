"""`incidents`: what the journal's projections know of presses."""

from typing import Annotated, Any

import typer

from callserver.commands import holding
from callserver.commands.output import FAULTS, ConfigOption, JsonOption, SetOption, configured, fail, say, table, write_json
from callserver.commands.store import reading
from callserver.web.times import rfc3339

ASK_S = 5.0

app = typer.Typer(no_args_is_help=True, help="Look at incidents, hold them, have them forgotten.")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 20,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that nobody closed.")] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List incidents, newest first."""
    from callserver.store import queries

    with reading(configured(config, settings)) as engine:
        rows = [_row(row) for row in queries.incidents(engine, limit, open_only=open_only)]
    if as_json:
        write_json(rows)
        return
    names = ("id", "opened", "point", "state", "operator", "presses", "outcome")
    table(names, [[row[name] for name in names] for row in rows])


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id.")],
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one incident: its calls, their legs, and every fact in order."""
    import msgspec

    from callserver.store import queries

    with reading(configured(config, settings)) as engine:
        row = queries.incident(engine, id)
        if row is None:
            fail(f"there is no incident {id}", FAULTS)
        calls = queries.calls_of(engine, id)
        legs = {call.id: queries.legs_of(engine, call.id) for call in calls}
        facts = queries.timeline_of_incident(engine, id)
    whole = {**_row(row), "calls": [{**_row(call), "legs": [_row(leg) for leg in legs[call.id]]} for call in calls]}
    whole["facts"] = [
        {"at": rfc3339(one.utc_ns), "kind": type(one.fact).__name__, "body": msgspec.to_builtins(one.fact)} for one in facts
    ]
    if as_json:
        write_json(whole)
    else:
        _print(whole)


@app.command()
def handover(config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """The sheet for the next shift, from the running switchboard: what must be seen to and whose it is, what is out of order."""
    import msgspec

    from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
    from callserver.control_handover import Handover

    path = configured(config, settings).storage.control_socket
    try:
        answer = ask_sync(path, Verb.HANDOVER, timeout_s=ASK_S)
        sheet = msgspec.convert(answer, Handover)
    except (CommandRefused, msgspec.ValidationError) as error:
        fail(str(error))
    except Unavailable as error:
        fail(f"{error}. Does the service run with this configuration?")
    if as_json:
        write_json(msgspec.to_builtins(sheet))
        return
    from callserver.commands.sheet import lines

    for line in lines(sheet):
        say(line)


for verb in (holding.hold, holding.release, holding.erase):
    app.command()(verb)


def _row(row: Any) -> dict[str, Any]:
    """A store's row with its times as RFC 3339 under their short names."""
    values: dict[str, Any] = {}
    for name in row.__dataclass_fields__:
        value = getattr(row, name)
        short = name.removesuffix("_utc_ns")
        values[short] = rfc3339(value) if short != name else value
    return values


def _print(whole: dict[str, Any]) -> None:
    say(f"incident {whole['id']}: {whole['state']} ({whole['reason']})")
    for name in ("point", "queue", "presses", "operator", "outcome", "outcome_by", "opened", "closed"):
        say(f"  {name}: {whole[name] if whole[name] is not None else '-'}")
    for call in whole["calls"]:
        say(f"call {call['id']}: {call['state']}, started {call['started']}, answered {call['answered'] or '-'}")
        for leg in call["legs"]:
            end = f", ended: {leg['end_class']} ({leg['end_reason']})" if leg["end_class"] else ""
            say(f"  leg {leg['id']}: {leg['role']} {leg['party']}, {leg['state']}{end}")
    for fact in whole["facts"]:
        body = ", ".join(f"{key}={value}" for key, value in fact["body"].items() if value not in ("", None, []))
        say(f"{fact['at']} {fact['kind']}: {body}")
