"""Finishing a recording is broken off at each step, by death and by power cut: none is lost, none half there, none twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from audio.disk import Disk
from callserver.archive import keep
from callserver.archive.main import Archivist
from callserver.archive.sealing import Sealing
from callserver.core.facts import RecordingFailed, RecordingMade
from callserver.core.ids import CallId
from callserver.media import capture_format as cf
from callserver.sealed import SiteKey, is_sealed
from tests.archive.power import Careless, Image, Model, QuickDisk, RecordingDisk, Step, lay_out
from tests.archive.wire import Sender, header, write_capture
from tests.audio.sounds import noise
from tests.full_disk import files_end_at

CALL = CallId("i1.1")
FOLDER = Path("i1") / CALL
KEY = SiteKey(bytes(range(32)))
SEALING = Sealing(lambda: (KEY,))
Fact = RecordingMade | RecordingFailed


def captures(root: Path, seconds: float = 0.3) -> None:
    """A point with two captures and an operator; the recordings' directory is there, as the first start makes it."""
    folder = root / "captures" / FOLDER
    mine, theirs = noise(8000, seconds, -30), noise(8000, seconds, -20, 0.5)
    said, sent = Sender().says(mine, 0.0), Sender(ssrc=5, kind=cf.Kind.OUT).says(theirs, 0.01)
    write_capture(folder, header("i1.1.1", "point"), said[:7] + sent)
    write_capture(folder, header("i1.1.1", "point", 2), said[7:])
    write_capture(folder, header("i1.1.2", "operator"), Sender(ssrc=3).says(theirs, 0.0))
    (root / "recordings").mkdir()


def archivist(root: Path, facts: list[Fact], disk: Disk, now_ns: int = 0, sealing: Sealing | None = None) -> Archivist:
    """One that knows what the journal knows."""

    def unfinished() -> list[tuple[CallId, Path]]:
        return [] if any(isinstance(fact, RecordingMade) for fact in facts) else [(CALL, FOLDER)]

    def append(fact: Fact) -> None:
        if isinstance(disk, RecordingDisk):
            disk.note(Step("append", fact=fact))
        facts.append(fact)

    return Archivist(root / "captures", root / "recordings", unfinished, append, lambda: now_ns, disk, sealing)


@dataclass
class Unbroken:
    """A whole run: where, its steps, what was there before, what it told, the captures' bytes."""

    root: Path
    steps: list[Step]
    before: Model
    fact: RecordingMade
    plain: dict[str, bytes]
    sealing: Sealing | None = None

    def after(self, count: int) -> Model:
        """As it was after so many steps."""
        model = Model.of(self.root.parent / "before")
        model = Model({self._moved(path): file for path, file in model.names.items()}, dict(model.safe))
        model.safe = dict(model.names)
        for step in self.steps[:count]:
            model.take(step)
        return model

    def _moved(self, path: Path) -> Path:
        return self.root / path.relative_to(self.root.parent / "before")


@pytest.fixture
def whole(tmp_path: Path) -> Unbroken:
    return run(tmp_path, RecordingDisk())


def run(tmp_path: Path, disk: RecordingDisk, seconds: float = 0.3, sealing: Sealing | None = None) -> Unbroken:
    """One recording made, and all that it took."""
    captures(tmp_path / "before", seconds)
    root = tmp_path / "whole"
    captures(root, seconds)
    before = Model.of(root)
    plain = {path.name: path.read_bytes() for path in (root / "captures" / FOLDER).iterdir()}
    facts: list[Fact] = []
    archivist(root, facts, disk, sealing=sealing).step()
    (fact,) = facts
    assert isinstance(fact, RecordingMade)
    return Unbroken(root, disk.steps, before, fact, plain, sealing)


