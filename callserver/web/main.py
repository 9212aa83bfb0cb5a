"""The web process: uvicorn on listening sockets that the supervisor opened, HTTP and, where there is a certificate, HTTPS.

It may die at any moment; nothing but the screens notice, and the next one takes over the same listeners.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from callserver.config import Config, metrics_token
from callserver.control import CommandClient
from callserver.store.engine import read_only
from callserver.web import tls
from callserver.web.app import create_app
from callserver.web.sockets import MAX_MESSAGE_BYTES

STOP_WITHIN_S = 2  # after SIGTERM; then open requests are cut off
MAX_REQUESTS_AT_ONCE = 512  # WebSockets among them
KEEP_ALIVE_S = 15
PING_EVERY_S = 5.0
PONG_WITHIN_S = 10.0
_START_LOOK_S = 0.01

log = structlog.get_logger()


class Server(uvicorn.Server):
    """One of several in a process: signals are not its own to catch."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to `run`."""
        yield


def run(config: Config, listen_fd: int, https_fd: int | None = None, *, beat: Callable[[], None], beat_every_s: float) -> None:
    """Serve on open listening TCP sockets until SIGTERM or SIGINT; returns within 3 s of it. Takes the descriptors over.

    `beat` is called again and again by the loop that serves, so that somebody may know that it goes round.
    """
    engine = read_only(config.storage.data, busy_timeout_ms=1_000)
    commands = CommandClient(config.storage.control_socket)
    app = create_app(config, engine, commands, metrics_token=metrics_token(config))
    asyncio.run(_beating(serve(config, app, listen_fd, https_fd), beat, beat_every_s))
    engine.dispose()


async def _beating(work: Coroutine[None, None, None], beat: Callable[[], None], every_s: float) -> None:
    loop = asyncio.get_running_loop()

    def again() -> None:
        beat()
        loop.call_later(every_s, again)

    again()
    await work


async def serve(config: Config, app: FastAPI, listen_fd: int, https_fd: int | None = None) -> None:
    """`run` on this event loop, for an app of one's own."""
    servers = [(Server(settings(app)), socket.socket(fileno=listen_fd))]
    if https_fd is not None and (https := _https(config, app)) is not None:
        servers.append((Server(https), socket.socket(fileno=https_fd)))

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    (first, listener), *others = servers
    serving = [asyncio.ensure_future(first.serve([listener]))]
    try:
        while not (first.started or serving[0].done()):  # what all share is there once the first has started
            await asyncio.sleep(_START_LOOK_S)
        serving += [asyncio.ensure_future(other.serve([its])) for other, its in others]
        await asyncio.gather(*serving)
    finally:
        stop()
        await asyncio.gather(*serving, return_exceptions=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        for _, its in servers:
            its.close()


def settings(app: FastAPI, **more: Any) -> uvicorn.Config:
    """How uvicorn serves the app."""
    return uvicorn.Config(
        app,
        access_log=False,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_REQUESTS_AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        h11_max_incomplete_event_size=32_768,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PONG_WITHIN_S,
        ws_per_message_deflate=False,  # a local network; it would cost each page memory and every message time
        **more,
    )


def _https(config: Config, app: FastAPI) -> uvicorn.Config | None:
    """None where the certificate cannot be used any more: then HTTP goes on alone, and the log says why."""
    assert config.web.tls_cert is not None and config.web.tls_key is not None
    try:
        secure = tls.server_side(config.web.tls_cert, config.web.tls_key)
    except (OSError, ValueError) as error:
        log.error("https-off", why=str(error), what_to_do="run callserver check; then callserver restart web")
        return None
    return settings(app, lifespan="off", ssl_context_factory=lambda *_: secure)
