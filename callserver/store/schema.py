"""The tables. Change one only together with a migration; a test compares the two.

Four groups, by who may lose them:
- the journal (chain, erasable texts, head): the truth, never changed but by erasure;
- stored state of the edge (outer legs, bindings): needed to go on after a restart;
- the directory (accounts and credentials, saved searches): changed by people;
- projections (calls, incidents, legs, presence, alarms, plans, recordings, holds, deletions, words of notes): computed from the
  journal by `projections.py`, thrown away and made anew by `rebuild`.
Times are nanoseconds: `*_utc_ns` since 1970-01-01 UTC, `at_instant_ns` in the core's own time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

INCIDENT_WAITED = "coalesce(answered_utc_ns, CASE WHEN state <> 'waiting' THEN changed_utc_ns END) - opened_utc_ns"
CALL_WAITED = "coalesce(answered_utc_ns, ended_utc_ns) - started_utc_ns"
"""How long somebody waited, null while they do."""

LOOK_KINDS = (
    *("AccountChanged", "ConfigurationRead", "DisclosureMade", "Downloaded", "ExportApproved", "ExportAsked", "ExportFailed"),
    *("ExportFetched", "Listened", "PackMade", "PlanAdopted", "Played", "RecordingSent", "RedactionMade", "SearchExported"),
    *("Searched", "SignedIn"),
)
"""Facts that tell who looked at something, or changed it beside the calls; among millions they are few."""
LOOKS = f"kind IN ({', '.join(map(repr, LOOK_KINDS))})"

journal = Table(
    "journal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("framing", Integer, nullable=False),  # version of the hash's framing, see chain.py
    Column("id", String, nullable=False, unique=True),  # given by the producer, for deduplication
    Column("kind", String, nullable=False),  # class name of the fact
    Column("at_instant_ns", BigInteger, nullable=False),
    Column("utc_ns", BigInteger, nullable=False),
    Column("anchor", Integer, nullable=False),
    Column("incident", String),  # projections of the body, for lookup
    Column("call", String),
    Column("body", LargeBinary, nullable=False),  # the exact bytes that were hashed
    Column("body_hash", LargeBinary, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("journal_incident", "incident"),
    Index("journal_call", "call"),
    Index("journal_looks", "number", sqlite_where=text(LOOKS)),
)

journal_erasable = Table(
    "journal_erasable",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("field", String, primary_key=True),
    Column("salt", LargeBinary),  # erased together with the value: without it the hash tells nothing
    Column("value", Text),
)

journal_head = Table(
    "journal_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("number", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("projected", Integer, nullable=False),  # the projections hold everything up to this number
)

outer_legs = Table(
    "outer_legs",
    metadata,
    Column("leg", String, primary_key=True),
    Column("blob", LargeBinary, nullable=False),
)

registrations = Table(
    "registrations",
    metadata,
    Column("user", String, primary_key=True),
    Column("blob", LargeBinary, nullable=False),
)

sip_accounts = Table(
    "sip_accounts",
    metadata,
    Column("user", String, primary_key=True),
    Column("realm", String, nullable=False),
    Column("algorithm", String, nullable=False),  # MD5 | SHA-256
    Column("ha1", String, nullable=False),
)

web_accounts = Table(
    "web_accounts",
    metadata,
    Column("user", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("password_hash", String, nullable=False),  # Argon2id, PHC string
)

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", String, primary_key=True),
    Column("user", String, nullable=False),  # whose it is
    Column("name", Text, nullable=False),
    Column("of", String, nullable=False),  # calls | incidents
    Column("what", Text, nullable=False),  # the filters, as the page's address has them
    Column("shared", Boolean, nullable=False),
    Column("saved_utc_ns", BigInteger, nullable=False),
    Index("saved_searches_user", "user"),
)

trunk_secrets = Table(
    "trunk_secrets",
    metadata,
    Column("id", String, primary_key=True),
    Column("secret", String, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False),  # of the fact that opened it: order of arrival
    Column("point", String, nullable=False),
    Column("queue", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("presses", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("operator", String),
    Column("outcome", String),
    Column("outcome_by", String),
    Column("opened_utc_ns", BigInteger, nullable=False),
    Column("changed_utc_ns", BigInteger, nullable=False),
    Column("closed_utc_ns", BigInteger),
    Column("answered_utc_ns", BigInteger),  # the first answer of all its calls
    Column("waited_ns", BigInteger, Computed(INCIDENT_WAITED, persisted=False)),  # null while it waits
    Column("lasted_ns", BigInteger, Computed("closed_utc_ns - opened_utc_ns", persisted=False)),
    Index("incidents_number", "number"),
    Index("incidents_point", "point", "number"),
    Index("incidents_operator", "operator", "number"),
    Index("incidents_outcome", "outcome", "number"),
    Index("incidents_priority", "priority", "number"),
    Index("incidents_state", "state", "number"),
    Index("incidents_opened", "opened_utc_ns", "number"),
    Index("incidents_waited", "waited_ns", "number"),
    Index("incidents_lasted", "lasted_ns", "number"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("incident", String, nullable=False),
    Column("point", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("operator", String),
    Column("started_utc_ns", BigInteger, nullable=False),
    Column("answered_utc_ns", BigInteger),
    Column("ended_utc_ns", BigInteger),
    Column("waited_ns", BigInteger, Computed(CALL_WAITED, persisted=False)),  # null while it waits
    Column("lasted_ns", BigInteger, Computed("ended_utc_ns - started_utc_ns", persisted=False)),
    Index("calls_number", "number"),
    Index("calls_incident", "incident"),
    Index("calls_point", "point", "number"),
    Index("calls_operator", "operator", "number"),
    Index("calls_state", "state", "number"),
    Index("calls_started", "started_utc_ns", "number"),
    Index("calls_waited", "waited_ns", "number"),
    Index("calls_lasted", "lasted_ns", "number"),
    Index("calls_open", "number", sqlite_where=text("ended_utc_ns IS NULL")),
)

legs = Table(
    "legs",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("call", String, nullable=False),
    Column("role", String, nullable=False),
    Column("party", String, nullable=False),
    Column("inbound", Boolean, nullable=False),
    Column("route", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created_utc_ns", BigInteger, nullable=False),
    Column("answered_utc_ns", BigInteger),
    Column("ended_utc_ns", BigInteger),
    Column("end_class", String),
    Column("end_by", String),
    Column("end_reason", String),
    Column("end_status", Integer),
    Index("legs_call", "call"),
)

presence = Table(
    "presence",
    metadata,
    Column("kind", String, primary_key=True),  # operator | point | trunk
    Column("id", String, primary_key=True),
    Column("state", String),  # operators only
    Column("state_reason", String),
    Column("state_utc_ns", BigInteger),
    Column("reachable", Boolean),
    Column("reachable_why", String),
    Column("reachable_utc_ns", BigInteger),
)

alarms = Table(
    "alarms",
    metadata,
    Column("key", String, primary_key=True),
    Column("text", String, nullable=False),
    Column("raised_utc_ns", BigInteger, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("digest", String, nullable=False),
    Column("adopted_by", String, nullable=False),
    Column("adopted_utc_ns", BigInteger, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("call", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("files", Text),  # JSON: path -> SHA-256; null while only failures are known
    Column("captures", Text),
    Column("duration_ms", Integer),
    Column("losses_ms", Integer),
    Column("report", Text),
    Column("failures", Integer, nullable=False),
    Column("last_failure", String),
    Column("changed_utc_ns", BigInteger, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("incident", String, nullable=False),
    Column("placed_by", String, nullable=False),
    Column("placed_utc_ns", BigInteger, nullable=False),
    Column("review_utc_ns", BigInteger, nullable=False),
    Column("lifted_by", String),  # null while it stands
    Column("lifted_utc_ns", BigInteger),
    Index("holds_incident", "incident"),
)

deletions = Table(
    "deletions",
    metadata,
    Column("call", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("files", Text, nullable=False),  # JSON: paths
    Column("captures", Text, nullable=False),
    Column("rule", String, nullable=False),
    Column("deleted_by", String, nullable=False),
    Column("deleted_utc_ns", BigInteger, nullable=False),
    Index("deletions_number", "number"),
)

words = Table(
    "words",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("word", Text, nullable=False),  # of the notes; goes with the last note that has it
    Index("words_word", "word", unique=True),
)

noted = Table(
    "noted",
    metadata,
    Column("word", Integer, primary_key=True, autoincrement=False),
    Column("incident", Integer, primary_key=True, autoincrement=False),  # the incident's number
    Column("number", Integer, primary_key=True, autoincrement=False),  # of the fact whose note has the word
    Index("noted_number", "number"),
    sqlite_with_rowid=False,
)

PROJECTIONS = (incidents, calls, legs, presence, alarms, plans, recordings, holds, deletions, noted, words)
"""What `rebuild` empties and fills again."""

GUARDS = (
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    # REPLACE would delete without firing the trigger above (recursive_triggers is off by default)
    "CREATE TRIGGER journal_no_replace BEFORE INSERT ON journal WHEN EXISTS "
    "(SELECT 1 FROM journal WHERE number = NEW.number OR id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_head_no_return BEFORE UPDATE ON journal_head WHEN NEW.one IS NOT OLD.one OR NEW.number < OLD.number "
    "OR (NEW.number = OLD.number AND NEW.hash IS NOT OLD.hash) "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_head_no_delete BEFORE DELETE ON journal_head "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_head_no_replace BEFORE INSERT ON journal_head WHEN EXISTS (SELECT 1 FROM journal_head) "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    # a text may be erased, together with its salt, and nothing else
    "CREATE TRIGGER journal_text_no_update BEFORE UPDATE ON journal_erasable "
    "WHEN NEW.value IS NOT NULL OR NEW.salt IS NOT NULL OR NEW.number IS NOT OLD.number OR NEW.field IS NOT OLD.field "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_text_no_replace BEFORE INSERT ON journal_erasable WHEN EXISTS "
    "(SELECT 1 FROM journal_erasable WHERE number = NEW.number AND field = NEW.field) "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
)
"""Triggers that refuse every change of the journal but an append, and of the texts beside it but an erasure."""
