"""A backup of a running service, put back elsewhere: another service serves from it, and what was open there is open."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callserver.store.evidence import verify_journal
from tests.eventually import eventually, eventually_sync
from tests.loopback.desk import desk
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

pytestmark = [pytest.mark.real, pytest.mark.long]

PLAN = plan_text(["sip:police@127.0.0.1:9"])


def _told(*words: str | Path) -> dict[str, Any]:
    """What a command reports; it must leave with 0."""
    command = [sys.executable, "-m", "callserver", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _listed(service: Service) -> dict[str, dict[str, Any]]:
    """The call-back list, by point."""
    with service.client() as client:
        return {item["point"]: item for item in client.get("/api/call-backs").raise_for_status().json()["items"]}


async def test_a_service_goes_on_from_a_backup_of_another_that_is_gone(tmp_path: Path, ports: Ports) -> None:
    """A caller hung up before anybody answered; the backup is made; the machine is lost; the list is there again."""
    lost, backups, new = tmp_path / "lost", tmp_path / "backups", tmp_path / "new"
    with running(lost, ports, PLAN) as service:
        async with desk(service) as people:
            await people.on_duty(await people.phone("op1", 1000.0, answer_after_s=None))
            point = await people.phone("p1", 620.0)
            pressing = point.pressing(30)
            await eventually(lambda: len(point.rtp.heard) > 10, 5)
            point.call.cancel()
            await eventually(pressing.done, 5)
            await eventually(lambda: service.journal("IncidentListed"), 15)
            await eventually(lambda: service.journal("CheckpointSigned"), 30)
            before = _listed(service)["p1"]
            made = _told("backup", backups, "--with-key", "--config", lost / "callserver.toml")
            assert (made["journalled"], made["faults"]) == (True, [])
            (fact,) = await eventually(lambda: service.journal("BackupMade"), 5)  # type: ignore[misc]
            assert (fact["where"], fact["digest"], fact["rows"]) == (made["backup"], made["digest"], made["rows"])
    put = _told("restore", backups, "--into", new / "data", "--key", made["key"])
    assert (put["rows"], put["faults"]) == (made["rows"], [])
    second = Service(new, ports, PLAN)
    try:
        second.start()
        after = _listed(second)["p1"]
        assert (after["id"], after["cause"]) == (before["id"], before["cause"])
        started = eventually_sync(lambda: [row for row in second.journal() if row["number"] > made["rows"]], 5)
        assert started
        assert _told("verify", "--config", new / "callserver.toml")["ok"] is True
    finally:
        second.stop()
    assert [row["incident"] for row in second.journal("IncidentOpened")] == [before["id"]]
    data = new / "data"
    told = verify_journal.verify(data / "callserver.db", data / "recordings", data / "captures", (), (made["key"],))
    assert told[0].startswith(f"journal: {second.journal()[-1]['number']} rows follow each other")
