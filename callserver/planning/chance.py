"""Chance that is no chance: numbers that follow from their keys alone, the same on every machine and in every version.

A run draws each thing from a `Chance` of its own (seed, kind of thing, its number), so that one more press changes no other.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15  # splitmix64 (Steele, Lea and Flood, 2014)


class Chance:
    """A row of numbers that follows from `keys`."""

    def __init__(self, *keys: object) -> None:
        digest = hashlib.blake2b("\0".join(str(key) for key in keys).encode(), digest_size=8).digest()
        self._state = int.from_bytes(digest, "big")

    def _next(self) -> int:
        self._state = (self._state + _STEP) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def part(self) -> float:
        """Evenly from 0 to 1, without 1."""
        return (self._next() >> 11) / (1 << 53)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self.part() * limit)

    def exponential(self, mean: float) -> float:
        """The gap between happenings that come by themselves, `mean` apart on average."""
        return -mean * math.log(1.0 - self.part())

    def normal(self) -> float:
        """By the normal distribution around 0, standard deviation 1."""
        return math.sqrt(-2.0 * math.log(1.0 - self.part())) * math.cos(2.0 * math.pi * self.part())

    def pick(self, among: Sequence[T]) -> T:
        """One of them."""
        return among[self.below(len(among))]

    def some(self, among: Sequence[T], count: int) -> list[T]:
        """`count` different ones, in the order in which they stand."""
        left = list(range(len(among)))
        chosen = {left.pop(self.below(len(left))) for _ in range(min(count, len(left)))}
        return [one for number, one in enumerate(among) if number in chosen]


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something takes, in ms: exactly a; mean a (exponential); median a (log-normal, factor b); from a to b."""

    kind: str
    a: float
    b: float = 0.0

    def draw(self, chance: Chance) -> int:
        """One length in milliseconds."""
        if self.kind == "mean":
            return round(chance.exponential(self.a))
        if self.kind == "median":
            return round(self.a * math.exp(math.log(self.b) * chance.normal()))
        if self.kind == "from":
            return round(self.a + (self.b - self.a) * chance.part())
        return round(self.a)
