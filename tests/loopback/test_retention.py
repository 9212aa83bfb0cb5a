"""Two real calls, days later: what is expired goes by itself, what is held stays, and both verifiers find the record whole."""

import contextlib
import datetime
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from callserver.store.evidence import verify_journal
from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.pair import pair
from tests.loopback.service import Service, plan_text
from tests.peers.baresip import Baresip
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]
CLOCK = Path(__file__).with_name("wall_clock")
DAY_NS = 86_400_000_000_000
NOTE = "the caller gave her name as Smith"


def command(service: Service, environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """A command with the service's configuration, and its time of day."""
    line = [sys.executable, "-m", "callserver", *words, "--config", str(service.directory / "callserver.toml")]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment})


async def talk(service: Service, operator: Baresip, point: Baresip, count: int) -> None:
    """The call of this number, from the press until it is recorded."""
    point.dial(service.help)
    await eventually(lambda: operator.count("CALL_INCOMING") >= count, 10)
    operator.answer()
    await eventually(lambda: len([fact for fact in service.journal("CallMoved") if fact["new"] == "talking"]) >= count, 10)
    point.hangup()
    await eventually(lambda: len(service.journal("RecordingMade")) >= count, 30)


def lying(service: Service, call: str) -> list[str]:
    """Files of a call, of either kind."""
    incident = call.rpartition(".")[0]
    found = [*(service.data / "recordings" / call).glob("*"), *(service.data / "captures" / incident / call).glob("*")]
    return sorted(path.name for path in found)


def whole(service: Service, environment: Mapping[str, str]) -> None:
    """By both verifiers."""
    verdict = command(service, environment, "verify", "--json")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert json.loads(verdict.stdout)["left"] == []
    verify_journal.verify(service.data / "callserver.db", service.data / "recordings", service.data / "captures")


def close(service: Service, gone: str, held: str) -> None:
    """A supervisor closes both incidents and holds one."""
    review = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)).date().isoformat()
    with service.client("supervisor") as client:
        for call in (gone, held):
            path = f"/api/incidents/{call.rpartition('.')[0]}"
            assert client.post(f"{path}/close", json={"outcome": "safe", "note": NOTE}).status_code == 200
        answer = client.post(f"{path}/hold", json={"why": "the police ask for it", "review": review})
        assert (answer.status_code, answer.json()["late"]) == (200, [])


def told(service: Service, gone: str, held: str) -> None:
    """What an auditor gets of both."""
    with service.client("auditor") as client:
        answer = client.get(f"/api/calls/{gone}/recording", params={"reason": "a look"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "recording-deleted")
        assert client.get(f"/api/calls/{held}/recording", params={"reason": "a look"}).status_code == 200
        assert NOTE not in client.get(f"/api/calls/{gone}/timeline").text
        assert NOTE in client.get(f"/api/calls/{held}/timeline").text


async def released(service: Service, environment: Mapping[str, str], held: str) -> None:
    """What is held cannot be erased; released it goes."""
    incident = held.rpartition(".")[0]
    assert "is held" in command(service, environment, "incidents", "erase", incident, "--reason", "a letter").stderr
    assert command(service, environment, "incidents", "release", incident).returncode == 0
    done = command(service, environment, "retention", "--now", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["refused"] == [], done.stdout + done.stderr
    await eventually(lambda: not lying(service, held), 20)


@pytest.mark.real
@pytest.mark.long
async def test_what_is_expired_goes_what_is_held_stays_and_the_record_is_whole(
    tmp_path: Path, ports: Ports, peers: Peers
) -> None:
    """The time of day leaps by four days while the service is down, which is doubted for a day; three days are kept."""
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    environment = {"WALL_CLOCK": str(ahead), "PYTHONPATH": str(CLOCK)}
    extra = "[retention]\ndays = 3\ntext_days = 3\n"
    service = Service(tmp_path / "s", ports, plan_text(POLICE), extra=extra, environment=environment)
    with contextlib.ExitStack() as stack:
        stack.callback(service.stop)
        service.start()
        operator, point = await pair(service, peers)
        await talk(service, operator, point, 1)
        await talk(service, operator, point, 2)
        gone, held = (fact["call"] for fact in service.journal("RecordingMade"))
        close(service, gone, held)
        kept = lying(service, held)
        assert kept and lying(service, gone)
        service.stop()
        ahead.write_text(str(4 * DAY_NS))
        service.start()
        await eventually(lambda: any(fact["key"] == "retention:waits" for fact in service.journal("AlarmRaised")), 30)
        assert lying(service, gone) and command(service, environment, "retention", "--now").returncode == 0
        await eventually(lambda: not lying(service, gone), 30)
        await eventually(lambda: any(fact["incident"] for fact in service.journal("TextsErased")), 10)
        (fact,) = service.journal("RecordingDeleted")
        assert (fact["call"], fact["rule"], lying(service, held)) == (gone, "default", kept)
        whole(service, environment)
        told(service, gone, held)
        await released(service, environment, held)
        whole(service, environment)
