"""Accounts and credentials: who may speak SIP, who may sign in to the web service, the secrets of trunks.

Ids are the plan's. Passwords are not kept: SIP accounts hold HA1 (RFC 7616 3.4.2), web accounts Argon2id; a trunk's secret
must be kept as it is, since we are the ones who prove it. The file is readable by its owner alone (engine.py).
Who changes an account journals `AccountChanged`; these functions say what changed and do not do it themselves.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from callserver.store import schema as t
from callserver.store.engine import writing

ALGORITHMS = ("MD5", "SHA-256")
ROLES = ("operator", "supervisor", "auditor", "administrator")

_HASH = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class SipAccount:
    """What digest needs of a SIP user."""

    user: str
    realm: str
    algorithm: str
    ha1: str


@dataclass(frozen=True, slots=True)
class WebAccount:
    """Who may sign in, and as what."""

    user: str
    role: str


def ha1(user: str, realm: str, password: str, algorithm: str) -> str:
    """H(user:realm:password) in hex. ValueError for an algorithm that is not in ALGORITHMS, or a user with a colon."""
    if algorithm not in _HASH:
        raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, not {algorithm!r}")
    if ":" in user:
        raise ValueError("a SIP user must not contain a colon")
    return _HASH[algorithm](f"{user}:{realm}:{password}".encode()).hexdigest()


def set_sip(engine: Engine, user: str, realm: str, password: str, algorithm: str = "MD5") -> str:
    """Make or change a SIP account; says `added`, `changed` or `unchanged`."""
    with writing(engine) as connection:
        return put_sip(connection, user, realm, password, algorithm)


def set_web(engine: Engine, user: str, role: str, password: str) -> str:
    """Make or change a web account; says `added`, `changed` or `unchanged`. Takes some 50 ms by design."""
    with writing(engine) as connection:
        return put_web(connection, user, role, password)


def set_trunk_secret(engine: Engine, trunk: str, secret: str) -> str:
    """Make or change a trunk's secret; says `added`, `changed` or `unchanged`."""
    with writing(engine) as connection:
        return put_trunk(connection, trunk, secret)


def remove_sip(engine: Engine, user: str) -> bool:
    """Whether there was such an account."""
    with writing(engine) as connection:
        return connection.execute(delete(t.sip_accounts).where(t.sip_accounts.c.user == user)).rowcount > 0


def remove_web(engine: Engine, user: str) -> bool:
    """Whether there was such an account."""
    with writing(engine) as connection:
        theirs = t.saved_searches.c  # but for those that they share with all
        connection.execute(delete(t.saved_searches).where(theirs.user == user, theirs.shared.is_(False)))
        return connection.execute(delete(t.web_accounts).where(t.web_accounts.c.user == user)).rowcount > 0


def remove_trunk_secret(engine: Engine, trunk: str) -> bool:
    """Whether there was such a secret."""
    with writing(engine) as connection:
        return connection.execute(delete(t.trunk_secrets).where(t.trunk_secrets.c.id == trunk)).rowcount > 0


def sip_accounts(engine: Engine) -> dict[str, SipAccount]:
    """All SIP accounts by user."""
    c = t.sip_accounts.c
    with engine.connect() as connection:
        rows = connection.execute(select(c.user, c.realm, c.algorithm, c.ha1).order_by(c.user))
        return {row.user: SipAccount(row.user, row.realm, row.algorithm, row.ha1) for row in rows}


def web_accounts(engine: Engine) -> dict[str, WebAccount]:
    """All web accounts by user."""
    c = t.web_accounts.c
    with engine.connect() as connection:
        rows = connection.execute(select(c.user, c.role).order_by(c.user))
        return {row.user: WebAccount(row.user, row.role) for row in rows}


def trunk_secrets(engine: Engine) -> dict[str, str]:
    """All secrets by trunk id."""
    c = t.trunk_secrets.c
    with engine.connect() as connection:
        return {row.id: row.secret for row in connection.execute(select(c.id, c.secret).order_by(c.id))}


def verify_password(engine: Engine, user: str, password: str) -> WebAccount | None:
    """The account if the password is right, else None; takes as long for an unknown user as for a wrong password."""
    c = t.web_accounts.c
    with engine.connect() as connection:
        row = connection.execute(select(c.role, c.password_hash).where(c.user == user)).one_or_none()
    if row is None:
        _matches(_nobody(), password)
        return None
    return WebAccount(user, row.role) if _matches(row.password_hash, password) else None


def put_sip(connection: Connection, user: str, realm: str, password: str, algorithm: str) -> str:
    """`set_sip` within a transaction."""
    values = {"realm": realm, "algorithm": algorithm, "ha1": ha1(user, realm, password, algorithm)}
    return _put(connection, t.sip_accounts, "user", user, values)


def put_web(connection: Connection, user: str, role: str, password: str) -> str:
    """`set_web` within a transaction. ValueError for a role that is not in ROLES."""
    if role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, not {role!r}")
    c = t.web_accounts.c
    old = connection.execute(select(c.password_hash).where(c.user == user)).scalar()
    password_hash: str = old or ""
    if not _matches(password_hash, password) or _hasher().check_needs_rehash(password_hash):
        password_hash = _hasher().hash(password)
    return _put(connection, t.web_accounts, "user", user, {"role": role, "password_hash": password_hash})


def put_trunk(connection: Connection, trunk: str, secret: str) -> str:
    """`set_trunk_secret` within a transaction."""
    return _put(connection, t.trunk_secrets, "id", trunk, {"secret": secret})


def _put(connection: Connection, table: Table, key: str, id: str, values: dict[str, str]) -> str:
    old = connection.execute(select(*(table.c[name] for name in values)).where(table.c[key] == id)).one_or_none()
    if old is not None and tuple(old) == tuple(values.values()):
        return "unchanged"
    row = insert(table).values(**{key: id}, **values)
    connection.execute(row.on_conflict_do_update(index_elements=[key], set_=values))
    return "added" if old is None else "changed"


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # Argon2id, RFC 9106 low-memory profile


@cache
def _nobody() -> str:
    return _hasher().hash("")