def deaths(whole: Unbroken, count: int) -> Iterator[tuple[Image, list[Fact]]]:
    """What is left when the process dies after so many steps: also in the middle of writing."""
    model = whole.after(count)
    facts = [fact for fact in model.facts if isinstance(fact, Fact)]
    yield model.killed(), facts
    if count < len(whole.steps) and whole.steps[count].what == "write":
        step = whole.steps[count]
        model.take(Step("write", step.path, at=step.at, data=step.data[: len(step.data) // 2]))
        yield model.killed(), facts


def cuts(whole: Unbroken, count: int) -> Iterator[tuple[Image, list[Fact]]]:
    """What may be left when the power is cut after so many steps."""
    model = whole.after(count)
    facts = [fact for fact in model.facts if isinstance(fact, Fact)]
    yield from ((image, facts) for image in model.cut())


def finished(whole: Unbroken, image: Image, facts: list[Fact], root: Path) -> None:
    """A new archivist brings it to the same end."""
    lay_out(image, whole.root, root)
    told = list(facts)
    archivist(root, told, QuickDisk(), sealing=whole.sealing).step()
    assert told == [whole.fact], "told once, and the same"
    keys = whole.sealing.keys() if whole.sealing else ()
    for name, total in whole.fact.files.items():
        assert keep.sum_of(root / "recordings" / name, keys) == total, name
    kept = keep.captures_of(root / "captures" / FOLDER)
    assert {keep.name_of(path): keep.sum_uncompressed(path, keys) for path in kept} == whole.fact.captures
    files = [path for path in root.rglob("*") if path.is_file()]
    assert [path for path in files if is_sealed(path) != bool(keys)] == []
    assert keep.leftovers(root / "captures" / FOLDER, root / "recordings" / CALL) == []


def every(whole: Unbroken, left, tmp_path: Path, steps: range) -> int:  # type: ignore[no-untyped-def]
    """Each different thing that may be left, once; how many there were."""
    seen: set[int] = set()
    for count in steps:
        for image, facts in left(whole, count):
            mark = hash((frozenset(image.items()), len(facts)))
            if mark not in seen:
                seen.add(mark)
                try:
                    finished(whole, image, facts, tmp_path / "left" / str(len(seen)))
                except AssertionError as error:
                    raise AssertionError(f"after step {count} of {len(whole.steps)}: {whole.steps[max(0, count - 1)]}") from error
    return len(seen)


def test_a_run_writes_down_every_change_and_its_model_ends_as_the_disk_does(whole: Unbroken) -> None:
    left = whole.after(len(whole.steps)).killed()
    assert left == {path: None if path.is_dir() else path.read_bytes() for path in whole.root.rglob("*")}
    assert {step.what for step in whole.steps} == {"directory", "create", "write", "sync", "rename", "remove", "append"}


def test_what_was_told_to_the_journal_is_on_the_disk_whatever_the_kernel_lost(whole: Unbroken) -> None:
    told = next(count for count, step in enumerate(whole.steps) if step.what == "append") + 1
    for image in whole.after(told).cut():
        assert {path for path in image if path.suffix in (".flac", ".peaks")} == {
            whole.root / "recordings" / name for name in whole.fact.files
        }


def test_a_death_at_every_step_costs_nothing_but_time(whole: Unbroken, tmp_path: Path) -> None:
    assert every(whole, deaths, tmp_path, range(len(whole.steps) + 1)) >= len(whole.steps) // 2


@pytest.mark.timeout(600)
def test_a_power_cut_at_every_step_costs_nothing_but_time(whole: Unbroken, tmp_path: Path) -> None:
    found = every(whole, cuts, tmp_path, range(len(whole.steps) + 1))
    print(f"{len(whole.steps)} steps, {found} different things that a power cut may leave")
    assert found > len(whole.steps)


@pytest.mark.timeout(600)
def test_where_recordings_are_encrypted_no_death_and_no_cut_leaves_anything_half_or_in_the_clear(tmp_path: Path) -> None:
    whole = run(tmp_path, RecordingDisk(), sealing=SEALING)
    begins = next(
        count for count, step in enumerate(whole.steps) if step.what == "write" and step.data.startswith(b"callserver-seal1")
    )
    steps = range(begins, len(whole.steps) + 1)
    found = every(whole, deaths, tmp_path / "deaths", steps), every(whole, cuts, tmp_path / "cuts", steps)
    print(f"{len(steps)} steps of encrypting; different things left: by a death {found[0]}, by a power cut {found[1]}")
    assert min(found) >= len(steps) // 2


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_longer_call_whose_files_take_many_writes_survives_a_cut_and_a_death_at_each(tmp_path: Path) -> None:
    whole = run(tmp_path, RecordingDisk(), seconds=20.0)
    steps = range(len(whole.steps) + 1)
    found = every(whole, cuts, tmp_path / "cuts", steps), every(whole, deaths, tmp_path / "deaths", steps)
    print(f"{len(whole.steps)} steps; different things left: by a power cut {found[0]}, by a death {found[1]}")
    assert len(whole.steps) > 100


@pytest.mark.parametrize("files", [True, False], ids=["files", "directories"])
def test_the_series_finds_a_sync_that_is_left_out(tmp_path: Path, files: bool) -> None:
    whole = run(tmp_path, Careless(files))
    with pytest.raises((AssertionError, FileNotFoundError)):
        every(whole, cuts, tmp_path, range(len(whole.steps) + 1))


def test_a_disk_that_is_full_from_any_step_on_is_told_and_the_recording_is_made_when_there_is_room(
    whole: Unbroken, tmp_path: Path
) -> None:
    for count in range(len(whole.steps)):
        root = tmp_path / "full" / str(count)
        captures(root)
        facts: list[Fact] = []
        archivist(root, facts, RecordingDisk(fail_at=count)).step()
        if any(isinstance(fact, RecordingMade) for fact in facts):
            continue  # nothing was written from there on
        assert [type(fact) for fact in facts] == [RecordingFailed], count
        assert "No space left" in str(facts[0].why if isinstance(facts[0], RecordingFailed) else ""), facts
        image: Image = {path: None if path.is_dir() else path.read_bytes() for path in root.rglob("*")}
        again = partial(lay_out, image, root)
        again(tmp_path / "room" / str(count))
        archivist(tmp_path / "room" / str(count), facts, QuickDisk()).step()
        assert facts[1:] == [whole.fact], count


def test_files_that_end_at_any_byte_are_told_and_made_when_there_is_room(whole: Unbroken, tmp_path: Path) -> None:
    """The kernel cuts and refuses what libsndfile and gzip write, as a full disk does in the middle of a block."""
    largest = max(path.stat().st_size for path in whole.root.rglob("*") if path.is_file())
    failed = 0
    for room in range(0, largest + 800, 397):
        root = tmp_path / "short" / str(room)
        captures(root)
        facts: list[Fact] = []
        with capture_logs(), files_end_at(room):  # or the log's own file ends there
            archivist(root, facts, QuickDisk()).step()
        failed += isinstance(facts[0], RecordingFailed)
        archivist(root, facts, QuickDisk()).step()
        assert [fact for fact in facts if isinstance(fact, RecordingMade)] == [whole.fact], room
    assert failed > 5


def test_a_file_that_does_not_read_back_as_it_was_written_is_no_recording(tmp_path: Path) -> None:
    """The disk loses what it took; nothing of it is told as made, and the captures stay."""

    class Forgetful(QuickDisk):
        def create(self, path: Path):  # type: ignore[no-untyped-def]
            file = super().create(path)
            real = file.close

            def close() -> None:
                real()
                content = path.read_bytes()
                path.write_bytes(content[: len(content) // 2] + b"\0" + content[len(content) // 2 + 1 :])

            file.close = close  # type: ignore[method-assign]
            return file

    captures(tmp_path)
    facts: list[Fact] = []
    archivist(tmp_path, facts, Forgetful()).step()
    assert [type(fact) for fact in facts] == [RecordingFailed]
    assert len(keep.captures_of(tmp_path / "captures" / FOLDER)) == 3
    assert list((tmp_path / "recordings" / CALL).glob("*.flac")) == []
