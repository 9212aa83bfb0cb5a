"""An index of the facts that tell who looked at something. No row is touched."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KINDS = (
    *("AccountChanged", "ConfigurationRead", "DisclosureMade", "Downloaded", "ExportApproved", "ExportAsked", "ExportFailed"),
    *("ExportFetched", "Listened", "PackMade", "PlanAdopted", "Played", "RecordingSent", "RedactionMade", "SearchExported"),
    *("Searched", "SignedIn"),
)


def upgrade() -> None:
    """Add the index."""
    where = sa.text(f"kind IN ({', '.join(map(repr, _KINDS))})")
    op.create_index("journal_looks", "journal", ["number"], sqlite_where=where)
