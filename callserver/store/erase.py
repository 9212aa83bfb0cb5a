"""Erasing personal data and free text. The chain keeps the salted hashes and stays whole.

Texts go by a fact alone, `TextsErased`, in the transaction that appends it: what is gone without one was taken by hand, and
`callserver verify` says so.
"""

from collections.abc import Sequence

from sqlalchemy import Executable, select, update

from callserver.store import schema as t

MOST_ROWS = 500
"""Rows that one fact names at most; more is told by several."""


def erasing(rows: Sequence[int], incident: str | None) -> Executable:
    """What erases all texts beside these rows of the journal. Salts go too: a short text could be guessed from its hash.

    Those of `incident` alone (None: of no incident), since that is what was asked for a hold.
    """
    e, j = t.journal_erasable.c, t.journal.c
    own = select(j.number).where(j.number.in_(rows), j.incident.is_not_distinct_from(incident))
    return update(t.journal_erasable).where(e.number.in_(own), e.value.is_not(None)).values(salt=None, value=None)
