"""Encrypted files: what goes in comes out, from any place; what was changed, moved or cut does not open and is named."""

import io
import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callserver.sealed import (
    CHUNK_BYTES,
    HEADER_BYTES,
    KeyMissing,
    SealBroken,
    SiteKey,
    is_sealed,
    opened,
    rewrap,
    seal,
    sealed_below,
    size_of,
)

KEY, OTHER = SiteKey(bytes(range(32))), SiteKey(bytes(32))
EACH = CHUNK_BYTES + 16
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 77)


def written(path: Path, content: bytes, key: SiteKey = KEY) -> Path:
    """A sealed file."""
    with path.open("wb") as out:
        seal(io.BytesIO(content), out, key)
    return path


def content_of(path: Path, *keys: SiteKey) -> bytes:
    """All of it, in the clear."""
    with opened(path, keys or (KEY,)) as file:
        return file.read()


def some(size: int) -> bytes:
    """Bytes that differ from chunk to chunk."""
    return Random(size).randbytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out_and_its_size_is_known(size: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a", some(size))
    assert content_of(path) == some(size)
    with opened(path, (KEY,)) as file:
        assert size_of(file) == size
    assert is_sealed(path)
    assert size < 16 or some(size)[:16] not in path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3 * CHUNK_BYTES + 100), st.integers(0, 2 * CHUNK_BYTES))
def test_any_stretch_can_be_read_by_itself(begin: int, length: int) -> None:
    content = some(3 * CHUNK_BYTES + 77)
    with opened(written(Path(os.environ.get("TMPDIR", "/tmp")) / f"stretch-{os.getpid()}", content), (KEY,)) as file:
        file.seek(begin)
        assert file.read(length) == content[begin : begin + length]


def test_a_plain_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"fLaC plain")
    assert content_of(tmp_path / "plain") == b"fLaC plain"
    assert not is_sealed(tmp_path / "plain")


def test_without_the_key_it_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", b"sound")
    for keys in ((), (OTHER,)):
        with pytest.raises(KeyMissing, match=r"a\.flac: it is encrypted, and the site's key is missing"):
            opened(path, keys)


def test_every_flipped_bit_is_found_and_the_chunk_is_named(tmp_path: Path) -> None:
    good = written(tmp_path / "a", some(2 * CHUNK_BYTES + 9)).read_bytes()
    random = Random(7)
    for at in (*(random.randrange(HEADER_BYTES, len(good)) for _ in range(40)), HEADER_BYTES, len(good) - 1):
        octets = bytearray(good)
        octets[at] ^= 1 << random.randrange(8)
        (tmp_path / "a").write_bytes(octets)
        with pytest.raises(SealBroken, match=f"chunk {(at - HEADER_BYTES) // EACH} of 3"):
            content_of(tmp_path / "a")
    for at in range(32, 92):
        octets = bytearray(good)
        octets[at] ^= 1
        (tmp_path / "a").write_bytes(octets)
        with pytest.raises(SealBroken, match="its head was damaged"):
            opened(tmp_path / "a", (KEY,))


def test_cut_moved_doubled_and_foreign_chunks_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a"
    good = written(path, some(3 * CHUNK_BYTES)).read_bytes()
    foreign = written(tmp_path / "b", some(3 * CHUNK_BYTES)).read_bytes()
    head, chunks = good[:HEADER_BYTES], [good[HEADER_BYTES + n * EACH : HEADER_BYTES + (n + 1) * EACH] for n in range(3)]
    for changed in (
        head + chunks[0] + chunks[1],
        head + chunks[1] + chunks[0] + chunks[2],
        head + b"".join(chunks) + chunks[2],
        head + chunks[0],
        head,
        good[:-1],
        good[: HEADER_BYTES - 1],
        head + chunks[0] + foreign[HEADER_BYTES + EACH :],
    ):
        path.write_bytes(changed)
        with pytest.raises(SealBroken):
            content_of(path)


def test_two_files_of_the_same_content_have_nothing_in_common(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, b"x" * 1000).read_bytes() for name in "ab")
    assert one[32:92] != two[32:92]
    assert one[HEADER_BYTES:] != two[HEADER_BYTES:]


def test_another_key_takes_over_and_the_old_one_opens_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a", some(CHUNK_BYTES + 5))
    chunks = path.read_bytes()[HEADER_BYTES:]
    assert rewrap(path, (KEY, OTHER), OTHER)
    assert content_of(path, OTHER) == some(CHUNK_BYTES + 5)
    with pytest.raises(KeyMissing):
        opened(path, (KEY,))
    assert path.read_bytes()[HEADER_BYTES:] == chunks
    assert not rewrap(path, (KEY, OTHER), OTHER), "again it changes nothing"
    assert rewrap(path, (KEY, OTHER), KEY), "and back"
    assert content_of(path, KEY) == some(CHUNK_BYTES + 5)
    assert [found.name for found in sealed_below(tmp_path)] == ["a"]


def test_a_change_that_is_broken_off_anywhere_leaves_a_file_that_opens_and_is_finished_later(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"sound")
    before = path.read_bytes()
    rewrap(path, (KEY, OTHER), OTHER)
    after = path.read_bytes()
    new_slot = after[96:176]
    states = [before[:96] + new_slot[:cut] + before[96 + cut :] for cut in range(81)]  # the new slot is being written
    both = states[-1]
    states += [both[:16] + bytes(cut) + both[16 + cut :] for cut in range(81)]  # the old one is being wiped
    for state in states:
        path.write_bytes(state)
        assert content_of(path, KEY, OTHER) == b"sound"
        rewrap(path, (KEY, OTHER), OTHER)
        assert content_of(path, OTHER) == b"sound"
        with pytest.raises(KeyMissing):
            opened(path, (KEY,))
