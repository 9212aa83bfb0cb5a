"""The command socket: who gets which answer, what happens when an end goes away, and what is refused."""

import asyncio
import contextlib
import os
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from callserver import control
from callserver.control import CommandClient, CommandRefused, CommandServer, Request, Status, Unavailable, Verb, ask_sync
from tests.eventually import eventually

Args = dict[str, Any]


class Board:
    """Answers with what it was asked; some verbs wait, refuse or fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = asyncio.Event()

    async def dispatch(self, verb: str, args: Args) -> Args:
        """See callserver.control."""
        self.asked.append(verb)
        if verb == "wait":
            await self.gate.wait()
        if verb == "refuse":
            raise CommandRefused("refused", "not in this state")
        if verb == "fail":
            raise KeyError("inside")
        if verb == "long":
            return {"text": "x" * control.MAX_MESSAGE_BYTES}
        return {"verb": verb, **args}


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


@pytest.fixture
def path() -> Iterator[Path]:
    """A short path for a Unix socket."""
    with TemporaryDirectory(prefix="cs") as name:
        yield Path(name) / "control.sock"


@pytest.fixture
async def board(path: Path) -> AsyncIterator[Board]:
    """A switchboard's end."""
    board = Board()
    server = CommandServer(path, board.dispatch)
    await server.start()
    yield board
    await server.stop()


@pytest.fixture
async def client(path: Path) -> AsyncIterator[CommandClient]:
    """An asker."""
    client = CommandClient(path)
    yield client
    await client.close()


async def test_everybody_gets_their_own_answer(board: Board, client: CommandClient) -> None:
    """Side by side, in whatever order they are ready."""
    waiting = asyncio.ensure_future(client.ask("wait", {"n": 1}))
    answers = await asyncio.gather(*(client.ask("echo", {"n": n}) for n in range(100)))
    assert [{"verb": "echo", "n": n} for n in range(100)] == answers
    assert not waiting.done()
    board.gate.set()
    assert await waiting == {"verb": "wait", "n": 1}


async def test_a_refusal_carries_code_and_words(board: Board, client: CommandClient) -> None:
    """And the connection goes on."""
    with pytest.raises(CommandRefused, match="not in this state") as caught:
        await client.ask("refuse")
    assert caught.value.code == "refused"
    assert await client.ask("echo") == {"verb": "echo"}


async def test_a_failure_inside_is_reported_to_the_loop_and_tells_nothing(board: Board, client: CommandClient) -> None:
    """The asker learns that it failed, the log learns why."""
    told: list[Args] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    with pytest.raises(CommandRefused) as caught:
        await client.ask("fail")
    assert (caught.value.code, "inside" in caught.value.message) == ("internal", False)
    assert [what["message"] for what in told] == ["command fail failed"]
    with pytest.raises(CommandRefused) as caught:
        await client.ask("long")
    assert caught.value.code == "too-long"


async def test_the_socket_is_its_owners_alone(board: Board, path: Path) -> None:
    """Mode 0600, whatever the umask is."""
    assert os.stat(path).st_mode & 0o777 == 0o600


async def test_a_dead_predecessors_socket_is_replaced_but_no_other_file(path: Path) -> None:
    """A path in the configuration that is wrong destroys nothing."""
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(path))
    dead.close()
    server = CommandServer(path, Board().dispatch)
    await server.start()
    await server.stop()
    assert _text(path) is None
    _write(path, "precious")
    with pytest.raises(FileExistsError):
        await CommandServer(path, Board().dispatch).start()
    assert _text(path) == "precious"


async def test_without_a_switchboard_there_is_no_answer(path: Path, client: CommandClient) -> None:
    """At once, and the next one connects anew."""
    with pytest.raises(Unavailable, match="no switchboard"):
        await client.ask(Verb.STATUS)
    server = CommandServer(path, Board().dispatch)
    await server.start()
    assert await client.ask(Verb.STATUS) == {"verb": "status"}
    await server.stop()


async def test_a_slow_switchboard_is_not_waited_for(board: Board, client: CommandClient) -> None:
    """Unavailable after the limit; a late answer disturbs nobody."""
    with pytest.raises(Unavailable, match="within"):
        await client.ask("wait", timeout_s=0.05)
    board.gate.set()
    assert await client.ask("echo") == {"verb": "echo"}


