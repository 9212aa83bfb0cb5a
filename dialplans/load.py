"""Plans from files, with what they include. `parse` and all below it stay pure; this reads for them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dialplans.faults import Fault, PlanError
from dialplans.model import Plan
from dialplans.parse import examine
from dialplans.sources import gather
from dialplans.values import Wrong

SHIPPED = ("darlington", "railway", "campus")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plan with the texts it was made of: `files` are names and texts in the order read, `digest` is SHA-256 over them, hex."""

    plan: Plan
    digest: str
    files: tuple[tuple[str, str], ...]
    warnings: tuple[Fault, ...]


def load(path: Path) -> Plan:
    """The plan in the file at `path`. Raises `PlanError` for what is wrong with it, OSError where it cannot be read."""
    return loaded(path).plan


def loaded(path: Path) -> Loaded:
    """The plan in the file at `path` and what it was made of. Raises as `load` does."""
    return _loaded(str(path), path.read_bytes(), lambda asked: (path.parent / asked).read_bytes())


def shipped(name: str) -> Plan:
    """A plan that comes with the package: one of `SHIPPED`. Raises FileNotFoundError for a name that does not."""
    folder = resources.files("dialplans")
    file = f"{name}.toml"
    return _loaded(file, folder.joinpath(file).read_bytes(), lambda asked: folder.joinpath(asked).read_bytes()).plan


def _loaded(name: str, content: bytes, read: Callable[[str], bytes]) -> Loaded:
    def included(path: str) -> str:
        try:
            return _text(read(path), path)
        except OSError as error:
            raise Wrong(f"'{path}' cannot be read: {error.strerror or error}", "Put it beside the plan") from error
        except PlanError as error:
            raise Wrong(f"line {error.faults[0].line} of '{path}' is not in UTF-8", "Save it as UTF-8") from error

    merged = gather(name, _text(content, name), included)
    files = tuple((source.name, source.text) for source in merged.sources)
    plan, warnings = examine(merged)
    return Loaded(plan, _digest([(source.path, source.text) for source in merged.sources]), files, warnings)


def _digest(files: list[tuple[str, str]]) -> str:
    """Of one file the plain sum; of more, the paths of those after the first count too."""
    found = hashlib.sha256(files[0][1].encode())
    for path, text in files[1:]:
        found.update(f"\0{path}\0{text}".encode())
    return found.hexdigest()


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlanError([Fault(name, line, "the file is not in UTF-8", "Save it as UTF-8")]) from error
