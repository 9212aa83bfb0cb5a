"""How a row of the journal is hashed. Anybody can check the chain from this header and SHA-256 alone.

Framing 1. hash = SHA-256(frame); frame = the ASCII text `callserver-journal-1`, then these columns, in this order:
    prev_hash      32 bytes; of row 1: 32 zero bytes
    number         integer
    id             text
    kind           text
    at_instant_ns  integer
    utc_ns         integer
    anchor         integer
    incident       text or nothing
    call           text or nothing
    body_hash      SHA-256 of the body's bytes
each as its length in bytes (4 bytes, big-endian) and its bytes: integers as 8 bytes big-endian two's complement, texts as
UTF-8; nothing as the length FF FF FF FF alone. A later framing gets another first text and another number in `framing`.
"""

import hashlib
import struct

FRAMING = 1
GENESIS = bytes(32)

_TAG = b"callserver-journal-1"
_HEAD = struct.Struct(">I32sIq").pack
_TIMES = struct.Struct(">IqIqIq").pack
_LENGTH = struct.Struct(">I").pack
_BODY = struct.Struct(">I32s").pack
_NOTHING = b"\xff\xff\xff\xff"


def body_hash(body: bytes) -> bytes:
    """SHA-256 of the body."""
    return hashlib.sha256(body).digest()


def row_hash(
    prev_hash: bytes,
    number: int,
    id: str,
    kind: str,
    at_instant_ns: int,
    utc_ns: int,
    anchor: int,
    incident: str | None,
    call: str | None,
    of_body: bytes,
) -> bytes:
    """The hash of a row under framing 1. Integers must fit 64 bits signed, the two hashes have 32 bytes."""
    frame = b"".join(
        (
            _TAG,
            _HEAD(32, prev_hash, 8, number),
            _text(id),
            _text(kind),
            _TIMES(8, at_instant_ns, 8, utc_ns, 8, anchor),
            _text(incident),
            _text(call),
            _BODY(32, of_body),
        )
    )
    return hashlib.sha256(frame).digest()


def _text(value: str | None) -> bytes:
    if value is None:
        return _NOTHING
    octets = value.encode()
    return _LENGTH(len(octets)) + octets
