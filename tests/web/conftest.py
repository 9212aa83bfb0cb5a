"""The web service of the tests."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from callserver.config import Config
from tests.web.desk import Desk, config_in, fill, opened
from tests.web.wire import Peer, Wire, listening


@pytest.fixture(scope="session")
def filled_store() -> Iterator[Path]:
    """A data directory with the story in it; copied for every test."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        fill(config)
        yield config.storage.data


@pytest.fixture
def config(filled_store: Path) -> Iterator[Config]:
    """A configuration in a directory of its own (a short one: it holds a Unix socket)."""
    with TemporaryDirectory(prefix="cs") as name:
        shutil.copytree(filled_store, Path(name) / "data")
        yield config_in(Path(name))


@pytest.fixture
async def wire(desk: Desk) -> AsyncIterator[Wire]:
    """The service on a listening socket, with a scripted switchboard whose board it has."""
    peer = Peer(desk.config.storage.feed_socket)
    await peer.start()
    async with listening(desk, peer) as wire:
        await wire.heard_of_board()
        yield wire
    await peer.stop()


@pytest.fixture
async def desk(config: Config) -> AsyncIterator[Desk]:
    """The service on it."""
    async with opened(config) as desk:
        yield desk
