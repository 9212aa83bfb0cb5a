"""`callserver key site`, and what other verbs say of encrypted files."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.archive.sealing import Sealing
from callserver.commands import site_key
from callserver.config import ConfigError, load, site_keys
from callserver.sealed import KeyMissing, SiteKey, opened, sealed_below
from tests.store.sealed import Sealed, seal


@pytest.fixture
def home(tmp_path: Path) -> Sealed:
    """A sealed store as the data directory of a configuration that wants encryption."""
    (tmp_path / "data").mkdir()
    (tmp_path / "callserver.toml").write_text(
        '[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\nencrypt_recordings = true\nsite_key_file = "site.key"\n'
    )
    return seal(tmp_path / "data")


def run(home: Sealed, *words: str) -> Result:
    """One command."""
    return CliRunner().invoke(cli.app, [*words, "--config", str(home.home.parent / "callserver.toml")])


def keys(home: Sealed) -> tuple[SiteKey, ...]:
    """The site's keys as every process reads them."""
    return site_keys(load(home.home.parent / "callserver.toml"))


def encrypt(home: Sealed) -> list[Path]:
    """All files, as the archivist does; which they are."""
    for folder in (home.recordings, home.captures):
        for path in folder.rglob("*"):
            if path.is_file():
                Sealing(lambda: keys(home), home.home.parent / "site.key").seal(path)
    return [*sealed_below(home.recordings), *sealed_below(home.captures)]


def test_a_key_is_made_once_for_its_owner_alone(home: Sealed) -> None:
    assert keys(home) == ()
    assert run(home, "key", "site", "make").exit_code == 0
    file = home.home.parent / "site.key"
    before = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run(home, "key", "site", "make").exit_code == 1
    assert (file.read_bytes(), len(keys(home))) == (before, 1)


def test_verify_examines_with_the_key_and_says_what_it_could_not_without(home: Sealed) -> None:
    run(home, "key", "site", "make")
    count = len(encrypt(home))
    good = run(home, "verify", "--json")
    assert (good.exit_code, json.loads(good.stdout)["closed"]) == (0, 0)
    (home.home.parent / "site.key").rename(home.home.parent / "away")
    closed = run(home, "verify")
    assert (closed.exit_code, f"NOT EXAMINED: {count} files are encrypted" in closed.stdout) == (1, True)
    assert run(home, "verify", "--no-files").exit_code == 0


def test_a_change_of_the_key_leaves_every_file_readable_by_the_new_one_alone(home: Sealed) -> None:
    run(home, "key", "site", "make")
    files = encrypt(home)
    (old,) = keys(home)
    assert run(home, "key", "site", "rotate").exit_code == 0
    (new,) = keys(home)
    assert old.name != new.name
    assert not (home.home.parent / "site.key.next").exists()
    for path in files:
        opened(path, (new,)).close()
        with pytest.raises(KeyMissing):
            opened(path, (old,))
    assert run(home, "verify").exit_code == 0


def test_a_change_that_broke_off_anywhere_goes_on_where_it_was(home: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile all can be read, and what is new is encrypted under the new key."""
    run(home, "key", "site", "make")
    files = encrypt(home)
    wrap = site_key._wrapped
    for stop in range(3):

        def broken(the, known, new, stop=stop):  # type: ignore[no-untyped-def]
            from callserver.sealed import rewrap

            for path in files[: stop * 3]:
                rewrap(path, known, new)
            raise OSError(5, "the power went")

        monkeypatch.setattr(site_key, "_wrapped", broken)
        result = run(home, "key", "site", "rotate")
        assert (result.exit_code, "do it again" in result.output) == (1, True)
        assert len(keys(home)) == 2
        for path in files:
            opened(path, keys(home)).close()
        fresh = home.recordings / f"fresh{stop}.flac"
        fresh.write_bytes(b"sound")
        Sealing(lambda: keys(home), home.home.parent / "site.key").seal(fresh)
        opened(fresh, keys(home)[:1]).close()
    monkeypatch.setattr(site_key, "_wrapped", wrap)
    assert run(home, "key", "site", "rotate").exit_code == 0
    (new,) = keys(home)
    for path in (*files, *sealed_below(home.recordings)):
        with opened(path, (new,)) as file:
            assert file.read()


def test_a_file_that_is_no_key_is_told(home: Sealed) -> None:
    (home.home.parent / "site.key").write_text("password")
    with pytest.raises(ConfigError, match="holds no key: 64 digits in hex"):
        keys(home)
    assert run(home, "verify").exit_code == 2
    assert run(home, "key", "site", "rotate").exit_code == 1


def test_the_key_may_come_from_the_environment(home: Sealed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "callserver.toml").write_text('[storage]\ndata = "data"\n')
    monkeypatch.setenv("CALLSERVER_SITE_KEY", bytes(range(32)).hex())
    (key,) = keys(home)
    assert key.name == SiteKey(bytes(range(32))).name
    assert run(home, "key", "site", "make").exit_code == 2


def test_an_encrypted_store_is_saved_and_put_back(home: Sealed, tmp_path: Path) -> None:
    run(home, "key", "site", "make")
    count = len(encrypt(home))
    assert run(home, "backup", str(tmp_path / "backups")).exit_code == 0
    told = CliRunner().invoke(cli.app, ["restore", str(tmp_path / "backups"), "--into", str(tmp_path / "told")]).stdout
    assert f"{count} files are encrypted and were not looked into" in told
    assert "put the copy of the site's key where" in told
    words = ["restore", str(tmp_path / "backups"), "--into", str(tmp_path / "new"), "--json"]
    put = CliRunner().invoke(cli.app, words)
    assert (put.exit_code, json.loads(put.stdout)["closed"]) == (0, count)
    words[3] = str(tmp_path / "other")
    with_key = CliRunner().invoke(cli.app, [*words, "--site-key-file", str(tmp_path / "site.key")])
    assert (with_key.exit_code, json.loads(with_key.stdout)["closed"]) == (0, 0)
    assert not list((tmp_path / "new").rglob("*.key"))
