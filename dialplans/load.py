"""Plans from files. The only module of this room that reads anything; `parse` stays pure."""

from importlib import resources
from pathlib import Path

from dialplans.faults import Fault, PlanError
from dialplans.model import Plan
from dialplans.parse import parse


def load(path: Path) -> Plan:
    """The plan in the file at `path`. Raises `PlanError` for what is wrong with it, OSError where it cannot be read."""
    return parse(_text(path.read_bytes(), str(path)), str(path))


def shipped(name: str) -> Plan:
    """A plan that comes with the package: "darlington". Raises FileNotFoundError for a name that does not."""
    source = resources.files("dialplans").joinpath(f"{name}.toml")
    return parse(_text(source.read_bytes(), source.name), source.name)


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlanError([Fault(name, line, "the file is not in UTF-8", "Save it as UTF-8")]) from error
