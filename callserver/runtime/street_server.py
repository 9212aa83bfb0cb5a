"""The demo's street: its page, what is pressed there, and the scene as it changes (server-sent events). Loopback only.

The address has a key in it, drawn by the demo: who does not know the address can neither see nor press. Nothing else is asked, so
the key is as good as a password. What is pressed is handed on; nothing is decided here.
"""

import json
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

from callserver.runtime.street_scene import Scene, ordered, told

VERBS = frozenset({"press", "hangup", "walk", "cut", "mend"})
DESK_VERBS = frozenset({"answer", "hangup", "automatic", "by-hand"})
MOST_BODY_BYTES = 1_024
MOST_WATCHERS = 24
EVERY_S = 0.1  # at most so often the scene is sent
ALIVE_EVERY_S = 10.0
TYPES: Mapping[str, str] = {
    "index.html": "text/html; charset=utf-8",
    "street.css": "text/css; charset=utf-8",
    "scene.css": "text/css; charset=utf-8",
    "points.css": "text/css; charset=utf-8",
    "tokens.css": "text/css; charset=utf-8",
    "street.js": "text/javascript; charset=utf-8",
    "scene.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
CONSOLE = ("tokens.css",)  # colours and scales are the console's own
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
NOT_HERE = "The street has an address of its own: open the link that the demo printed.\n"

Order = Callable[[str, str], bool]
"""Carries out (user, verb); False where the phone has died."""


class Street:
    """The scene, and who waits for news of it. `page` is what the page needs to know once: titles, links, hints."""

    def __init__(self, scene: Scene, page: Mapping[str, Any], order: Order) -> None:
        self._scene, self._page, self._order = scene, page, order
        self._changed = threading.Condition()
        self._watchers = 0
        self._closed = False

    @property
    def scene(self) -> Scene:
        """As it is now."""
        return self._scene

    def told(self, user: str, news: str) -> None:
        """A phone's news."""
        with self._changed:
            self._become(told(self._scene, user, news))

    def ordered(self, user: str, verb: str) -> bool:
        """An order from the page, or from the terminal; False where the phone's process has died."""
        done = self._order(user, verb)
        if done:
            with self._changed:
                self._become(ordered(self._scene, user, verb))
        return done

    def allowed(self, user: str, verb: str) -> bool:
        """Whether there is such a thing to do."""
        desk = user == self._scene.desk
        return user in self._scene.parties and verb in (DESK_VERBS if desk else VERBS)

    def state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        return {**self._page, **self._scene.shown()}

    def newer(self, number: int) -> dict[str, Any] | None:
        """The state once its number is another one, None when nothing changed for `ALIVE_EVERY_S` or all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._scene.number != number, ALIVE_EVERY_S)
            return None if self._closed or self._scene.number == number else self.state()

    def watch(self) -> bool:
        """One more connection waits for news; False when there are too many."""
        with self._changed:
            free = self._watchers < MOST_WATCHERS
            self._watchers += free
        return free

    def leave(self) -> None:
        """One less."""
        with self._changed:
            self._watchers -= 1

    @property
    def closed(self) -> bool:
        """Whether the demo ends."""
        return self._closed

    def close(self) -> None:
        """Let everybody go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _become(self, scene: Scene) -> None:
        if scene.number != self._scene.number:
            self._scene = scene
            self._changed.notify_all()


class _Request(BaseHTTPRequestHandler):
    """One request. Answers are short, so each closes its connection."""

    server_version, sys_version = "callserver-demo", ""
    timeout = 30

    def __init__(self, street: Street, root: str, *rest: Any) -> None:
        self._street, self._root = street, root
        super().__init__(*rest)

    def do_GET(self) -> None:
        """Files, the state, the news."""
        name = self._name()
        if name is None:
            self._text(HTTPStatus.NOT_FOUND, NOT_HERE)
        elif name == "news":
            self._news()
        elif name == "state":
            self._send(HTTPStatus.OK, "application/json", json.dumps(self._street.state()).encode())
        elif (name or "index.html") in TYPES:
            self._file(name or "index.html")
        else:
            self._text(HTTPStatus.NOT_FOUND, "There is no such page.\n")

    def do_POST(self) -> None:
        """`do` with {"user", "verb"}."""
        length = self.headers.get("Content-Length", "")
        if self._name() != "do":
            self._text(HTTPStatus.NOT_FOUND, NOT_HERE)
        elif not length.isdecimal() or int(length) > MOST_BODY_BYTES:
            self._text(HTTPStatus.BAD_REQUEST, "The request is too long or does not say how long it is.\n")
        else:
            self._do(self.rfile.read(int(length)))

    def _do(self, body: bytes) -> None:
        try:
            order = json.loads(body)
            user, verb = str(order["user"]), str(order["verb"])
        except (ValueError, LookupError, TypeError):
            self._text(HTTPStatus.BAD_REQUEST, 'Send {"user": …, "verb": …}.\n')
            return
        if not self._street.allowed(user, verb):
            self._text(HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such telephone, or it cannot do that.\n")
        elif self._street.ordered(user, verb):
            self._send(HTTPStatus.NO_CONTENT, "", b"")
        else:
            self._text(HTTPStatus.SERVICE_UNAVAILABLE, "Its process has died. End the demo and start it again.\n")

    def _name(self) -> str | None:
        """What is asked for below the street's own address."""
        path = self.path.partition("?")[0]
        return path.removeprefix(self._root) if path.startswith(self._root) else None

    def _news(self) -> None:
        if not self._street.watch():
            self._text(HTTPStatus.SERVICE_UNAVAILABLE, "Too many pages are open.\n")
            return
        try:
            self._head(HTTPStatus.OK, "text/event-stream")
            number = -1
            pause = threading.Event()
            while not self._street.closed:
                state = self._street.newer(number)
                number = number if state is None else int(state["number"])
                self.wfile.write(b": alive\n\n" if state is None else b"data: " + json.dumps(state).encode() + b"\n\n")
                self.wfile.flush()
                pause.wait(EVERY_S)
        except OSError:  # the page is gone
            self.close_connection = True
        finally:
            self._street.leave()

    def _file(self, name: str) -> None:
        folder = resources.files("callserver").joinpath(*(("web", "console") if name in CONSOLE else ("runtime", "street")))
        self._send(HTTPStatus.OK, TYPES[name], folder.joinpath(name).read_bytes())

    def _text(self, status: HTTPStatus, text: str) -> None:
        self._send(status, "text/plain; charset=utf-8", text.encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        try:
            self._head(status, kind, len(body))
            self.wfile.write(body)
        except OSError:  # nobody waits for it any more
            self.close_connection = True

    def _head(self, status: HTTPStatus, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told of requests."""


class _Server(ThreadingHTTPServer):
    """The demo must not wait for a page, nor speak of one that went away."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection broke."""


def open_street(street: Street, port: int, key: str) -> Callable[[], None]:
    """Serve the street at `http://127.0.0.1:PORT/KEY/`; what is returned ends it. Raises OSError for a taken port."""
    server = _Server(("127.0.0.1", port), partial(_Request, street, f"/{key}/"))
    threading.Thread(target=server.serve_forever, args=(EVERY_S,), name="street", daemon=True).start()

    def end() -> None:
        street.close()
        server.shutdown()
        server.server_close()

    return end
