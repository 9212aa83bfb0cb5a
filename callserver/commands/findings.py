"""What a check of `doctor` found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave it is; one fault makes `doctor` leave with 1."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `what_to_do` is empty where it is good."""

    check: str
    level: Level
    what: str
    what_to_do: str = ""


def good(check: str, what: str) -> Finding:
    """All is well."""
    return Finding(check, Level.GOOD, what)


def warning(check: str, what: str, what_to_do: str) -> Finding:
    """It works, less well than it could."""
    return Finding(check, Level.WARNING, what, what_to_do)


def fault(check: str, what: str, what_to_do: str) -> Finding:
    """It will fail, or is not safe."""
    return Finding(check, Level.FAULT, what, what_to_do)
