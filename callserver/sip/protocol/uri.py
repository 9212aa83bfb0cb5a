"""URIs and addresses (RFC 3261 19.1, 20.10, 25.1). The octets received are kept and are what goes out again."""

import re
from dataclasses import dataclass

from callserver.sip.protocol.errors import SipError, bad
from callserver.sip.protocol.grammar import (
    NO_PARAMS,
    Params,
    host_port,
    is_quoted,
    parse_params,
    quote,
    split_outside,
    unescape,
    unquote,
)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
# `#` in the user part is not of the grammar, but desk phones dial service codes with it.
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#]|%[0-9A-Fa-f]{2})+")
_PASSWORD = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*")
_URI_PARAM = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})+")
_HEADERS = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$=&]|%[0-9A-Fa-f]{2})+")
_OPAQUE = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+")
_DISPLAY_WORDS = re.compile(r"[A-Za-z0-9\-.!%*_+`'~ \t\x80-\U0010ffff]*")


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI. `raw` is as received; the parts are for reading. Other schemes than sip and sips have `host` "".

    `user` has its printable escapes undone; `host` is in lower case; `port` is None when it is not written.
    """

    raw: str
    scheme: str
    user: str = ""
    host: str = ""
    port: int | None = None
    params: Params = NO_PARAMS
    headers: str = ""

    @property
    def is_sip(self) -> bool:
        """Whether it is a sip: or sips: URI."""
        return self.scheme in ("sip", "sips")

    @property
    def transport(self) -> str:
        """The transport parameter in lower case, or ""."""
        return (self.params.get("transport") or "").lower()

    def __str__(self) -> str:
        return self.raw


def parse_uri(text: str) -> Uri:
    """Any absolute URI; sip and sips in parts. Raises `SipError` 400."""
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme):
        raise bad("A URI has no scheme")
    scheme = scheme.lower()
    if scheme not in ("sip", "sips"):
        if not _OPAQUE.fullmatch(rest):
            raise bad("A URI holds a character that it may not")
        return Uri(text, scheme)
    user, rest = _user_part(rest)
    rest, question, headers = rest.partition("?")
    if question and not _HEADERS.fullmatch(headers):
        raise bad("The headers of a URI are malformed")
    address, *params = rest.split(";")
    host, port = host_port(address, "a URI") if " " not in address and "\t" not in address else _spaced()
    return Uri(text, scheme, user, host, port, _uri_params(params), headers)


def _spaced() -> tuple[str, int | None]:
    raise bad("A URI holds a space")


def _user_part(rest: str) -> tuple[str, str]:
    if "@" not in rest:
        return "", rest
    userinfo, _, rest = rest.partition("@")
    user, _, password = userinfo.partition(":")
    if not _USER.fullmatch(user) or not _PASSWORD.fullmatch(password):
        raise bad("The user part of a URI is malformed")
    return unescape(user), rest


def _uri_params(parts: list[str]) -> Params:
    items: dict[str, str] = {}
    for part in parts:
        name, has_value, value = part.partition("=")
        name = name.lower()
        if not _URI_PARAM.fullmatch(name) or name in items or (has_value and not _URI_PARAM.fullmatch(value)):
            raise bad("A parameter of a URI is repeated or malformed")
        items[name] = value
    return Params(tuple(items.items()))


def request_uri(text: str) -> Uri:
    """A Request-URI: no headers part, no `method` parameter (RFC 3261 19.1.1). Raises `SipError` 400."""
    uri = parse_uri(text)
    if uri.headers:
        raise bad("A Request-URI may have no headers")
    return uri


def same_uri(one: Uri, other: Uri) -> bool:
    """Equivalence by RFC 3261 19.1.4; URIs of other schemes are compared as written."""
    if not (one.is_sip and other.is_sip):
        return one.raw == other.raw
    parts_equal = (one.scheme, one.user, one.host, one.port) == (other.scheme, other.user, other.host, other.port)
    if not parts_equal or one.headers != other.headers:
        return False
    names = {name for name, _ in (*one.params, *other.params)}
    for name in names:
        mine, theirs = one.params.get(name), other.params.get(name)
        if mine is None or theirs is None:
            if name in ("transport", "user", "ttl", "method", "maddr"):
                return False
        elif mine.lower() != theirs.lower():
            return False
    return True


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A From, To, Contact or Route value: display name (unquoted, safe to show), URI, and the header's parameters."""

    display: str
    uri: Uri
    params: Params = NO_PARAMS

    @property
    def tag(self) -> str | None:
        """The tag, or None."""
        return self.params.get("tag") or None

    @property
    def address(self) -> str:
        """Display name and URI in angle brackets, without parameters."""
        return f"{quote(self.display)} <{self.uri.raw}>" if self.display else f"<{self.uri.raw}>"

    def __str__(self) -> str:
        return f"{self.address}{self.params}"


def parse_name_addr(text: str, what: str) -> NameAddr:
    """`"display" <uri>;params`, or a bare URI that has neither `?` nor `,`. Raises `SipError` 400."""
    address, *params = split_outside(text, ";")
    if address.endswith(">"):
        display, _, raw = address[:-1].rpartition("<")
        display = display.rstrip(" \t")
        if "<" in display and not is_quoted(display):
            raise bad(f"{what} has a stray angle bracket")
        if not is_quoted(display) and not _DISPLAY_WORDS.fullmatch(display):
            raise bad(f"The display name of {what} is malformed")
        return NameAddr(unquote(display), parse_uri(raw), _named_params(params, what))
    if "?" in address or "," in address or "<" in address or '"' in address:
        raise bad(f"The URI of {what} needs angle brackets")
    return NameAddr("", parse_uri(address), _named_params(params, what))


def _named_params(parts: list[str], what: str) -> Params:
    params = parse_params(parts, what)
    tag = params.get("tag")
    if tag is not None and (not tag or tag.startswith('"')):
        raise bad(f"The tag of {what} is not a token")
    return params


def needs_sip(uri: Uri) -> Uri:
    """The URI when it is sip or sips. Raises `SipError` 416 (RFC 3261 8.2.2.1)."""
    if not uri.is_sip:
        raise SipError(416, "Unsupported URI Scheme")
    return uri
