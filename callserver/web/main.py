"""The web process: uvicorn on a listening socket that the supervisor opened.

It may die at any moment; nothing but the screens notice, and the next one takes over the same listener.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from callserver.config import Config, metrics_token
from callserver.control import CommandClient
from callserver.store.engine import read_only
from callserver.web.app import create_app

STOP_WITHIN_S = 2  # after SIGTERM; then open requests are cut off
MAX_REQUESTS_AT_ONCE = 256
KEEP_ALIVE_S = 15


def run(config: Config, listen_fd: int) -> None:
    """Serve on an open listening TCP socket until SIGTERM or SIGINT; returns within 3 s of it. Takes the descriptor over."""
    engine = read_only(config.storage.data, busy_timeout_ms=1_000)
    commands = CommandClient(config.storage.control_socket)
    app = create_app(config, engine, commands, metrics_token=metrics_token(config))
    settings = uvicorn.Config(
        app,
        access_log=False,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_REQUESTS_AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        h11_max_incomplete_event_size=32_768,
    )
    with _listener(listen_fd) as listener:
        uvicorn.Server(settings).run(sockets=[listener])
    engine.dispose()


@contextmanager
def _listener(descriptor: int) -> Iterator[socket.socket]:
    listener = socket.socket(fileno=descriptor)
    try:
        yield listener
    finally:
        listener.close()
