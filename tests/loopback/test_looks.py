"""What is changed beside the calls stands in the journal, also when it was changed while nothing ran."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.eventually import eventually_sync
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

pytestmark = [pytest.mark.real]

PLAN = plan_text(["sip:police@127.0.0.1:9"])


def _typed(service: Service, *words: str, typed: str = "") -> None:
    command = [sys.executable, "-m", "callserver", *words, "--config", str(service.directory / "callserver.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, input=typed)
    assert done.returncode == 0, done.stdout + done.stderr


def _changes(service: Service, user: str) -> list[str]:
    return [fact["what"] for fact in service.journal("AccountChanged") if fact["user"] == user]


def test_accounts_and_configuration_changed_while_nothing_ran_are_journalled_at_the_start(tmp_path: Path, ports: Ports) -> None:
    """The seed's accounts and the first configuration too; a start under the same configuration tells of none."""
    with running(tmp_path, ports, PLAN, spares=1) as service:
        (first,) = eventually_sync(lambda: service.journal("ConfigurationRead"), 10)  # type: ignore[misc]
        assert (first["previous"], first["changed"]) == ("", [])
        eventually_sync(lambda: _changes(service, "supervisor") == ["web account added"], 10)
        _typed(service, "users", "passwd", "web", "auditor", "--password-file", "-", typed="another-password\n")
        eventually_sync(lambda: _changes(service, "auditor") == ["web account added", "web password changed"], 10)
    _typed(service, "users", "add", "trunk", "city", "--password-file", "-", typed="a secret\n")
    file = service.directory / "callserver.toml"
    file.write_text(file.read_text().replace('[log]\nlevel = "debug"', '[log]\nlevel = "info"'))
    try:
        service.start()
        second = eventually_sync(lambda: len(found := service.journal("ConfigurationRead")) == 2 and found[1], 10)
        assert isinstance(second, dict)
        assert (second["previous"], second["changed"]) == (first["digest"], ["log.level"])
        eventually_sync(lambda: _changes(service, "city") == ["trunk account added"], 10)
        service.stop()
        service.start()
        eventually_sync(lambda: len(service.journal("ArchivistStarted")) == 3, 10)
        _typed(service, "users", "remove", "trunk", "city")
        eventually_sync(lambda: _changes(service, "city") == ["trunk account added", "trunk account removed"], 10)
    finally:
        service.stop()
    assert len(service.journal("ConfigurationRead")) == 2
