"""Facts on copies of the record: told by who makes them, after they are whole. See docs/backup.md."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup of the store with its files is whole at `where`. It holds the journal up to row `rows`; `bytes` are of all files.

    `digest` is the SHA-256 (hex) of the backup's manifest, which names every file by its own. `verified`: what was written was
    read back, and the copy's chain walked.
    """

    where: str
    rows: int
    files: int
    bytes: int
    digest: str
    verified: bool = False
