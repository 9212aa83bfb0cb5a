"""The archivist's rounds: everything is finished at last, trouble is told once, a crash anywhere costs only time."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from audio.tones import tone
from callserver.archive import main
from callserver.archive.main import SECOND_NS, Archivist
from callserver.archive.sealing import Sealing
from callserver.core.facts import RecordingFailed, RecordingMade
from callserver.core.ids import CallId
from tests.archive.wire import Sender, header, write_capture


@dataclass
class Journal:
    """What the archivist sees of the journal."""

    root: Path
    facts: list[RecordingMade | RecordingFailed] = field(default_factory=list)
    calls: list[tuple[CallId, Path]] = field(default_factory=list)
    broken: bool = False
    now_ns: int = 0

    def unfinished(self) -> list[tuple[CallId, Path]]:
        made = {fact.call for fact in self.facts if isinstance(fact, RecordingMade)}
        return [(call, folder) for call, folder in self.calls if call not in made]

    def append(self, fact: RecordingMade | RecordingFailed) -> None:
        if self.broken:
            raise ConnectionError("the switchboard is away")
        self.facts.append(fact)

    def call(self, number: int) -> Path:
        folder = self.root / "captures" / "i1" / f"i1.{number}"
        write_capture(folder, header(f"i1.{number}.1", "point"), Sender().says(tone(500, 0.5, 8000), 0.0))
        self.calls.append((CallId(f"i1.{number}"), folder))
        return folder

    def archivist(self, sealing: Sealing | None = None) -> Archivist:
        roots = (self.root / "captures", self.root / "recordings")
        making = self.root / "making.json"
        return Archivist(*roots, self.unfinished, self.append, lambda: self.now_ns, sealing=sealing, making=making)

    def told(self) -> list[tuple[str, str]]:
        return [(type(fact).__name__, fact.call) for fact in self.facts]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def test_every_unfinished_call_is_recorded_once(journal: Journal) -> None:
    journal.call(1)
    journal.call(2)
    archivist = journal.archivist()
    assert [archivist.step(), archivist.step()] == [2, 0]
    assert journal.told() == [("RecordingMade", "i1.1"), ("RecordingMade", "i1.2")]
    assert (journal.root / "recordings" / "i1.2" / "call.flac").is_file()


def test_a_folder_may_be_named_below_the_captures(journal: Journal) -> None:
    journal.call(1)
    journal.calls = [(CallId("i1.1"), Path("i1/i1.1"))]
    assert journal.archivist().step() == 1
    assert [fact.duration_ms for fact in journal.facts if isinstance(fact, RecordingMade)] == [500]


def test_a_failing_call_is_told_once_waits_longer_each_time_and_stops_no_other(journal: Journal) -> None:
    journal.call(1)
    (journal.root / "recordings").mkdir()
    blocked = journal.root / "recordings" / "i1.1"
    blocked.write_text("a file where a directory belongs")
    journal.call(2)
    archivist = journal.archivist()
    tries = []
    for second in range(80):
        journal.now_ns = second * SECOND_NS
        before = archivist._troubles.get(CallId("i1.1"))
        assert archivist.step() == (1 if second == 0 else 0)
        if archivist._troubles[CallId("i1.1")] is not before:
            tries.append(second)
    assert tries == [0, 10, 30, 70]
    assert journal.told() == [("RecordingFailed", "i1.1"), ("RecordingMade", "i1.2")]
    blocked.unlink()
    journal.now_ns = 200 * SECOND_NS
    assert archivist.step() == 1
    assert journal.told()[-1] == ("RecordingMade", "i1.1")


def test_a_new_reason_is_told_again(journal: Journal) -> None:
    folder = journal.call(1)
    (journal.root / "recordings").mkdir()
    (journal.root / "recordings" / "i1.1").write_text("")
    archivist = journal.archivist()
    archivist.step()
    capture = next(folder.iterdir())
    (folder / f"{capture.name}.gz").write_bytes(b"no gzip at all")
    capture.unlink()
    journal.now_ns = 100 * SECOND_NS
    archivist.step()
    archivist.step()
    reasons = [fact.why.split(":")[0] for fact in journal.facts if isinstance(fact, RecordingFailed)]
    assert reasons == ["FileExistsError", "BadGzipFile"]


def test_a_fact_that_could_not_be_appended_is_made_again_the_same(journal: Journal) -> None:
    journal.call(1)
    journal.broken = True
    with pytest.raises(ConnectionError):
        journal.archivist().step()
    again = Journal(journal.root, calls=journal.calls)
    assert again.archivist().step() == 1  # a new process, knowing nothing
    unbroken = Journal(journal.root / "other")
    unbroken.call(1)
    unbroken.archivist().step()
    assert again.facts == unbroken.facts


def test_a_call_without_any_capture_is_finished_with_a_report(journal: Journal) -> None:
    journal.calls = [(CallId("i1.1"), journal.root / "captures" / "i1" / "i1.1")]
    assert journal.archivist().step() == 1
    (fact,) = journal.facts
    assert isinstance(fact, RecordingMade)
    assert fact.report == "no sound was captured"


def killed_over_a_recording(archivist: Archivist) -> None:
    """The archivist's next round, in a process of its own that is killed as it begins to make a recording."""
    child = os.fork()
    if not child:
        main.make_recording = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        archivist.step()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def test_a_call_over_which_the_archivist_dies_keeps_no_other_from_its_recording(journal: Journal) -> None:
    """A successor leaves it for later, the longer the oftener somebody died of it, and tries it again."""
    journal.call(1)
    journal.call(2)
    killed_over_a_recording(journal.archivist())
    second = journal.archivist()
    assert second.step() == 1
    assert journal.told() == [("RecordingFailed", "i1.1"), ("RecordingMade", "i1.2")]
    journal.now_ns = 9 * SECOND_NS
    assert second.step() == 0
    journal.now_ns = 11 * SECOND_NS
    killed_over_a_recording(second)
    third = journal.archivist()
    assert [third.step(), journal.told()[-1]] == [0, ("RecordingFailed", "i1.1")]
    journal.now_ns = 50 * SECOND_NS
    assert third.step() == 0
    journal.now_ns = 52 * SECOND_NS
    assert third.step() == 1
    assert journal.told()[-1] == ("RecordingMade", "i1.1")


def test_whoever_is_stopped_over_a_recording_did_not_die_of_it(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.call(1)

    def ended(*_: object) -> None:
        raise SystemExit(0)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr("callserver.archive.main.make_recording", ended)
        journal.archivist().step()
    assert journal.archivist().step() == 1
    assert journal.told() == [("RecordingMade", "i1.1")]
