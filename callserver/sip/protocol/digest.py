"""Digest authentication (RFC 7616, RFC 3261 section 22): challenging, checking, and answering a trunk's challenge.

A nonce is its time and an HMAC over time, realm and source, so nothing is stored until credentials with it were right;
then its highest nc is kept and must grow. Credentials without qop=auth are refused (they can be replayed at will).
An unknown user gets a challenge and a check that take the same work as a known one's.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from callserver.sip.protocol.errors import SipError, bad
from callserver.sip.protocol.grammar import is_quoted, is_token, quote, split_outside, unquote
from callserver.sip.protocol.uri import Uri, parse_uri

ALGORITHMS = ("MD5", "SHA-256")
NONCE_LIFE_NS = 300 * 1_000_000_000
_METHODS = ("REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "INFO", "PRACK", "MESSAGE", "SUBSCRIBE")
_HEX = frozenset("0123456789abcdef")


class Refusal(StrEnum):
    """Why credentials were refused; the log's word for it."""

    NONE = ""
    NO_CREDENTIALS = "no-credentials"
    NO_QOP = "no-qop"
    OTHER_ALGORITHM = "other-algorithm"
    OTHER_REALM = "other-realm"
    OTHER_USER = "other-user"
    OTHER_URI = "other-uri"
    OTHER_METHOD = "other-method"
    WRONG_RESPONSE = "wrong-response"
    FORGED_NONCE = "forged-nonce"
    OLD_NONCE = "old-nonce"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the request is its user's. `stale`: challenge again with stale=true (only when the response was right)."""

    ok: bool
    refusal: Refusal = Refusal.NONE
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """An Authorization or Proxy-Authorization value."""

    user: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    cnonce: str = ""
    nc: int = 0
    qop: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A WWW-Authenticate or Proxy-Authenticate value. `str()` is what goes into the header."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ("auth",)
    opaque: str = ""
    stale: bool = False

    def __str__(self) -> str:
        parts = [f"Digest realm={quote(self.realm)}", f"nonce={quote(self.nonce)}", f"algorithm={self.algorithm}"]
        parts += [f'qop="{",".join(self.qop)}"'] if self.qop else []
        parts += [f"opaque={quote(self.opaque)}"] if self.opaque else []
        parts += ["stale=true"] if self.stale else []
        return ", ".join(parts)


@dataclass(slots=True)
class NonceCounts:
    """The highest nc had with each nonce that was used rightly. Bounded: the oldest go first, and are refused as old."""

    limit: int = 50_000
    highest: OrderedDict[str, int] = field(default_factory=OrderedDict)
    forgotten_ns: int = -1  # nonces made up to then may have been forgotten

    def take(self, nonce: str, made_ns: int, nc: int) -> bool:
        """Whether nc has grown; if so it is kept."""
        had = self.highest.get(nonce)
        if (had is None and made_ns <= self.forgotten_ns) or nc <= (had or 0):
            return False
        self.highest[nonce] = nc
        if len(self.highest) > self.limit:
            oldest, _ = self.highest.popitem(last=False)
            self.forgotten_ns = max(self.forgotten_ns, _made_ns(oldest))
        return True

    def expire(self, now_ns: int, life_ns: int = NONCE_LIFE_NS) -> None:
        """Forget nonces that are too old to be used again."""
        while self.highest and _made_ns(next(iter(self.highest))) + life_ns < now_ns:
            self.highest.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Guard:
    """What all checks of one edge share. `secret`: at least 16 random octets. `domains`: hosts that digest-uris may name."""

    secret: bytes
    realm: str
    domains: Collection[str]
    life_ns: int = NONCE_LIFE_NS

    def challenge(self, algorithm: str, source_host: str, now_ns: int, stale: bool = False) -> Challenge:
        """A challenge with a fresh nonce for this source."""
        return Challenge(self.realm, nonce(self.secret, now_ns, self.realm, source_host), algorithm, stale=stale)


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that wants to be `user`'s: what its From (and To in REGISTER) names, and where it came from."""

    user: str
    method: str
    uri: Uri
    source_host: str


