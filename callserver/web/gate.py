"""Every route passes here: who asks, and whether the table of roles lets them."""

from fastapi import Request

from callserver.web.errors import ApiError
from callserver.web.roles import RULES, allowed
from callserver.web.service import service
from callserver.web.sessions import COOKIE, Session


async def gate(request: Request) -> None:
    """401 without a session, 403 for a role that may not. A dependency of the whole app."""
    path = request.scope["route"].path
    rule = RULES["GET" if request.method == "HEAD" else request.method, path]
    if rule.public:
        return
    session = await service(request).session(request.cookies.get(COOKIE, ""))
    if session is None:
        raise ApiError(401, "not-signed-in", "You are not signed in.", "POST /api/session with user and password.")
    if not allowed(rule, session.role, session.user, request.path_params.get("id", "")):
        roles = ", ".join(sorted(rule.roles))
        message = f"A session as {session.role} may not do this."
        raise ApiError(403, "not-allowed", message, f"It is for: {roles}" + ("; operators for themselves." * bool(rule.own_only)))
    request.state.session = session


def signed_in(request: Request) -> Session:
    """Who asks, on a route that needs a session."""
    session = request.state.session
    assert isinstance(session, Session)
    return session
