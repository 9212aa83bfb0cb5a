"""Erasing personal data and free text. The chain keeps the salted hashes and stays whole.

Texts go by a fact alone, `TextsErased`, in the transaction that appends it: what is gone without one was taken by hand, and
`callserver verify` says so.
"""

from collections.abc import Sequence

from sqlalchemy import Executable, update

from callserver.store import schema as t

MOST_ROWS = 500
"""Rows that one fact names at most; more is told by several."""


def erasing(rows: Sequence[int]) -> Executable:
    """What erases all texts beside these rows of the journal. Salts go too: a short text could be guessed from its hash."""
    e = t.journal_erasable.c
    return update(t.journal_erasable).where(e.number.in_(rows), e.value.is_not(None)).values(salt=None, value=None)