def digest(algorithm: str, text: str) -> str:
    """H() of RFC 7616 3.4: hex of MD5 or SHA-256 over UTF-8."""
    function = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5
    return function(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def ha1(algorithm: str, user: str, realm: str, password: str) -> str:
    """What is stored instead of the password."""
    return digest(algorithm, f"{user}:{realm}:{password}")


def unknown_account(secret: bytes, user: str) -> tuple[str, str]:
    """(algorithm, HA1) for a user that is not there: always the same for one name, equal to nobody's."""
    mark = hmac.digest(secret, b"unknown:" + user.encode("utf-8", "surrogateescape"), "sha256")
    algorithm = ALGORITHMS[mark[0] % 2]
    return algorithm, digest(algorithm, mark.hex())


def nonce(secret: bytes, time_ns: int, realm: str, source_host: str) -> str:
    """48 hex digits: 8 octets of time, 16 of HMAC."""
    time = time_ns.to_bytes(8, "big")
    seal = hmac.digest(secret, b"\0".join([time, realm.encode(), source_host.encode()]), "sha256")
    return (time + seal[:16]).hex()


def _made_ns(known_nonce: str) -> int:
    return int(known_nonce[:16], 16)


def _check_nonce(guard: Guard, text: str, source_host: str, now_ns: int) -> Refusal:
    if len(text) != 48 or not _HEX.issuperset(text):
        return Refusal.FORGED_NONCE
    made_ns = _made_ns(text)
    if not hmac.compare_digest(text, nonce(guard.secret, made_ns, guard.realm, source_host)) or made_ns > now_ns:
        return Refusal.FORGED_NONCE
    return Refusal.OLD_NONCE if made_ns + guard.life_ns < now_ns else Refusal.NONE


def _fields(value: str, what: str) -> dict[str, str]:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "digest":
        raise bad(f"{what} is not Digest")
    items: dict[str, str] = {}
    for part in split_outside(rest.strip(" \t"), ","):
        name, _, text = part.partition("=")
        name, text = name.strip(" \t").lower(), text.strip(" \t")
        if not is_token(name) or name in items or not text or (text.startswith('"') and not is_quoted(text)):
            raise bad(f"{what} has a repeated or malformed parameter")
        items[name] = unquote(text)
    return items


def parse_credentials(value: str) -> Credentials:
    """An Authorization value. Raises `SipError` 400 (a repeated or missing parameter, an nc that is not 8 hex digits)."""
    items = _fields(value, "Authorization")
    missing = {"username", "realm", "nonce", "uri", "response"} - items.keys()
    count = items.get("nc", "0" * 8)
    if missing or len(count) != 8 or not _HEX.issuperset(count.lower()):
        raise bad("Authorization lacks a parameter or has a bad nc")
    algorithm = items.get("algorithm", "MD5").upper()
    return Credentials(
        items["username"], items["realm"], items["nonce"], items["uri"], items["response"].lower(), algorithm,
        items.get("cnonce", ""), int(count, 16), items.get("qop", "").lower(),
    )  # fmt: skip


def parse_challenge(value: str) -> Challenge:
    """A WWW-Authenticate or Proxy-Authenticate value. Raises `SipError` 400."""
    items = _fields(value, "A challenge")
    if "realm" not in items or "nonce" not in items:
        raise bad("A challenge lacks realm or nonce")
    qop = tuple(word.strip().lower() for word in items.get("qop", "").split(",") if word.strip())
    algorithm = items.get("algorithm", "MD5").upper()
    stale = items.get("stale", "").lower() == "true"
    return Challenge(items["realm"], items["nonce"], algorithm, qop, items.get("opaque", ""), stale)


def response_value(credentials: Credentials, method: str, known_ha1: str) -> str:
    """What the response must be for this method (RFC 7616 3.4.1; without qop RFC 2069's form)."""
    ha2 = digest(credentials.algorithm, f"{method}:{credentials.uri}")
    middle = credentials.nonce
    if credentials.qop:
        middle = f"{middle}:{credentials.nc:08x}:{credentials.cnonce}:{credentials.qop}"
    return digest(credentials.algorithm, f"{known_ha1}:{middle}:{ha2}")


def pick_credentials(values: Collection[str], realm: str) -> Credentials | None:
    """The credentials for our realm among a request's values; the first when none names it. Raises `SipError` 400."""
    parsed = [parse_credentials(value) for value in list(values)[:4]]
    ours = [credentials for credentials in parsed if credentials.realm == realm] or parsed
    return ours[0] if ours else None


def verify(
    guard: Guard, claim: Claim, credentials: Credentials | None, account: tuple[str, str], now_ns: int, counts: NonceCounts
) -> Verdict:
    """Checks credentials against the account's (algorithm, HA1); ("", "") is an unknown user and takes the same time.

    The digest-uri must name one of our domains and the Request-URI's user or none; it need not be octet-equal.
    """
    if credentials is None:
        return Verdict(False, Refusal.NO_CREDENTIALS)
    known = bool(account[0])
    dummy = unknown_account(guard.secret, claim.user)  # made for known ones too: the same work for all
    algorithm, known_ha1 = account if known else dummy
    fault = _fault_of_form(guard, claim, credentials, algorithm)
    if fault is not Refusal.NONE:
        return Verdict(False, fault)
    nonce_fault = _check_nonce(guard, credentials.nonce, claim.source_host, now_ns)
    right = hmac.compare_digest(response_value(credentials, claim.method, known_ha1).encode(), credentials.response.encode())
    if not right or not known:
        return Verdict(False, _fault_of_response(claim, credentials, known_ha1, nonce_fault))
    if nonce_fault is not Refusal.NONE:
        return Verdict(False, nonce_fault, stale=True)
    counts.expire(now_ns, guard.life_ns)
    if not counts.take(credentials.nonce, _made_ns(credentials.nonce), credentials.nc):
        return Verdict(False, Refusal.REPLAYED, stale=True)
    return Verdict(True)


def _fault_of_form(guard: Guard, claim: Claim, credentials: Credentials, algorithm: str) -> Refusal:
    """What is wrong before any secret is touched."""
    if credentials.qop != "auth" or not credentials.cnonce or not credentials.nc:
        return Refusal.NO_QOP
    if credentials.realm != guard.realm:
        return Refusal.OTHER_REALM
    if credentials.algorithm != algorithm:
        return Refusal.OTHER_ALGORITHM
    if credentials.user != claim.user:
        return Refusal.OTHER_USER
    try:
        uri = parse_uri(credentials.uri)
    except SipError:
        return Refusal.OTHER_URI
    same_user = not uri.user or uri.user == claim.uri.user
    return Refusal.NONE if same_user and uri.is_sip and uri.host in guard.domains else Refusal.OTHER_URI


def _fault_of_response(claim: Claim, credentials: Credentials, known_ha1: str, nonce_fault: Refusal) -> Refusal:
    """The log's word for a wrong response; all methods are tried, whoever asks, so that time tells nothing."""
    matches = [
        method
        for method in _METHODS
        if hmac.compare_digest(response_value(credentials, method, known_ha1).encode(), credentials.response.encode())
    ]
    if nonce_fault is not Refusal.NONE:
        return nonce_fault
    return Refusal.OTHER_METHOD if matches and claim.method not in matches else Refusal.WRONG_RESPONSE


def authorize(challenge: str | Challenge, method: str, uri: str, user: str, password: str, cnonce: str, nc: int = 1) -> str:
    """The Authorization value that answers a challenge. Raises `SipError` 400 when it asks for what we do not have."""
    asked = parse_challenge(challenge) if isinstance(challenge, str) else challenge
    if asked.algorithm not in ALGORITHMS or (asked.qop and "auth" not in asked.qop):
        raise bad("A challenge asks for an algorithm or qop that is not ours")
    qop = "auth" if asked.qop else ""
    draft = Credentials(user, asked.realm, asked.nonce, uri, "", asked.algorithm, cnonce, nc, qop)
    answer = response_value(draft, method, ha1(asked.algorithm, user, asked.realm, password))
    parts = [f"Digest username={quote(user)}", f"realm={quote(asked.realm)}", f"nonce={quote(asked.nonce)}"]
    parts += [f"uri={quote(uri)}", f'response="{answer}"', f"algorithm={asked.algorithm}"]
    parts += [f"qop=auth, cnonce={quote(cnonce)}, nc={nc:08x}"] if qop else []
    parts += [f"opaque={quote(asked.opaque)}"] if asked.opaque else []
    return ", ".join(parts)
