"""The command socket: how web, archivist and command line ask the switchboard for something.

A Unix stream socket (`run/control.sock`, mode 0600). A message is a length (4 bytes, big-endian) and so many bytes of JSON:
a `Request` one way, a `Reply` with the same id the other. Requests of one connection are served side by side; a slow one
delays no other. The asker decides nothing: `dispatch` turns a verb into an event of the core and says what came of it.

Lost connections: a request that was not yet sent is sent on a new connection. One that was sent and stayed without answer
is sent again only if its verb is in `REPEATABLE`; for the others `Unavailable` says that the outcome is unknown.
"""

import asyncio
import contextlib
import os
import socket
import stat
import struct
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from callserver.control_status import AlarmStatus as AlarmStatus
from callserver.control_status import DiskStatus as DiskStatus
from callserver.control_status import OperatorStatus as OperatorStatus
from callserver.control_status import PointStatus as PointStatus
from callserver.control_status import QueueStatus as QueueStatus
from callserver.control_status import Status as Status

MAX_MESSAGE_BYTES = 1 << 20
MAX_CONNECTIONS = 64
MAX_REQUESTS_AT_ONCE = 32  # of one connection; more are read when one of them is answered
DEFAULT_TIMEOUT_S = 2.0
PLAN_TIMEOUT_S = 150.0  # for RELOAD_PLAN: longer than a proof may take

_LENGTH = struct.Struct(">I")


class Verb(StrEnum):
    """What can be asked; the arguments stand behind each. All ids are strings."""

    NOTE_FACT = "note_fact"  # id (unique; a repeated one is journalled once), kind, body
    GIVE_OUTCOME = "give_outcome"  # incident, outcome, by, note
    HANG_UP = "hang_up"  # call, by
    ESCALATE = "escalate"  # call, party, by
    HOLD = "hold"  # call, on (a boolean), by
    CLASSIFY = "classify"  # incident, priority (0 to 3), by
    CLIMB = "climb"  # incident, by: the ladder's step for being asked
    MUTE = "mute"  # call, leg, on (a boolean), by
    DROP = "drop"  # call, leg, by
    BRING = "bring"  # call, operator (or a group), mode (listen, whisper, join or private), by
    SET_MODE = "set_mode"  # call, leg, mode, by
    TAKE_OVER = "take_over"  # call, operator, by
    TRANSFER = "transfer"  # call, to (an operator, a group or a party), by
    PARK = "park"  # call, by
    RENEW = "renew"  # call, by: the point is called back now
    TAKE = "take"  # incident, operator, by
    CALL_OUT = "call_out"  # point, operator, by
    CALL_GROUP = "call_group"  # group (of points), operator, by
    BRING_POINT = "bring_point"  # call, point, by
    SEND_CONTROL = "send_control"  # call, control, leg ("": the call's own point's), by
    MAKE_AVAILABLE = "make_available"  # operator, by
    PAUSE = "pause"  # operator, reason, by, to (who gets what they own on the call-back list; "": the next on duty)
    GIVE_OWNER = "give_owner"  # incident, to (an operator; "": the next on duty), by
    ACKNOWLEDGE = "acknowledge"  # operator, incident ("": all that were passed), by
    CALL_BACK = "call_back"  # incident, operator, by
    HANDOVER = "handover"  # -> `control_handover.Handover`
    STATUS = "status"  # -> `Status`
    TRACE = "trace"  # of (a point or a call) -> {"lines": [text, ...]}
    RELOAD_ACCOUNTS = "reload_accounts"  # the directory was changed
    RELOAD_PLAN = "reload_plan"  # by -> version, name, changed (a boolean), warnings; takes as long as the proof does
    RAISE_ALARM = "raise_alarm"  # key, text: of the watch
    CLEAR_ALARM = "clear_alarm"  # key
    LEVELS = "levels"  # legs (leg -> runtime.levels.Level) -> {"legs": [archive.proving.Listed, ...]}: of the archivist
    DISKS = "disks"  # disks (a list of control.DiskStatus): of the archivist
    LAST_RESORT = "last_resort"  # incident, why: the watch wants all steps up to the last to be taken
    DRAIN = "drain"  # refuse nothing, but end when no call is left
    STOP = "stop"  # end now; conversations go on in their workers


