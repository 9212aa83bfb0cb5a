"""The auditor's desk as the journal tells it: exports, redactions, the register of disclosures, requests for access.

Ids of such rows begin with `desk:`, and ids are indexed, so they are found at once among millions.
"""

from sqlalchemy import Engine, and_

from callserver.core import facts as f
from callserver.core.desk import PREFIX, Desk, DeskFact, desk
from callserver.store import schema as t
from callserver.store.read import rows_of

BEHIND = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)  # ids of the desk are from PREFIX on, and before this
REDACTIONS = f"{PREFIX}redaction:"


def read_desk(engine: Engine) -> Desk:
    """Everything of the desk, with texts where not erased."""
    id = t.journal.c.id
    return desk((row.utc_ns, row.fact) for row in rows_of(engine, and_(id >= PREFIX, id < BEHIND)))


def id_of(fact: DeskFact, fresh: str = "") -> str:
    """What the fact's row is called: the same thing told twice is one row; `fresh` names what is told each time.

    No person is named in it: packs of other incidents have the names of rows between their own.
    """
    match fact:
        case f.PackMade():
            return f"{PREFIX}pack:{fact.pack}"
        case f.RedactionMade():
            return f"{REDACTIONS}{fact.redaction}"
        case f.DisclosureMade():
            return f"{PREFIX}disclosure:{fact.disclosure}"
        case f.AccessAsked():
            return f"{PREFIX}access:{fact.request}"
        case f.AccessAnswered():
            return f"{PREFIX}access-answered:{fact.request}"
        case f.ExportAsked():
            return f"{PREFIX}export:{fact.export}"
        case f.ExportApproved():
            return f"{PREFIX}approved:{fact.export}:{fresh}"
        case f.ExportFailed():
            return f"{PREFIX}failed:{fact.export}"
        case f.ExportFetched():
            return f"{PREFIX}fetched:{fact.export}:{fresh}"
    raise TypeError(f"no fact of the desk: {type(fact).__name__}")
