"""Ways to tamper with the texts beside the journal. For `tampering`."""

from random import Random

from tests.store.sealed import Sealed
from tests.store.unguarded import Store


def with_text(store: Store, random: Random) -> int:
    """A row with an erasable text that was not erased."""
    rows = store.db.execute("SELECT number FROM journal_erasable WHERE value IS NOT NULL").fetchall()
    return int(random.choice(rows)[0])


def edited_text(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = with_text(store, random)
        change = random.choice(("value = value || '!'", "salt = zeroblob(16)", "salt = NULL", "value = x'ff'"))
        store.do(f"UPDATE journal_erasable SET {change} WHERE number = ?", number)
    return f"row {number}:"


def beginning_moved_into_the_salt(sealed: Sealed, random: Random) -> str:
    """What is hashed stays the same, and the text loses its first words."""
    with Store(sealed) as store:
        number = with_text(store, random)
        query = "SELECT field, salt, value FROM journal_erasable WHERE number = ? AND value IS NOT NULL"
        field, salt, value = store.one(query, number)
        assert isinstance(salt, bytes) and isinstance(value, str)
        cut = random.randrange(1, len(value) + 1)
        change = "UPDATE journal_erasable SET salt = ?, value = ? WHERE number = ? AND field = ?"
        store.do(change, salt + value[:cut].encode(), value[cut:], number, field)
    return f"row {number}:"


def inserted_text(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = with_text(store, random)
        store.do("INSERT INTO journal_erasable VALUES (?, 'outcome', zeroblob(16), 'unharmed')", number)
    return f"row {number}:"


def erased_text(sealed: Sealed, random: Random) -> str:
    """As the service erases one, but without the fact."""
    with Store(sealed) as store:
        number = with_text(store, random)
        store.do("UPDATE journal_erasable SET salt = NULL, value = NULL WHERE number = ?", number)
    return f"row {number}:"


def dropped_text(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = with_text(store, random)
        store.do("DELETE FROM journal_erasable WHERE number = ?", number)
    return f"row {number}:"


def text_beside_no_row(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = random.choice((-1, 0, store.rows + 5))
        store.do("INSERT INTO journal_erasable VALUES (?, 'note', zeroblob(16), 'unharmed')", number)
    return f"row {number}:"


TEXTS = (edited_text, beginning_moved_into_the_salt, inserted_text, erased_text, dropped_text, text_beside_no_row)
