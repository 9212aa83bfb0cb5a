"""`reload`: the plan's file anew, in the running service."""

import typer

from callserver.commands.noting import person
from callserver.commands.output import FAULTS, MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, write_json


def reload(config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """Put the configured plan in force without a restart, if it is good and proven; incidents in progress keep theirs."""
    from callserver.control import PLAN_TIMEOUT_S, CommandRefused, Unavailable, Verb, ask_sync

    the = configured(config, settings)
    if the.plan.file is None:
        fail("the configuration names no plan: set [plan] file", MISUSE)
    wanted = {"by": person()}
    try:
        done = ask_sync(the.storage.control_socket, Verb.RELOAD_PLAN, wanted, PLAN_TIMEOUT_S)
    except CommandRefused as refusal:
        if as_json:
            write_json({"good": False, "faults": refusal.message.splitlines()})
            raise typer.Exit(FAULTS) from None
        fail(f"{refusal.message}\nthe plan in force stays")
    except Unavailable as error:
        fail(f"{error}. Does the service run with this configuration?")
    if as_json:
        write_json({"good": True, **done})
        return
    for warning in done["warnings"]:
        say(f"warning: {warning}")
    what = "is in force for new incidents" if done["changed"] else "was in force already; the file says nothing else"
    say(f"{done['name']}, plan v{done['version']}, {what}")
