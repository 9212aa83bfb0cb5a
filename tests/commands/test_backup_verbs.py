"""`callserver backup` and `callserver restore`, as they are typed."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.control import CommandServer
from callserver.store.engine import open_store, read_only
from callserver.store.journal import verify
from tests.store.sealed import Sealed, seal
from tests.store.unguarded import Store


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    """A sealed store as the data directory of a configuration."""
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "callserver.toml").write_text('[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n')
    return seal(data)


def run(sealed: Sealed, *words: str | Path) -> Result:
    """One command; those that look at the store get its configuration."""
    config = ("--config", str(sealed.home.parent / "callserver.toml")) if words[0] != "restore" else ()
    return CliRunner().invoke(cli.app, [*(str(word) for word in words), *config])


def reported(sealed: Sealed, *words: str | Path) -> tuple[int, Any]:
    """The same with --json."""
    result = run(sealed, *words, "--json")
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def noted(sealed: Sealed) -> Iterator[list[dict[str, Any]]]:
    """What a switchboard was asked to journal."""
    asked: list[dict[str, Any]] = []

    async def dispatch(verb: str, args: dict[str, Any]) -> dict[str, Any]:
        asked.append({"verb": verb, **args})
        return {}

    (sealed.home.parent / "run").mkdir()
    loop = asyncio.new_event_loop()
    server = CommandServer(sealed.home.parent / "run" / "control.sock", dispatch)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield asked
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_backup_is_made_told_and_put_back(sealed: Sealed, tmp_path: Path) -> None:
    code, made = reported(sealed, "backup", tmp_path / "backups")
    assert (code, made["ok"], made["key"], made["journalled"], made["faults"]) == (0, True, sealed.key, False, [])
    code, put = reported(sealed, "restore", tmp_path / "backups", "--into", tmp_path / "new", "--key", sealed.key)
    assert (code, put["ok"], put["rows"], put["backup"]) == (0, True, made["rows"], made["backup"])
    engine = read_only(tmp_path / "new")
    assert verify(engine).rows == made["rows"]
    engine.dispose()


def test_people_are_told_what_was_made_and_what_to_do_after_it_was_put_back(sealed: Sealed, tmp_path: Path) -> None:
    told = run(sealed, "backup", tmp_path / "backups").stdout
    assert f"signed with key {sealed.key}" in told
    assert "the journal does not have this backup" in told
    put = run(sealed, "restore", tmp_path / "backups", "--into", tmp_path / "new").stdout
    assert f"Let [storage] data of the configuration be {tmp_path / 'new'}" in put
    assert "put the copy of the key where [evidence] key says" in put.lower() or "Put the copy of the key" in put
    assert "new anchor" in put


def test_the_running_service_journals_it(sealed: Sealed, tmp_path: Path, noted: list[dict[str, Any]]) -> None:
    code, made = reported(sealed, "backup", tmp_path / "backups")
    assert (code, made["journalled"]) == (0, True)
    names = ("rows", "files", "bytes", "digest")
    body = {"where": made["backup"], **{name: made[name] for name in names}, "verified": True}
    assert noted == [{"verb": "note_fact", "id": f"backup:{made['digest']}", "kind": "BackupMade", "body": body}]


def test_old_ones_are_taken_away(sealed: Sealed, tmp_path: Path) -> None:
    for _ in range(3):
        code, made = reported(sealed, "backup", tmp_path / "backups", "--keep", "2")
    assert (code, len(made["taken_away"])) == (0, 1)
    assert len(list((tmp_path / "backups").glob("*.backup"))) == 2


def test_a_store_that_is_not_whole_is_copied_and_the_code_says_so(sealed: Sealed, tmp_path: Path) -> None:
    (sealed.recordings / "i1.1" / "call.flac").unlink()
    code, made = reported(sealed, "backup", tmp_path / "backups")
    assert (code, made["ok"], made["faults"]) == (1, False, ["call i1.1: recordings/i1.1/call.flac is not there"])
    refused = run(sealed, "restore", tmp_path / "backups", "--into", tmp_path / "new")
    assert (refused.exit_code, (tmp_path / "new").exists()) == (1, False)
    assert "BROKEN: recording of call i1.1: i1.1/call.flac is not there" in refused.output
    taken = run(sealed, "restore", tmp_path / "backups", "--into", tmp_path / "new", "--despite-faults")
    assert (taken.exit_code, (tmp_path / "new" / "callserver.db").exists()) == (1, True)


def test_misuse_is_told_as_such(sealed: Sealed, tmp_path: Path) -> None:
    assert run(sealed, "restore", tmp_path / "nowhere", "--into", tmp_path / "new").exit_code == 2
    run(sealed, "backup", tmp_path / "backups")
    assert run(sealed, "restore", tmp_path / "backups", "--into", sealed.home).exit_code == 2
    assert run(sealed, "backup", tmp_path / "backups", "--set", "storage.data=nowhere").exit_code == 2


def test_a_place_that_cannot_be_written_is_told(sealed: Sealed, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run(sealed, "backup", tmp_path / "file" / "backups")
    assert (result.exit_code, "no backup was made" in result.output) == (1, True)


def test_a_newer_store_is_refused_by_every_verb_that_opens_it(sealed: Sealed, tmp_path: Path) -> None:
    run(sealed, "backup", tmp_path / "backups")
    with Store(sealed) as store:
        store.do("UPDATE alembic_version SET version_num = '9999'")
    for words in (("verify",), ("backup", tmp_path / "other"), ("serve",)):
        result = run(sealed, *words)
        assert (result.exit_code, "newer version (revision 9999)" in result.output) == (1, True), words
    run(sealed, "restore", tmp_path / "backups", "--into", tmp_path / "new")
    open_store(tmp_path / "new").dispose()
