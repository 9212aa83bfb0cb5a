"""Small real file systems for tests: one that can be filled, one that can be made to stall. Both need the right to mount."""

import contextlib
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
