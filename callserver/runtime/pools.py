"""The supervisor's two pools, of call workers and of seat workers: filled, watched, and told of. Imports nothing heavy."""

import selectors
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from callserver.media.pool import Pool, Worker
from callserver.runtime import clock, supervision

if TYPE_CHECKING:
    from callserver.runtime.supervisor import Supervisor


class Pools:
    """Both pools by kind. A template that dies, hangs or cannot fork is started again, and told of while it is in trouble."""

    def __init__(self, supervisor: "Supervisor", config: dict[str, Any]) -> None:
        """`config` is the whole configuration."""
        self.supervisor = supervisor
        seats, run_dir = config["seats"], supervisor.run_dir
        options = ["--addresses", ",".join(seats["addresses"]), "--ports", seats["ports"]]
        self.by_kind = {
            "call": Pool(run_dir, int(config["pool"]["spares"])),
            "seat": Pool(run_dir, int(config["pool"]["seats"]), "seat", options),
        }
        self._told = dict.fromkeys(self.by_kind, "")

    # ---- for the switchboard ----------------------------------------------------------------------------------

    def need(self, kind: str) -> None:
        """Somebody has no worker: fork one at once. An unknown kind is ignored."""
        if kind in self.by_kind:
            self.by_kind[kind].need(clock.boottime_ns())

    def taken(self, worker: str) -> None:
        """A spare has got its call or its seat."""
        for pool in self.by_kind.values():
            pool.taken(worker, clock.boottime_ns())

    def workers(self) -> Iterator[Worker]:
        """All that live."""
        for pool in self.by_kind.values():
            yield from pool.workers.values()

    def troubles(self) -> list[supervision.ChildTrouble]:
        """What keeps workers from being had, "" where nothing does."""
        found = ((_template_of(kind), pool.trouble) for kind, pool in self.by_kind.items())
        return [supervision.ChildTrouble(name, text, cleared=not text) for name, text in found]

    # ---- for the supervisor -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Both templates, and the first spares."""
        for pool in self.by_kind.values():
            self._start_template(pool)
            pool.refill(clock.boottime_ns())

    def next_ns(self) -> list[int | None]:
        """When something falls due."""
        return [pool.next_ns() for pool in self.by_kind.values()]

    def on_time(self, now_ns: int) -> None:
        """Templates that are due again, spares that are lacking."""
        for pool in self.by_kind.values():
            if pool.control is None and now_ns >= pool.start_at_ns:
                self._start_template(pool)
            pool.refill(now_ns)

    def tick(self, now_ns: int) -> None:
        """Each second: a template that hangs is given up."""
        for pool in self.by_kind.values():
            if pool.hangs(now_ns):
                self._end_template(pool, f"the template of {pool.kind} workers hangs and is started again")

    def end(self) -> None:
        """The service ends: no template any more."""
        for pool in self.by_kind.values():
            self._end_template(pool, "")

    def pids(self) -> set[int]:
        """Every process of the pools."""
        templates = {pool.template.pid for pool in self.by_kind.values() if pool.template is not None}
        return templates | {worker.pid for worker in self.workers()}

    def rows(self) -> list[dict[str, Any]]:
        """For processes.json."""
        rows: list[dict[str, Any]] = []
        for kind, pool in self.by_kind.items():
            if pool.template is not None:
                rows.append({"name": _template_of(kind), "pid": pool.template.pid})
        rows += [{"name": f"{one.kind}-worker", "pid": one.pid, "id": one.id, "spare": one.spare} for one in self.workers()]
        return rows

    def _start_template(self, pool: Pool) -> None:
        if pool.start_template(clock.boottime_ns()):
            assert pool.control is not None
            self.supervisor.selector.register(pool.control, selectors.EVENT_READ, lambda: self._forked(pool))
        self.supervisor.note_processes()
        self._tell(pool)

    def _end_template(self, pool: Pool, trouble: str) -> None:
        if pool.control is not None:
            self.supervisor.selector.unregister(pool.control)
        pool.end_template("" if self.supervisor.stopping_since_ns else trouble)
        self._tell(pool)

    def _tell(self, pool: Pool) -> None:
        """A pool's trouble is news when it changes."""
        if pool.trouble != self._told[pool.kind]:
            self._told[pool.kind] = pool.trouble
            text = pool.trouble or f"{pool.kind} workers are forked again"
            self.supervisor.say(text)
            self.supervisor.link.tell(supervision.ChildTrouble(_template_of(pool.kind), text, cleared=not pool.trouble))

    def _forked(self, pool: Pool) -> None:
        try:
            worker = pool.forked(clock.boottime_ns())
        except BlockingIOError:
            return
        except EOFError:
            self._end_template(pool, f"the template of {pool.kind} workers ended and is started again")
            return
        self._tell(pool)
        if worker is not None:
            died = lambda: self._died(pool, worker)  # noqa: E731
            self.supervisor.selector.register(worker.pidfd, selectors.EVENT_READ, died)
            self.supervisor.link.tell(supervision.WorkerReady(worker.id, worker.pid, worker.path, worker.kind))
            self.supervisor.note_processes()

    def _died(self, pool: Pool, worker: Worker) -> None:
        self.supervisor.selector.unregister(worker.pidfd)
        pool.gone(worker, clock.boottime_ns())
        self.supervisor.reap(worker.pid)
        self.supervisor.link.tell(supervision.WorkerGone(worker.id, worker.pid))
        self.supervisor.note_processes()


def _template_of(kind: str) -> str:
    return "template" if kind == "call" else f"{kind}-template"
