"""The journal's public face: what other rooms import.

An append-only chain of facts in `journal` (see chain.py for the hash), erasable texts beside it, one `JournalWriter`,
any number of readers.
"""

from callserver.store.backlog import Kept
from callserver.store.encoding import Erasable, UnknownKind, decode_fact, encode_fact
from callserver.store.inbox import Appended
from callserver.store.read import Row, last_number, read
from callserver.store.verify import Report, verify
from callserver.store.writer import PATIENCE_S, SPOOL_NAME, Entry, JournalWriter, wait

__all__ = [
    "PATIENCE_S",
    "SPOOL_NAME",
    "Appended",
    "Entry",
    "Erasable",
    "JournalWriter",
    "Kept",
    "Report",
    "Row",
    "UnknownKind",
    "decode_fact",
    "encode_fact",
    "last_number",
    "read",
    "verify",
    "wait",
]
