"""Disks that stall, are full or refuse: small real file systems, which need the right to mount, and ways that need none."""

import contextlib
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system: {' '.join(command)}: {done.stderr.strip()}")


@contextlib.contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Path]:
    """A file system of so many MB, mounted at `at`."""
    at.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(at))
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextlib.contextmanager
def freezable_disk(at: Path, image: Path, megabytes: int = 64) -> Iterator[Path]:
    """An ext4 file system, mounted at `at`, that `frozen` can stall."""
    at.mkdir(parents=True, exist_ok=True)
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _run("mkfs.ext4", "-q", str(image))
    _run("mount", "-o", "loop", str(image), str(at))
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextlib.contextmanager
def frozen(disk: Path) -> Iterator[None]:
    """Every write to this disk waits until the end of the block."""
    _run("fsfreeze", "-f", str(disk))
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "-u", str(disk)], check=True)


@contextlib.contextmanager
def refused(*pids: int, beyond: int = 0) -> Iterator[None]:
    """What these processes write beyond so many bytes of a file fails, as on a disk that is full. Needs no right at all."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, most) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (beyond, most))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def immutable(*files: Path) -> Iterator[None]:
    """These files can be read and not written, whoever has them open. Needs the right to say so, and ext4 or the like."""
    named = [str(file) for file in files]
    done = subprocess.run(["chattr", "+i", *named], check=False, capture_output=True, text=True)
    try:
        if done.returncode:
            pytest.skip(f"needs the right to make files immutable: {done.stderr.strip()}")
        yield
    finally:
        subprocess.run(["chattr", "-i", *named], check=False, capture_output=True)


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """No octet more fits on this disk until the end of the block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 12))
    try:
        yield
    finally:
        ballast.unlink()
