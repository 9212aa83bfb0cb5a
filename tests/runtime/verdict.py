"""What either verifier says of a store and its files."""

from sqlalchemy import Engine

from callserver.config_sections import StorageConfig
from callserver.store.engine import store_path
from callserver.store.evidence import verify_journal
from callserver.store.evidence.files import examine_files
from callserver.store.evidence.retained import check_deletions
from callserver.store.journal import verify


def fault_of(engine: Engine, storage: StorageConfig) -> str:
    """The first thing wrong; "" when all is whole. Raises as `check_deletions` does."""
    report = verify(engine)
    if not report.ok:
        return report.fault
    check_deletions(engine)
    wrong = [one.text for one in examine_files(engine, storage.recordings, storage.captures) if one.fault]
    if wrong:
        return wrong[0]
    try:
        verify_journal.verify(store_path(storage.data), storage.recordings, storage.captures)
    except verify_journal.Broken as broken:
        return f"by strangers: {broken}"
    return ""
