"""The only writer of the journal: one thread, group commit, and a backlog when the database fails or stalls.

People before papers: `append` never waits. Its future says where the facts are; the caller proceeds after 250 ms
whether it has resolved or not: `wait(future)` in threads, `asyncio.wait({asyncio.wrap_future(future)}, timeout=0.25)` on a loop.

- Normal: a thread takes all that is in the inbox and commits it at once; futures resolve as JOURNAL.
- The commit fails (disk full, locked, read-only, I/O error): all goes to the backlog, futures resolve as SPOOL or
  MEMORY, `on_trouble(text)` is told; each second the backlog is drained in order, deduplicated by id; then `on_recovered()`.
- The commit stalls: after 250 ms a second thread copies what is under way to the backlog. If the commit succeeds after
  all, draining finds the ids there.
Callbacks come from these threads and must return at once.
"""

import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from callserver.core.facts import Fact, TextsErased
from callserver.store import schema as t
from callserver.store.backlog import Backlog
from callserver.store.commit import Committed, commit
from callserver.store.encoding import decode_fact
from callserver.store.engine import open_store
from callserver.store.inbox import Appended, Inbox
from callserver.store.ops import Append, Op, PutBindings, PutLeg, append_op
from callserver.store.projections import catch_up
from callserver.store.read import Row, read

SPOOL_NAME = "journal.spool"
PATIENCE_S = 0.25

