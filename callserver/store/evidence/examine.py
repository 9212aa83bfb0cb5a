"""Examining signatures and anchors against the journal, once its chain is known to be whole (`callserver.store.verify`).

Written apart from `verify_journal.py`, which does the same for strangers: two ways to the same verdict. The first thing wrong is
named, with its place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from callserver.core.facts import CheckpointKeyMade, CheckpointSigned, Fact
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.evidence import statement
from callserver.store.evidence.keys import fits

_KINDS = (CheckpointKeyMade.__name__, CheckpointSigned.__name__)


class Wrong(ValueError):
    """The first thing wrong with signatures or anchors, with its place."""


@dataclass(slots=True)
class Signed:
    """What the signatures show: rows up to `signed_to` are covered by `checkpoints` checkpoints, the last one of key `signer`."""

    checkpoints: int = 0
    signed_to: int = 0
    signer: str = ""
    keys: dict[str, str] = field(default_factory=dict)  # fingerprint -> public key, in the journal's order
    trusted: set[str] = field(default_factory=set)

    @property
    def in_force(self) -> str:
        """The fingerprint of the key that signs now; "" where there is none."""
        return next(reversed(self.keys), "")


def check_signatures(engine: Engine, given: Sequence[str] = (), required: bool = True) -> Signed:
    """All keys and checkpoints of the journal, with the keys in `given` trusted (none given: the first). Raises Wrong.

    With keys given a journal without any checkpoint is wrong as well, if they are `required`.
    """
    signed = Signed()
    try:
        for number, fact in _facts(engine):
            if isinstance(fact, CheckpointKeyMade):
                _take_key(signed, number, fact, given)
            elif isinstance(fact, CheckpointSigned):
                _take_checkpoint(engine, signed, number, fact)
    except SQLAlchemyError as error:
        raise Wrong(f"the database's file is damaged: {str(error).splitlines()[0]}") from error
    if given and required and not signed.checkpoints:
        raise Wrong("checkpoints: there is none, so nothing is signed with the key that was given")
    if signed.checkpoints and signed.signer not in signed.trusted:
        raise Wrong(
            f"checkpoints: the last ones are signed with key {signed.signer}, which is not given and follows no given one"
        )
    return signed


def check_anchor(engine: Engine, path: Path, signed: Signed) -> int:
    """Every checkpoint in a file kept elsewhere agrees with the journal; how many there are. Raises Wrong.

    One that the journal got since its signatures were examined counts; the next look examines it.
    """
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise Wrong(f"anchor {path}: it cannot be read: {error.strerror}") from error
    count = 0
    for line, told in statement.lines_in(text):
        where = f"anchor {path}, line {line}"
        count += 1
        if told.sequence > signed.checkpoints and _came_since(engine, told):
            continue
        if told.key not in signed.keys:
            raise Wrong(f"{where}: it is signed with key {told.key}, which the journal does not know")
        if not fits(signed.keys[told.key], told.signature, statement.text_of(told)):
            raise Wrong(f"{where}: its signature is false")
        found = _hash(engine, told.number)
        if not found:
            raise Wrong(f"{where}: the journal was cut short: row {told.number} is missing")
        if found != told.hash:
            raise Wrong(f"{where}: row {told.number} had another hash when this was written")
        if told.sequence > signed.checkpoints:
            raise Wrong(f"{where}: checkpoint {told.sequence} is missing in the journal")
    if not count:
        raise Wrong(f"anchor {path}: there is no checkpoint in it")
    return count


def _facts(engine: Engine) -> Iterator[tuple[int, Fact]]:
    c = t.journal.c
    with engine.connect() as connection:
        rows = connection.execute(select(c.number, c.kind, c.body).where(c.kind.in_(_KINDS)).order_by(c.number)).all()
    for number, kind, body in rows:
        try:
            yield number, decode_fact(kind, body)
        except msgspec.DecodeError as error:
            raise Wrong(f"row {number}: this {kind} lacks a field or has a wrong one: {error}") from error


def _take_key(signed: Signed, number: int, fact: CheckpointKeyMade, given: Sequence[str]) -> None:
    before = signed.in_force
    if not statement.is_named_rightly(fact):
        raise Wrong(f"row {number}: the key's fingerprint is not its own")
    if fact.key in signed.keys:
        raise Wrong(f"row {number}: the key {fact.key} comes into force a second time")
    consented = fact.previous == before != "" and fits(signed.keys[before], fact.consent, statement.consent_text(fact.public))
    if before and not consented and fact.key not in given:
        raise Wrong(
            f"row {number}: the key {fact.key} came without the consent of the key before it; if that was right, give it by --key"
        )
    if fact.key in given or (consented and before in signed.trusted) or not (before or given):
        signed.trusted.add(fact.key)
    signed.keys[fact.key] = fact.public


def _take_checkpoint(engine: Engine, signed: Signed, number: int, fact: CheckpointSigned) -> None:
    where = f"row {number}: checkpoint {fact.sequence}"
    if fact.sequence != signed.checkpoints + 1:
        raise Wrong(f"{where}: checkpoint {signed.checkpoints + 1} is awaited here")
    if fact.key != signed.in_force:
        raise Wrong(f"{where}: it is signed with key {fact.key}, in force is {signed.in_force or 'none'}")
    if not signed.signed_to <= fact.number < number:
        raise Wrong(f"{where}: it covers row {fact.number}, which cannot be")
    if not fits(signed.keys[fact.key], fact.signature, statement.text_of(fact)):
        raise Wrong(f"{where}: its signature is false")
    if _hash(engine, fact.number) != fact.hash:
        raise Wrong(f"{where} has another hash for row {fact.number} than the journal")
    signed.checkpoints, signed.signed_to, signed.signer = fact.sequence, fact.number, fact.key


def _came_since(engine: Engine, told: CheckpointSigned) -> bool:
    c = t.journal.c
    with engine.connect() as connection:
        row = connection.execute(select(c.kind, c.body).where(c.id == f"checkpoint:{told.sequence}")).first()
    return row is not None and row.kind == CheckpointSigned.__name__ and decode_fact(row.kind, row.body) == told


def _hash(engine: Engine, number: int) -> str:
    with engine.connect() as connection:
        found = connection.execute(select(t.journal.c.hash).where(t.journal.c.number == number)).scalar()
    return found.hex() if found is not None else ""
