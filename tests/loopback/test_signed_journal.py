"""A running service signs its journal, brings checkpoints outside, follows a new key, and both verifiers find all of it whole."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from callserver.store.evidence import verify_journal
from callserver.store.evidence.keys import read_key
from callserver.store.evidence.statement import lines_in
from tests.eventually import eventually_sync
from tests.loopback.service import Service, plan_text
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]


def command(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with the service's configuration."""
    line = [sys.executable, "-m", "callserver", *words, "--config", str(service.directory / "callserver.toml")]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def signers(service: Service) -> list[str]:
    """The key of each checkpoint in the journal."""
    return [fact["key"] for fact in service.journal("CheckpointSigned")]


@pytest.mark.real
def test_a_running_service_signs_and_anchors_and_follows_a_new_key(tmp_path: Path, ports: Ports) -> None:
    """Also when the archivist is killed in between; a missing anchor is an alarm and nothing else."""
    anchor = tmp_path / "elsewhere" / "anchor.txt"
    extra = f'[evidence]\nanchors = ["file:{anchor}"]\n'
    service = Service(tmp_path / "s", ports, plan_text(POLICE), extra=extra)
    with contextlib.ExitStack() as stack:
        stack.callback(service.stop)
        service.start()
        eventually_sync(lambda: signers(service), 15)
        eventually_sync(lambda: f"anchor:file:{anchor}" in [fact["key"] for fact in service.journal("AlarmRaised")], 15)
        first = read_key(service.data / "checkpoint.key").name
        anchor.parent.mkdir()
        assert command(service, "key", "rotate").returncode == 0
        eventually_sync(lambda: signers(service)[-1:] not in ([], [first]), 15)
        second = read_key(service.data / "checkpoint.key").name
        before = service.pid("archivist")
        os.kill(before, signal.SIGKILL)
        eventually_sync(lambda: service.pid("archivist") not in (0, before), 10)
        eventually_sync(lambda: len(list(lines_in(anchor.read_text() if anchor.exists() else ""))) >= 1, 15)
        verdict = command(service, "verify", "--json", "--key", first)
        report = json.loads(verdict.stdout)
        assert (verdict.returncode, report["keys"]) == (0, [first, second]), verdict.stdout + verdict.stderr
        assert report["anchors"][str(anchor)] >= 1
        told = verify_journal.verify(service.data / "callserver.db", anchors=(anchor,), given=(first,))
        assert any("anchor" in line for line in told)
        assert (service.data / "checkpoint.key").stat().st_mode & 0o777 == 0o600