_BATCH_OPS = 1_000
_RETRY_S = 1.0
_BUSY_TIMEOUT_MS = 200  # a lock held longer is trouble: facts must be on some disk soon
_LIMIT_OPS = 200_000
_FAULTS = (SQLAlchemyError, OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, struct.error)


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact on its way into the journal. `id` is unique for ever; the same id twice is one fact."""

    id: str
    fact: Fact
    instant: int
    utc_ns: int
    anchor: int


def wait(future: "Future[Appended]", patience_s: float = PATIENCE_S) -> Appended | None:
    """Wait for an append no longer than people may be kept waiting; None: go on, it is under way."""
    try:
        return future.result(patience_s)
    except FutureTimeout:
        return None


class JournalWriter:
    """See the module. Exactly one per store, in the switchboard; `start` before use, `close` at the end."""

    def __init__(
        self,
        data_dir: Path,
        *,
        spool: Path | None = None,
        on_trouble: Callable[[str], None] = lambda text: None,
        on_recovered: Callable[[], None] = lambda: None,
        on_committed: Callable[[int], None] = lambda number: None,
        retry_s: float = _RETRY_S,
        patience_s: float = PATIENCE_S,
        limit_ops: int = _LIMIT_OPS,
    ) -> None:
        """`spool` may lie on another disk. `on_committed` gets the journal's last number after each commit."""
        self.engine = open_store(data_dir, _BUSY_TIMEOUT_MS)
        self._backlog = Backlog(spool or data_dir / SPOOL_NAME, limit_ops)
        self._backlog_lock = threading.Lock()  # held over the spool's I/O; taken before the inbox's lock
        self._inbox = Inbox(limit_ops)
        self._on_trouble, self._on_recovered, self._on_committed = on_trouble, on_recovered, on_committed
        self._retry_s, self._patience_s = retry_s, patience_s
        self._retry_at = 0.0
        self._forgetting, self._forget_at = False, 0.0
        self._told = ""
        works = (self._write, self._watch, self._catch_up)
        self._threads = [threading.Thread(target=work, name=f"journal{work.__name__}") for work in works]

    def start(self) -> None:
        """Drain what a crash left behind, in order (it stays, and trouble is told, if the disk is still full); then work."""
        if not self._backlog.empty():
            self._inbox.troubled = True
            self._drain()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Write what is in the inbox (to the backlog, if the database fails) and end the threads."""
        self._inbox.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.engine.dispose()

    def append(self, entries: Sequence[Entry]) -> "Future[Appended]":
        """Journal facts, in order. Never waits; the future never carries an exception, and is not cancelled by a waiter."""
        return self._inbox.put(tuple(append_op(e.id, e.fact, e.instant, e.utc_ns, e.anchor) for e in entries))

    def put_leg(self, leg: str, blob: bytes) -> "Future[Appended]":
        """Store an outer leg; before its 200 goes out."""
        return self._inbox.put((PutLeg(leg, blob),))

    def delete_leg(self, leg: str) -> "Future[Appended]":
        """Forget an outer leg."""
        return self._inbox.put((PutLeg(leg, b""),))

    def put_bindings(self, user: str, blob: bytes) -> "Future[Appended]":
        """Store all bindings of a user; b"" forgets them."""
        return self._inbox.put((PutBindings(user, blob),))

    def load_legs(self) -> dict[str, bytes]:
        """Stored outer legs by id, with what the backlog changes in them."""
        c = t.outer_legs.c
        with self.engine.connect() as connection:
            legs = {row.leg: row.blob for row in connection.execute(select(c.leg, c.blob))}
        legs |= {op.leg: op.blob for op in self._waiting() if isinstance(op, PutLeg)}
        return {leg: blob for leg, blob in legs.items() if blob}

    def load_bindings(self) -> dict[str, bytes]:
        """Stored bindings by user, with what the backlog changes in them."""
        c = t.registrations.c
        with self.engine.connect() as connection:
            bindings = {row.user: row.blob for row in connection.execute(select(c.user, c.blob))}
        bindings |= {op.user: op.blob for op in self._waiting() if isinstance(op, PutBindings)}
        return {user: blob for user, blob in bindings.items() if blob}

    def facts(self, since_number: int = 0) -> Iterator[Row]:
        """The journal after `since_number`, then (as number 0) what waits in the backlog: all that the state is folded from."""
        waiting = {op.id: op for op in self._waiting() if isinstance(op, Append)}
        for row in read(self.engine, since_number):
            waiting.pop(row.id, None)
            yield row
        for op in waiting.values():
            yield Row(0, decode_fact(op.kind, op.body), op.at_instant_ns, op.utc_ns, op.id)

    def troubled(self) -> bool:
        """Whether anything waits outside the database."""
        return self._inbox.troubled

    def lost(self) -> int:
        """Ops that neither disk took and memory had no room for, in this process's life."""
        return self._backlog.lost + self._inbox.refused

    def _waiting(self) -> list[Op]:
        with self._backlog_lock:
            return list(self._backlog.all())

    # ---- the writer's thread ------------------------------------------------------------------------------

    def _write(self) -> None:
        while self._inbox.await_work(self._retry_at):
            ops = self._inbox.take(_BATCH_OPS)
            if ops:
                self._commit(ops)
            else:
                self._set_aside()
                if time.monotonic() >= self._retry_at:
                    self._drain()

    def _commit(self, ops: Sequence[Op]) -> None:
        result = self._try(ops)
        if isinstance(result, Committed):
            self._inbox.committed(result.numbers)
            self._tell_committed(result)
            self._forget_erased(ops)
            return
        self._retry_at = time.monotonic() + self._retry_s
        self._set_aside()
        self._inbox.gone()
        self._tell_trouble(result)

    def _try(self, ops: Sequence[Op]) -> Committed | str:
        try:
            return commit(self.engine, ops)
        except _FAULTS as fault:
            self.engine.dispose()  # the next try shall not inherit a broken connection
            return f"the journal cannot be written: {getattr(fault, 'orig', None) or fault}"

    def _drain(self) -> None:
        """Backlog to database, in order, from its beginning: what is there already is known by its id."""
        offset = 0
        while True:
            with self._backlog_lock:
                ops, offset = self._backlog.read(offset, _BATCH_OPS)
                from_memory = [] if ops else self._backlog.first_in_memory(_BATCH_OPS)
                if not ops and not from_memory:
                    self._finish_drain()
                    return
            result = self._try(ops or from_memory)
            if isinstance(result, str):
                self._retry_at = time.monotonic() + self._retry_s
                self._tell_trouble(result)
                return
            with self._backlog_lock:
                self._backlog.forget(from_memory)
            self._tell_committed(result)
            self._forget_erased(ops or from_memory)

    def _forget_erased(self, ops: Sequence[Op]) -> None:
        """An erased text shall not stay in the write-ahead log, whose end may lie there unused for ever: it is cut to nothing.

        A reader that goes on reading, as a backup, stands in the way; then it is tried again behind a later commit.
        """
        self._forgetting |= any(isinstance(op, Append) and op.kind == TextsErased.__name__ for op in ops)
        if not self._forgetting or time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + self._retry_s
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # no checkpoint inside of a transaction, which each connection begins
                self._forgetting = bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0])
                connection.exec_driver_sql("BEGIN")
        except _FAULTS:
            self.engine.dispose()

    def _finish_drain(self) -> None:
        try:
            self._backlog.clear_file()
        except OSError as fault:  # still in trouble: a file left behind would be replayed over newer legs
            self._retry_at = time.monotonic() + self._retry_s
            self._tell_trouble(f"the journal's spool cannot be removed: {fault}")
            return
        self._inbox.troubled = False
        if self._told:
            self._told = ""
            self._on_recovered()

    def _tell_committed(self, result: Committed) -> None:
        if result.projection_fault:
            self._tell_trouble(result.projection_fault)
        self._on_committed(result.last)

    def _tell_trouble(self, text: str) -> None:
        full = "; ".join(part for part in (text, self._backlog.describe(), self._describe_refused()) if part)
        if full != self._told:
            self._told = full
            self._on_trouble(full)

    def _describe_refused(self) -> str:
        return "facts were lost: neither disk answers" if self._inbox.refused else ""

    # ---- both threads -------------------------------------------------------------------------------------

    def _set_aside(self, older_than_s: float = 0.0, why: str = "") -> None:
        with self._backlog_lock:
            parcels = self._inbox.withdraw(older_than_s)
            if not parcels:
                return
            kept = self._backlog.add([op for parcel in parcels for op in parcel.ops])
            self._inbox.resolve(parcels, kept)
            if why:  # told under the lock, so that the end of the trouble cannot be told first
                self._tell_trouble(why)

    # ---- the watch's thread -------------------------------------------------------------------------------

    def _watch(self) -> None:
        while self._inbox.await_aged(self._patience_s):
            self._set_aside(self._patience_s, "the journal's disk is slow: a commit takes longer than 250 ms")

    # ---- once, beside the others --------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Projections that were left behind (by an upgrade, or by a fault that is mended now)."""
        try:
            catch_up(self.engine, stop=self._inbox.closing)
        except _FAULTS as fault:
            self._tell_trouble(f"the lists of calls and incidents are behind the journal: {fault}")
