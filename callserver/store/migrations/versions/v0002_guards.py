"""The head never goes back, and a text beside the journal can be erased but not changed."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_GUARDS = (
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


def upgrade() -> None:
    """Add the triggers; no row is touched."""
    for guard in _GUARDS:
        op.execute(guard)
