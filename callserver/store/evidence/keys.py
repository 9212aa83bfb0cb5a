"""The key that signs checkpoints: an Ed25519 key in a PEM file that its owner alone may read.

A successor waits beside it, in `NAME.next`, until the journal has its fact; then it takes the place (`take_over`).
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callserver.core.facts import CheckpointKeyMade, CheckpointSigned
from callserver.store.evidence.statement import consent_text, fingerprint, pack_text, signed_text

FILE_NAME = "checkpoint.key"


class KeyUnusable(ValueError):
    """A key's file is not there, cannot be read, or holds something else."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that was read; `name` is its fingerprint, `public` its public half in hex."""

    private: Ed25519PrivateKey
    public: str
    name: str

    def checkpoint(self, sequence: int, number: int, hash: str, utc_ns: int) -> CheckpointSigned:
        """The journal up to row `number`, signed."""
        signature = self.private.sign(signed_text(sequence, number, hash, utc_ns, self.name))
        return CheckpointSigned(sequence, number, hash, utc_ns, self.name, signature.hex())

    def pack(self, digest: str, utc_ns: int) -> str:
        """The line that signs an evidence pack by its manifest's SHA-256. It cannot be taken for a checkpoint."""
        text = pack_text(digest, utc_ns, self.name)
        return f"{text} {self.private.sign(text.encode()).hex()}"

    def first(self) -> CheckpointKeyMade:
        """The fact of a key that follows none, or none that could consent."""
        return CheckpointKeyMade(self.name, self.public)

    def successor(self, other: "SigningKey") -> CheckpointKeyMade:
        """The fact of a key that follows this one, with this one's consent."""
        consent = self.private.sign(consent_text(other.public))
        return CheckpointKeyMade(other.name, other.public, self.name, consent.hex())


def next_of(path: Path) -> Path:
    """Where a key's successor waits."""
    return path.with_name(f"{path.name}.next")


def read_key(path: Path) -> SigningKey:
    """The key in a file. Raises KeyUnusable."""
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyUnusable(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path} holds no private key in PEM without a passphrase") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnusable(f"{path} holds a key of another kind than Ed25519")
    return _named(private)


def make_key(path: Path) -> SigningKey:
    """A new key in a new file, mode 0600, on the disk when this returns. Raises OSError; FileExistsError where there is one."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if os.write(handle, pem) != len(pem):
            raise OSError(errno.ENOSPC, "the disk is full")
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(aside, path)  # unlike a rename it never takes the place of a key that is there
    finally:
        aside.unlink()
    sync_directory(path.parent)
    return _named(private)


def take_over(path: Path) -> None:
    """The successor becomes the key; the old one is gone. Raises OSError."""
    next_of(path).replace(path)
    sync_directory(path.parent)


def fits(public: str, signature: str, text: bytes) -> bool:
    """Whether a signature (hex) under a text is that of a public key (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _named(private: Ed25519PrivateKey) -> SigningKey:
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return SigningKey(private, public.hex(), fingerprint(public))


def sync_directory(directory: Path) -> None:
    """Bring its names to the disk. Raises OSError."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
