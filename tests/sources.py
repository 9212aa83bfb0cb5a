"""The files of this project, for the tests that read them: names, syntax trees, text."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("callserver", "dialplans", "audio")
FOREIGN = ("tests/voipbench/",)  # brought along as it is; it must not grow our habits


@cache
def files() -> tuple[str, ...]:
    """Every file that is or would be committed, as paths from the root."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(listed) > 50, "git lists hardly any file: is this a checkout?"
    return tuple(sorted(name for name in set(listed) if (ROOT / name).is_file()))


def python_files(*folders: str) -> tuple[str, ...]:
    """Our own Python files below these folders (default: everywhere)."""
    own = [name for name in files() if name.endswith((".py", ".pyi")) and not name.startswith(FOREIGN)]
    return tuple(name for name in own if not folders or name.startswith(tuple(folder + "/" for folder in folders)))


@cache
def text(name: str) -> str:
    """The text of a file, or "" of one that is not text."""
    raw = (ROOT / name).read_bytes()
    return "" if b"\0" in raw else raw.decode("utf-8", errors="replace")


@cache
def tree(name: str) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(name), filename=name)


def module_name(name: str) -> str:
    """The dotted name of a Python file: `callserver/core/ids.py` is `callserver.core.ids`."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
