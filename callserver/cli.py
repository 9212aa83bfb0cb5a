"""The command `callserver`. Each verb lives in callserver.commands, which import what is heavy when they are used.

Exit codes of every verb: 0 good, 1 faults were found (or it did not work), 2 misuse.
"""

import typer

from callserver.commands import (
    backup,
    certificate,
    check,
    disclosures,
    doctor,
    exports,
    incidents,
    key,
    plans,
    quality,
    rehearse,
    reload,
    retention,
    serve,
    trace,
    users,
    verify,
)
from callserver.commands.output import say

app = typer.Typer(
    name="callserver",
    help="The system behind the help-point button: answers, queues, records, escalates, replays.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for verb in (
    serve.serve,
    serve.demo,
    serve.restart,
    reload.reload,
    check.check,
    rehearse.rehearse,
    verify.verify,
    exports.pack,
    exports.redact,
    backup.backup,
    backup.restore,
    retention.retention,
    quality.quality,
    trace.trace,
    doctor.doctor,
    certificate.certificate,
):
    app.command()(verb)
app.add_typer(incidents.app, name="incidents")
app.add_typer(disclosures.app, name="disclosures")
app.add_typer(key.app, name="key")
app.add_typer(plans.app, name="plans")
app.add_typer(users.app, name="users")


@app.command()
def version() -> None:
    """Say which version this is."""
    from callserver.version import VERSION

    say(f"callserver {VERSION}")


def main() -> None:
    """Entry point."""
    app()
