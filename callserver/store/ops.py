"""What the writer thread writes: facts already encoded, and the edge's small state. The spool holds the same, as lines."""

import msgspec

from callserver.core.facts import Fact
from callserver.store.encoding import about, encode_fact

_INT64 = 1 << 63


class Append(msgspec.Struct, frozen=True, tag="fact"):
    """A fact to be appended. `erasable`: field -> (salt, text)."""

    id: str
    kind: str
    at_instant_ns: int
    utc_ns: int
    anchor: int
    incident: str | None
    call: str | None
    body: bytes
    erasable: dict[str, tuple[bytes, str]]


class PutLeg(msgspec.Struct, frozen=True, tag="leg"):
    """An outer leg's stored form; b"" forgets it."""

    leg: str
    blob: bytes


class PutBindings(msgspec.Struct, frozen=True, tag="bindings"):
    """All bindings of a user; b"" for none."""

    user: str
    blob: bytes


Op = Append | PutLeg | PutBindings


def append_op(id: str, fact: Fact, at_instant_ns: int, utc_ns: int, anchor: int) -> Append:
    """The fact, encoded with fresh salts. ValueError for times or an id that no row could hold: a mistake of the caller."""
    if not all(-_INT64 <= value < _INT64 for value in (at_instant_ns, utc_ns, anchor)):
        raise ValueError("instant, UTC and anchor must fit 64 bits")
    id.encode()  # UnicodeEncodeError is a ValueError
    kind, body, erasable = encode_fact(fact)
    incident, call = about(fact)
    texts = {name: (text.salt, text.value) for name, text in erasable.items()}
    return Append(id, kind, at_instant_ns, utc_ns, anchor, incident, call, body, texts)
