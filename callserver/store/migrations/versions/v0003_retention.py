"""What is held and what was deleted. No fact of these kinds is older than the tables, so nothing has to be computed anew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; no row is touched."""
    op.create_table(
        "holds",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("incident", sa.String, nullable=False),
        sa.Column("placed_by", sa.String, nullable=False),
        sa.Column("placed_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("review_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("lifted_by", sa.String),
        sa.Column("lifted_utc_ns", sa.BigInteger),
    )
    op.create_index("holds_incident", "holds", ["incident"])
    op.create_table(
        "deletions",
        sa.Column("call", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("captures", sa.Text, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("deleted_by", sa.String, nullable=False),
        sa.Column("deleted_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("deletions_number", "deletions", ["number"])
