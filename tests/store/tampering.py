"""Ways to tamper with a sealed store, by somebody who has the machine but not the key. Each returns what must be named."""

import os
import struct
from collections.abc import Callable, Mapping
from random import Random

from callserver.core.facts import CheckpointKeyMade
from callserver.store.encoding import encode_fact
from callserver.store.evidence.keys import SigningKey, make_key
from tests.store.sealed import CHECKPOINTS, ROWS_BETWEEN, Sealed
from tests.store.tampering_deletions import DELETIONS
from tests.store.tampering_files import FILES, turned
from tests.store.tampering_texts import TEXTS
from tests.store.unguarded import Store

Tampering = Callable[[Sealed, Random], str]
PAGE_BYTES = 4096
_ASIDE = -1_000_000


def plain(store: Store, random: Random, behind: int = 2) -> int:
    """A row that holds no key and no checkpoint, somewhere before the last ones."""
    kinds = "('AlarmRaised', 'OutcomeRecorded', 'RecordingMade')"
    query = f"SELECT number FROM journal WHERE kind IN {kinds} AND number > ? AND number < ?"
    return int(random.choice(store.db.execute(query, (behind, store.rows - 2)).fetchall())[0])


# ---- rows ---------------------------------------------------------------------------------------------------


def bit_in_a_body(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        body = store.one("SELECT body FROM journal WHERE number = ?", number)[0]
        assert isinstance(body, bytes)
        store.do("UPDATE journal SET body = ? WHERE number = ?", turned(body, random), number)
    return f"row {number}:"


def edited_column(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        changes = ("id = id || 'x'", "kind = 'AlarmCleared'", "at_instant_ns = 7", "utc_ns = utc_ns - 60000000000", "anchor = 2")
        more = ("incident = 'i7'", "call = 'i7.1'", "framing = 2", "body_hash = zeroblob(32)", "hash = zeroblob(32)")
        store.do(f"UPDATE journal SET {random.choice(changes + more)} WHERE number = ?", number)
    return f"row {number}:"


def column_of_another_type(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        changes = ("utc_ns = 'x'", "kind = x'ff'", "body = 'text'", "id = x'00'", "hash = 'no'", "call = x'c3'", "anchor = 1.5")
        store.do(f"UPDATE journal SET {random.choice(changes)} WHERE number = ?", number)
    return f"row {number}:"


def column_of_the_same_bytes(sealed: Sealed, random: Random) -> str:
    """The frame of the hash stays the same."""
    with Store(sealed) as store:
        number, name = plain(store, random), random.choice(("at_instant_ns", "utc_ns", "anchor"))
        value = store.one(f"SELECT {name} FROM journal WHERE number = ?", number)[0]
        store.do(f"UPDATE journal SET {name} = ? WHERE number = ?", struct.pack(">q", value), number)
    return f"row {number}:"


def text_made_bytes(sealed: Sealed, random: Random) -> str:
    """The same to the hash, and found by no query for what it says."""
    with Store(sealed) as store:
        name = random.choice(("id", "kind", "incident", "call"))
        rows = store.db.execute(f"SELECT number FROM journal WHERE {name} IS NOT NULL AND number > 2").fetchall()
        number = random.choice(rows)[0]
        store.do(f"UPDATE journal SET {name} = CAST({name} AS BLOB) WHERE number = ?", number)
    return f"row {number}:"


def edited_and_rehashed(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        rows = store.rows
        after = store.one("SELECT prev_hash FROM journal WHERE number = ?", number + 1)[0]
        store.do("UPDATE journal SET body = replace(CAST(body AS TEXT), '{', '{ ') WHERE number = ?", number)
        store.do("UPDATE journal SET body = CAST(body AS BLOB) WHERE number = ?", number)
        head = store.one("SELECT hash FROM journal_head")[0]
        later = store.db.execute("SELECT * FROM journal WHERE number > ?", (number,)).fetchall()
        store.do("DELETE FROM journal WHERE number > ?", number)
        store.rechain(number)
        for row in later:
            store.do(f"INSERT INTO journal VALUES ({', '.join('?' * len(row))})", *row)
        store.do("UPDATE journal_head SET number = ?, hash = ?", rows, head)
        assert after == later[0][11]
    return f"row {number + 1}:"


def dropped_row(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        store.do("DELETE FROM journal WHERE number = ?", number)
    return f"row {number}:"


def dropped_and_closed_up(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        store.do("DELETE FROM journal WHERE number = ?", number)
        store.do("DELETE FROM journal_erasable WHERE number = ?", number)
        store.renumber(number + 1, -1)
        store.do("UPDATE journal_head SET number = number - 1")
    return f"row {number}:"


def inserted_row(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        store.renumber(number, 1)
        store.insert(number, "AlarmCleared", b'{"key":"x","why":"y"}')
        store.do("UPDATE journal_head SET number = number + 1")
    return f"row {number}:"


def row_before_the_first(sealed: Sealed, random: Random) -> str:
    number = -random.randrange(3)
    with Store(sealed) as store:
        store.insert(number, "AlarmCleared", b'{"key":"x","why":"y"}')
    return f"row {number}:"


def row_beyond_the_head(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        head = store.one("SELECT number, hash FROM journal_head")
        number = store.rows + 1
        store.insert(number, "AlarmCleared", b'{"key":"x","why":"y"}')
        store.rechain(number)
        store.do("UPDATE journal_head SET number = ?, hash = ?", *head)
    return f"row {number}:"


def neighbours_swapped(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        _swap(store, number, number + 1)
    return f"row {number}:"


def rows_swapped(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        one, other = plain(store, random), plain(store, random)
        one, other = (one, other) if one != other else (one, one + 1)
        _swap(store, one, other)
    return f"row {min(one, other)}:"


def _swap(store: Store, one: int, other: int) -> None:
    for number, new in ((one, _ASIDE), (other, one), (_ASIDE, other)):
        store.do("UPDATE journal SET number = ? WHERE number = ?", new, number)


def head_moved(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random)
        store.do("UPDATE journal_head SET number = ?", number)
    return "head"


# ---- the end cut off, the whole made anew -------------------------------------------------------------------


def tail_cut_off(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random, store.rows // 2)
        store.do("DELETE FROM journal WHERE number > ?", number)
    return f"row {number + 1}:"


def tail_cut_off_with_its_head(sealed: Sealed, random: Random) -> str:
    """The chain is whole; only the anchor knows."""
    with Store(sealed) as store:
        number = plain(store, random, store.rows // 2)
        _cut(store, number)
    return f"anchor {sealed.anchor}, line "


def cut_at_a_checkpoint(sealed: Sealed, random: Random) -> str:
    """Everything fits; only the anchor knows."""
    kept = random.randrange(1, CHECKPOINTS)
    with Store(sealed) as store:
        query = "SELECT number FROM journal WHERE kind = 'CheckpointSigned' ORDER BY number LIMIT 1 OFFSET ?"
        number = int(str(store.one(query, kept - 1)[0]))
        _cut(store, number)
    return f"anchor {sealed.anchor}, line {kept + 1}:"


def _cut(store: Store, number: int) -> None:
    store.do("DELETE FROM journal WHERE number > ?", number)
    store.do("DELETE FROM journal_erasable WHERE number > ?", number)
    store.do("UPDATE journal_head SET number = ?, hash = (SELECT max(hash) FROM journal WHERE number = ?)", number, number)


def edited_and_chained_anew(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random, 2)
        body = b'{"key":"another","text":"story"}'
        store.do("DELETE FROM journal_erasable WHERE number = ?", number)
        store.do("UPDATE journal SET body = ?, kind = 'AlarmRaised' WHERE number = ?", body, number)
        store.rechain(number)
        covering = store.db.execute("SELECT number, body FROM journal WHERE kind = 'CheckpointSigned' ORDER BY number").fetchall()
        first = next((row for row, text in covering if int(text.split(b'"number":')[1].split(b",")[0]) >= number), None)
    return f"row {first}: checkpoint" if first else "anchor"


def dropped_checkpoint_and_chained_anew(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        rows = store.db.execute("SELECT number FROM journal WHERE kind = 'CheckpointSigned' ORDER BY number").fetchall()
        number = random.choice(rows[:-1])[0]
        store.do("DELETE FROM journal WHERE number = ?", number)
        store.renumber(number + 1, -1)
        store.rechain(number)
    return "checkpoint"


def made_anew_without_checkpoints(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random, 2)
        store.do("UPDATE journal SET kind = 'AlarmCleared', body = ? WHERE kind LIKE 'Checkpoint%'", b'{"key":"x","why":"y"}')
        store.do("UPDATE journal SET utc_ns = utc_ns + 1 WHERE number = ?", number)
        store.rechain()
    return "checkpoints: there is none"


def made_anew_with_another_key(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        number = plain(store, random, 2)
        store.do("UPDATE journal SET utc_ns = utc_ns + 1 WHERE number = ?", number)
        key = make_key(sealed.home / "forger.key")
        store.do("UPDATE journal SET body = ? WHERE number = 1", _body(key.first()))
        others = "kind = 'CheckpointKeyMade' AND number > 1"
        store.do(f"UPDATE journal SET kind = 'AlarmCleared', body = ? WHERE {others}", b'{"key":"x","why":"y"}')
        _sign_all(store, key)
    return "checkpoints: the last ones are signed with key"


def another_key_slipped_in(sealed: Sealed, random: Random) -> str:
    """The old rows keep their signatures; a new key, without consent, signs what was changed behind them."""
    with Store(sealed) as store:
        key = make_key(sealed.home / "forger.key")
        number = store.rows + 1
        fact = key.first() if random.random() < 0.5 else key.successor(key)
        store.insert(number, "CheckpointKeyMade", _body(fact))
        store.rechain(number)
    return f"row {number}: the key"


def _body(fact: CheckpointKeyMade) -> bytes:
    return encode_fact(fact)[1]


def _sign_all(store: Store, key: SigningKey) -> None:
    """Every checkpoint signed again over the changed chain."""
    rows = store.db.execute("SELECT number FROM journal WHERE kind = 'CheckpointSigned' ORDER BY number").fetchall()
    for sequence, (number,) in enumerate(rows, 1):
        store.rechain()
        hash = store.one("SELECT hash FROM journal WHERE number = ?", number - 1)[0]
        assert isinstance(hash, bytes)
        c = key.checkpoint(sequence, number - 1, hash.hex(), 10**18)
        told = f'"hash":"{c.hash}","utc_ns":{c.utc_ns},"key":"{c.key}","signature":"{c.signature}"'
        body = f'{{"sequence":{sequence},"number":{c.number},{told}}}'
        store.do("UPDATE journal SET body = ? WHERE number = ?", body.encode(), number)
    store.rechain()


# ---- the database's file ------------------------------------------------------------------------------------


def bit_in_the_file(sealed: Sealed, random: Random) -> str:
    """In what the row holds, wherever that lies on the disk."""
    with Store(sealed) as store:
        number = plain(store, random)
        row = store.one("SELECT body, body_hash, prev_hash, hash FROM journal WHERE number = ?", number)
    held = b"".join(bytes(value) for value in row)  # type: ignore[call-overload]
    octets = sealed.database.read_bytes()
    assert octets.count(held) == 1
    sealed.database.write_bytes(octets.replace(held, turned(held, random)))
    return f"row {number}:"


def page_overwritten(sealed: Sealed, random: Random) -> str:
    """With zeros, noise or another page of the journal; the first row on it is named."""
    with Store(sealed) as store:
        rows = (plain(store, random, ROWS_BETWEEN), 1)
        hashes = [store.one("SELECT hash FROM journal WHERE number = ?", number)[0] for number in rows]
    octets = bytearray(sealed.database.read_bytes())
    page, first = (octets.find(bytes(hash)) // PAGE_BYTES for hash in hashes)  # type: ignore[call-overload]
    noise = random.choice(
        (bytes(PAGE_BYTES), random.randbytes(PAGE_BYTES), octets[first * PAGE_BYTES : (first + 1) * PAGE_BYTES])
    )
    octets[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = noise
    sealed.database.write_bytes(octets)
    return "row "


def file_cut_short(sealed: Sealed, random: Random) -> str:
    with Store(sealed):
        pass
    size = sealed.database.stat().st_size
    os.truncate(sealed.database, size - PAGE_BYTES * random.randrange(1, 6))
    return "damaged"


def row_hidden_from_an_index(sealed: Sealed, random: Random) -> str:
    """The rows are all there; whoever looks for the incident or the call finds one less."""
    with Store(sealed) as store:
        name = random.choice(("incident", "call"))
        rows = store.db.execute(f"SELECT number FROM journal WHERE {name} IS NOT NULL AND number > 2").fetchall()
        store.do(f"CREATE TABLE shadow ({name} TEXT, number INTEGER PRIMARY KEY)")
        store.do(f"INSERT INTO shadow SELECT {name}, number FROM journal WHERE number <> ?", random.choice(rows)[0])
        store.do(f"CREATE INDEX shadow_index ON shadow ({name})")
        page = store.one("SELECT rootpage FROM sqlite_master WHERE name = 'shadow_index'")[0]
        own = store.one("SELECT rootpage FROM sqlite_master WHERE name = ?", f"journal_{name}")[0]
        store.do("PRAGMA writable_schema = ON")
        store.do("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", page, f"journal_{name}")
        store.do("UPDATE sqlite_master SET rootpage = ? WHERE name = 'shadow_index'", own)
        store.do("PRAGMA writable_schema = RESET")
    return "an index of the table journal does not fit it"


KINDS: Mapping[str, Tampering] = {
    kind.__name__: kind
    for kind in (
        *(
            bit_in_a_body,
            edited_column,
            column_of_another_type,
            column_of_the_same_bytes,
            text_made_bytes,
            edited_and_rehashed,
            dropped_row,
        ),
        *(
            dropped_and_closed_up,
            inserted_row,
            row_before_the_first,
            row_beyond_the_head,
            neighbours_swapped,
            rows_swapped,
            head_moved,
        ),
        *(tail_cut_off, tail_cut_off_with_its_head, cut_at_a_checkpoint, edited_and_chained_anew),
        *(dropped_checkpoint_and_chained_anew, made_anew_without_checkpoints, made_anew_with_another_key, another_key_slipped_in),
        *(
            *TEXTS,
            bit_in_the_file,
            page_overwritten,
            file_cut_short,
            row_hidden_from_an_index,
        ),
        *FILES,
        *DELETIONS,
    )
}
"""Every kind by its name."""
