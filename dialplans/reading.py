"""Reading tables of a plan while collecting faults, so that one run tells everything that is wrong."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dialplans import model
from dialplans.faults import Fault
from dialplans.keys import Keys
from dialplans.lines import Path
from dialplans.sources import Merged
from dialplans.values import Wrong, ident


@dataclass(slots=True)
class Reading:
    """One plan being read: its tables, the faults so far, and what is odd but no fault."""

    merged: Merged
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    _rows: dict[Path, list[Path]] = field(default_factory=dict)

    def fault(self, path: Path, what: str, instead: str) -> None:
        """Note a fault at `path`; three hundred points of one series make one fault, not three hundred."""
        fault = Fault(*self.merged.place(path), what, instead)
        if fault not in self.faults:
            self.faults.append(fault)

    def warn(self, path: Path, what: str, instead: str) -> None:
        """Note at `path` what a plan may say and hardly means."""
        warning = Fault(*self.merged.place(path), what, instead)
        if warning not in self.warnings:
            self.warnings.append(warning)

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the texts, in the order in which they are read."""
        return tuple(source.name for source in self.merged.sources)

    def fields(self, path: Path, raw: object, keys: Keys) -> dict[str, Any] | None:
        """The model's fields that the table at `path` sets, or None where it cannot stand; faults are noted.

        A key that cannot be read is left out, so that its default lets the reading go on.
        """
        if not isinstance(raw, Mapping):
            self.fault(path, f"{_dotted(path)} is no table", f"Write it as a table with the keys {', '.join(keys)}")
            return None
        self._unknown(path, raw, keys)
        found: dict[str, Any] = {}
        whole = True
        for name, key in keys.items():
            if name not in raw:
                if key.required:
                    self.fault(path, f"{_dotted(path)} has no '{name}'", f"Add the key '{name}'")
                    whole = False
                continue
            try:
                found[key.field or name] = key.reads(raw[name])
            except Wrong as wrong:
                self.fault((*path, name), f"'{name}' of {_dotted(path)}: {wrong.what}", wrong.instead)
                whole = whole and not key.required
        return found if whole else None

    def tables(self, path: Path, raw: object) -> Iterator[tuple[str, Path, object]]:
        """The tables below `path`, each with its id and path. Ids that are none are faults and left out."""
        if not isinstance(raw, Mapping):
            self.fault(path, f"{_dotted(path)} is no table", f"Write [{_dotted(path)}.ID] with an id of your own")
            return
        for name, below in raw.items():
            try:
                ident(name)
            except Wrong as wrong:
                self.fault((*path, name), wrong.what, wrong.instead)
            else:
                yield name, (*path, name), below

    def rows(self, path: Path, raw: object) -> Iterator[tuple[Path, object]]:
        """The entries of an array of tables, each with its path."""
        if not isinstance(raw, list):
            self.fault(path, f"{_dotted(path)} is no array of tables", f"Write [[{_dotted(path)}]] for each entry")
            return
        for index, below in enumerate(raw):
            yield (*path, index), below

    def built(self, path: Path, raw: object, keys: Keys) -> list[dict[str, Any]]:
        """The model's fields of each entry of an array of tables that can stand; see `row`."""
        built, self._rows[path] = [], []
        for at, below in self.rows(path, raw):
            if (found := self.fields(at, below, keys)) is not None:
                built.append(found)
                self._rows[path].append(at)
        return built

    def row(self, path: Path, index: int) -> Path:
        """The path of an entry that `built` gave."""
        return self._rows[path][index]

    def pairs(self, path: Path, raw: object, instead: str) -> Iterator[tuple[str, object]]:
        """The keys and values of a table whose keys a plan may choose."""
        if not isinstance(raw, Mapping):
            self.fault(path, f"{_dotted(path)} is no table", instead)
            return
        yield from raw.items()

    def _unknown(self, path: Path, raw: Mapping[str, Any], keys: Keys) -> None:
        for name in raw:
            if name not in keys:
                close = difflib.get_close_matches(name, keys, n=1, cutoff=0.5)
                instead = f"Did you mean '{close[0]}'?" if close else f"Known here: {', '.join(keys)}"
                self.fault((*path, name), f"unknown key '{name}' in {_dotted(path)}", instead.rstrip("."))


@dataclass(slots=True)
class Draft:
    """What has been read so far. `where` knows every id that is written, also of tables that could not be built."""

    plan: dict[str, Any] = field(default_factory=dict)
    hours: dict[str, model.Hours] = field(default_factory=dict)
    profiles: dict[str, model.Profile] = field(default_factory=dict)
    points: dict[str, model.Point] = field(default_factory=dict)
    point_groups: dict[str, model.PointGroup] = field(default_factory=dict)
    operators: dict[str, model.Operator] = field(default_factory=dict)
    about_groups: dict[str, model.Group] = field(default_factory=dict)
    queues: dict[str, model.Queue] = field(default_factory=dict)
    ladders: dict[str, model.Ladder] = field(default_factory=dict)
    parties: dict[str, model.Party] = field(default_factory=dict)
    trunks: dict[str, model.Trunk] = field(default_factory=dict)
    cameras: dict[str, model.Camera] = field(default_factory=dict)
    nuisance: dict[str, model.Nuisance] = field(default_factory=dict)
    notices: dict[str, model.Notice] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    outcome_digits: dict[str, str] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    pauses: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    where: dict[tuple[str, str], Path] = field(default_factory=dict)

    def knows(self, section: str, name: str) -> bool:
        """Whether `name` is written in `section`."""
        return (section, name) in self.where


def _dotted(path: Path) -> str:
    """A path in words: `ladders.town.steps` number 2."""
    words = ".".join(str(part) for part in path if not isinstance(part, int))
    numbers = [part for part in path if isinstance(part, int)]
    return f"{words} (number {numbers[-1] + 1})" if numbers else words
