"""The notary: sees that the journal is signed again and again, and that its key is in the journal.

It keeps nothing that matters in memory: the key's file, its successor's file and the journal tell what is to be done next, so
an end at any point is made up for by the next step. It writes facts by way of the switchboard, like everybody else. Order rules:
a key signs nothing before its fact is in the journal; a successor takes the key's place when the journal has its fact.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from callserver.config import Config
from callserver.core.facts import CheckpointKeyMade, CheckpointSigned
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.evidence.keys import FILE_NAME, KeyUnusable, SigningKey, make_key, next_of, read_key, take_over

SECOND_NS = 1_000_000_000
AGAIN_NS = 30 * SECOND_NS
SOON_NS = SECOND_NS
ALARM = "checkpoint"

_KEY, _CHECKPOINT = CheckpointKeyMade.__name__, CheckpointSigned.__name__
_FAULTS = (SQLAlchemyError, OSError, KeyUnusable, msgspec.DecodeError)

Note = Callable[[str, CheckpointKeyMade | CheckpointSigned], None]


def key_path(config: Config) -> Path:
    """Where the key that signs checkpoints lies."""
    return config.evidence.key or config.storage.data / FILE_NAME


class NotNoted(OSError):
    """The switchboard could not take a fact; it is told again later."""


class Notary:
    """See the module. `step` once a second or so; it blocks for a few milliseconds, or as long as `note` does."""

    def __init__(
        self,
        engine: Engine,
        key: Path,
        every_ns: int,
        note: Note,
        raise_alarm: Callable[[str, str], None],
        clear_alarm: Callable[[str], None],
        now_ns: Callable[[], int],
        utc_ns: Callable[[], int],
    ) -> None:
        """`note(id, fact)` journals a fact, the same id once, and raises NotNoted where it cannot."""
        self._engine, self._path, self._every_ns, self._note = engine, key, every_ns, note
        self._raise_alarm, self._clear_alarm = raise_alarm, clear_alarm
        self._now_ns, self._utc_ns = now_ns, utc_ns
        self._due_ns = now_ns()
        self._newest: CheckpointSigned | None = None
        self._row_of_newest = 0

    def step(self) -> CheckpointSigned | None:
        """Do what is due; the newest checkpoint that the journal has, for anchors."""
        try:
            due = self._now_ns() >= self._due_ns or next_of(self._path).exists()
            self._look(due)
            if due:
                self._due_ns = self._now_ns() + (self._every_ns if self._work() else SOON_NS)
                self._clear_alarm(ALARM)
        except NotNoted:
            self._due_ns = self._now_ns() + AGAIN_NS  # no switchboard: nobody to tell either, and other alarms ring
        except _FAULTS as error:
            self._due_ns = self._now_ns() + AGAIN_NS
            self._raise_alarm(ALARM, f"the journal cannot be signed: {_plain(error)}")
        return self._newest

    def _work(self) -> bool:
        """One thing after another; whether all is done until the next interval."""
        key = self._own_key()
        if key is None:
            return False
        if not self._knows(key):
            self._note_key(key.first())
            return False
        if not next_of(self._path).exists():
            self._sign(key)
            return True
        successor = read_key(next_of(self._path))
        if self._knows(successor):
            take_over(self._path)
        else:
            self._sign(key)
            self._note_key(key.successor(successor))
        return False

    def _own_key(self) -> SigningKey | None:
        """The key; made where the journal knows of none. None: a successor to a lost one is on its way into the journal."""
        if self._path.exists():
            return read_key(self._path)
        if next_of(self._path).exists():
            successor = read_key(next_of(self._path))
            if self._knows(successor):
                take_over(self._path)
                return successor
            self._note_key(successor.first())
            return None
        if self._any_key():
            raise KeyUnusable(f"{self._path} is gone: put it back from its copy, or make a new one by callserver key rotate")
        return make_key(self._path)

    def _sign(self, key: SigningKey) -> None:
        """A checkpoint over the last row, unless that row is the last checkpoint itself."""
        with self._engine.connect() as connection:
            c = t.journal.c
            number, hash = connection.execute(select(c.number, c.hash).order_by(c.number.desc()).limit(1)).one()
        if number == self._row_of_newest:
            return
        sequence = self._newest.sequence + 1 if self._newest is not None else 1
        self._note(f"checkpoint:{sequence}", key.checkpoint(sequence, number, hash.hex(), self._utc_ns()))

    def _note_key(self, fact: CheckpointKeyMade) -> None:
        self._note(_key_id(fact.key), fact)

    # ---- what the journal has ---------------------------------------------------------------------------------

    def _look(self, thoroughly: bool) -> None:
        """The newest checkpoint: searched for until one is found, then followed by its id."""
        if self._newest is None:
            self._take(self._last(_CHECKPOINT) if thoroughly else self._of_id("checkpoint:1"))
        while self._newest is not None and self._take(self._of_id(f"checkpoint:{self._newest.sequence + 1}")):
            pass

    def _take(self, row: tuple[int, bytes] | None) -> bool:
        if row is None:
            return False
        fact = decode_fact(_CHECKPOINT, row[1])
        assert isinstance(fact, CheckpointSigned)
        self._newest, self._row_of_newest = fact, row[0]
        return True

    def _knows(self, key: SigningKey) -> bool:
        return self._of_id(_key_id(key.name)) is not None

    def _any_key(self) -> bool:
        return self._last(_KEY) is not None

    def _last(self, kind: str) -> tuple[int, bytes] | None:
        c = t.journal.c
        query = select(c.number, c.body).where(c.kind == kind).order_by(c.number.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.number, row.body)

    def _of_id(self, id: str) -> tuple[int, bytes] | None:
        c = t.journal.c
        with self._engine.connect() as connection:
            row = connection.execute(select(c.number, c.body).where(c.id == id)).first()
        return None if row is None else (row.number, row.body)


def _key_id(name: str) -> str:
    return f"checkpoint-key:{name}"


def _plain(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
