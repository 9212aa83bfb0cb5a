"""Plans from files. The only module of this room that reads anything; `parse` stays pure."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dialplans.faults import Fault, PlanError
from dialplans.model import Plan
from dialplans.parse import parse


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plan with what it was written in: (name, text) of each file in order, and the SHA-256 over all of them."""

    plan: Plan
    digest: str
    texts: tuple[tuple[str, str], ...]


def load_whole(path: Path) -> Loaded:
    """The plan in the file at `path` with its texts. Raises `PlanError` and OSError as `load` does."""
    content = path.read_bytes()
    text = _text(content, str(path))
    return Loaded(parse(text, str(path)), hashlib.sha256(content).hexdigest(), ((path.name, text),))


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
