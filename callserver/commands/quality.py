"""`quality`: the month's sample and what the sheets say together. docs/quality.md tells how calls are drawn."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.output import MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, table, write_json
from callserver.commands.store import reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.config import Config
    from callserver.core import quality as q
    from callserver.store.sampling import Sample


def quality(
    month: Annotated[str, typer.Argument(metavar="MONTH", help="Which, 2026-11. Default: the last that is over.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell which calls of a month are drawn, and what was found. Leaves with 1 when the seed is not the journal's."""
    from callserver.web.api.quality import csv_of, sample_of

    the = configured(config, settings)
    with reading(the) as engine:
        zone = _zone(engine)
        wanted = month or _last_month(zone)
        try:
            sample, sheets = sample_of(engine, wanted, zone)
        except ValueError as error:
            fail(str(error), MISUSE)
    if as_csv:
        typer.echo(csv_of(sample, sheets, the), nl=False)
    elif as_json:
        write_json(_as_data(sample, sheets, the))
    else:
        _tell(sample, sheets, the)
    if sample.doubt:
        fail(f"the sample of {sample.month} is not what the journal draws: {sample.doubt}")


def _tell(sample: "Sample", sheets: "dict[str, list[q.Sheet]]", config: "Config") -> None:
    from callserver.core import quality as q
    from callserver.web.api.quality import criteria_of
    from callserver.web.times import rfc3339

    if sample.seed is None:
        say(f"the calls of {sample.month} are drawn when it is over, {rfc3339(sample.end_utc_ns)}; nobody knows them before")
    else:
        say(f"{sample.month} ({sample.zone}): drawn by the hash of row {sample.seed.row}, {sample.seed.seed}")
    lines = q.report(sample.operators, sheets)
    criteria = criteria_of(lines, config)
    means = [[_mean(line.means.get(one)) for one in criteria] for line in lines]
    rows = [
        (line.operator, line.answered, line.drawn, line.scored, line.passed, *cells)
        for line, cells in zip(lines, means, strict=True)
    ]
    table(("operator", "answered", "drawn", "scored", "passed over", *criteria), rows)
    for one in sample.operators:
        for call in one.drawn:
            say(f"{one.operator}  {call}  {'scored' if sheets.get(call) else 'to do'}")


def _mean(mean: "q.Mean | None") -> str:
    return f"{round(mean.share * 100)} % (of {mean.calls})" if mean else ""


def _as_data(sample: "Sample", sheets: "dict[str, list[q.Sheet]]", config: "Config") -> dict[str, object]:
    from callserver.core import quality as q
    from callserver.web.times import rfc3339

    lines = {line.operator: line for line in q.report(sample.operators, sheets)}
    return {
        "month": sample.month,
        "zone": sample.zone,
        "end": rfc3339(sample.end_utc_ns),
        "row": sample.seed.row if sample.seed else None,
        "seed": sample.seed.seed if sample.seed else None,
        "calls_per_operator": sample.seed.calls_per_operator if sample.seed else config.quality.calls_per_operator,
        "doubt": sample.doubt,
        "operators": [
            {
                "operator": one.operator,
                "answered": one.answered,
                "drawn": list(one.drawn),
                "passed_over": list(one.passed),
                "scored": lines[one.operator].scored,
                "means": {id: {"share": mean.share, "calls": mean.calls} for id, mean in lines[one.operator].means.items()},
            }
            for one in sample.operators
        ],
    }


def _zone(engine: "Engine") -> str:
    from callserver.store import queries

    known = queries.plan(engine)
    return known[1].time_zone if known else "UTC"


def _last_month(zone: str) -> str:
    from callserver.core import quality as q

    return q.neighbour(q.month_of(time.time_ns(), zone), -1)
