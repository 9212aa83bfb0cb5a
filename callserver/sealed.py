"""Files that lie encrypted: each under a key of its own, which is wrapped by the site's key. Any stretch can be read by itself.

    octets 0-15     the ASCII text `callserver-seal1`
    16-95, 96-175   two slots for the wrapped data key; one is all zeros, but while the site's key is being changed
    176-511         zeros
    from 512 on     chunks of 65,536 bytes of the content, the last one shorter, each followed by its tag of 16 bytes

A slot is the site key's name (16 bytes), a nonce (12), the data key encrypted by AES-256-GCM (32, and a tag of 16; the first
16 octets of the file are additional data), and 4 zeros. Chunk n, counted from 0, is encrypted under the data key by AES-256-GCM
with a nonce of 7 zeros, n in 4 bytes (big-endian), and 1 for the last chunk, 0 for others: a chunk that is moved, dropped or
appended does not open (the STREAM construction; Hoang, Reyhanitabar, Rogaway, Vizar 2015). A data key is random and encrypts one
file once, so no nonce is used twice. An empty file has one empty chunk. A site key's name is the beginning of SHA-256 of
`callserver-site-key-1 ` and the key.
"""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"callserver-seal1"
HEADER_BYTES = 512
CHUNK_BYTES = 65_536
TAG_BYTES = 16
KEY_BYTES = 32

_SLOT_BYTES = 80
_SLOTS = (16, 96)
_NAME_BYTES, _NONCE_BYTES = 16, 12
_NONE = bytes(_SLOT_BYTES)
_EACH = CHUNK_BYTES + TAG_BYTES


class KeyMissing(OSError):
    """A file is encrypted under a site key that is not here."""

    def __init__(self, what: str) -> None:
        super().__init__(0, f"{what}: it is encrypted, and the site's key is missing")


class SealBroken(OSError):
    """An encrypted file was damaged, or cut; the text names the chunk."""

    def __init__(self, what: str) -> None:
        super().__init__(0, what)


class SiteKey:
    """A site's key: 32 bytes, and the name by which files know it."""

    def __init__(self, octets: bytes) -> None:
        if len(octets) != KEY_BYTES:
            raise ValueError("a site key has 32 bytes")
        self._cipher = AESGCM(octets)
        self.name = hashlib.sha256(b"callserver-site-key-1 " + octets).digest()[:_NAME_BYTES]

    def wrapped(self, data_key: bytes) -> bytes:
        """A slot for this data key."""
        nonce = os.urandom(_NONCE_BYTES)
        slot = self.name + nonce + self._cipher.encrypt(nonce, data_key, MAGIC)
        return slot.ljust(_SLOT_BYTES, b"\0")

    def unwrapped(self, slot: bytes) -> bytes:
        """The data key of a slot that has our name. Raises SealBroken."""
        nonce, wrapped = (
            slot[_NAME_BYTES : _NAME_BYTES + _NONCE_BYTES],
            slot[_NAME_BYTES + _NONCE_BYTES :][: KEY_BYTES + TAG_BYTES],
        )
        try:
            return self._cipher.decrypt(nonce, wrapped, MAGIC)
        except InvalidTag as error:
            raise SealBroken("its head was damaged: the wrapped key does not open") from error


class Writing(Protocol):
    """Where a sealed file is written."""

    def write(self, octets: bytes, /) -> int:
        """All of it, or OSError."""


