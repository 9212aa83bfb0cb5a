"""Making backups and taking them away is broken off at each step, by kill -9 and power cut: what is named a backup is whole."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audio.disk import Disk
from callserver.backup.making import Wishes, make
from callserver.backup.manifest import BackupUnusable, made_in, read
from callserver.backup.objects import Objects
from callserver.backup.pruning import prune
from callserver.backup.restoring import restore
from callserver.config import Config
from tests.archive.power import Model, RecordingDisk, Step, lay_out
from tests.backup.saved import UTC_NS, Back
from tests.full_disk import files_end_at
from tests.store.sealed import Sealed

LATER_NS = UTC_NS + 10**9


class Killing(Disk):
    """Kills its own process, with no chance to tidy up, before a step of this number."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self) -> None:
        """One of them."""
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def raw(self, path: Path):  # type: ignore[no-untyped-def]
        self.step()
        return super().raw(path)

    def sync(self, path: Path) -> None:
        self.step()

    def rename(self, old: Path, new: Path) -> None:
        self.step()
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self.step()
        super().remove(path)

    def add_directory(self, path: Path) -> None:
        self.step()
        super().add_directory(path)


def ended(work: Callable[[], object]) -> bool:
    """Run in a process of its own; whether it came to its end, and was not killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), "it fails otherwise than by being killed"
    return status == 0


def all_whole(root: Path) -> list[Path]:
    """Every backup has every byte that it names; which there are."""
    for path in made_in(root):
        objects = Objects(root)
        for item in read(path).manifest.files:
            assert [fault for name in item.objects if (fault := objects.fault(name))] == [], f"{path.name}: {item.path}"
    return made_in(root)


def changed(sealed: Sealed) -> None:
    """Something that the first backup has not."""
    (sealed.home / "space.json").write_bytes(b"another")
    (sealed.recordings / "i99.1").mkdir()
    (sealed.recordings / "i99.1" / "call.flac").write_bytes(b"new sound" * 40_000)


def test_a_kill_at_every_step_leaves_only_whole_backups_and_the_next_one_is_made(
    back: Back, config: Config, sealed: Sealed, root: Path, tmp_path: Path
) -> None:
    first = back().path
    changed(sealed)
    kept = tmp_path / "kept"
    shutil.copytree(root, kept)
    steps = 0
    while True:
        shutil.rmtree(root)
        shutil.copytree(kept, root)
        quick = Wishes(verify=False)
        if ended(lambda: make(config, root, LATER_NS, quick, disk=Killing(steps))):  # noqa: B023
            break
        made = all_whole(root)
        assert made[0] == first
        make(config, root, LATER_NS + 10**9, quick)
        assert len(all_whole(root)) == len(made) + 1
        assert not list(root.rglob("*.part"))
        assert not (root / ".making").exists()
        steps += 1
    assert steps >= 15
    assert restore(root, tmp_path / "new").faults == ()


def test_a_kill_at_every_step_of_pruning_costs_no_backup_that_stays(
    back: Back, sealed: Sealed, root: Path, tmp_path: Path
) -> None:
    back()
    changed(sealed)
    last = back(1).path
    kept = tmp_path / "kept"
    shutil.copytree(root, kept)
    steps = 0
    while True:
        shutil.rmtree(root)
        shutil.copytree(kept, root)
        if ended(lambda: prune(root, 1, Killing(steps))):  # noqa: B023
            break
        assert last in all_whole(root)
        prune(root, 1)
        assert all_whole(root) == [last]
        steps += 1
    assert steps >= 3


@pytest.mark.timeout(600)
def test_a_power_cut_at_every_step_leaves_only_whole_backups(
    back: Back, config: Config, sealed: Sealed, root: Path, tmp_path: Path
) -> None:
    """A name of a backup is on the disk only when all bytes that it names are."""
    first = back().path
    changed(sealed)
    before = Model.of(root)
    disk = RecordingDisk()
    second = make(config, root, LATER_NS, Wishes(verify=False), disk=disk).path
    seen: dict[frozenset[tuple[Path, bytes | None]], list[str]] = {}
    for count in range(len(disk.steps) + 1):
        for image in left_after(before, disk.steps[:count]):
            there = frozenset(image.items())
            if there not in seen:
                place = tmp_path / "left" / str(len(seen))
                lay_out(image, root, place)
                seen[there] = [path.name for path in all_whole(place)]
                shutil.rmtree(place)
    assert {tuple(names) for names in seen.values()} == {(first.name,), (first.name, second.name)}
    assert len(seen) > len(disk.steps) // 2


def left_after(before: Model, steps: list[Step]) -> Iterator[dict[Path, bytes | None]]:
    """All that a cut may leave after these steps."""
    model = Model(dict(before.names), dict(before.safe))
    for step in steps:
        model.take(step)
    yield from model.cut()


def test_a_full_disk_at_every_step_is_told_and_leaves_the_earlier_backup(
    back: Back, config: Config, sealed: Sealed, root: Path
) -> None:
    first = back().path
    changed(sealed)
    failed = 0
    for count in range(10_000):
        try:
            make(config, root, LATER_NS, Wishes(verify=False), disk=RecordingDisk(count))
        except OSError:
            failed += 1
            assert all_whole(root) in ([first], [first, *made_in(root)[1:]])
        else:
            break
    assert failed > 5
    assert len(all_whole(root)) >= 2  # where only the last sync failed, it is there and whole


def test_a_disk_that_is_full_for_the_copy_of_the_database_is_told(back: Back, config: Config, root: Path) -> None:
    first = back().path
    with files_end_at(50_000), pytest.raises((BackupUnusable, OSError)):
        back(1)
    assert all_whole(root) == [first]


def test_a_kill_while_a_backup_is_put_back_leaves_nothing_of_that_name(back: Back, tmp_path: Path) -> None:
    path, new = back().path, tmp_path / "new"
    steps = 0
    while not ended(lambda: restore(path, new, disk=Killing(steps))):  # noqa: B023
        assert not new.exists() or steps_are_over(new)
        shutil.rmtree(new, ignore_errors=True)
        steps += 1
    assert steps > 20
    assert (new / "callserver.db").exists()
    assert not (tmp_path / ".new.restoring").exists()


def steps_are_over(new: Path) -> bool:
    """Killed after the renaming: all is there."""
    return (new / "callserver.db").exists() and (new / "recordings" / "i1.1" / "call.flac").exists()
