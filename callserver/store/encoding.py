"""Facts as bytes and back.

The body is JSON by msgspec: the dataclass's fields in their order, enums by value, mappings in their own order (a plan's
order may carry meaning, so keys are not sorted; the bytes are stored, so nobody ever has to make them again).
An erasable field holds `sha256:<hex>` of its salted text in the body; the text itself travels beside.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import msgspec

from callserver.core.facts import KINDS, Fact
from callserver.core.ids import CallId, LegId, call_of_leg, incident_of_call

SALT_BYTES = 16
_PREFIX = "sha256:"
_MARK = b'"sha256:'
_HASH = re.compile("sha256:[0-9a-f]{64}")


class UnknownKind(ValueError):
    """The journal names a kind of fact that this version does not know."""


@dataclass(frozen=True, slots=True)
class Erasable:
    """A text beside the chain, with the salt of its hash."""

    salt: bytes
    value: str


ERASABLE_FIELDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(field.name for field in fields(kind) if field.metadata.get("erasable")) for name, kind in KINDS.items()
}
"""Kind -> its fields that lie beside the chain. All of them are texts."""

_DECODERS: Mapping[str, Callable[[bytes], Any]] = {name: msgspec.json.Decoder(kind).decode for name, kind in KINDS.items()}
_FIELD_NAMES = {name: frozenset(field.name for field in fields(kind)) for name, kind in KINDS.items()}


def _other(value: Any) -> Any:
    """msgspec knows dict alone of all mappings."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a fact cannot hold a {type(value).__name__}")


_encode = msgspec.json.Encoder(enc_hook=_other).encode


def salted_hash(salt: bytes, value: str) -> str:
    """What the chain holds instead of an erasable text: SHA-256 over salt and UTF-8, with its prefix."""
    return _PREFIX + hashlib.sha256(salt + value.encode()).hexdigest()


def encode_fact(fact: Fact) -> tuple[str, bytes, dict[str, Erasable]]:
    """(kind, body, erasable texts by field). Every call draws new salts.

    Lone surrogates (bytes of a device that were no UTF-8) become "?": a fact is never lost for a bad letter.
    """
    try:
        return _encode_fact(fact)
    except UnicodeEncodeError:
        clean = msgspec.convert(_scrubbed(msgspec.to_builtins(fact, enc_hook=_other)), type(fact))
        return _encode_fact(clean)


def decode_fact(kind: str, body: bytes, erasable: Mapping[str, Erasable] | None = None) -> Fact:
    """The fact of a row; erasable fields are "" where the text was erased or not given.

    Raises UnknownKind, or msgspec.DecodeError for a body that is not of this kind.
    """
    decode = _DECODERS.get(kind)
    if decode is None:
        raise UnknownKind(f"the journal holds a kind of fact that this version does not know: {kind}")
    fact = decode(body)
    names = ERASABLE_FIELDS[kind]
    if names:
        texts = erasable or {}
        fact = replace(fact, **{name: texts[name].value if name in texts else "" for name in names})
    return cast(Fact, fact)


def about(fact: Fact) -> tuple[str | None, str | None]:
    """(incident, call) that a fact tells of, as far as its ids say so."""
    names = _FIELD_NAMES[type(fact).__name__]
    call: str | None = None
    if "call" in names:
        call = cast(Any, fact).call
    elif "leg" in names:
        call = call_of_leg(LegId(cast(Any, fact).leg)) or None
    elif "offer" in names:
        call = cast(Any, fact).offer.rpartition(".")[0] or None
    if "incident" in names:
        return cast(Any, fact).incident, call
    return (incident_of_call(CallId(call)) or None if call else None), call


def _encode_fact(fact: Fact) -> tuple[str, bytes, dict[str, Erasable]]:
    kind = type(fact).__name__
    names = ERASABLE_FIELDS[kind]
    if not names:
        return kind, _unmistakable(fact, names), {}
    erasable = {name: Erasable(secrets.token_bytes(SALT_BYTES), getattr(fact, name)) for name in names}
    hashes = {name: salted_hash(text.salt, text.value) for name, text in erasable.items()}
    return kind, _unmistakable(replace(cast(Any, fact), **hashes), names), erasable


def _unmistakable(fact: Fact, hashed: tuple[str, ...]) -> bytes:
    """The body. Where somebody typed what looks like the hash of an erasable text, it loses its colon: verifiers would miss the
    text."""
    body = _encode(fact)
    if body.count(_MARK) == len(hashed):
        return body
    texts = {name: getattr(fact, name) for name in _FIELD_NAMES[type(fact).__name__].difference(hashed)}
    typed = {name: text.replace(":", " ", 1) for name, text in texts.items() if isinstance(text, str) and _HASH.fullmatch(text)}
    return _encode(replace(cast(Any, fact), **typed))


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, dict):
        return {_scrubbed(key): _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item) for item in value]
    return value
