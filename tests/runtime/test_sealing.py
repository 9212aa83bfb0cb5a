"""Where recordings are to be encrypted and the key is missing they wait, with one alarm, and are made when it is back."""

from pathlib import Path
from typing import Any

import pytest

from callserver.config import load
from callserver.runtime import sealing
from callserver.runtime.sealing import SealingHere


def test_the_alarm_rings_once_until_the_key_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(sealing, "ask_sync", lambda _socket, verb, args, _timeout_s: told.append((verb, args)))
    (tmp_path / "callserver.toml").touch()
    wanted = {"storage.encrypt_recordings": True, "storage.site_key_file": tmp_path / "site.key"}
    here = SealingHere(load(tmp_path / "callserver.toml", wanted))
    assert [here.ready(), here.ready()] == [False, False]
    assert [verb for verb, _ in told] == ["raise_alarm"]
    assert "the site's key is missing" in told[0][1]["text"]
    (tmp_path / "site.key").write_text("no key")
    assert not here.ready()
    assert "holds no key" in told[1][1]["text"]
    (tmp_path / "site.key").write_text(bytes(32).hex())
    assert [here.ready(), here.ready()] == [True, True]
    assert [verb for verb, _ in told] == ["raise_alarm", "raise_alarm", "clear_alarm"]


def test_where_nothing_is_encrypted_no_key_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sealing, "ask_sync", lambda _socket, verb, _args, _timeout_s: told.append(verb))
    (tmp_path / "callserver.toml").touch()
    here = SealingHere(load(tmp_path / "callserver.toml", {}))
    assert (here.sealing, here.ready(), told) == (None, True, ["clear_alarm"])
