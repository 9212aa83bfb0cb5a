"""Facts that a command has to tell: the running switchboard journals them, or says why not."""

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callserver.commands.output import fail

if TYPE_CHECKING:
    from callserver.config import Config
    from callserver.core.facts import Fact

TIMEOUT_S = 5.0
_SIGNED_IN = Path("/proc/self/loginuid")
_NOBODY = 2**32 - 1


def person() -> str:
    """Who types, for `by`: who signed in to the machine, also behind sudo and su, as the kernel keeps it.

    Where nobody did it is the process's user. The environment is not asked: whoever types can write any name there.
    """
    try:
        user = int(_SIGNED_IN.read_text())
    except (OSError, ValueError):
        user = _NOBODY
    if user == _NOBODY:
        user = os.getuid()
    try:
        return f"command line ({pwd.getpwuid(user).pw_name})"
    except KeyError:
        return f"command line ({user})"


def noted(config: "Config", fact: "Fact") -> str:
    """Have it journalled; "" or why it was refused. Leaves with words where no switchboard answers."""
    import uuid

    import msgspec

    from callserver.control import CommandRefused, Unavailable, Verb, ask_sync

    note: dict[str, Any] = {"id": uuid.uuid4().hex, "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)}
    try:
        ask_sync(config.storage.control_socket, Verb.NOTE_FACT, note, TIMEOUT_S)
    except CommandRefused as refused:
        return refused.message
    except Unavailable as error:
        fail(f"{error}. Does the service run with this configuration?")
    return ""
