"""A real call, forty days later: its month is drawn by the journal itself, it is heard and scored, and the record is whole."""

import contextlib
import json
from pathlib import Path

import pytest

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.pair import pair
from tests.loopback.service import Service, plan_text
from tests.loopback.test_retention import CLOCK, DAY_NS, POLICE, command, whole
from tests.peers.ports import Ports

SCORES = {"place": 2, "calm": 1}


def scored(service: Service, call: str, month: str) -> None:
    """By an auditor, who says why they listen."""
    with service.client("auditor") as client:
        found = client.get("/api/quality", params={"month": month}).json()
        assert (found["drawn"], found["doubt"], [one["call"] for one in found["items"]]) == (True, "", [call])
        heard = client.get(f"/api/calls/{call}/recording", params={"reason": f"Quality sample {month}"})
        assert heard.status_code == 200
        answer = client.post(f"/api/calls/{call}/sheet", json={"scores": SCORES, "comment": "kind"})
        assert answer.status_code == 200, answer.text
        (line,) = client.get("/api/quality", params={"month": month}).json()["lines"]
        assert (line["operator"], line["answered"], line["scored"]) == ("op1", 1, 1)
        assert line["means"] == {"place": {"share": 1.0, "calls": 1}, "calm": {"share": 0.5, "calls": 1}}


@pytest.mark.real
@pytest.mark.long
async def test_a_call_is_drawn_when_its_month_is_over_heard_scored_and_verified(
    tmp_path: Path, ports: Ports, peers: Peers
) -> None:
    """The time of day leaps while the service is down; the first thing that happens then is enough for the archivist."""
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    environment = {"WALL_CLOCK": str(ahead), "PYTHONPATH": str(CLOCK)}
    service = Service(tmp_path / "s", ports, plan_text(POLICE), environment=environment)
    with contextlib.ExitStack() as stack:
        stack.callback(service.stop)
        service.start()
        operator, point = await pair(service, peers)
        point.dial(service.help)
        await eventually(lambda: operator.count("CALL_INCOMING"), 10)
        operator.answer()
        await eventually(lambda: point.count("CALL_ESTABLISHED"), 10)
        point.hangup()
        await eventually(lambda: service.journal("RecordingMade"), 30)
        (call,) = (fact["call"] for fact in service.journal("RecordingMade"))
        assert service.journal("SampleSeeded") == []
        service.stop()
        ahead.write_text(str(40 * DAY_NS))
        service.start()
        await eventually(lambda: len(service.journal("SampleSeeded")) >= 1, 60)
        month = service.journal("SampleSeeded")[0]["month"]
        scored(service, call, month)
        (sheet,) = service.journal("CallScored")
        assert (sheet["of"], sheet["scores"], sheet["by"]) == (call, SCORES, service.journal("Listened")[0]["by"])
        report = command(service, environment, "quality", month, "--json")
        assert report.returncode == 0, report.stderr
        assert [(one["operator"], one["drawn"], one["scored"]) for one in json.loads(report.stdout)["operators"]] == [
            ("op1", [call], 1)
        ]
        whole(service, environment)
