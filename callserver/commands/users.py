"""`users`: accounts and credentials. Points, operators and trunks prove themselves by SIP; people sign in to the web."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.noting import person
from callserver.commands.output import (
    FAULTS,
    MISUSE,
    ConfigOption,
    JsonOption,
    SetOption,
    configured,
    fail,
    say,
    table,
    write_json,
)
from callserver.commands.store import changing, reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.config import Config

app = typer.Typer(no_args_is_help=True, help="Look after accounts and credentials.")

LEAST_WEB_PASSWORD = 8


class Kind(StrEnum):
    """What an account is for."""

    SIP = "sip"
    WEB = "web"
    TRUNK = "trunk"


KindArgument = Annotated[
    Kind, typer.Argument(help="sip: a point or a softphone. web: a person at a screen. trunk: what we prove to a trunk.")
]
UserArgument = Annotated[str, typer.Argument(metavar="USER", help="The plan's id, or the person's user name.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Read the password from a file ('-': standard input). Default: asked for on the terminal."),
]
Algorithm = Annotated[str, typer.Option(help="Digest of a SIP account: MD5 or SHA-256.")]
RoleOption = Annotated[str, typer.Option(help="Of a web account: operator, supervisor, auditor or administrator.")]


@app.command("list")
def list_(config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """List all accounts, without their secrets."""
    from callserver.store import directory

    with reading(configured(config, settings)) as engine:
        rows = [
            {"kind": "sip", "user": one.user, "role": "", "algorithm": one.algorithm, "realm": one.realm}
            for one in directory.sip_accounts(engine).values()
        ]
        rows += [
            {"kind": "web", "user": one.user, "role": one.role, "algorithm": "", "realm": ""}
            for one in directory.web_accounts(engine).values()
        ]
        rows += [
            {"kind": "trunk", "user": id, "role": "", "algorithm": "", "realm": ""} for id in directory.trunk_secrets(engine)
        ]
    if as_json:
        write_json(rows)
    else:
        table(("kind", "user", "role", "algorithm", "realm"), [list(row.values()) for row in rows])


@app.command()
def add(
    kind: KindArgument,
    user: UserArgument,
    role: RoleOption = "",
    algorithm: Algorithm = "MD5",
    password_file: PasswordFile = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Make an account."""
    from callserver.store import directory

    the = configured(config, settings)
    if kind is Kind.WEB and role not in directory.ROLES:
        fail(f"--role must be one of {', '.join(directory.ROLES)}", MISUSE)
    password = _password(kind, password_file)
    with changing(the) as engine:
        if _exists(engine, kind, user):
            fail(f"{kind} {user} is there already; callserver users passwd changes its password", FAULTS)
        _put(the, engine, kind, user, password, role, algorithm)
    _tell(the, user, f"{kind} account added")
    say(f"{kind} {user}: added")


