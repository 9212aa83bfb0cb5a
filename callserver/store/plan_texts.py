"""The texts of plans, as they were written: one file for each plan that came into force, by its digest.

The journal holds what a plan means; here lies how it said so, comments and all. A text that is missing costs nothing but
the reading of it.
"""

import os
import re
from pathlib import Path

import msgspec

FOLDER = "plans"
_DIGEST = re.compile(r"[0-9a-f]{16,128}")


class PlanText(msgspec.Struct, frozen=True):
    """One file of a plan: its name as the plan's author knows it, and its text."""

    name: str
    text: str


_TEXTS = msgspec.json.Decoder(tuple[PlanText, ...])


def keep(data_dir: Path, digest: str, texts: tuple[PlanText, ...]) -> None:
    """Store a plan's files under its digest, whole or not at all. Raises OSError."""
    file = _file(data_dir, digest)
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(texts))
        out.flush()
        os.fsync(out.fileno())
    aside.replace(file)


def find(data_dir: Path, digest: str) -> tuple[PlanText, ...]:
    """The files of the plan with this digest; empty where they were not kept or cannot be read."""
    try:
        return _TEXTS.decode(_file(data_dir, digest).read_bytes())
    except (OSError, ValueError):
        return ()


def _file(data_dir: Path, digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a digest is written in hexadecimal")
    return data_dir / FOLDER / f"{digest}.json"
