"""`incidents hold`, `release` and `erase`: what an incident is kept for, and having it forgotten on request."""

import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.noting import noted, person
from callserver.commands.output import FAULTS, MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, write_json
from callserver.commands.store import reading

if TYPE_CHECKING:
    from callserver.config import Config

LONGEST_DAYS = 3_650
Incident = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is journalled. Required.")]


def hold(
    id: Incident,
    reason: Reason = "",
    review: Annotated[str, typer.Option(metavar="DATE", help="Day to look again, such as 2026-09-01; an alarm rings then.")] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold an incident: nothing of it is deleted or erased until the hold is released."""
    import secrets

    from callserver.core.facts import HoldPlaced
    from callserver.core.ids import IncidentId
    from callserver.store import queries, retained

    _require(reason, "--reason")
    review_utc_ns = _review(review)
    the = configured(config, settings)
    _require_incident(the, id)
    name = secrets.token_hex(6)
    why = noted(the, HoldPlaced(name, IncidentId(id), person(), review_utc_ns, reason.strip()))
    if why:
        fail(why)
    with reading(the) as engine:
        late = [call.id for call in queries.calls_of(engine, id) if retained.deletion(engine, call.id) is not None]
    if as_json:
        write_json({"hold": name, "late": late})
        return
    say(f"incident {id} is held by hold {name} until it is released; an alarm rings on {review}")
    for call in late:
        say(f"too late: the recording of call {call} was deleted before")


def release(
    id: Incident,
    hold: Annotated[str, typer.Option(metavar="HOLD", help="Which hold. Needed where several stand.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is journalled.")] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Lift a hold. What is older than its days goes within the hour, unless another hold stands."""
    from callserver.core.facts import HoldLifted
    from callserver.core.ids import IncidentId
    from callserver.store import retained

    the = configured(config, settings)
    with reading(the) as engine:
        standing = [row.id for row in retained.holds(engine, id) if row.lifted_utc_ns is None]
    if not standing:
        fail(f"no hold stands on incident {id}")
    if not hold and len(standing) > 1:
        fail(f"several holds stand on incident {id}, name one by --hold: {', '.join(standing)}", MISUSE)
    name = hold or standing[0]
    why = noted(the, HoldLifted(name, IncidentId(id), person(), reason.strip()))
    if why:
        fail(why)
    say(f"hold {name} on incident {id} is lifted")


def erase(
    id: Incident,
    reason: Reason = "",
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase the texts of a closed incident, but the register's, and delete its recordings now: somebody has the right to it."""
    from callserver.core.ids import IncidentId
    from callserver.runtime.retaining import request_of
    from callserver.store import retained

    _require(reason, "--reason")
    the = configured(config, settings)
    _require_incident(the, id)
    with reading(the) as engine:
        if unmade := retained.being_made(engine, id):
            fail(f"the recording of call {unmade[0]} is still being made; try again in a minute")
        facts = request_of(engine, the, IncidentId(id), person(), reason.strip())
    for fact in facts:
        if why := noted(the, fact):
            fail(f"not erased: {why}")
    deleted = [fact.call for fact in facts[1:] if hasattr(fact, "call")]
    if as_json:
        write_json({"incident": id, "deleted": deleted})
        return
    say(f"incident {id}: its texts are erased, but the register's; recordings of {len(deleted)} calls are deleted")
    say("the files go within seconds")


def _require(text: str, option: str) -> None:
    if not text.strip():
        fail(f"say why: {option} TEXT; it is journalled with your name", MISUSE)


def _review(text: str) -> int:
    """UTC nanoseconds of a day's beginning."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        fail("say when somebody is to look again: --review DATE, such as 2026-09-01", MISUSE)
    today = datetime.datetime.now(datetime.UTC).date()
    if not today < day <= today + datetime.timedelta(days=LONGEST_DAYS):
        fail(f"--review {text}: name a day from tomorrow on, within ten years", MISUSE)
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp()) * 1_000_000_000


def _require_incident(the: "Config", id: str) -> None:
    from callserver.store import queries

    with reading(the) as engine:
        if queries.incident(engine, id) is None:
            fail(f"there is no incident {id}", FAULTS)