@app.command()
def passwd(
    kind: KindArgument,
    user: UserArgument,
    algorithm: Annotated[str, typer.Option(help="Digest of a SIP account. Default: as it is.", show_default=False)] = "",
    password_file: PasswordFile = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Change an account's password."""
    from callserver.store import directory

    the = configured(config, settings)
    with changing(the) as engine:
        if not _exists(engine, kind, user):
            fail(f"there is no {kind} account {user}", FAULTS)
        password = _password(kind, password_file)
        role = directory.web_accounts(engine)[user].role if kind is Kind.WEB else ""
        old = directory.sip_accounts(engine)[user].algorithm if kind is Kind.SIP else ""
        _put(the, engine, kind, user, password, role, algorithm or old)
    _tell(the, user, f"{kind} password changed")
    say(f"{kind} {user}: password changed")


@app.command()
def remove(kind: KindArgument, user: UserArgument, config: ConfigOption = None, settings: SetOption = None) -> None:
    """Remove an account. A conversation under way is not cut off."""
    from callserver.store import directory

    the = configured(config, settings)
    removals: dict[Kind, Callable[[Engine, str], bool]] = {
        Kind.SIP: directory.remove_sip,
        Kind.WEB: directory.remove_web,
        Kind.TRUNK: directory.remove_trunk_secret,
    }
    with changing(the) as engine:
        if not removals[kind](engine, user):
            fail(f"there is no {kind} account {user}", FAULTS)
    _tell(the, user, f"{kind} account removed")
    say(f"{kind} {user}: removed")


@app.command()
def link(
    user: Annotated[str, typer.Argument(metavar="USER", help="Of a web account.")],
    minutes: Annotated[int, typer.Option(min=1, max=10_080, help="How long the link is good.")] = 15,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Make a link that signs a person in, once."""
    import time

    from callserver.store import directory
    from callserver.web import links

    the = configured(config, settings)
    with reading(the) as engine:
        if user not in directory.web_accounts(engine):
            fail(f"there is no web account {user}", FAULTS)
    now_s = time.time()
    try:
        token = links.make(the.storage.run, links.Link(user, now_s + minutes * 60), now_s)
    except (OSError, ValueError) as error:
        fail(f"the link cannot be made: {error}", FAULTS)
    _tell(the, user, f"sign-in link made, good for {minutes} minutes", reload=False)
    say(f"{_address(the)}/#link={token}")


def _address(the: "Config") -> str:
    """Where a browser finds the service; what listens everywhere is found by this machine's name."""
    import socket

    web = the.web
    host = (web.https_host or web.host) if web.tls else web.host
    name = socket.getfqdn() if host == "0.0.0.0" else host
    return f"https://{name}:{web.https_port}" if web.tls else f"http://{name}:{web.port}"


def _exists(engine: "Engine", kind: Kind, user: str) -> bool:
    from callserver.store import directory

    if kind is Kind.SIP:
        return user in directory.sip_accounts(engine)
    if kind is Kind.WEB:
        return user in directory.web_accounts(engine)
    return user in directory.trunk_secrets(engine)


def _put(the: "Config", engine: "Engine", kind: Kind, user: str, password: str, role: str, algorithm: str) -> None:
    from callserver.store import directory

    try:
        if kind is Kind.SIP:
            directory.set_sip(engine, user, the.sip.domain, password, algorithm)
        elif kind is Kind.WEB:
            directory.set_web(engine, user, role, password)
        else:
            directory.set_trunk_secret(engine, user, password)
    except ValueError as error:
        fail(str(error), MISUSE)


def _password(kind: Kind, file: Path | None) -> str:
    if file is None:
        if not sys.stdin.isatty():
            fail("no terminal to ask for the password: use --password-file", MISUSE)
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    elif str(file) == "-":
        password = sys.stdin.readline().removesuffix("\n")
    else:
        try:
            password = file.read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"--password-file {file} cannot be read: {error}", MISUSE)
    if not password:
        fail("the password is empty", MISUSE)
    if kind is Kind.WEB and len(password) < LEAST_WEB_PASSWORD:
        fail(f"a web password has at least {LEAST_WEB_PASSWORD} characters", MISUSE)
    return password


def _tell(the: "Config", user: str, what: str, reload: bool = True) -> None:
    """The running service journals the change and takes it up; one that does not run does both at its start."""
    import uuid

    import msgspec

    from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
    from callserver.core.facts import AccountChanged
    from callserver.runtime import untold

    fact = AccountChanged(user, what, person())
    socket = the.storage.control_socket
    try:
        if reload:
            ask_sync(socket, Verb.RELOAD_ACCOUNTS)
        ask_sync(socket, Verb.NOTE_FACT, {"id": uuid.uuid4().hex, "kind": "AccountChanged", "body": msgspec.to_builtins(fact)})
    except Unavailable:
        try:
            untold.keep(the.storage.data, fact)
        except OSError as error:
            fail(f"the change is made, but it cannot be kept for the journal: {error}", FAULTS)
        typer.echo("the service does not run here: this counts from its start, and is journalled then", err=True)
    except CommandRefused as error:
        fail(f"the change is made, but the service did not take it up: {error.message}")
