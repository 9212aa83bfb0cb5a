"""The words of notes, so that one among millions is found at once: what a note adds, and what goes when it is erased.

A word is what stands between white space, in folded case and however its letters were composed: so a piece of a note without
white space is a piece of one of its words. Words are personal data like the notes they are from: `forgetting` belongs to the
transaction that erases the notes, and takes each word of which no note is left. The store is opened with `secure_delete`, which
writes zeros over both.
"""

import json
import unicodedata
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Executable, Select, and_, delete, exists, func, insert, literal, not_, or_, select

from callserver.core.facts import OutcomeRecorded
from callserver.core.ids import IncidentId
from callserver.store import schema as t

KIND = OutcomeRecorded.__name__
"""The kind of fact that has a note."""
FIELD = "note"


def folded(text: str) -> str:
    """What looks alike is alike (Unicode's NFKC, UAX 15), in any case; NUL, at which SQLite ends a text, is white space."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("\0", " ")


def words_of(text: str) -> list[str]:
    """Each word once, in order."""
    return list(dict.fromkeys(folded(text).split()))


def keeping(number: int, incident: IncidentId, note: str) -> Iterator[Executable]:
    """What the note of row `number` of the journal adds; nothing where its incident is not known."""
    words = words_of(note)
    if not words:
        return
    one = func.json_each(json.dumps(words)).table_valued("value", name="one")
    known = exists().where(t.incidents.c.id == incident)
    yield insert(t.words).prefix_with("OR IGNORE").from_select(["word"], select(one.c.value).where(known))
    said = select(t.words.c.id, t.incidents.c.number, literal(number)).select_from(one)
    said = said.join(t.words, t.words.c.word == one.c.value).join(t.incidents, t.incidents.c.id == incident)
    yield insert(t.noted).prefix_with("OR IGNORE").from_select(["word", "incident", "number"], said)


def forgetting(rows: Sequence[int]) -> Iterator[Executable]:
    """What takes away all that the notes of these rows of the journal added, after those that go were erased."""
    n, e, other = t.noted.c, t.journal_erasable.c, t.noted.alias("other").c
    kept = select(e.number).where(e.number.in_(rows), e.field == FIELD, e.value.is_not(None))
    gone = and_(n.number.in_(rows), n.number.not_in(kept))
    elsewhere = and_(other.word == t.words.c.id, or_(other.number.not_in(rows), other.number.in_(kept)))
    yield delete(t.words).where(t.words.c.id.in_(select(n.word).where(gone)), not_(exists().where(elsewhere)))
    yield delete(t.noted).where(gone)


def having(like: str, escape: str) -> Select[int]:
    """The ids of the words that fit a pattern in folded case."""
    return select(t.words.c.id).where(t.words.c.word.like(like, escape=escape))


def one_of(ids: Select[int]) -> ColumnElement[bool]:
    """Whether a note of the incident at hand has one of these words."""
    return exists().where(and_(t.noted.c.word.in_(ids), t.noted.c.incident == t.incidents.c.number))
