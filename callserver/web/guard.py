"""What stands before every route: the size of bodies, the origin of commands, and the headers of every answer."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callserver.web.errors import ApiError, answer
from callserver.web.headers import HEADERS

MAX_BODY_BYTES = 65_536
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PAGES_OF = {"ws": "http", "wss": "https"}  # a WebSocket's scheme and that of the page that opens it


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...] = ()) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with our headers on the answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        error = self._fault(scope)
        await (answer(error) if error is not None else self._app)(scope, receive, with_headers)

    def _fault(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        if scope["type"] == "websocket":  # no preflight and no CORS protects it: the browser sends the cookie along
            return self._origin_fault(headers, _PAGES_OF[scope["scheme"]])
        if scope["method"] in SAFE_METHODS:
            return None
        return _size_fault(headers) or self._origin_fault(headers, scope["scheme"])

    def _origin_fault(self, headers: Headers, scheme: str) -> ApiError | None:
        """A browser names where a command comes from. A script that names nothing has no cookie of a person's browser."""
        origin = headers.get("origin")
        if origin is None:
            site = headers.get("sec-fetch-site", "none")
            allowed = site in ("none", "same-origin")
        else:
            allowed = origin in self._origins or _same(origin, scheme, headers.get("host", ""))
        if allowed:
            return None
        what_to_do = "Use the service's own pages, or name the origin in [web] origins."
        return ApiError(403, "foreign-origin", "Commands are taken from our own pages alone.", what_to_do)


def _size_fault(headers: Headers) -> ApiError | None:
    length = headers.get("content-length")
    if length is None:
        if "transfer-encoding" not in headers:
            return None
        return ApiError(411, "length-required", "The request does not say how long it is.", "Send Content-Length.")
    if not (length.isascii() and length.isdigit()):
        return ApiError(400, "bad-length", "Content-Length is no number.", "Send the body's length in bytes.")
    if int(length) > MAX_BODY_BYTES:
        return ApiError(413, "too-long", f"The request is longer than {MAX_BODY_BYTES} bytes.", "Send less.")
    return None


def _same(origin: str, scheme: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return bool(host) and parts.scheme == scheme and parts.netloc.lower() == host.lower()
