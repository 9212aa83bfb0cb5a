"""The texts that a plan is made of: the plan's own and those that it includes, merged into one, each line still known.

Pure: whoever asks gives a function that reads. A table stands in one file only; arrays of tables follow each other in the
order of the files.
"""

import posixpath
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dialplans.faults import Fault, PlanError
from dialplans.lines import Lines, Path
from dialplans.values import Wrong, text

MOST_FILES = 32
INCLUDE = "include"
WHOLE_SECTIONS = ("plan",)  # these stand in one file as a whole; others grow by ids

_SYNTAX_AT = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True)
class Source:
    """One text: the name that faults give it, its path from the plan's own file, what is in it."""

    name: str
    path: str
    text: str
    raw: Mapping[str, Any]
    lines: Lines


@dataclass(slots=True)
class Merged:
    """The tables of all sources as one, and where each stands."""

    sources: list[Source]
    raw: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _owners: dict[Path, tuple[Source, Path]] = field(default_factory=dict)

    def place(self, path: Path) -> tuple[str, int]:
        """The file and the line of a path, else of the nearest table around it, else the first line of the plan."""
        for length in (2, 1):
            if (owner := self._owners.get(path[:length])) is not None:
                source, local = owner
                return source.name, source.lines.of((*local, *path[length:]))
        return self.sources[0].name, 1

    def take(self, source: Source) -> None:
        """Merge one more source in."""
        for section, content in source.raw.items():
            if section == INCLUDE:
                continue
            self._owners.setdefault((section,), (source, (section,)))
            if section not in self.raw:
                self.raw[section] = {} if isinstance(content, Mapping) else [] if isinstance(content, list) else content
            known = self.raw[section]
            if isinstance(content, list) and isinstance(known, list):
                for index, row in enumerate(content):
                    self._owners[section, len(known)] = (source, (section, index))
                    known.append(row)
            elif isinstance(content, Mapping) and isinstance(known, dict):
                self._take_table(source, section, content, known)
            elif known is not content:
                self._twice(source, (section,))

    def _take_table(self, source: Source, section: str, content: Mapping[str, Any], known: dict[str, Any]) -> None:
        if section in WHOLE_SECTIONS and self._owners[(section,)][0] is not source:
            self._twice(source, (section,))
            return
        for name, below in content.items():
            if name in known:
                self._twice(source, (section, name))
            else:
                known[name] = below
                self._owners[section, name] = (source, (section, name))

    def _twice(self, source: Source, path: Path) -> None:
        file, line = self.place(path)
        dotted = ".".join(str(part) for part in path)
        what = f"'{dotted}' stands in {file} already, line {line}"
        self.faults.append(
            Fault(source.name, source.lines.of(path), what, "A table stands in one file only: take one of them out")
        )


def gather(name: str, plan: str, read: Callable[[str], str]) -> Merged:
    """The plan's text with all that it includes, each by `read(path)`, which raises `Wrong` for what cannot be read.

    Raises `PlanError` where a text is no TOML, or cannot be had.
    """
    sources: list[Source] = []
    faults: list[Fault] = []
    wanted = [(posixpath.basename(name), plan)]
    seen = {posixpath.basename(name)}
    while wanted:
        path, content = wanted.pop(0)
        shown = posixpath.join(posixpath.dirname(name), path)
        try:
            raw = tomllib.loads(content)
        except tomllib.TOMLDecodeError as error:
            faults.append(_syntax(error, content, shown))
            continue
        source = Source(shown, path, content, raw, Lines(content))
        sources.append(source)
        wanted += _included(source, seen, read, faults)
    if faults:
        raise PlanError(faults)
    merged = Merged(sources)
    for source in sources:
        merged.take(source)
    return merged


def _included(source: Source, seen: set[str], read: Callable[[str], str], faults: list[Fault]) -> list[tuple[str, str]]:
    """The texts that a source asks for, with their paths from the plan's own file."""
    found: list[tuple[str, str]] = []
    asked = source.raw.get(INCLUDE, [])
    for each in asked if isinstance(asked, list) else [asked]:
        try:
            if not isinstance(asked, list):
                raise Wrong("'include' is no list of files", 'Write include = ["cameras.toml"] before the first table')
            path = _path(source, each)
            if path in seen:
                raise Wrong(f"'{each}' is included already", "Name each file once, and never one that leads back to itself")
            if len(seen) >= MOST_FILES:
                raise Wrong(f"the plan has more than {MOST_FILES} files", "Put some of them together")
            seen.add(path)
            found.append((path, read(path)))
        except Wrong as wrong:
            faults.append(Fault(source.name, source.lines.of((INCLUDE,)), wrong.what, wrong.instead))
    return found


def _path(source: Source, asked: object) -> str:
    path = text(asked)
    if path.startswith("/") or "\\" in path or not path.endswith(".toml"):
        raise Wrong(f"'{path}' is no file beside this one", 'Write a path from this file, such as "cameras.toml"')
    return posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path))


def _syntax(error: tomllib.TOMLDecodeError, content: str, name: str) -> Fault:
    at = _SYNTAX_AT.search(str(error))
    line = int(at[1]) if at else content.count("\n") + 1
    what = _SYNTAX_AT.sub("", str(error)).strip()
    return Fault(name, line, f"This is no TOML: {what}", "See https://toml.io for how it is written; a key may stand only once")