@pytest.mark.parametrize(
    ("verb", "repeated"), [(Verb.STATUS, True), (Verb.NOTE_FACT, True), (Verb.ESCALATE, False), ("stop", False)]
)
async def test_a_request_lost_in_the_middle_is_repeated_where_that_is_harmless(path: Path, verb: str, repeated: bool) -> None:
    """Else the asker hears that nobody knows."""
    served: list[str] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads the first request and dies; answers later ones."""
        body = await control._read_frame(reader)
        served.append(control._REQUESTS.decode(body).verb)
        if len(served) > 1:
            writer.write(control.frame(control.Reply(1, True, data={"second": True})))
        writer.close()

    server = await asyncio.start_unix_server(once, str(path))
    client = CommandClient(path)
    if repeated:
        assert await client.ask(verb) == {"second": True}
    else:
        with pytest.raises(Unavailable, match="look before you ask again"):
            await client.ask(verb)
    assert [verb] * (2 if repeated else 1) == served
    await client.close()
    server.close()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\xff\xff\xff\xff",
        struct.pack(">I", control.MAX_MESSAGE_BYTES + 1),
        struct.pack(">I", 2) + b"{}",
        struct.pack(">I", 4) + b"\xff\xfe\x00\x01",
        struct.pack(">I", 40) + b"short",
    ],
)
async def test_what_is_no_request_ends_its_connection_only(
    board: Board, client: CommandClient, path: Path, rubbish: bytes
) -> None:
    """Nothing is dispatched; others are served."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(rubbish)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert await client.ask("echo") == {"verb": "echo"}
    assert board.asked == ["echo"]


async def test_connections_are_bounded(board: Board, path: Path) -> None:
    """One more than the limit is closed at once."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(control.MAX_CONNECTIONS):
            _, writer = await asyncio.open_unix_connection(str(path))
            stack.callback(writer.close)
        client = CommandClient(path)
        with pytest.raises(Unavailable):
            await client.ask("echo")
        await client.close()
    await eventually(lambda: len(board.asked) == 0, 1)


async def test_requests_under_way_are_bounded(board: Board, client: CommandClient) -> None:
    """What is too much waits its turn, and is served."""
    many = [asyncio.ensure_future(client.ask("wait", {"n": n})) for n in range(control.MAX_REQUESTS_AT_ONCE + 8)]
    await eventually(lambda: len(board.asked) == control.MAX_REQUESTS_AT_ONCE, 2)
    board.gate.set()
    assert list(range(len(many))) == [answer["n"] for answer in await asyncio.gather(*many)]


async def test_asking_without_a_loop(board: Board, path: Path) -> None:
    """The command line's way, with the same errors."""
    assert await asyncio.to_thread(ask_sync, path, "echo", {"n": 1}) == {"verb": "echo", "n": 1}
    with pytest.raises(CommandRefused):
        await asyncio.to_thread(ask_sync, path, "refuse")
    with pytest.raises(Unavailable):
        await asyncio.to_thread(ask_sync, path, "wait", {}, 0.05)
    with pytest.raises(Unavailable):
        ask_sync(path.with_name("nobody.sock"), "echo")


def test_a_switchboard_that_dies_before_its_answer(path: Path) -> None:
    """The blocking asker does not wait for ever."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def die() -> None:
            connection, _ = listener.accept()
            connection.recv(1)
            connection.close()

        dying = threading.Thread(target=die)
        dying.start()
        with pytest.raises(Unavailable):
            ask_sync(path, "echo")
        dying.join()


def test_a_message_has_its_length_before_it() -> None:
    """Four bytes, big-endian; too much is refused before it is sent."""
    message = control.frame(Request(7, "echo", {"a": 1}))
    assert message[4:] == b'{"id":7,"verb":"echo","args":{"a":1}}'
    assert len(message) - 4 == int.from_bytes(message[:4], "big")
    with pytest.raises(ValueError, match="limit"):
        control.frame(Request(1, "x" * control.MAX_MESSAGE_BYTES, {}))


def test_a_status_goes_through_json() -> None:
    """With what a newer switchboard adds; one that is none is no answer."""
    assert Status(True, plan="p") == control.status_from({"ready": True, "plan": "p", "newer": 1})
    with pytest.raises(Unavailable):
        control.status_from({"ready": "perhaps"})
