"""Fixtures of every room: ports of one's own, and real peers that are ended whatever happens."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from tests.peers.baresip import Baresip
from tests.peers.linphone import Linphone
from tests.peers.ports import Ports
from tests.peers.sipp import Sipp

P = TypeVar("P", Baresip, Linphone)


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

    def sipp(self, name: str, scenario: str, server: tuple[str, int], **options: object) -> Sipp:
        """A SIPp run; `await` its `run()`, or `start()` it."""
        make: Callable[..., Sipp] = Sipp
        return self._stack.enter_context(make(self._directory / name, scenario, server, self.ports, **options))

    def _keep(self, kind: Callable[..., P], user: str, options: dict[str, object]) -> P:
        return self._stack.enter_context(kind(self._directory / user, user, self.ports, **options))
