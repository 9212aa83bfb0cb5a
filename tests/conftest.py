"""Fixtures of every room: nothing left behind, ports of one's own, real peers that are ended whatever happens."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

import pytest

from tests.eventually import eventually_sync
from tests.peers.baresip import Baresip
from tests.peers.linphone import Linphone
from tests.peers.pjsip import Pjsip
from tests.peers.ports import Ports
from tests.peers.sipp import Sipp
from tests.sample import put_off

P = TypeVar("P", Baresip, Linphone, Pjsip)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before `-m` chooses: what is not today's share is `long`."""
    put_off(items)


LOOPS_OWN = ("asyncio_", "AnyIO worker")
"""Threads that an event loop ends when it is closed itself, which is after the fixtures here."""


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.name.startswith(LOOPS_OWN)}


def _children() -> set[int]:
    lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    return {int(pid) for text in lists for pid in text.split()}


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fails a test that leaves a thread or a process; those of fixtures with a wider scope were there before."""
    threads, children = _threads(), _children()
    yield

    def gone() -> bool:
        return not (_threads() - threads or _children() - children)

    with suppress(AssertionError):
        eventually_sync(gone, 3)
    assert gone(), f"left behind: {sorted(t.name for t in _threads() - threads)}, processes {sorted(_children() - children)}"


@pytest.fixture
def ports() -> Iterator[Ports]:
    """A block of free loopback ports of this test's own."""
    block = Ports()
    yield block
    block.close()


@pytest.fixture
def peers(tmp_path: Path, ports: Ports) -> Iterator["Peers"]:
    """Real peers, each in a directory of its own, all ended with the test."""
    with ExitStack() as stack:
        yield Peers(tmp_path, ports, stack)


class Peers:
    """Makes peers for one test. Options are those of the classes in tests/peers; they are not started yet."""

    def __init__(self, directory: Path, ports: Ports, stack: ExitStack) -> None:
        self._directory, self.ports, self._stack = directory, ports, stack

    def baresip(self, user: str, **options: object) -> Baresip:
        """A baresip; call its `start()`."""
        return self._keep(Baresip, user, options)

    def linphone(self, user: str, **options: object) -> Linphone:
        """A linphonec; call its `start()`."""
        return self._keep(Linphone, user, options)

    def pjsip(self, user: str, **options: object) -> Pjsip:
        """A pjsip; call its `start()`."""
        return self._keep(Pjsip, user, options)

    def sipp(self, name: str, scenario: str, server: tuple[str, int], **options: object) -> Sipp:
        """A SIPp run; `await` its `run()`, or `start()` it."""
        make: Callable[..., Sipp] = Sipp
        return self._stack.enter_context(make(self._directory / name, scenario, server, self.ports, **options))

    def _keep(self, kind: Callable[..., P], user: str, options: dict[str, object]) -> P:
        return self._stack.enter_context(kind(self._directory / user, user, self.ports, **options))
