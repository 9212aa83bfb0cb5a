"""What all commands share: exit codes, the options of the configuration, and how they write."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from callserver.config import Config

_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # what has letters shown in another order
_UNSHOWN = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160), *_TURNING), "?")

GOOD = 0
FAULTS = 1
MISUSE = 2

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration. Default: $CALLSERVER_CONFIG, then ./callserver.toml.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Set one key of the configuration, over the file. Repeatable."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


def say(text: str) -> None:
    """A line or some for people, to standard output. What would move a terminal's cursor is shown as "?"."""
    typer.echo(text.translate(_UNSHOWN))


def plain(text: str) -> str:
    """One line: a name or a note must not begin another, which could say something else."""
    return text.translate(_UNSHOWN).replace("\n", "?")


def write_json(value: Any) -> None:
    """The report for programs, to standard output."""
    import json

    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def fail(text: str, code: int = FAULTS) -> NoReturn:
    """Write to standard error and leave."""
    typer.echo(text.translate(_UNSHOWN), err=True)
    raise typer.Exit(code)


def write_program(name: str, path: Path) -> None:
    """Write one of the stand-alone verifiers to a new file; leave where that cannot be."""
    from importlib.resources import files

    source = files("callserver.store.evidence").joinpath(name).read_bytes()
    try:
        with path.open("xb") as file:
            file.write(source)
    except OSError as error:
        fail(f"{path}: {error.strerror}", MISUSE)
    say(f"{path}: {len(source.splitlines())} lines, to be read first; it needs Python 3.11 and the package cryptography")


def configured(
    file: Path | None, settings: Sequence[str] | None = None, stronger: Mapping[str, object] | None = None
) -> "Config":
    """The configuration of the options, `stronger` keys over all; leaves with MISUSE where it cannot be used."""
    from callserver.config import ConfigError, load

    try:
        return load(file, {**overrides(settings or ()), **(stronger or {})})
    except ConfigError as error:
        fail(str(error), MISUSE)


def overrides(settings: Iterable[str]) -> dict[str, object]:
    """`--set` options as overrides: a value is TOML where it reads as TOML, else a text. Paths are those of the shell.

    Raises `ConfigError` for one without "=".
    """
    from callserver.config import ConfigError

    values: dict[str, object] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError((f"--set {setting}: write SECTION.KEY=VALUE",))
        values[key.strip()] = _value(text.strip())
    return values


def _value(text: str) -> object:
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns for people, to standard output."""
    lines = [tuple(head), *(tuple("" if cell is None else plain(str(cell)) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
