"""What is journalled of the quality sample: the seed by which a month's calls are drawn, and the sheets on them. For `facts`.

A sheet is about an operator, not about the call: its row belongs to no incident, so it stands in no timeline and goes out in no
evidence pack. `core.quality` tells from these facts which calls are drawn, and what was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callserver.core.facts_noted import ERASABLE
from callserver.core.ids import CallId


@dataclass(frozen=True, slots=True)
class SampleSeeded:
    """A month is over, and its calls are drawn by this seed: the hash of the journal's last row of that month.

    Nobody could know it before, and everybody can look it up. How many are drawn of each operator is what the site wanted then.
    """

    month: str  # 2026-11, by the clocks of `zone`
    zone: str
    row: int
    seed: str  # SHA-256 in hex
    calls_per_operator: int


@dataclass(frozen=True, slots=True)
class CallScored:
    """Somebody filled in the sheet of a drawn call. Doing it again adds a sheet and changes none; the last one counts."""

    of: CallId  # the call
    month: str
    by: str
    scores: Mapping[str, int]  # criterion -> points; one that did not arise is left out
    most: Mapping[str, int]  # criterion -> the most that there were to have
    comment: str = field(default="", metadata=ERASABLE)
