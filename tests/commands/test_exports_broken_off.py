"""Packs and redactions of the command line, broken off: what was told as done is on the disk, what the journal has is there."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from audio import disk as disks
from callserver import cli, control
from callserver.control import Unavailable
from callserver.store.register import read_desk
from tests.archive.power import Model, RecordingDisk
from tests.runtime.test_desk_work import Bench
from tests.store.pack_room import CALL, INCIDENT

WHY = ("--reason", "the police ask")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


@pytest.mark.parametrize("fetched", [False, True], ids=["made", "fetched"])
def test_a_pack_is_on_the_disk_when_it_is_told_as_done_and_never_half_there(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: bool
) -> None:
    if fetched:
        bench.ask()
        bench.round()
        bench.works[-1].engine.dispose()
    (tmp_path / "out").mkdir()
    before, written = Model.of(tmp_path / "out"), RecordingDisk()
    monkeypatch.setattr(disks, "DISK", written)
    monkeypatch.setattr("callserver.commands.exports.time.time_ns", lambda: bench.now_ns)
    path = tmp_path / "out" / "p.zip"
    done = run("pack", *(("--export", "e1") if fetched else (INCIDENT, *WHY)), "--out", str(path))
    assert done.exit_code == 0, done.output
    content = path.read_bytes()
    if fetched:
        assert [step.what for step in written.steps] == ["sync", "rename", "sync"]  # the copy itself is written by another piece
        return
    assert len(written.steps) > 8
    for step in written.steps:
        before.take(step)
        assert all(image.get(path, content) == content for image in before.cut()), step
    assert all(image.get(path) == content for image in before.cut())


def test_a_redaction_whose_answer_was_lost_stays_because_the_journal_has_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(path: Path, verb: str, args: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        bench.switchboard.ask(path, verb, args, timeout_s)
        raise Unavailable("the switchboard went away before it answered")

    monkeypatch.setattr(control, "ask_sync", deaf)
    done = run("redact", CALL, *WHY)
    assert done.exit_code == 0
    (made,) = read_desk(bench.room.engine).redactions.values()
    assert all((bench.room.config.storage.recordings / name).is_file() for name in made.files)
