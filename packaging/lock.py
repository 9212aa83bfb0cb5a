"""Write requirements.lock and requirements-test.lock from what this virtual environment holds.

Run it with the environment's python after changing a dependency in pyproject.toml and trying it out:
`.venv/bin/python packaging/lock.py`. The first file is the closure of the dependencies and of the build's own needs, the
second adds that of the `test` extra. Exact versions only; where they come from is the installer's business.
"""

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def closure(wanted: Iterable[str]) -> dict[str, str]:
    """Name -> version of the wanted requirements and all that they require here. PackageNotFoundError when one is missing."""
    found: dict[str, str] = {}
    waiting = [Requirement(text) for text in wanted]
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        has = distribution(name)
        if name not in found:
            found[name] = has.version
            waiting.extend(_required(has.requires or [], need.extras))
    return found


def _required(texts: Iterable[str], extras: Iterable[str]) -> list[Requirement]:
    """Those of a package's requirements that hold on this machine with these extras."""
    needs = [Requirement(text) for text in texts]
    return [n for n in needs if n.marker is None or any(n.marker.evaluate({"extra": extra}) for extra in ("", *extras))]


def write(path: Path, head: Iterable[str], pins: dict[str, str]) -> None:
    """One pin a line, in order."""
    path.write_text(
        "\n".join([*head, *(f"{name}=={version}" for name, version in sorted(pins.items()))]) + "\n", encoding="utf-8"
    )


def main() -> int:
    """Write both files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    runtime = closure(needed)
    test = closure([*needed, *project["project"]["optional-dependencies"]["test"]])
    write(ROOT / "requirements.lock", ["# Written by packaging/lock.py."], runtime)
    extra = {name: version for name, version in test.items() if name not in runtime}
    write(ROOT / "requirements-test.lock", ["# Written by packaging/lock.py.", "-r requirements.lock"], extra)
    return 0


if __name__ == "__main__":
    sys.exit(main())