REPEATABLE = frozenset(
    {Verb.NOTE_FACT, Verb.STATUS, Verb.TRACE, Verb.MAKE_AVAILABLE, Verb.PAUSE, Verb.HANG_UP, Verb.HOLD}
    | {Verb.RELOAD_ACCOUNTS, Verb.RELOAD_PLAN, Verb.CLASSIFY, Verb.CLIMB, Verb.MUTE, Verb.SET_MODE}
    | {Verb.ACKNOWLEDGE, Verb.HANDOVER}
    | {Verb.RAISE_ALARM, Verb.CLEAR_ALARM, Verb.LAST_RESORT, Verb.LEVELS, Verb.DISKS}
)


class Request(msgspec.Struct, frozen=True):
    """Asker to switchboard. `id` counts the requests of this connection."""

    id: int
    verb: str
    args: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Switchboard to asker. Where `ok` is false `code` is for programs and `error` for people."""

    id: int
    ok: bool
    code: str = ""
    error: str = ""
    data: dict[str, Any] = {}


def status_from(data: Mapping[str, Any]) -> Status:
    """The answer to `Verb.STATUS` as a value. Raises `Unavailable` for one that is none."""
    try:
        return msgspec.convert(data, Status)
    except msgspec.ValidationError as error:
        raise Unavailable(f"the switchboard's status does not fit: {error}") from error


class CommandRefused(ValueError):
    """The switchboard understood and said no; raised by `dispatch` at one end and by `ask` at the other."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Unavailable(ConnectionError):
    """No answer from the switchboard: not there, gone in the middle, or too slow."""


Dispatch = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]

_REQUESTS = msgspec.json.Decoder(Request)
_REPLIES = msgspec.json.Decoder(Reply)


def frame(message: Request | Reply) -> bytes:
    """One message with its length. Raises `ValueError` past `MAX_MESSAGE_BYTES`."""
    body = msgspec.json.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"message of {len(body)} bytes, the limit is {MAX_MESSAGE_BYTES}")
    return _LENGTH.pack(len(body)) + body


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    """The next message's bytes. `asyncio.IncompleteReadError` at the end, `ValueError` past the limit."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"message of {length} bytes, the limit is {MAX_MESSAGE_BYTES}")
    return await reader.readexactly(length)


def bound(path: Path) -> socket.socket:
    """A Unix stream socket bound to the path, for us alone (mode 0600), in the place of one that a dead predecessor left.

    `FileExistsError` where another kind of file is there.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(f"{path} is there and is no socket")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before bind: the file never has a wider mode, whatever the umask is
        listener.bind(str(path))
        os.chmod(path, 0o600)
    except OSError:
        listener.close()
        raise
    return listener


class CommandServer:
    """The switchboard's end. `dispatch(verb, args)` answers with data or raises `CommandRefused`."""

    def __init__(self, path: Path, dispatch: Dispatch) -> None:
        self._path = path
        self._dispatch = dispatch
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. A socket file that a dead predecessor left is replaced; any other file is a `FileExistsError`."""
        self._server = await asyncio.start_unix_server(self._accept, sock=bound(self._path), backlog=MAX_CONNECTIONS)

    async def stop(self) -> None:
        """Close every connection and take the socket file away."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        room = asyncio.Semaphore(MAX_REQUESTS_AT_ONCE)
        running: set[asyncio.Task[dict[str, Any]]] = set()
        try:
            while True:
                request = _REQUESTS.decode(await _read_frame(reader))
                await room.acquire()
                task = asyncio.get_running_loop().create_task(self._perform(request))
                running.add(task)

                def done(task: asyncio.Task[dict[str, Any]], request: Request = request) -> None:
                    running.discard(task)
                    room.release()
                    self._answer(writer, request, task)

                task.add_done_callback(done)
        except (asyncio.IncompleteReadError, ValueError, OSError):
            pass  # gone, or not speaking our language: in either case nothing can be answered
        finally:
            for task in running:
                task.cancel()
            writer.close()

    async def _perform(self, request: Request) -> dict[str, Any]:
        return await self._dispatch(request.verb, request.args)

    @staticmethod
    def _answer(writer: asyncio.StreamWriter, request: Request, task: asyncio.Task[dict[str, Any]]) -> None:
        if task.cancelled() or writer.is_closing():
            return
        error = task.exception()
        if error is None:
            reply = Reply(request.id, True, data=task.result())
        elif isinstance(error, CommandRefused):
            reply = Reply(request.id, False, error.code, error.message)
        else:
            asyncio.get_running_loop().call_exception_handler({"message": f"command {request.verb} failed", "exception": error})
            reply = Reply(request.id, False, "internal", "the switchboard failed on this command; its log says why")
        try:
            writer.write(frame(reply))
        except ValueError:
            writer.write(frame(Reply(request.id, False, "too-long", "the answer is too long for one message")))


