"""What the replay keeps at hand between requests, all of it bounded: plans' names, and the shapes of older recordings."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from fastapi import Request

from audio.peaks import SUFFIX, Peaks, peaks_of_file, unpack
from callserver.sealed import SiteKey, opened
from callserver.store import search
from callserver.web.service import Service

SEARCHES_AT_ONCE = 2  # each may take a core for a tenth of a second in a large store
LISTS_AT_ONCE = 1  # made for spreadsheets: seconds of a core for a hundred thousand lines
SHAPES_MADE_AT_ONCE = 1  # half a second of a core for an hour of sound
SHAPES_KEPT = 8  # a megabyte for an hour
PLANS_KEPT = 32

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Shelf:
    """Nothing here is lost when the process ends: it is read or made again."""

    searches: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SEARCHES_AT_ONCE))
    lists: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LISTS_AT_ONCE))
    _making: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SHAPES_MADE_AT_ONCE))
    _shapes: OrderedDict[tuple[Path, int], Peaks] = field(default_factory=OrderedDict)
    _names: OrderedDict[int, search.Names] = field(default_factory=OrderedDict)

    async def names(self, the: Service, version: int | None = None) -> search.Names | None:
        """The names of a plan, by default of the one adopted last; None when there is none such."""
        if version is None:
            version = await the.read(search.newest_plan)
        found = self._names.get(version) or await the.read(search.names, version)
        if found is not None:
            _keep(self._names, version, found, PLANS_KEPT)
        return found

    async def shape(self, flac: Path, keys: Sequence[SiteKey] = ()) -> Peaks:
        """The peaks of a recording: the archivist's, else made now. Raises OSError or ValueError where neither is possible."""
        stored = await asyncio.to_thread(_stored, flac.with_suffix(SUFFIX), keys)
        if stored is not None:
            return stored
        changed_ns = (await asyncio.to_thread(flac.stat)).st_mtime_ns
        async with self._making:  # a second one that asks meanwhile finds it made
            made = self._shapes.get((flac, changed_ns))
            if made is None:
                made = await asyncio.to_thread(_made, flac, keys)
        _keep(self._shapes, (flac, changed_ns), made, SHAPES_KEPT)
        return made


def shelf(request: Request) -> Shelf:
    """The app's shelf."""
    state = request.app.state
    if not hasattr(state, "shelf"):
        state.shelf = Shelf()
    found = state.shelf
    assert isinstance(found, Shelf)
    return found


def _made(flac: Path, keys: Sequence[SiteKey]) -> Peaks:
    with opened(flac, keys) as file:
        return peaks_of_file(flac, file)


def _stored(path: Path, keys: Sequence[SiteKey]) -> Peaks | None:
    """What the archivist made; None for a recording of an older version, or a file that is damaged."""
    try:
        with opened(path, keys) as file:
            return unpack(file.read())
    except (OSError, ValueError):
        return None


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