def is_sealed(path: Path) -> bool:
    """Whether a file is encrypted. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def seal(plain: BinaryIO, out: Writing, key: SiteKey) -> None:
    """Encrypt a stream under a fresh key. Raises OSError."""
    data_key = os.urandom(KEY_BYTES)
    cipher = AESGCM(data_key)
    out.write((MAGIC + key.wrapped(data_key)).ljust(HEADER_BYTES, b"\0"))
    number, chunk = 0, _full(plain)
    while True:
        after = _full(plain) if len(chunk) == CHUNK_BYTES else b""
        out.write(cipher.encrypt(_nonce(number, not after), chunk, None))
        if not after:
            return
        number, chunk = number + 1, after


def opened(path: Path, keys: Sequence[SiteKey]) -> BinaryIO:
    """The content of a file, encrypted or not, for reading from any place. Raises OSError, KeyMissing, SealBroken."""
    file = path.open("rb")
    try:
        head = file.read(HEADER_BYTES)
        if not head.startswith(MAGIC):
            file.seek(0)
            return file
        return io.BufferedReader(_Unsealed(file, path, _data_key(head, path, keys)), CHUNK_BYTES)
    except BaseException:
        file.close()
        raise


def size_of(stream: BinaryIO) -> int:
    """How many bytes a stream of `opened` gives; it is at its beginning afterwards."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def _data_key(head: bytes, path: Path, keys: Sequence[SiteKey]) -> bytes:
    if len(head) < HEADER_BYTES:
        raise SealBroken(f"{path.name}: its head was cut")
    slots = [head[at : at + _SLOT_BYTES] for at in _SLOTS]
    known = [(key, slot) for slot in slots for key in keys if slot != _NONE and slot.startswith(key.name)]
    if not known:
        raise KeyMissing(path.name)
    for key, slot in known[:-1]:
        try:
            return key.unwrapped(slot)
        except SealBroken:
            continue  # one slot may have been torn while the key was changed; the other is whole then
    key, slot = known[-1]
    try:
        return key.unwrapped(slot)
    except SealBroken as error:
        raise SealBroken(f"{path.name}: {error.strerror}") from error


class _Unsealed(io.RawIOBase):
    """Decrypts the chunk that is read. Its last chunk is looked at first of all, so that a file that was cut never opens."""

    def __init__(self, file: BinaryIO, path: Path, data_key: bytes) -> None:
        self._file, self._path, self._cipher = file, path, AESGCM(data_key)
        whole = os.fstat(file.fileno()).st_size - HEADER_BYTES
        self._chunks = max(1, -(-whole // _EACH))
        self._size = whole - self._chunks * TAG_BYTES
        self._at, self._number, self._chunk = 0, -1, b""
        self._load(self._chunks - 1)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As of any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning of the file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """At most to the end of a chunk."""
        if self._at >= self._size:
            return 0
        number, begin = divmod(self._at, CHUNK_BYTES)
        self._load(number)
        part = self._chunk[begin : begin + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """The file below it too."""
        self._file.close()
        super().close()

    def _load(self, number: int) -> None:
        if number == self._number:
            return
        self._file.seek(HEADER_BYTES + number * _EACH)
        octets = self._file.read(_EACH)
        try:
            self._chunk = self._cipher.decrypt(_nonce(number, number == self._chunks - 1), octets, None)
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"{self._path.name}: chunk {number} of {self._chunks} was damaged, or the file was cut") from error
        self._number = number


def _nonce(number: int, last: bool) -> bytes:
    return bytes(7) + number.to_bytes(4, "big") + bytes([last])


def _full(stream: BinaryIO) -> bytes:
    """A whole chunk, or what there is to the end."""
    parts, left = [], CHUNK_BYTES
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


# ---- changing the site's key ------------------------------------------------------------------------------------


def rewrap(path: Path, keys: Sequence[SiteKey], new: SiteKey) -> bool:
    """Wrap a file's data key by another site key, and by no other. Whether something was changed. Raises OSError.

    The new slot is on the disk before the old one is wiped, so that the file opens whatever breaks off in between.
    """
    with path.open("r+b", buffering=0) as file:
        head = file.read(HEADER_BYTES)
        if not head.startswith(MAGIC):
            return False
        slots = [head[at : at + _SLOT_BYTES] for at in _SLOTS]
        good = next((n for n, slot in enumerate(slots) if _opens(slot, new)), None)
        if good is None:
            data_key = _data_key(head, path, keys)
            good = next((n for n, slot in enumerate(slots) if not any(_opens(slot, key) for key in keys)), 0)
            _put(file, _SLOTS[good], new.wrapped(data_key))
        elif slots[1 - good] == _NONE:
            return False
        _put(file, _SLOTS[1 - good], _NONE)
        return True


def _opens(slot: bytes, key: SiteKey) -> bool:
    try:
        return slot.startswith(key.name) and bool(key.unwrapped(slot))
    except SealBroken:
        return False


def _put(file: io.FileIO, at: int, slot: bytes) -> None:
    file.seek(at)
    if file.write(slot) != len(slot):
        raise OSError(0, "the head could not be written whole")
    os.fsync(file.fileno())


def sealed_below(folder: Path) -> Iterator[Path]:
    """Every encrypted file below a directory that has its name (no half-written one). Raises OSError."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.name.startswith(".") and is_sealed(path):
            yield path
