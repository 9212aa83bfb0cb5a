"""A whole service that encrypts: nothing of a voice lies there in the clear, and all is heard, verified, saved and put back."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import soundfile

from audio.tones import strength
from callserver.archive.decode import open_capture
from callserver.config import load, next_site_key, site_keys
from callserver.sealed import is_sealed, opened
from tests.conftest import Peers
from tests.eventually import eventually, eventually_sync
from tests.loopback.desk import desk, now_s
from tests.loopback.service import Service, plan_text
from tests.peers.chromium import plain_chromium
from tests.peers.ports import Ports
from tests.replay.test_page import EAR, click_at, hears, listen, sound_after_ms

pytestmark = pytest.mark.real

PLAN = plan_text(["sip:police@127.0.0.1:9"])
POINT_HZ, OPERATOR_HZ = 440.0, 1000.0
WHY = {"reason": "test of encryption"}
WINDOW_BYTES = 48  # of a content, looked for in every file
FIRST_SOUND_MS = 1_000
START_S = 60.0  # of a service on a machine that does other work


def told(service: Service, *words: str | Path) -> dict[str, Any]:
    """What a command reports; it must leave with 0."""
    line = [sys.executable, "-m", "callserver", *map(str, words), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def key_command(service: Service, verb: str) -> None:
    """`callserver key site`, which reports in words."""
    line = [sys.executable, "-m", "callserver", "key", "site", verb, "--config", str(service.directory / "callserver.toml")]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def encrypting(directory: Path, ports: Ports) -> Iterator[Service]:
    """A service with a site key, not started yet."""
    service = Service(directory, ports, PLAN)
    file = directory / "callserver.toml"
    text = file.read_text()
    more = 'spool = "spool"\nencrypt_recordings = true\nsite_key_file = "site.key"\n'
    file.write_text(text.replace('spool = "spool"\n', more))
    key_command(service, "make")
    try:
        yield service
    finally:
        service.stop()


def kept(service: Service) -> list[Path]:
    """Every file of recordings and captures, half-written ones too."""
    roots = (service.data / "recordings", service.data / "captures")
    return [path for root in roots for path in root.rglob("*") if path.is_file()]


def contents(service: Service) -> dict[Path, bytes]:
    """What is inside of each: sound as the archivist made it, captures as the worker wrote them."""
    keys = site_keys(load(service.directory / "callserver.toml"))
    found = {}
    for path in kept(service):
        with open_capture(path, keys) if ".cap" in path.name else opened(path, keys) as file:
            found[path] = file.read()
    return found


def nothing_in_the_clear(service: Service) -> None:
    """No file below the service's directory has a stretch of any content in it; and all are whole by their hashes."""
    inside = contents(service)
    made = {name: sum for fact in service.journal("RecordingMade") for name, sum in {**fact["files"], **fact["captures"]}.items()}
    assert {hashlib.sha256(octets).hexdigest() for octets in inside.values()} == set(made.values())
    assert all(is_sealed(path) for path in inside), [path.name for path in inside if not is_sealed(path)]
    windows = {octets[at : at + WINDOW_BYTES] for octets in inside.values() for at in (0, len(octets) // 2, len(octets) - 200)}
    whole = [path for path in service.directory.rglob("*") if path.is_file()]
    assert len(whole) > len(inside)
    for path in whole:
        raw = path.read_bytes()
        assert not any(window in raw for window in windows if len(set(window)) > 4), path
    for path in (path for path in inside if path.suffix == ".flac"):
        assert inside[path].startswith(b"fLaC") and b"fLaC" not in path.read_bytes()
        with pytest.raises(soundfile.LibsndfileError):
            soundfile.read(path)


def played(service: Service, call: str) -> list[list[bool]]:
    """What the API plays of a call, whole: which of the two tones each side has."""
    with service.client("auditor") as client:
        answer = client.get(f"/api/calls/{call}/recording", params=WHY)
    assert answer.status_code == 200, answer.text
    samples, rate = soundfile.read(BytesIO(answer.content), dtype="int16", always_2d=True)
    return [[strength(samples[:, side], hz, rate) > 0.01 for hz in (POINT_HZ, OPERATOR_HZ)] for side in (0, 1)]


def heard_in_chromium(service: Service, call: str) -> list[float]:
    """An auditor listens from two places of the call's waveform; ms from each press to the first sound."""
    with plain_chromium() as browser:
        tab = browser.new_context(viewport={"width": 1366, "height": 768})
        credentials = {"user": "auditor", "password": "a-auditor-password"}
        assert tab.request.post(f"{service.web}/api/session", data=credentials, headers={"Origin": service.web}).ok
        tab.add_init_script(EAR)
        page = tab.new_page()
        page.goto(f"{service.web}/replay#call={call}")
        page.locator(".stage .mark").first.wait_for()
        click_at(page, 2.5)
        listen(page)
        hears(page, POINT_HZ, OPERATOR_HZ)
        first = sound_after_ms(page)
        page.keyboard.press("Space")
        hears(page, 0, 0)
        click_at(page, 3.5)
        hears(page, POINT_HZ, OPERATOR_HZ)
        return [first, sound_after_ms(page)]


def saved_and_put_back(service: Service, backups: Path, new: Path) -> None:
    """A backup has no byte in the clear and no key; put back it is whole with the key, and says so without."""
    config = service.directory / "callserver.toml"
    told(service, "backup", backups, "--config", config)
    octets = [path.read_bytes() for path in backups.rglob("*") if path.is_file()]
    assert octets and not any(b"fLaC" in one for one in octets)
    key = service.directory / "site.key"
    assert not any(key.read_bytes().strip() in one for one in octets)
    put = told(service, "restore", backups, "--into", new, "--site-key-file", key)
    assert (put["closed"], put["faults"]) == (0, [])


def test_a_call_lies_encrypted_is_heard_in_a_browser_and_comes_back_from_a_backup(
    tmp_path: Path, ports: Ports, peers: Peers
) -> None:
    with encrypting(tmp_path / "s", ports) as service:
        service.start(START_S)
        operator = peers.baresip("op1", password="secret-op1", hz=OPERATOR_HZ, server=service.server, answer="manual").start()
        point = peers.baresip("p1", password="secret-p1", hz=POINT_HZ, server=service.server, answer="manual").start()
        eventually_sync(lambda: point.registered() and operator.registered(), 10)
        eventually_sync(lambda: any(fact["operator"] == "op1" for fact in service.journal("SeatChanged")), 10)
        point.dial(service.help)
        eventually_sync(lambda: operator.seen("CALL_INCOMING"), 10)
        operator.answer()
        eventually_sync(lambda: len({fact["leg"] for fact in service.journal("RecordingConfirmed")}) >= 2, 20)
        talking_s = now_s()
        eventually_sync(lambda: now_s() - talking_s > 6, 8)
        point.hangup()
        eventually_sync(lambda: service.journal("RecordingMade"), 30)
        (made,) = service.journal("RecordingMade")
        nothing_in_the_clear(service)
        assert played(service, made["call"]) == [[True, False], [False, True]]
        first, again = heard_in_chromium(service, made["call"])
        print(f"first sound after {first:.0f} ms, of another place after {again:.0f} ms")
        assert max(first, again) < FIRST_SOUND_MS
        verdict = told(service, "verify", "--config", service.directory / "callserver.toml")
        assert (verdict["ok"], verdict["closed"]) == (True, 0)
        saved_and_put_back(service, tmp_path / "backups", tmp_path / "new")


async def test_a_new_site_key_in_mid_conversation_disturbs_nobody_and_old_and_new_recordings_play(
    tmp_path: Path, ports: Ports
) -> None:
    with encrypting(tmp_path / "s", ports) as service:
        service.start(START_S)
        async with desk(service) as people:
            talk = await people.talk(1)
            confirmed = lambda: len({fact["leg"] for fact in service.journal("RecordingConfirmed")})  # noqa: E731
            await eventually(lambda: confirmed() >= 2, 20)
            await talk.point.call.bye()
            await eventually(lambda: service.journal("RecordingMade"), 30)
            second = await people.talk(2)
            old, began_s = (service.directory / "site.key").read_text(), now_s()
            await asyncio.to_thread(key_command, service, "rotate")
            assert (service.directory / "site.key").read_text() != old
            await eventually(lambda: now_s() - began_s > 4, 6)
            assert second.both_hear()
            lost = second.point.sequence_lost(began_s) + second.operator.sequence_lost(began_s)
            holes = second.point.tone_holes(second.operator.hz, began_s) + second.operator.tone_holes(second.point.hz, began_s)
            assert (lost, holes) == (0, [])
            await second.point.call.bye()
            await eventually(lambda: len(service.journal("RecordingMade")) == 2, 30)
        assert not next_site_key(service.directory / "site.key").exists()
        nothing_in_the_clear(service)
        verdict = await asyncio.to_thread(told, service, "verify", "--config", service.directory / "callserver.toml")
        assert (verdict["ok"], verdict["closed"]) == (True, 0)
        for fact in service.journal("RecordingMade"):
            with service.client("auditor") as client:
                answer = client.get(f"/api/calls/{fact['call']}/recording", params=WHY)
            assert hashlib.sha256(answer.content).hexdigest() == fact["files"][f"{fact['call']}/call.flac"]


def _alarm(service: Service) -> str:
    with service.client() as client:
        items = client.get("/api/alarms").json()["items"]
    return next((str(alarm["text"]) for alarm in items if alarm["key"] == "site-key"), "")


async def test_without_the_key_calls_go_on_and_all_is_finished_when_it_is_back(tmp_path: Path, ports: Ports) -> None:
    with encrypting(tmp_path / "s", ports) as service:
        service.start(START_S)
        async with desk(service) as people:
            talk = await people.talk(1)
            await talk.point.call.bye()
            await eventually(lambda: service.journal("RecordingMade"), 30)
        service.stop()
        key, away = service.directory / "site.key", service.directory / "away.key"
        key.rename(away)
        service.start(START_S)
        await eventually(lambda: _alarm(service), 15)
        assert f"put its copy back to {key}" in _alarm(service)
        (old,) = service.journal("RecordingMade")
        with service.client("auditor") as client:
            answers = [client.get(f"/api/calls/{old['call']}/{what}", params=WHY) for what in ("recording", "peaks")]
        for answer in answers:
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "recording-encrypted")
            assert "site's key is missing" in answer.json()["error"]["message"]
        async with desk(service) as people:
            talk = await people.talk(2)
            await talk.point.call.bye()
            over_s = now_s()
            await eventually(lambda: now_s() - over_s > 5, 7)
        assert service.journal("RecordingMade") == [old] and service.journal("RecordingFailed") == []
        away.rename(key)
        await eventually(lambda: len(service.journal("RecordingMade")) == 2, 15)
        await eventually(lambda: not _alarm(service), 5)
        nothing_in_the_clear(service)


def _in_the_clear(service: Service, call: str) -> list[str]:
    """Files of a call, half-written ones too, that nobody encrypted yet."""
    folders = (service.data / "recordings" / call, service.data / "captures" / call.rpartition(".")[0] / call)
    files = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    found = []
    for path in files:
        with contextlib.suppress(FileNotFoundError):  # it is being renamed
            found += [] if is_sealed(path) else [path.name]
    return sorted(found)


async def test_an_archivist_that_is_killed_while_it_encrypts_leaves_nothing_half_and_nothing_in_the_clear(
    tmp_path: Path, ports: Ports
) -> None:
    """The test holds the key's file, so the archivist waits before it encrypts; it is killed there, or some files later."""
    left = []
    with encrypting(tmp_path / "s", ports) as service:
        service.start(START_S)
        async with desk(service) as people:
            for number, most in enumerate((9, 6, 4, 2), 1):
                talk = await people.talk(number)
                call, archivist = service.journal("CallOpened")[-1]["call"], service.pid("archivist")
                with (service.directory / "site.key").open() as held:
                    fcntl.flock(held, fcntl.LOCK_EX)
                    await talk.point.call.bye()
                    whole = lambda call=call: sum(name.endswith(".cap.gz") for name in _in_the_clear(service, call)) == 2  # noqa: E731
                    await eventually(whole, 20)
                    if most == 9:
                        os.kill(archivist, signal.SIGKILL)
                await eventually(lambda call=call, most=most: len(_in_the_clear(service, call)) <= most, 5, 0.0005)  # type: ignore[misc]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(archivist, signal.SIGKILL)
                left.append(_in_the_clear(service, call))
                await eventually(lambda n=number: len(service.journal("RecordingMade")) == n, 40)  # type: ignore[misc]
                await eventually(lambda old=archivist: service.pid("archivist") not in (0, old), 10)  # type: ignore[misc]
        print("killed with these in the clear:", *left, sep="\n")
        assert any(0 < len(names) < 6 for names in left), "it was never killed among the files"
        assert len({fact["call"] for fact in service.journal("RecordingMade")}) == 4
        assert not [path for path in kept(service) if path.name.startswith(".")]
        nothing_in_the_clear(service)
        verdict = await asyncio.to_thread(told, service, "verify", "--config", service.directory / "callserver.toml")
        assert (verdict["ok"], verdict["closed"]) == (True, 0)
