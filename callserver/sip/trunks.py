"""Outside lines: where they are and how we prove who we are to them (RFC 3261 22.2, 22.3)."""

from callserver.sip.composer import Composer
from callserver.sip.interface import TrunkAccess
from callserver.sip.protocol.digest import authorize
from callserver.sip.protocol.message import Request, Response, SipError, build_request


def authorized_again(composer: Composer, request: Request, challenge: Response, access: TrunkAccess, kind: str) -> Request | None:
    """The request once more with credentials, a new branch and the next CSeq; None when nothing answers the challenge."""
    asks, gives = "WWW-Authenticate", "Authorization"
    if challenge.status == 407:
        asks, gives = "Proxy-Authenticate", "Proxy-Authorization"
    for value in challenge.get_all(asks):
        try:
            line = authorize(value, request.method, request.uri.raw, access.user, access.password, composer.tag())
        except SipError:
            continue  # another algorithm or scheme; a further challenge may suit (RFC 8760)
        headers = [(header.raw_name, header.value) for header in request.without("Via", "CSeq").headers]
        top = [("Via", composer.via(kind, composer.branch())), ("CSeq", f"{request.cseq.number + 1} {request.method}")]
        return build_request(request.method, request.uri, [*top, *headers, (gives, line)], request.body)
    return None
