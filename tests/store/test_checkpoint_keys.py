"""The key's file, its successor, and what a signature fits."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from callserver.store.evidence import statement
from callserver.store.evidence.keys import KeyUnusable, fits, make_key, next_of, read_key, take_over


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the key lies."""
    return tmp_path / "checkpoint.key"


def test_a_key_is_readable_by_its_owner_alone_and_reads_back_the_same(path: Path) -> None:
    made = make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (read_key(path).name, read_key(path).public) == (made.name, made.public)
    assert [path] == list(path.parent.iterdir())


def test_a_key_that_is_there_is_never_overwritten(path: Path) -> None:
    made = make_key(path)
    with pytest.raises(FileExistsError):
        make_key(path)
    assert read_key(path).name == made.name
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), (b"", "no private key"), (b"x" * 100, "no private key"), ("ec", "another kind")]
)
def test_a_key_that_cannot_be_used_is_told_with_its_path(path: Path, content: bytes | str | None, why: str) -> None:
    if content == "ec":
        key = generate_private_key(SECP256R1())
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(KeyUnusable, match=why) as fault:
        read_key(path)
    assert str(path) in str(fault.value)


def test_a_successor_takes_the_place_of_its_key(path: Path) -> None:
    make_key(path)
    successor = make_key(next_of(path))
    take_over(path)
    assert read_key(path).name == successor.name
    assert not next_of(path).exists()


def test_a_checkpoint_is_signed_by_its_key_and_no_other(path: Path) -> None:
    key, other = make_key(path), make_key(next_of(path))
    checkpoint = key.checkpoint(1, 7, "ab" * 32, 10**18)
    text = statement.text_of(checkpoint)
    assert fits(key.public, checkpoint.signature, text)
    assert not fits(other.public, checkpoint.signature, text)
    assert not fits(key.public, checkpoint.signature, text + b" ")
    assert not fits(key.public, "no hex", text)
    assert not fits("00", checkpoint.signature, text)


def test_a_key_consents_to_its_successor(path: Path) -> None:
    key, other = make_key(path), make_key(next_of(path))
    fact = key.successor(other)
    assert fits(key.public, fact.consent, statement.consent_text(other.public))
    assert (fact.key, fact.public, fact.previous) == (other.name, other.public, key.name)
    assert statement.is_named_rightly(fact)
    assert not statement.is_named_rightly(type(fact)(key.name, other.public))
    assert not statement.is_named_rightly(type(fact)(key.name, "no hex"))


def test_checkpoints_are_found_in_any_text(path: Path) -> None:
    key = make_key(path)
    one, two = key.checkpoint(1, 7, "ab" * 32, 10**18), key.checkpoint(2, 9, "cd" * 32, 10**18 + 1)
    lines = (f"Nov 25 host callserver: {statement.line_of(one)}", "", "Dear all,", f"> {statement.line_of(two)} ")
    text = "\n".join((*lines, f"half: {statement.line_of(one)[:-1]}"))
    assert [(1, one), (4, two)] == [tuple(found) for found in statement.lines_in(text)]
