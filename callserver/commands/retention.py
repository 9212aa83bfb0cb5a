"""`retention`: what goes when, by which rule, and what is held; and having it go now."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callserver.commands.noting import noted
from callserver.commands.output import MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, table, write_json
from callserver.commands.store import reading
from callserver.web.times import rfc3339

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.config import Config
    from callserver.core.facts import RecordingDeleted, TextsErased

MOST_SHOWN = 50
DAY_NS = 86_400_000_000_000


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go and change nothing, as without --now.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Have what is due go now; the archivist does so each hour.")] = False,
    within: Annotated[int, typer.Option(metavar="DAYS", min=0, max=36_500, help="Show what goes within so many days.")] = 7,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what retention deletes, when and by which rule, and what is held."""
    if dry_run and now:
        fail("--dry-run and --now contradict each other", MISUSE)
    the = configured(config, settings)
    with reading(the) as engine:
        now_utc_ns = time.time_ns()
        found = _found(engine, the, now_utc_ns, within)
        if now:
            facts, found["refused"] = _due(engine, the, now_utc_ns), []
            for fact in facts:
                why = noted(the, fact)
                found["refused"] += [why] if why else []
            found["told"] = len(facts) - len(found["refused"])
    if as_json:
        write_json(found)
    else:
        _tell(found, within)


def _found(engine: "Engine", the: "Config", now_utc_ns: int, within: int) -> dict[str, Any]:
    from callserver.runtime.retaining import schedule_of, texts_of
    from callserver.store import retained

    calls = [
        {
            "call": one.call,
            "incident": one.incident,
            "rule": one.rule,
            "at": rfc3339(one.utc_ns),
            "due": one.utc_ns <= now_utc_ns,
            "held": list(one.held),
        }
        for one in schedule_of(engine, the, now_utc_ns + within * DAY_NS)
    ]
    holds = [
        {
            "hold": row.id,
            "incident": row.incident,
            "by": row.placed_by,
            "placed": rfc3339(row.placed_utc_ns),
            "review": rfc3339(row.review_utc_ns),
            "why": row.why,
            "overdue": row.review_utc_ns <= now_utc_ns,
        }
        for row in retained.standing(engine)
    ]
    return {
        "days": the.retention.days,
        "text_days": the.retention.text_days,
        "register_days": the.retention.register_days,
        "rules": [rule.model_dump(exclude_defaults=True) for rule in the.retention.rules],
        "calls": calls,
        "texts": sum(len(fact.rows) for fact in texts_of(engine, the, now_utc_ns)),
        "holds": holds,
    }


def _due(engine: "Engine", the: "Config", now_utc_ns: int) -> "list[RecordingDeleted | TextsErased]":
    from callserver.runtime.retaining import BY, deletion_of, schedule_of, texts_of

    due = [one for one in schedule_of(engine, the, now_utc_ns) if not one.held]
    deletions = [deletion_of(engine, the, one.call, one.rule, BY) for one in due]
    return [*(fact for fact in deletions if fact is not None), *texts_of(engine, the, now_utc_ns)]


def _tell(found: dict[str, Any], within: int) -> None:
    names = ("days", "text_days", "register_days")
    days, texts, register = (f"{found[name]} days" if found[name] else "for ever" for name in names)
    say(f"kept: recordings {days}, texts {texts}, those of the register {register}, and {len(found['rules'])} rules before that")
    now = sum(one["due"] and not one["held"] for one in found["calls"])
    say(f"due now: {now} calls, and texts beside {found['texts']} rows")
    say(f"within {within} days, with what is held: {len(found['calls'])} calls")
    if found["calls"]:
        shown = found["calls"][:MOST_SHOWN]
        table(("call", "goes", "rule", ""), [(one["call"], one["at"], one["rule"], _state(one)) for one in shown])
    if len(found["calls"]) > MOST_SHOWN:
        say(f"... and {len(found['calls']) - MOST_SHOWN} more; --json has them all")
    for hold in found["holds"]:
        overdue = ", OVERDUE" if hold["overdue"] else ""
        until = f"review {hold['review'][:10]}{overdue}"
        say(f"hold {hold['hold']} on {hold['incident']} by {hold['by']}, {until}: {hold['why'] or '-'}")
    if "told" in found:
        say(f"{found['told']} deletions are in the journal; the archivist takes the files away within seconds")
        for why in found["refused"]:
            say(f"refused: {why}")


def _state(one: dict[str, Any]) -> str:
    """Of a call, for people."""
    if one["held"]:
        return f"held by {', '.join(one['held'])}"
    return "now" if one["due"] else ""
