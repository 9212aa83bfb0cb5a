"""`plans`: every plan that was in force, what it said and what changed."""

from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.output import MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, table, write_json
from callserver.commands.store import reading
from callserver.web.times import rfc3339

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.store.plan_history import PlanRow
    from dialplans.model import Plan

app = typer.Typer(no_args_is_help=True, help="Look at the plans that were in force.")

Version = Annotated[int, typer.Argument(metavar="N", min=1, help="A plan's version.")]
Against = Annotated[int | None, typer.Argument(metavar="M", min=1, help="Another. Default: the version after N.")]


@app.command("list")
def list_(config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """List all versions, newest first: when they came into force, and by whom."""
    from callserver.store import plan_history

    with reading(configured(config, settings)) as engine:
        rows = [_row(row) for row in plan_history.versions(engine)]
    if as_json:
        write_json(rows)
    else:
        table(("version", "adopted", "by", "digest"), [[*list(row.values())[:3], str(row["digest"])[:12]] for row in rows])


@app.command()
def show(version: Version, config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """Show a version as it was written: every file of it, comments and all."""
    from callserver.store import plan_texts

    the = configured(config, settings)
    with reading(the) as engine:
        row, plan = _known(engine, version)
    texts = plan_texts.find(the.storage.data, row.digest)
    if as_json:
        files = [{"name": one.name, "text": one.text} for one in texts]
        write_json({**_row(row), "name": plan.name, "files": files})
        return
    if not texts:
        fail(f"plan v{version} ({plan.name}) is in the journal; the files that it was written in were not kept")
    for one in texts:
        say(f"# ---- {one.name} (plan v{version}) ----\n{one.text.rstrip()}")


@app.command()
def diff(
    version: Version,
    against: Against = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed from version N to version M, place by place. Files that mean the same differ in nothing."""
    from dialplans.difference import differences

    with reading(configured(config, settings)) as engine:
        _, old = _known(engine, version)
        _, new = _known(engine, version + 1 if against is None else against)
    changes = differences(old, new)
    if as_json:
        write_json([{"where": one.where, "old": one.old, "new": one.new} for one in changes])
        return
    for one in changes:
        say(str(one))
    if not changes:
        say("they mean the same")


def _known(engine: "Engine", number: int) -> "tuple[PlanRow, Plan]":
    from callserver.store import plan_history

    found = plan_history.version(engine, number)
    if found is None:
        fail(f"there is no plan v{number}; callserver plans list names all", MISUSE)
    return found


def _row(row: "PlanRow") -> dict[str, object]:
    return {"version": row.version, "adopted": rfc3339(row.adopted_utc_ns), "by": row.by, "digest": row.digest}
