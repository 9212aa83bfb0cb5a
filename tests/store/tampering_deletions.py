"""Ways to tamper with what was deleted: files without their fact, facts that must not be. For `tampering`."""

from random import Random

from callserver.core.facts import Fact, HoldLifted, HoldPlaced, RecordingDeleted, RecordingMade, TextsErased
from callserver.core.ids import CallId, IncidentId, incident_of_call
from callserver.store.encoding import encode_fact
from tests.store.sealed import DELETED_CALL, HELD_CALL, ROWS_BETWEEN, Sealed
from tests.store.unguarded import Store

CALLS_NOT_HELD = tuple(CallId(f"i{n}.1") for n in range(3))


def removed_with_half_a_fact(sealed: Sealed, random: Random) -> str:
    """The newest rows are not signed yet, so a false deletion can be appended; it names only one of the files that are gone."""
    call = random.choice(CALLS_NOT_HELD)
    one, other = random.sample(sorted((sealed.recordings / call).iterdir()), 2)
    one.unlink()
    other.unlink()
    appended(sealed, RecordingDeleted(call, (f"{call}/{one.name}",), (), "default", "retention"))
    return f"{call}/{other.name} is not there"


def removed_with_the_fact_of_another(sealed: Sealed, random: Random) -> str:
    call, other = random.sample(CALLS_NOT_HELD, 2)
    path = random.choice(sorted((sealed.recordings / call).iterdir()))
    path.unlink()
    appended(sealed, RecordingDeleted(other, (f"{call}/{path.name}",), (), "default", "retention"))
    return f"{call}/{path.name} is not there"


def deletion_before_the_recording(sealed: Sealed, random: Random) -> str:
    """A fact of an older deletion excuses nothing that was made since."""
    files = {f"{DELETED_CALL}/call.flac": "00" * 32}
    appended(sealed, RecordingMade(DELETED_CALL, files, {}, 4000, random.randrange(9)))
    return f"{DELETED_CALL}/call.flac is not there"


def deleted_what_was_held(sealed: Sealed, random: Random) -> str:
    for path in (sealed.recordings / HELD_CALL).iterdir():
        path.unlink()
    names = tuple(f"{HELD_CALL}/{name}" for name in ("call.flac", "point.flac"))
    number = appended(sealed, RecordingDeleted(HELD_CALL, names, (), random.choice(("default", "request")), "retention"))
    return f"row {number}: incident i3 was held"


def erased_what_was_held(sealed: Sealed, random: Random) -> str:
    with Store(sealed) as store:
        query = "SELECT max(number) FROM journal WHERE kind = 'HoldPlaced'"
        row = int(str(store.one(query)[0]))
        store.do("UPDATE journal_erasable SET salt = NULL, value = NULL WHERE number = ?", row)
    number = appended(sealed, TextsErased(incident_of_call(HELD_CALL), (row,), random.choice(("texts", "request")), "retention"))
    return f"row {number}: incident i3 was held"


def erased_under_another_incident(sealed: Sealed, random: Random) -> str:
    """The text of a held incident, by a fact that names one that is not held, or none."""
    with Store(sealed) as store:
        row = int(str(store.one("SELECT max(number) FROM journal WHERE kind = 'HoldPlaced'")[0]))
        store.do("UPDATE journal_erasable SET salt = NULL, value = NULL WHERE number = ?", row)
    appended(sealed, TextsErased(random.choice((None, IncidentId("i5"))), (row,), "texts", "retention"))
    return f"row {row}:"


def hold_moved_to_another_incident(sealed: Sealed, random: Random) -> str:
    """The name of the hold that stands is given to one on another incident, and what it held is deleted."""
    number = appended(sealed, HoldPlaced("h2", IncidentId(f"i{random.randrange(4, 9)}"), "sue", 10**18))
    names = tuple(f"{HELD_CALL}/{path.name}" for path in (sealed.recordings / HELD_CALL).iterdir())
    for name in names:
        (sealed.recordings / name).unlink()
    appended(sealed, RecordingDeleted(HELD_CALL, names, (), "default", "retention"))
    return f"row {number}: hold h2 stands already"


