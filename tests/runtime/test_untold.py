"""What could not be journalled because the service did not run is told once it does, in order and once."""

import os
from pathlib import Path
from typing import Any

import pytest

from callserver.config import Config, load
from callserver.control import CommandRefused, Unavailable
from callserver.core.facts import AccountChanged, ConfigurationRead
from callserver.runtime import untold
from callserver.runtime.configuration_read import KNOWN, read_now, remember
from tests.archive.power import Model, RecordingDisk


def test_what_waits_is_told_in_order_and_once(tmp_path: Path) -> None:
    facts = [AccountChanged(user, "web account added", "command line (root)") for user in ("anna", "bert", "carl")]
    untold.keep(tmp_path)
    untold.keep(tmp_path, *facts[:2])
    untold.keep(tmp_path, facts[2])
    told: list[dict[str, Any]] = []
    untold.tell(tmp_path, told.append)
    assert [note["body"]["user"] for note in told] == ["anna", "bert", "carl"]
    assert {note["kind"] for note in told} == {"AccountChanged"}
    assert len({note["id"] for note in told}) == 3
    untold.tell(tmp_path, told.append)
    assert len(told) == 3


def test_what_cannot_be_told_now_waits_and_is_told_with_the_same_id(tmp_path: Path) -> None:
    """So that one which arrived all the same is journalled once."""
    untold.keep(tmp_path, *(AccountChanged(user, "web account added", "seed") for user in ("anna", "bert")))
    tried: list[dict[str, Any]] = []

    def away(note: dict[str, Any]) -> None:
        tried.append(note)
        if note["body"]["user"] == "bert":
            raise Unavailable("no switchboard")

    with pytest.raises(Unavailable):
        untold.tell(tmp_path, away)
    untold.tell(tmp_path, tried.append)
    assert [note["body"]["user"] for note in tried] == ["anna", "bert"] * 2
    assert tried[:2] == tried[2:]


def test_one_that_is_refused_or_damaged_is_put_aside_and_keeps_no_other_waiting(tmp_path: Path) -> None:
    untold.keep(tmp_path, AccountChanged("anna", "x", "y"))
    untold.keep(tmp_path, AccountChanged("bert", "x", "y"))
    untold.keep(tmp_path, AccountChanged("carl", "x", "y"))
    untold.waiting(tmp_path)[1].write_text("torn")
    told: list[str] = []

    def journal(note: dict[str, Any]) -> None:
        if note["body"]["user"] == "anna":
            raise CommandRefused("bad-fact", "no")
        told.append(note["body"]["user"])

    untold.tell(tmp_path, journal)
    assert (told, untold.waiting(tmp_path)) == (["carl"], [])
    assert len(list((tmp_path / untold.FOLDER).glob("*.refused"))) == 2


def test_what_is_kept_outlives_a_power_cut(tmp_path: Path) -> None:
    """The change that it tells of is on the disk by then."""
    disk, model = RecordingDisk(), Model.of(tmp_path)
    untold.keep(tmp_path, AccountChanged("anna", "x", "y"), disk=disk)
    for step in disk.steps:
        model.take(step)
    (path,) = untold.waiting(tmp_path)
    left = [image.get(path) for image in model.cut()]
    assert left and set(left) == {path.read_bytes()}


def test_it_is_for_the_service_alone_and_nothing_half_written_is_told(tmp_path: Path) -> None:
    untold.keep(tmp_path, AccountChanged("anna", "x", "y"))
    (path,) = untold.waiting(tmp_path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (path.parent / "1.new").write_text("{")
    assert untold.waiting(tmp_path) == [path]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes owners")
def test_what_root_leaves_belongs_to_whoever_runs_the_service(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, 4712)
    untold.keep(tmp_path, AccountChanged("anna", "x", "y"))
    (path,) = untold.waiting(tmp_path)
    assert [(one.stat().st_uid, one.stat().st_gid) for one in (path, path.parent)] == [(4711, 4712)] * 2


def configured(home: Path, text: str, **more: object) -> tuple[Config, Path]:
    """A configuration of this text."""
    file = home / "callserver.toml"
    file.write_text(f'[storage]\ndata = "data"\n{text}')
    (home / "data").mkdir(exist_ok=True)
    return load(file, more), file


def read(home: Path, text: str, **more: object) -> ConfigurationRead | None:
    """One start."""
    config, file = configured(home, text, **more)
    fact = read_now(config, file)
    if fact is not None:
        remember(config, fact)
    return fact


def test_the_first_configuration_is_told_and_the_same_one_is_not(tmp_path: Path) -> None:
    first = read(tmp_path, "[web]\nport = 8080\n")
    assert first is not None
    assert (len(first.digest), first.previous, first.changed) == (64, "", ())
    assert read(tmp_path, "[web]\nport = 8080\n") is None


def test_another_one_names_the_keys_that_changed_and_no_value(tmp_path: Path) -> None:
    first = read(tmp_path, '[web]\nport = 8080\n[mail]\nhost = "old.example"\nsender = "a@example"\n')
    second = read(tmp_path, '[web]\nport = 8081\n[mail]\nhost = "new.example"\nsender = "a@example"\n')
    assert first is not None
    assert second is not None
    assert (second.previous, second.changed) == (first.digest, ("mail.host", "web.port"))
    assert "8081" not in str(second).replace(second.digest, "").replace(second.previous, "")
    kept = (tmp_path / "data" / KNOWN).read_text()
    assert "example" not in kept
    assert (tmp_path / "data" / KNOWN).stat().st_mode & 0o777 == 0o600


def test_a_remark_in_the_file_is_another_file_and_changes_no_key(tmp_path: Path) -> None:
    read(tmp_path, "")
    fact = read(tmp_path, "# a remark\n")
    assert fact is not None
    assert fact.changed == ()


def test_a_key_of_the_command_line_is_another_configuration_of_the_same_file(tmp_path: Path) -> None:
    first = read(tmp_path, "")
    fact = read(tmp_path, "", **{"web.port": 9090})
    assert first is not None
    assert fact is not None
    assert (fact.digest, fact.previous, fact.changed) == (first.digest, first.digest, ("web.port",))


def test_without_a_file_all_keys_have_their_defaults(tmp_path: Path) -> None:
    config, _ = configured(tmp_path, "")
    fact = read_now(config, None)
    assert fact is not None
    assert fact.digest == ""


def test_what_was_kept_of_it_may_be_damaged(tmp_path: Path) -> None:
    read(tmp_path, "")
    (tmp_path / "data" / KNOWN).write_text("torn")
    fact = read(tmp_path, "")
    assert fact is not None
    assert fact.previous == ""
