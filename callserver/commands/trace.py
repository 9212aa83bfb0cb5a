"""`trace`: the SIP ladder of a point or a call, from the running switchboard."""

from typing import Annotated

import typer

from callserver.commands.output import MISUSE, ConfigOption, JsonOption, SetOption, configured, fail, say, write_json

TIMEOUT_S = 5.0


def trace(
    of: Annotated[str, typer.Argument(metavar="POINT|CALL", help="The id of a help point or of a call.")],
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the last SIP messages of a point or a call, without secrets, and why there is no audio."""
    from callserver.control import CommandRefused, Unavailable, Verb, ask_sync

    path = configured(config, settings).storage.control_socket
    try:
        answer = ask_sync(path, Verb.TRACE, {"of": of}, TIMEOUT_S)
    except CommandRefused as error:
        fail(error.message)
    except Unavailable as error:
        fail(f"{error}. Does the service run with this configuration?")
    if as_json:
        write_json(answer)
    for line in answer.get("lines", ()) if not as_json else ():
        say(str(line))
    if not answer.get("lines"):
        fail(f"nothing is known of {of}: it is no point, incident, call or leg that had a call lately", MISUSE)
