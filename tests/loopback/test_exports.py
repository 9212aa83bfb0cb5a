"""A real call leaves the record: asked for by one person, approved by another, made by the archivist, verified by a stranger."""

import contextlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import soundfile

from audio.tones import strength
from callserver.store.evidence import verify_pack
from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.pair import pair
from tests.loopback.service import Service, plan_text
from tests.peers.baresip import Baresip
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]
POINT_HZ, OPERATOR_HZ = 440.0, 1000.0
FOUR_EYES = "[evidence]\nfour_eyes = true\n"
WHY: Mapping[str, Any] = {"reason": "the police ask, 4711"}


async def talk(service: Service, operator: Baresip, point: Baresip) -> str:
    """One call until it is recorded; both sides were heard on the disk."""
    point.dial(service.help)
    await eventually(lambda: operator.count("CALL_INCOMING") >= 1, 10)
    operator.answer()
    await eventually(lambda: len({fact["leg"] for fact in service.journal("RecordingConfirmed")}) >= 2, 20)
    point.hangup()
    await eventually(lambda: service.journal("RecordingMade"), 30)
    return str(service.journal("RecordingMade")[0]["call"])


async def exported(service: Service, path: str, wish: Mapping[str, Any]) -> bytes:
    """What the auditor asks for and the supervisor approves, as the auditor fetches it."""
    with service.client("auditor") as client:
        answer = client.post(path, json={**wish, **WHY})
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting"), answer.text
        name = answer.json()["id"]
        assert client.get(f"/api/exports/{name}/file").status_code == 403
        assert client.post(f"/api/exports/{name}/approve").status_code == 403
    with service.client("supervisor") as client:
        assert client.post(f"/api/exports/{name}/approve").status_code == 200
    with service.client("auditor") as client:
        await eventually(lambda: client.get(f"/api/exports/{name}/file").status_code == 200, 20)
        return client.get(f"/api/exports/{name}/file").content


def tones(octets: bytes) -> list[list[bool]]:
    """Of each side: whether the point and the operator are in it."""
    samples, rate_hz = soundfile.read(io.BytesIO(octets), dtype="int16", always_2d=True)
    return [[strength(samples[:, side], hz, rate_hz) > 0.01 for hz in (POINT_HZ, OPERATOR_HZ)] for side in (0, 1)]


def whole(service: Service) -> None:
    """The service's own verifier finds nothing wrong, redacted copies included."""
    line = [sys.executable, "-m", "callserver", "verify", "--config", str(service.directory / "callserver.toml")]
    verdict = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.real
@pytest.mark.long
async def test_a_call_leaves_the_record_by_two_people_and_is_verified(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    service = Service(tmp_path / "s", ports, plan_text(POLICE), extra=FOUR_EYES)
    with contextlib.ExitStack() as stack:
        stack.callback(service.stop)
        service.start()
        operator, point = await pair(service, peers, OPERATOR_HZ, POINT_HZ)
        call = await talk(service, operator, point)
        incident = call.rpartition(".")[0]
        plain = await exported(service, f"/api/calls/{call}/export", {})
        assert tones(plain) == [[True, False], [False, True]]
        covered = await exported(service, f"/api/calls/{call}/redaction", {"party": "point", "cover": "silence"})
        assert tones(covered) == [[False, False], [False, True]]
        pack = tmp_path / "pack.zip"
        pack.write_bytes(await exported(service, f"/api/incidents/{incident}/pack", {"redacted": True}))
        assert verify_pack.verify(pack)[0].startswith("pack ")
        with zipfile.ZipFile(pack) as zip:
            manifest = json.loads(zip.read("manifest.json"))
            main = next(name for name in zip.namelist() if name.endswith("-call.flac"))
            assert zip.read(main) == covered
        assert (manifest["by"], manifest["approved_by"], manifest["sound"][0]["kind"]) == ("auditor", "supervisor", "redacted")
        whole(service)
