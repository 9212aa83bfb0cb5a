"""The texts that are signed. A checkpoint is one line of ASCII, the same in the journal's fact, in an anchor and in a mail:

    callserver-checkpoint-1 SEQUENCE NUMBER HASH UTC_NS KEY SIGNATURE

SEQUENCE counts checkpoints from 1; NUMBER is a row of the journal and HASH its hash (hex), which stands for all rows up to it;
KEY is the fingerprint, the SHA-256 of the public key's 32 bytes (hex). SIGNATURE (hex) is Ed25519, RFC 8032, under the line's
text before the space that precedes it. A key consents to its successor by signing `callserver-key-1 PUBLIC`, PUBLIC in hex. Of an
evidence pack it signs `callserver-pack-1 DIGEST UTC_NS KEY`, DIGEST being the SHA-256 of the pack's manifest.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from callserver.core.facts import CheckpointKeyMade, CheckpointSigned

_LINE = re.compile(r"callserver-checkpoint-1 (\d{1,18}) (\d{1,18}) ([0-9a-f]{64}) (\d{1,19}) ([0-9a-f]{64}) ([0-9a-f]{128})")


class Found(NamedTuple):
    """A checkpoint met in a text, and the number of its line."""

    line: int
    checkpoint: CheckpointSigned


def fingerprint(public: bytes) -> str:
    """The name of a key: SHA-256 of its public half, in hex."""
    return hashlib.sha256(public).hexdigest()


def signed_text(sequence: int, number: int, hash: str, utc_ns: int, key: str) -> bytes:
    """What a checkpoint's signature is made of."""
    return f"callserver-checkpoint-1 {sequence} {number} {hash} {utc_ns} {key}".encode()


def text_of(checkpoint: CheckpointSigned) -> bytes:
    """What the signature of this checkpoint must fit."""
    c = checkpoint
    return signed_text(c.sequence, c.number, c.hash, c.utc_ns, c.key)


def line_of(checkpoint: CheckpointSigned) -> str:
    """The checkpoint as anchors hold it."""
    return f"{text_of(checkpoint).decode()} {checkpoint.signature}"


def lines_in(text: str) -> Iterator[Found]:
    """Every checkpoint in a text: an anchor's file, a log of syslog, a mailbox."""
    for number, line in enumerate(text.splitlines(), 1):
        for m in _LINE.finditer(line):
            yield Found(number, CheckpointSigned(int(m[1]), int(m[2]), m[3], int(m[4]), m[5], m[6]))


def consent_text(public: str) -> bytes:
    """What a key signs so that the key `public` may follow it."""
    return f"callserver-key-1 {public}".encode()


def pack_text(digest: str, utc_ns: int, key: str) -> str:
    """What is signed of an evidence pack: the SHA-256 of its manifest."""
    return f"callserver-pack-1 {digest} {utc_ns} {key}"


def is_named_rightly(key: CheckpointKeyMade) -> bool:
    """Whether the fact's fingerprint is that of its public key."""
    try:
        return fingerprint(bytes.fromhex(key.public)) == key.key
    except ValueError:
        return False
