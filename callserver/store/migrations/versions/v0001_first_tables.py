"""The first tables: journal, edge state, directory, projections."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_GUARDS = (
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    # REPLACE would delete without firing the trigger above (recursive_triggers is off by default)
    "CREATE TRIGGER journal_no_replace BEFORE INSERT ON journal WHEN EXISTS "
    "(SELECT 1 FROM journal WHERE number = NEW.number OR id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
)


def upgrade() -> None:
    """Make everything; a new file has nothing."""
    _journal()
    _edge()
    _directory()
    _incidents()
    _calls()
    _conditions()
    for guard in _GUARDS:
        op.execute(guard)
    op.execute(
        sa.text("INSERT INTO journal_head (one, number, hash, projected) VALUES (1, 0, :zero, 0)").bindparams(zero=bytes(32))
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("framing", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at_instant_ns", sa.BigInteger, nullable=False),
        sa.Column("utc_ns", sa.BigInteger, nullable=False),
        sa.Column("anchor", sa.Integer, nullable=False),
        sa.Column("incident", sa.String),
        sa.Column("call", sa.String),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("prev_hash", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("journal_incident", "journal", ["incident"])
    op.create_index("journal_call", "journal", ["call"])
    op.create_table(
        "journal_erasable",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("field", sa.String, primary_key=True),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("value", sa.Text),
    )
    op.create_table(
        "journal_head",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("projected", sa.Integer, nullable=False),
    )


def _edge() -> None:
    op.create_table(
        "outer_legs",
        sa.Column("leg", sa.String, primary_key=True),
        sa.Column("blob", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "registrations",
        sa.Column("user", sa.String, primary_key=True),
        sa.Column("blob", sa.LargeBinary, nullable=False),
    )


def _directory() -> None:
    op.create_table(
        "sip_accounts",
        sa.Column("user", sa.String, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("algorithm", sa.String, nullable=False),
        sa.Column("ha1", sa.String, nullable=False),
    )
    op.create_table(
        "web_accounts",
        sa.Column("user", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
    )
    op.create_table(
        "trunk_secrets",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("secret", sa.String, nullable=False),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("point", sa.String, nullable=False),
        sa.Column("queue", sa.String, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("plan_version", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("presses", sa.Integer, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("operator", sa.String),
        sa.Column("outcome", sa.String),
        sa.Column("outcome_by", sa.String),
        sa.Column("opened_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("changed_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("closed_utc_ns", sa.BigInteger),
    )
    op.create_index("incidents_number", "incidents", ["number"])
    op.create_index("incidents_state", "incidents", ["state"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("incident", sa.String, nullable=False),
        sa.Column("point", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("operator", sa.String),
        sa.Column("started_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("answered_utc_ns", sa.BigInteger),
        sa.Column("ended_utc_ns", sa.BigInteger),
    )
    op.create_index("calls_number", "calls", ["number"])
    op.create_index("calls_incident", "calls", ["incident"])
    op.create_index("calls_point", "calls", ["point", "number"])
    op.create_index("calls_state", "calls", ["state"])
    op.create_table(
        "legs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("call", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("party", sa.String, nullable=False),
        sa.Column("inbound", sa.Boolean, nullable=False),
        sa.Column("route", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("answered_utc_ns", sa.BigInteger),
        sa.Column("ended_utc_ns", sa.BigInteger),
        sa.Column("end_class", sa.String),
        sa.Column("end_by", sa.String),
        sa.Column("end_reason", sa.String),
        sa.Column("end_status", sa.Integer),
    )
    op.create_index("legs_call", "legs", ["call"])


def _conditions() -> None:
    op.create_table(
        "presence",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("state", sa.String),
        sa.Column("state_reason", sa.String),
        sa.Column("state_utc_ns", sa.BigInteger),
        sa.Column("reachable", sa.Boolean),
        sa.Column("reachable_why", sa.String),
        sa.Column("reachable_utc_ns", sa.BigInteger),
    )
    op.create_table(
        "alarms",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("raised_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "plans",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("adopted_by", sa.String, nullable=False),
        sa.Column("adopted_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "recordings",
        sa.Column("call", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("files", sa.Text),
        sa.Column("captures", sa.Text),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("losses_ms", sa.Integer),
        sa.Column("report", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_failure", sa.String),
        sa.Column("changed_utc_ns", sa.BigInteger, nullable=False),
    )
