"""What searching a million calls needs: an index for each filter, the words of notes, and saved searches.

The journal is read, for its notes, and not touched.
"""

import unicodedata
from collections.abc import Iterator
from itertools import islice

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROWS = 5_000
_WAITED = "coalesce(answered_utc_ns, CASE WHEN state <> 'waiting' THEN changed_utc_ns END) - opened_utc_ns"
_INDEXES = (
    ("incidents_point", "incidents", "point"),
    ("incidents_operator", "incidents", "operator"),
    ("incidents_outcome", "incidents", "outcome"),
    ("incidents_priority", "incidents", "priority"),
    ("incidents_state", "incidents", "state"),
    ("incidents_opened", "incidents", "opened_utc_ns"),
    ("incidents_waited", "incidents", "waited_ns"),
    ("incidents_lasted", "incidents", "lasted_ns"),
    ("calls_operator", "calls", "operator"),
    ("calls_state", "calls", "state"),
    ("calls_started", "calls", "started_utc_ns"),
    ("calls_waited", "calls", "waited_ns"),
    ("calls_lasted", "calls", "lasted_ns"),
)


def upgrade() -> None:
    """Add columns, indexes and tables, and fill them with what is there."""
    _columns()
    for name in ("incidents_state", "calls_state"):
        op.drop_index(name)
    for name, table, column in _INDEXES:
        op.create_index(name, table, [column, "number"])
    op.create_index("calls_open", "calls", ["number"], sqlite_where=sa.text("ended_utc_ns IS NULL"))
    _saved_searches()
    _words()


def _columns() -> None:
    op.add_column("incidents", sa.Column("answered_utc_ns", sa.BigInteger))
    _computed("incidents", "waited_ns", _WAITED)
    _computed("incidents", "lasted_ns", "closed_utc_ns - opened_utc_ns")
    _computed("calls", "waited_ns", "coalesce(answered_utc_ns, ended_utc_ns) - started_utc_ns")
    _computed("calls", "lasted_ns", "ended_utc_ns - started_utc_ns")
    op.execute("UPDATE incidents SET answered_utc_ns = (SELECT min(answered_utc_ns) FROM calls WHERE incident = incidents.id)")


def _computed(table: str, name: str, what: str) -> None:
    op.add_column(table, sa.Column(name, sa.BigInteger, sa.Computed(what, persisted=False)))


def _saved_searches() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("of", sa.String, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("saved_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("saved_searches_user", "saved_searches", ["user"])


def _words() -> None:
    """In the order of the table: millions of rows in the order of the notes would be a place on the disk for each."""
    op.create_table("words", sa.Column("id", sa.Integer, primary_key=True), sa.Column("word", sa.Text, nullable=False))
    op.create_table(
        "noted",
        *(sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in ("word", "incident", "number")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    connection.exec_driver_sql("CREATE TEMP TABLE said (word INTEGER, incident INTEGER, number INTEGER)")
    ids: dict[str, int] = {}
    rows = _said(connection, ids)
    while some := list(islice(rows, _ROWS)):
        connection.exec_driver_sql("INSERT INTO said VALUES (?, ?, ?)", some)
    known = iter(ids.items())
    while pairs := [(id, word) for word, id in islice(known, _ROWS)]:
        connection.exec_driver_sql("INSERT INTO words (id, word) VALUES (?, ?)", pairs)
    connection.exec_driver_sql("INSERT INTO noted SELECT word, incident, number FROM said ORDER BY word, incident, number")
    connection.exec_driver_sql("DROP TABLE said")
    op.create_index("words_word", "words", ["word"], unique=True)
    op.create_index("noted_number", "noted", ["number"])


def _said(connection: sa.Connection, ids: dict[str, int]) -> Iterator[tuple[int, int, int]]:
    """Each word of each note that was not erased, once; `ids` gets those that are new."""
    for number, incident, note in _notes(connection):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", note).casefold()).replace("\0", " ")
        for word in dict.fromkeys(folded.split()):
            yield ids.setdefault(word, len(ids) + 1), incident, number


def _notes(connection: sa.Connection) -> Iterator[tuple[int, int, str]]:
    query = (
        "SELECT e.number, i.number, e.value FROM journal_erasable e JOIN journal j ON j.number = e.number "
        "JOIN incidents i ON i.id = j.incident WHERE e.field = 'note' AND e.value <> '' AND j.kind = 'OutcomeRecorded' "
        "AND e.number > ? ORDER BY e.number LIMIT ?"
    )
    last = 0
    while rows := connection.exec_driver_sql(query, (last, _ROWS)).all():
        yield from (tuple(row) for row in rows)
        last = rows[-1][0]
