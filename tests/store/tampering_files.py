"""Ways to tamper with recordings and captures. For `tampering`."""

import gzip
import os
from random import Random

from tests.store.sealed import Sealed


def turned(octets: bytes, random: Random) -> bytes:
    """The same with one bit turned."""
    at = random.randrange(len(octets))
    return octets[:at] + bytes([octets[at] ^ 1 << random.randrange(8)]) + octets[at + 1 :]


def bit_in_a_recording(sealed: Sealed, random: Random) -> str:
    path = random.choice(sorted(sealed.recordings.rglob("*.flac")))
    path.write_bytes(turned(path.read_bytes(), random))
    return f"{path.parent.name}/{path.name} was altered"


def replaced_recording(sealed: Sealed, random: Random) -> str:
    path, other = random.sample(sorted(sealed.recordings.rglob("*.flac")), 2)
    path.write_bytes(other.read_bytes())
    return f"{path.parent.name}/{path.name} was altered"


def shortened_recording(sealed: Sealed, random: Random) -> str:
    path = random.choice(sorted(sealed.recordings.rglob("*.flac")))
    os.truncate(path, random.randrange(path.stat().st_size))
    return f"{path.parent.name}/{path.name} was altered"


def removed_recording(sealed: Sealed, random: Random) -> str:
    path = random.choice(sorted(sealed.recordings.rglob("*.flac")))
    path.unlink()
    return f"{path.parent.name}/{path.name} is not there"


def altered_capture(sealed: Sealed, random: Random) -> str:
    path = random.choice(sorted(sealed.captures.rglob("*.gz")))
    path.write_bytes(gzip.compress(turned(gzip.decompress(path.read_bytes()), random)))
    return f"{path.parent.name}/1.1.cap was altered"


def lengthened_capture(sealed: Sealed, random: Random) -> str:
    """Packets behind the end: a second stream in the same file, which whoever unpacks it reads as well."""
    path = random.choice(sorted(sealed.captures.rglob("*.gz")))
    path.write_bytes(path.read_bytes() + gzip.compress(random.randbytes(40)))
    return f"{path.parent.name}/1.1.cap "


def broken_capture(sealed: Sealed, random: Random) -> str:
    path = random.choice(sorted(sealed.captures.rglob("*.gz")))
    octets = path.read_bytes()
    path.write_bytes(octets[: random.randrange(len(octets))])
    return f"{path.parent.name}/1.1.cap "


def removed_capture(sealed: Sealed, random: Random) -> str:
    path = random.choice(sorted(sealed.captures.rglob("*.gz")))
    path.unlink()
    return f"{path.parent.name}/1.1.cap is not there"


FILES = (
    *(bit_in_a_recording, replaced_recording, shortened_recording, removed_recording),
    *(altered_capture, lengthened_capture, broken_capture, removed_capture),
)
