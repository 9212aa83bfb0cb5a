"""What is wrong with a plan's text, said so that a person at the site can put it right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it stands (`line` from 1), what is wrong, and what to write instead."""

    file: str
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}. {self.instead}."


class PlanError(ValueError):
    """The text is no plan. `faults` holds everything that was found, file by file in the order of the lines."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = in_order(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def in_order(faults: list[Fault], files: tuple[str, ...] = ()) -> list[Fault]:
    """Faults by file, those of `files` first and as these stand there, then by line."""
    known = {name: number for number, name in enumerate(dict.fromkeys((*files, *(fault.file for fault in faults))))}
    return sorted(faults, key=lambda fault: (known[fault.file], fault.line))
