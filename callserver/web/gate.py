"""Every route passes here, WebSockets too: who asks, and whether the table of roles lets them."""

from fastapi import WebSocket, WebSocketException
from starlette.requests import HTTPConnection

from callserver.web.errors import ApiError
from callserver.web.outlet import NOT_ALLOWED, SIGNED_OUT
from callserver.web.roles import RULES, Rule, allowed
from callserver.web.service import service
from callserver.web.sessions import COOKIE, Session


async def gate(request: HTTPConnection) -> None:
    """401 without a session, 403 for a role that may not. A dependency of the whole app."""
    method = "WS" if isinstance(request, WebSocket) else request.scope["method"]
    rule = RULES["GET" if method == "HEAD" else method, request.scope["route"].path]
    if rule.public:
        return
    session = await service(request).session(request.cookies.get(COOKIE, ""))
    fault = _fault(rule, session, request.path_params.get("id", ""))
    if fault is None:
        request.state.session = session
    elif isinstance(request, WebSocket):
        await request.accept()  # a page's script learns the code of a close, and nothing of a refused handshake
        raise WebSocketException(SIGNED_OUT if fault.status == 401 else NOT_ALLOWED, fault.message)
    else:
        raise fault


def _fault(rule: Rule, session: Session | None, named: str) -> ApiError | None:
    if session is None:
        return ApiError(401, "not-signed-in", "You are not signed in.", "POST /api/session with user and password.")
    if not allowed(rule, session.role, session.user, named):
        roles = ", ".join(sorted(rule.roles))
        what_to_do = f"It is for: {roles}" + ("; operators for themselves." * bool(rule.own_only))
        return ApiError(403, "not-allowed", f"A session as {session.role} may not do this.", what_to_do)
    return None


def signed_in(request: HTTPConnection) -> Session:
    """Who asks, on a route that needs a session."""
    session = request.state.session
    assert isinstance(session, Session)
    return session
