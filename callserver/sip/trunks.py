"""Outside lines: where they are, how we prove who we are to them (RFC 3261 22.2, 22.3), and whether they carry calls."""

from collections.abc import Callable

import structlog

from callserver.sip.composer import Composer
from callserver.sip.flow import Flow
from callserver.sip.interface import Accounts, TrunkAccess
from callserver.sip.protocol.digest import authorize
from callserver.sip.protocol.message import Request, Response, SipError, build_request

PROBE, REGISTRATION = "probe", "registration"
log = structlog.get_logger(__name__)


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
        headers = [(header.raw_name, header.value) for header in request.without("Via", "CSeq", gives).headers]
        top = [("Via", composer.via(kind, composer.branch())), ("CSeq", f"{request.cseq.number + 1} {request.method}")]
        return build_request(request.method, request.uri, [*top, *headers, (gives, line)], request.body)
    return None


def trunk_uri(access: TrunkAccess) -> str:
    """The trunk itself, as a Request-URI."""
    return f"sip:{access.host}:{access.port}{f';transport={access.transport}' if access.transport != 'udp' else ''}"


def trunk_flow(access: TrunkAccess, address: str) -> Flow:
    """The way there, its host having this address."""
    if access.transport == "tls":
        return Flow("tls", address, access.port, name=access.host, ca=access.ca)
    return Flow(access.transport, address, access.port)


def identity(access: TrunkAccess | None) -> str:
    """The URI that a trunk knows us by; "" where we are not registered."""
    return f"sip:{access.user}@{access.host}" if access is not None and access.register else ""


class TrunkCondition:
    """Whether each trunk carries calls. Its probe and its registration each have a word in it, and one "no" is enough."""

    def __init__(self, accounts: Accounts, tell: Callable[[str, bool, str], None]) -> None:
        self._accounts, self._tell = accounts, tell
        self._words: dict[str, dict[str, tuple[bool, str]]] = {}
        self._told: dict[str, bool] = {}
        self.on_back: Callable[[str], None] = lambda trunk: None  # its probe is answered again

    def say(self, trunk: str, by: str, well: bool, why: str) -> None:
        """What the probe or the registration found. Only a change of the whole is told."""
        words = self._words.setdefault(trunk, {})
        back = by == PROBE and well and words.get(PROBE, (True, ""))[0] is False
        words[by] = (well, why)
        if back:
            self.on_back(trunk)
        wanted = self._wanted(trunk)
        faults = [words[one][1] for one in wanted if one in words and not words[one][0]]
        if not faults and any(one not in words for one in wanted):
            return
        reachable = not faults
        if wanted and self._told.get(trunk) is not reachable:
            self._told[trunk] = reachable
            log.info("trunk", trunk=trunk, reachable=reachable, reason="; ".join(faults) or why)
            self._tell(trunk, reachable, "; ".join(faults) or why)

    def _wanted(self, trunk: str) -> list[str]:
        access = self._accounts.trunk(trunk)
        if access is None:
            return []
        return [*([PROBE] if access.probe_ms else []), *([REGISTRATION] if access.register else [])]

    def anew(self, trunk: str) -> None:
        """Another plan is in force: it is asked again, and told again."""
        self._told.pop(trunk, None)
        self._words.get(trunk, {}).pop(PROBE, None)

    def forget(self, trunk: str) -> None:
        """No plan has it any more."""
        self._told.pop(trunk, None)
        self._words.pop(trunk, None)