def _checked(reply: Reply) -> dict[str, Any]:
    if not reply.ok:
        raise CommandRefused(reply.code, reply.error)
    return reply.data


class CommandClient:
    """The asking end on an event loop. Connects when first asked, and again after a loss."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, verb: str, args: Mapping[str, Any] | None = None, timeout_s: float = DEFAULT_TIMEOUT_S) -> dict[str, Any]:
        """The reply's data. Raises `CommandRefused` for a no, `Unavailable` without an answer in `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                try:
                    return _checked(await self._once(verb, args or {}))
                except Unavailable:
                    if verb not in REPEATABLE:
                        raise
                    return _checked(await self._once(verb, args or {}))
        except TimeoutError as error:
            raise Unavailable(f"the switchboard did not answer within {timeout_s} s") from error

    async def close(self) -> None:
        """Drop the connection; requests under way fail with `Unavailable`."""
        if self._line is not None:
            await self._line.close()

    async def _once(self, verb: str, args: Mapping[str, Any]) -> Reply:
        return await (await self._connected()).ask(verb, args)

    async def _connected(self) -> "_Line":
        async with self._connecting:
            if self._line is None or self._line.lost:
                try:
                    self._line = _Line(*await asyncio.open_unix_connection(str(self._path)))
                except OSError as error:
                    raise Unavailable(f"no switchboard at {self._path}: {error.strerror or error}") from error
            return self._line


class _Line:
    """One connection and those who wait for an answer on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._number = 0
        self.lost = False
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def ask(self, verb: str, args: Mapping[str, Any]) -> Reply:
        self._number += 1
        number = self._number
        request = frame(Request(number, verb, dict(args)))
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(request)
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                reply = _REPLIES.decode(await _read_frame(self._reader))
                answer = self._waiting.get(reply.id)
                if answer is not None and not answer.done():
                    answer.set_result(reply)
        except (asyncio.IncompleteReadError, ValueError, OSError):
            pass  # the loss is told to everyone who waits, below
        finally:
            self.lost = True
            self._writer.close()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Unavailable("the switchboard went away before it answered; look before you ask again"))


def ask_sync(
    path: Path, verb: str, args: Mapping[str, Any] | None = None, timeout_s: float = DEFAULT_TIMEOUT_S
) -> dict[str, Any]:
    """One request on a connection of its own, without an event loop. Raises as `CommandClient.ask` does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
            connection.sendall(frame(Request(1, verb, dict(args or {}))))
            (length,) = _LENGTH.unpack(_receive(connection, _LENGTH.size))
            if length > MAX_MESSAGE_BYTES:
                raise Unavailable("the switchboard's answer is too long")
            reply = _REPLIES.decode(_receive(connection, length))
        except OSError as error:
            raise Unavailable(f"no answer from the switchboard at {path}: {error.strerror or error}") from error
    return _checked(reply)


def _receive(connection: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise Unavailable("the switchboard went away before it answered; look before you ask again")
        received += part
    return bytes(received)