def removed_with_the_name_of_an_older_fact(sealed: Sealed, random: Random) -> str:
    """It was deleted once, was made again, and the later deletion names another file."""
    name = f"{DELETED_CALL}/call.flac"
    appended(sealed, RecordingMade(DELETED_CALL, {name: "00" * 32}, {}, 4000, random.randrange(9)))
    appended(sealed, RecordingDeleted(DELETED_CALL, (f"{DELETED_CALL}/point.flac",), (), "default", "retention"))
    return f"{name} is not there"


def lifted_by_nobody(sealed: Sealed, random: Random) -> str:
    """A hold that never was is lifted, in the hope that it is taken for the one that stands."""
    number = appended(sealed, HoldLifted(f"h{random.randrange(3, 9)}", incident_of_call(HELD_CALL), "sue"))
    return f"row {number}: no"


def deletion_of_another_shape(sealed: Sealed, random: Random) -> str:
    """Nothing that is appended ends a verifier without a verdict."""
    shapes = (
        ("TextsErased", b'{"incident":null,"rows":5,"rule":"texts","by":"x","why":""}'),
        ("TextsErased", b'{"incident":null,"rows":["7"],"rule":"texts","by":"x","why":""}'),
        ("RecordingDeleted", b'{"call":"i1.1","files":"i1.1/call.flac","captures":[],"rule":"default","by":"x"}'),
        ("RecordingDeleted", b'{"call":"i1.1","files":[],"captures":7,"rule":"default","by":"x"}'),
        ("RecordingMade", b'{"call":["i1.1"],"files":{},"captures":{},"duration_ms":1,"losses_ms":1}'),
        ("RecordingMade", b'{"call":"i1.1","files":[],"captures":{},"duration_ms":1,"losses_ms":1}'),
        ("RecordingMade", b'{"call":"i1.1","files":{"a":1},"captures":{},"duration_ms":1,"losses_ms":1}'),
        ("RedactionMade", b'{"redaction":"r1","incident":"i1","of":"i1.1","files":{}}'),
    )
    with Store(sealed) as store:
        number = store.rows + 1
        store.insert(number, *random.choice(shapes))
        store.rechain(number)
    return f"row {number}:"


def deletion_chained_anew(sealed: Sealed, random: Random) -> str:
    """Put where it would excuse what is gone, before a checkpoint."""
    call = random.choice(CALLS_NOT_HELD)
    for path in (sealed.recordings / call).iterdir():
        path.unlink()
    with Store(sealed) as store:
        query = "SELECT number FROM journal WHERE kind = 'AlarmRaised' ORDER BY number DESC LIMIT 1 OFFSET ?"
        number = int(str(store.one(query, random.randrange(ROWS_BETWEEN // 2))[0]))
        names = tuple(f"{call}/{name}" for name in ("call.flac", "point.flac"))
        body = encode_fact(RecordingDeleted(call, names, (), "default", "retention"))[1]
        store.do("UPDATE journal SET kind = 'RecordingDeleted', body = ?, call = ? WHERE number = ?", body, call, number)
        store.rechain(number)
    return "checkpoint"


def appended(sealed: Sealed, fact: Fact) -> int:
    """A row behind the last, chained, that no checkpoint covers; its number."""
    kind, body, texts = encode_fact(fact)
    with Store(sealed) as store:
        number = store.rows + 1
        store.insert(number, kind, body)
        for name, text in texts.items():
            store.do("INSERT INTO journal_erasable VALUES (?, ?, ?, ?)", number, name, text.salt, text.value)
        store.rechain(number)
    return number


DELETIONS = (
    *(removed_with_half_a_fact, removed_with_the_fact_of_another, deletion_before_the_recording, deletion_chained_anew),
    *(deleted_what_was_held, erased_what_was_held, lifted_by_nobody, deletion_of_another_shape),
    *(erased_under_another_incident, hold_moved_to_another_incident, removed_with_the_name_of_an_older_fact),
)
