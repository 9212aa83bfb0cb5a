"""What a proof found: the worst times of each class of presses, what is wrong with the plan, and what is doubtful."""

from dataclasses import dataclass

ASSUMPTIONS = (
    "the machine runs, and its network carries calls to every seat and line that is not said to be dead",
    "of the parties of a last resort that are open, one route works; that a single dead trunk leaves one is proven, not assumed",
    "nobody answers, and who is busy stays so: the longest wait; whoever answers ends it",
    "other presses that wait can only make seats busy, and a condition of a ladder may be met at any step, or never",
)
"""What every verdict stands on; docs/proof.md argues for each."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A way in which a press is left alone: what is wrong, for which points, and the story that shows it."""

    kind: str
    what: str
    points: tuple[str, ...]
    story: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A warning: the plan works, and hardly as meant."""

    kind: str
    what: str
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worst:
    """The longest time to something, in milliseconds after the press, and the story that leads to it."""

    ms: int
    story: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PressClass:
    """Presses that are alike: their points, and the worst that can happen to them. None: a hole, or it never came to it."""

    name: str
    points: tuple[str, ...]
    limit_ms: int | None  # how long the device waits by itself
    first: Worst | None  # a seat or the last resort rings; every line up
    last_resort: Worst | None  # the last resort rings; every line up
    first_with_dead_lines: Worst | None
    last_resort_with_dead_lines: Worst | None
    quiet: Worst | None  # the longest time without any ring, once something rang


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a proof. `good`: from every press somebody rings in time, and rings again until somebody answers."""

    plan: str
    holes: tuple[Hole, ...]
    warnings: tuple[Doubt, ...]
    classes: tuple[PressClass, ...]
    runs: int
    assumptions: tuple[str, ...] = ASSUMPTIONS

    @property
    def good(self) -> bool:
        """Whether there is no hole."""
        return not self.holes
