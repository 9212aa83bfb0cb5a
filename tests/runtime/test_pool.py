"""The pool over a template that only pretends: what it forks, refuses and leaves unanswered."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.media import pool as pool_of
from callserver.media.pool import Pool
from tests.eventually import eventually_sync

SECOND = 1_000_000_000


class Stage:
    """A pool whose template's end is held by the test."""

    def __init__(self, run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pool = Pool(run_dir, 2)
        monkeypatch.setattr(pool_of, "TEMPLATE", "this")  # `python -m this` ends at once; its end of the socket is replaced
        assert self.pool.start_template(0)
        assert self.pool.control is not None
        self.pool.control.close()
        ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self.theirs.setblocking(False)
        self.pool.control = ours
        self.children: list[subprocess.Popen[bytes]] = []

    def asked(self) -> list[str]:
        names = []
        while True:
            try:
                names.append(self.theirs.recv(200).decode().removeprefix("spawn "))
            except BlockingIOError:
                return names

    def answer(self, name: str, pid: int = -1) -> None:
        if pid < 0:
            self.children.append(subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"]))
            pid = self.children[-1].pid
        self.theirs.send(f"{name} {pid}".encode())


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Everything ended."""
    made = Stage(tmp_path, monkeypatch)
    yield made
    made.pool.end_template("")
    made.theirs.close()
    for worker in made.pool.workers.values():
        os.close(worker.pidfd)
    for child in made.children:
        child.kill()
        child.wait()


def test_spares_are_filled_once_and_again_after_one_was_taken(stage: Stage) -> None:
    """Not while forks are under way, and a pause after a taking."""
    pool = stage.pool
    pool.refill(0)
    pool.refill(0)
    names = stage.asked()
    assert len(names) == 2 and pool.next_ns() is None
    for name in names:
        stage.answer(name)
        worker = pool.forked(0)
        assert worker is not None and worker.spare
    pool.taken(names[0], 5 * SECOND)
    pool.refill(5 * SECOND)
    assert stage.asked() == []
    assert pool.next_ns() == 5 * SECOND + pool_of.REFILL_AFTER_NS
    pool.refill(5 * SECOND + pool_of.REFILL_AFTER_NS)
    assert len(stage.asked()) == 1


def test_a_template_that_cannot_fork_is_trouble_and_is_not_asked_without_pause(stage: Stage) -> None:
    """The next try is a second later; the first fork ends the trouble."""
    pool = stage.pool
    pool.refill(0)
    for name in stage.asked():
        stage.answer(name, 0)
        assert pool.forked(0) is None
    assert pool.trouble
    pool.refill(0)
    assert stage.asked() == [] and pool.next_ns() == pool_of.AGAIN_AFTER_NS
    pool.refill(pool_of.AGAIN_AFTER_NS)
    stage.answer(stage.asked()[0])
    assert pool.forked(0) is not None and pool.trouble == ""


def test_a_template_that_does_not_read_is_not_asked_in_a_busy_loop(stage: Stage) -> None:
    """Its socket is full: the next time lies in the future."""
    pool = stage.pool
    pool.spares = 100_000
    pool.refill(0)
    due = pool.next_ns()
    assert due is not None and due > 0


def test_a_template_that_does_not_answer_hangs(stage: Stage) -> None:
    """Which is seen, one that has not answered yet later; started again, it is asked again for all that is lacking."""
    pool = stage.pool
    pool.refill(0)
    assert not pool.hangs(pool_of.START_LIMIT_NS) and pool.hangs(pool_of.START_LIMIT_NS + 1)
    stage.answer(stage.asked()[0])
    assert pool.forked(0) is not None
    assert not pool.hangs(pool_of.ANSWER_LIMIT_NS) and pool.hangs(pool_of.ANSWER_LIMIT_NS + 1)
    pool.gone(next(iter(pool.workers.values())), 0)
    pool.end_template("it hangs")
    assert pool.missing() == 2 and pool.trouble == "it hangs" and not pool.hangs(100 * SECOND)
    assert pool.next_ns() == pool.start_at_ns


def test_the_templates_end_is_told_and_restarts_have_a_pause(stage: Stage) -> None:
    """No fork is asked of nobody."""
    pool = stage.pool
    stage.theirs.close()
    with pytest.raises(EOFError):
        pool.forked(0)
    pool.end_template("it ended")
    pool.need(0)
    pool.refill(0)
    assert pool.asked == {} and pool.next_ns() == pool_of.AGAIN_AFTER_NS


def test_calls_in_need_do_not_ask_for_more_than_a_machine_can_fork(stage: Stage) -> None:
    """A bound on forks under way."""
    for _ in range(50):
        stage.pool.need(0)
    assert len(stage.asked()) == pool_of.MOST_ASKED


def test_a_worker_that_is_gone_leaves_no_file_and_no_descriptor(stage: Stage) -> None:
    """One that died before it could be watched is none."""
    pool = stage.pool
    before = len(os.listdir("/proc/self/fd"))
    stage.answer("w1")
    worker = pool.forked(0)
    assert worker is not None
    Path(worker.path).touch()
    pool.gone(worker, 0)
    assert len(os.listdir("/proc/self/fd")) == before and not Path(worker.path).exists()
    dead = subprocess.Popen([sys.executable, "-S", "-c", ""])
    eventually_sync(lambda: dead.poll() is not None, 5)
    stage.answer("w2", dead.pid)
    assert pool.forked(0) is None and pool.workers == {}
