"""What the archivist found of the disks: for status, figures and screens."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from callserver.control import DiskStatus
from callserver.feed import Item


class DisksTold:
    """The latest of each directory. `show` has the screens told of items."""

    def __init__(self, show: Callable[[Iterable[str]], None]) -> None:
        self._show = show
        self._known: dict[str, DiskStatus] = {}

    def take(self, told: Sequence[Any]) -> dict[str, Any]:
        """All of them anew. Raises msgspec.ValidationError."""
        disks = msgspec.convert(told, list[DiskStatus])
        changed = {one.id for one in disks if self._known.get(one.id) != one} | (set(self._known) - {one.id for one in disks})
        self._known = {one.id: one for one in disks}
        self._show([f"disk/{name}" for name in sorted(changed)])
        return {}

    def all(self) -> tuple[DiskStatus, ...]:
        """In the archivist's order; empty before it told anything."""
        return tuple(self._known.values())

    def item(self, name: str) -> Item | None:
        """What the screens show of one."""
        known = self._known.get(name)
        if known is None:
            return None
        measured_ms = known.measured_utc_ns // 1_000_000
        rates = {"bytes_per_hour": known.bytes_per_hour, "hours_left": known.hours_left}
        return {"id": name, "free_bytes": known.free_bytes, "total_bytes": known.total_bytes, **rates, "measured_ms": measured_ms}

    def figures(self) -> dict[str, float]:
        """Gauges: free bytes and per cent of each; hours left where it fills."""
        found = {}
        for one in self._known.values():
            found[f"disk_free_bytes_{one.id}"] = float(one.free_bytes)
            found[f"disk_free_percent_{one.id}"] = round(100 * one.free_bytes / max(1, one.total_bytes), 2)
            if one.hours_left is not None:
                found[f"disk_hours_left_{one.id}"] = one.hours_left
        return found
