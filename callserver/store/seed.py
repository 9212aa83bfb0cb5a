"""Filling the directory from a TOML file: what a demo, a bench or a first installation starts with.

    [[sip]]                    # one account
    user = "hp-north"
    password_file = "/run/secrets/hp-north"
    algorithm = "SHA-256"      # MD5 unless said

    [[sip]]                    # many: agent000 to agent259
    series = "agent%03d"
    first = 0
    last = 259
    password = "bench"

    [[web]]
    user = "anna"
    role = "supervisor"        # operator | supervisor | auditor | administrator
    password_env = "ANNA_PASSWORD"

    [[trunk]]
    id = "city"
    password = "..."

Exactly one of password, password_file (its content without the last line feed; relative to the seed file) and password_env.
Seeding again changes nothing that is the same; accounts that the file does not name are left alone.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from callserver.store.directory import ALGORITHMS, ROLES, put_sip, put_trunk, put_web
from callserver.store.engine import writing

_PASSWORDS = ("password", "password_file", "password_env")
_KEYS = {
    "sip": frozenset({"user", "series", "first", "last", "algorithm", *_PASSWORDS}),
    "web": frozenset({"user", "role", *_PASSWORDS}),
    "trunk": frozenset({"id", *_PASSWORDS}),
}
_SERIES = re.compile(r"[^%]*%0?\d?d[^%]*")
_MAX_SERIES = 100_000


class SeedError(ValueError):
    """Everything that is wrong with a seed file, one fault a line."""


@dataclass(frozen=True, slots=True)
class Change:
    """What seeding did: `kind` sip, web or trunk; `what` added or changed."""

    kind: str
    id: str
    what: str


@dataclass(frozen=True, slots=True)
class _Account:
    kind: str
    id: str
    password: str
    detail: str  # algorithm or role


def seed(engine: Engine, path: Path, realm: str, environ: Mapping[str, str] | None = None) -> list[Change]:
    """Bring the directory to what the file says, in one transaction; returns what changed.

    SeedError names all faults at once, and then nothing is changed. `realm` is the SIP domain.
    """
    accounts = read_seed(path, environ or {})
    changes = []
    with writing(engine) as connection:
        for account in accounts:
            if account.kind == "sip":
                what = put_sip(connection, account.id, realm, account.password, account.detail)
            elif account.kind == "web":
                what = put_web(connection, account.id, account.detail, account.password)
            else:
                what = put_trunk(connection, account.id, account.password)
            if what != "unchanged":
                changes.append(Change(account.kind, account.id, what))
    return changes


def read_seed(path: Path, environ: Mapping[str, str]) -> Sequence[_Account]:
    """The accounts that the file names, series spelt out. SeedError with all faults."""
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise SeedError(f"{path}: {fault}") from fault
    reading = _Reading(path.parent, environ, [])
    accounts = list(reading.accounts(text))
    seen: set[tuple[str, str]] = set()
    for account in accounts:
        if (account.kind, account.id) in seen:
            reading.faults.append(f"[[{account.kind}]]: {account.id!r} is named twice")
        seen.add((account.kind, account.id))
    if reading.faults:
        raise SeedError("\n".join(f"{path}: {fault}" for fault in reading.faults))
    return accounts


@dataclass(frozen=True, slots=True)
class _Reading:
    beside: Path
    environ: Mapping[str, str]
    faults: list[str]

    def accounts(self, text: Mapping[str, Any]) -> Iterator[_Account]:
        for kind, entries in text.items():
            if kind not in _KEYS:
                self.faults.append(f"unknown table {kind!r}: there are [[sip]], [[web]] and [[trunk]]")
            elif not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
                self.faults.append(f"{kind} must be written [[{kind}]]")
            else:
                for number, entry in enumerate(entries, 1):
                    yield from self._entry(kind, f"[[{kind}]] number {number}", entry)

    def _entry(self, kind: str, where: str, entry: Mapping[str, Any]) -> Iterator[_Account]:
        before = len(self.faults)
        for key in entry.keys() - _KEYS[kind]:
            self.faults.append(f"{where}: unknown key {key!r}")
        for key, value in entry.items():
            if key in _KEYS[kind] and not isinstance(value, int if key in ("first", "last") else str):
                self.faults.append(f"{where}: {key} has the wrong type")
        if len(self.faults) > before:
            return
        password = self._password(where, entry)
        detail = self._detail(kind, where, entry)
        ids = list(self._ids(kind, where, entry))
        if len(self.faults) == before:
            yield from (_Account(kind, id, password, detail) for id in ids)

    def _password(self, where: str, entry: Mapping[str, Any]) -> str:
        given = [key for key in _PASSWORDS if key in entry]
        if len(given) != 1:
            self.faults.append(f"{where}: give exactly one of {', '.join(_PASSWORDS)}")
            return ""
        password = str(entry[given[0]])
        if given[0] == "password_env":
            if password not in self.environ:
                self.faults.append(f"{where}: the environment has no {password}")
            password = self.environ.get(password, "")
        elif given[0] == "password_file":
            try:
                password = (self.beside / password).read_text(encoding="utf-8").removesuffix("\n")
            except (OSError, UnicodeDecodeError) as fault:
                self.faults.append(f"{where}: password_file cannot be read: {fault}")
                return ""
        if not password:
            self.faults.append(f"{where}: the password is empty")
        return password

    def _detail(self, kind: str, where: str, entry: Mapping[str, Any]) -> str:
        if kind == "trunk":
            return ""
        key, choices, default = ("algorithm", ALGORITHMS, "MD5") if kind == "sip" else ("role", ROLES, "")
        value = str(entry.get(key, default))
        if value not in choices:
            self.faults.append(f"{where}: {key} must be one of {', '.join(choices)}")
        return value

    def _ids(self, kind: str, where: str, entry: Mapping[str, Any]) -> Iterator[str]:
        if "series" in entry:
            yield from self._series(where, entry)
            return
        if "first" in entry or "last" in entry:
            self.faults.append(f"{where}: first and last belong to a series")
        id = str(entry.get("id" if kind == "trunk" else "user", ""))
        if not id or (kind == "sip" and ":" in id):
            self.faults.append(f"{where}: {'id' if kind == 'trunk' else 'user'} is missing, empty or has a colon")
        yield id

    def _series(self, where: str, entry: Mapping[str, Any]) -> Iterator[str]:
        pattern, first, last = str(entry["series"]), entry.get("first"), entry.get("last")
        if "user" in entry:
            self.faults.append(f"{where}: give user or series, not both")
        elif not _SERIES.fullmatch(pattern) or ":" in pattern:
            self.faults.append(f'{where}: a series has one place for its number, such as "agent%03d"')
        elif first is None or last is None or not 0 <= first <= last < first + _MAX_SERIES:
            self.faults.append(f"{where}: a series needs first and last, 0 <= first <= last, at most {_MAX_SERIES} of them")
        else:
            yield from (pattern % number for number in range(first, last + 1))
