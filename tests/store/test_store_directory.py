"""Accounts: no password is kept that need not be, and seeding is strict and changes only what differs."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from callserver.store import directory
from callserver.store.seed import Change, SeedError, seed

SEED = """
[[sip]]
series = "agent%03d"
first = 0
last = 259
password = "bench"

[[sip]]
user = "north"
password_file = "north.secret"
algorithm = "SHA-256"

[[web]]
user = "anna"
role = "supervisor"
password_env = "ANNA"

[[trunk]]
id = "city"
password = "trunk secret"
"""

FAULTY = """
[[sip]]
user = "good"
password = "x"
colour = "red"
[[sip]]
user = "two"
password = "x"
password_env = "Y"
[[sip]]
user = "env"
password_env = "MISSING"
[[sip]]
user = "file"
password_file = "missing"
[[sip]]
series = "a%03d%s"
first = 0
last = 1
password = "x"
[[sip]]
series = "b%d"
first = 5
last = 1
password = "x"
[[sip]]
user = "alg"
password = "x"
algorithm = "SHA-1"
[[sip]]
user = "same"
password = "x"
[[sip]]
user = "same"
password = "x"
[[web]]
user = "anna"
password = "x"
[[web]]
user = 7
role = "operator"
password = "x"
[[trunk]]
password = "x"
[[trunk]]
id = "empty"
password = ""
[[seat]]
user = "x"
[web_]
x = 1
"""
FAULTS = [
    "unknown key 'colour'",
    "give exactly one of",
    "the environment has no MISSING",
    "password_file cannot be read",
    "a series has one place",
    "a series needs first and last",
    "algorithm must be one of",
    "'same' is named twice",
    "role must be one of",
    "user has the wrong type",
    "id is missing",
    "the password is empty",
    "unknown table 'seat'",
    "unknown table 'web_'",
]


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    (tmp_path / "north.secret").write_text("from a file\n")
    path = tmp_path / "seed.toml"
    path.write_text(SEED)
    return path


def test_ha1_is_that_of_the_rfc() -> None:
    """RFC 2617 3.5 and RFC 7616 3.9.1 print the password; their HA1 follows from it."""
    assert directory.ha1("Mufasa", "testrealm@host.com", "Circle Of Life", "MD5") == "939e7578ed9e3c518a452acee763bce9"
    expected = hashlib.sha256(b"Mufasa:http-auth@example.org:Circle of Life").hexdigest()
    assert expected == directory.ha1("Mufasa", "http-auth@example.org", "Circle of Life", "SHA-256")


@pytest.mark.parametrize(("user", "algorithm"), [("a:b", "MD5"), ("a", "SHA-512-256"), ("a", "")])
def test_ha1_refuses_what_digest_cannot_carry(user: str, algorithm: str) -> None:
    with pytest.raises(ValueError, match=r"colon|algorithm must be"):
        directory.ha1(user, "r", "p", algorithm)


def test_accounts_are_made_changed_listed_and_removed(store: Engine) -> None:
    said = [directory.set_sip(store, "a", "r", p, algorithm) for p, algorithm in (("1", "MD5"), ("1", "MD5"), ("1", "SHA-256"))]
    assert said == ["added", "unchanged", "changed"]
    assert directory.sip_accounts(store)["a"] == directory.SipAccount(
        "a", "r", "SHA-256", directory.ha1("a", "r", "1", "SHA-256")
    )
    assert directory.set_trunk_secret(store, "city", "s") == "added"
    assert directory.trunk_secrets(store) == {"city": "s"}
    assert [directory.remove_sip(store, "a"), directory.remove_sip(store, "a")] == [True, False]
    assert [directory.remove_trunk_secret(store, "city"), directory.remove_trunk_secret(store, "city")] == [True, False]
    assert directory.sip_accounts(store) == {}


def test_web_passwords_are_argon2id_and_verified(store: Engine) -> None:
    assert directory.set_web(store, "anna", "operator", "correct horse") == "added"
    with store.connect() as connection:
        before = connection.execute(text("SELECT password_hash FROM web_accounts")).scalar_one()
    assert before.startswith("$argon2id$")
    assert directory.verify_password(store, "anna", "correct horse") == directory.WebAccount("anna", "operator")
    assert directory.verify_password(store, "anna", "wrong") is None
    assert directory.verify_password(store, "nobody", "") is None
    assert directory.set_web(store, "anna", "supervisor", "correct horse") == "changed"
    with store.connect() as connection:
        assert before == connection.execute(text("SELECT password_hash FROM web_accounts")).scalar_one()
    assert directory.web_accounts(store) == {"anna": directory.WebAccount("anna", "supervisor")}
    assert directory.remove_web(store, "anna")
    assert not directory.remove_web(store, "anna")


def test_a_role_that_is_none_is_refused(store: Engine) -> None:
    with pytest.raises(ValueError, match="role must be"):
        directory.set_web(store, "anna", "root", "x")


def test_seeding_fills_the_directory(store: Engine, seed_file: Path) -> None:
    changes = seed(store, seed_file, "callserver", {"ANNA": "pass"})
    assert len(changes) == 263
    assert changes[0] == Change("sip", "agent000", "added")
    accounts = directory.sip_accounts(store)
    assert accounts["agent259"].ha1 == directory.ha1("agent259", "callserver", "bench", "MD5")
    assert accounts["north"].ha1 == directory.ha1("north", "callserver", "from a file", "SHA-256")
    assert directory.verify_password(store, "anna", "pass") == directory.WebAccount("anna", "supervisor")
    assert directory.trunk_secrets(store) == {"city": "trunk secret"}
    with store.connect() as connection:
        stored = repr([connection.execute(text(f"SELECT * FROM {table}")).all() for table in ("sip_accounts", "web_accounts")])
    assert "bench" not in stored
    assert "from a file" not in stored


def test_seeding_again_changes_only_what_differs(store: Engine, seed_file: Path) -> None:
    seed(store, seed_file, "callserver", {"ANNA": "pass"})
    directory.set_sip(store, "by-hand", "callserver", "x")
    assert seed(store, seed_file, "callserver", {"ANNA": "pass"}) == []
    seed_file.write_text(SEED.replace("trunk secret", "new secret"))
    assert seed(store, seed_file, "callserver", {"ANNA": "other"}) == [
        Change("web", "anna", "changed"),
        Change("trunk", "city", "changed"),
    ]
    assert "by-hand" in directory.sip_accounts(store)


def test_all_faults_are_named_at_once_and_nothing_is_changed(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "seed.toml"
    path.write_text(FAULTY)
    with pytest.raises(SeedError) as caught:
        seed(store, path, "r")
    lines = str(caught.value).splitlines()
    assert [fault for fault in FAULTS if not any(fault in line for line in lines)] == []
    assert directory.sip_accounts(store) == {}


@pytest.mark.parametrize("content", [b"[[sip", b"\xff", None])
def test_a_file_that_cannot_be_read_is_one_fault(store: Engine, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "seed.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SeedError, match=r"seed\.toml"):
        seed(store, path, "r")
