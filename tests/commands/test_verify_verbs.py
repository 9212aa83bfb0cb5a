"""`callserver verify`, `callserver key` and the stand-alone verifier, as they are typed."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.commands.evidence import evidence
from callserver.commands.output import overrides
from callserver.config import load
from callserver.core.facts import RecordingMade
from callserver.core.ids import CallId
from callserver.store.evidence.keys import make_key, next_of, read_key
from tests.store.sealed import Sealed, seal
from tests.store.tampering import bit_in_a_body, cut_at_a_checkpoint, made_anew_with_another_key
from tests.store.tampering_deletions import appended
from tests.store.tampering_files import replaced_recording


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    """A sealed store as the data directory of a configuration."""
    data = tmp_path / "data"
    data.mkdir()
    sealed = seal(data)
    anchors = f'anchors = ["file:{sealed.anchor}"]'
    (tmp_path / "callserver.toml").write_text(f'[storage]\ndata = "data"\nrun = "run"\n[evidence]\n{anchors}\n')
    yield sealed


def run(sealed: Sealed, *words: str | Path) -> Result:
    """One command with the store's configuration."""
    config = sealed.home.parent / "callserver.toml"
    return CliRunner().invoke(cli.app, [*(str(word) for word in words), "--config", str(config)])


def reported(sealed: Sealed, *words: str | Path) -> tuple[int, Any]:
    """The same with --json."""
    result = run(sealed, *words, "--json")
    return result.exit_code, json.loads(result.stdout)


def test_everything_is_examined_and_told(sealed: Sealed) -> None:
    code, report = reported(sealed, "verify")
    assert (code, report["ok"], report["fault"], report["files"]) == (0, True, "", [])
    assert (report["checkpoints"], report["keys"][0], len(report["keys"])) == (6, sealed.key, 2)
    assert report["anchors"] == {str(sealed.anchor): 6}
    told = run(sealed, "verify").stdout
    assert f"checkpoints: 6, signed up to row {report['signed_to']}" in told


def test_the_first_thing_wrong_is_named_whatever_it_is(sealed: Sealed) -> None:
    """A recording, then the end, then a row: each comes before what was found the time before."""
    for tamper in (replaced_recording, cut_at_a_checkpoint, bit_in_a_body):
        place = tamper(sealed, Random(1))
        code, report = reported(sealed, "verify")
        assert (code, report["ok"]) == (1, False)
        assert place in report["fault"]
        assert place in run(sealed, "verify").stdout


def test_files_may_be_left_out(sealed: Sealed) -> None:
    replaced_recording(sealed, Random(1))
    assert run(sealed, "verify", "--no-files").exit_code == 0


def test_a_journal_made_anew_is_known_by_this_machine_s_key(sealed: Sealed) -> None:
    """Also without an anchor and without the fingerprint."""
    made_anew_with_another_key(sealed, Random(1))
    result = run(sealed, "verify", "--set", "evidence.anchors=[]")
    assert (result.exit_code, "which is not given and follows no given one" in result.stdout) == (1, True)


def test_another_key_and_another_anchor_can_be_given(sealed: Sealed, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("nothing here")
    assert run(sealed, "verify", "--key", sealed.key, "--anchor", sealed.anchor).exit_code == 0
    assert "checkpoints: the last ones" in run(sealed, "verify", "--key", "0" * 64).stdout
    assert "there is no checkpoint in it" in run(sealed, "verify", "--anchor", empty).stdout
    assert "cannot be read" in run(sealed, "verify", "--anchor", tmp_path / "gone").stdout


def test_the_stand_alone_verifier_needs_nothing_of_ours(sealed: Sealed, tmp_path: Path) -> None:
    """Run isolated, from another directory."""
    program = tmp_path / "away" / "verify_journal.py"
    program.parent.mkdir()
    assert run(sealed, "verify", "--write-verifier", program).exit_code == 0
    assert run(sealed, "verify", "--write-verifier", program).exit_code == 2
    assert "callserver.store" not in program.read_text()
    words = [program, sealed.database, "--recordings", sealed.recordings, "--captures", sealed.captures]
    command = [sys.executable, "-I", *words, "--anchor", sealed.anchor, "--key", sealed.key]
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"anchor {sealed.anchor}: 6 checkpoints agree" in done.stdout
    assert done.stdout.endswith("WHOLE: nothing wrong was found\n")
    place = replaced_recording(sealed, Random(1))
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, f"BROKEN: call {place.split('/')[0]}" in done.stdout) == (1, True)


@pytest.mark.parametrize("name", ["verify_journal.py", "verify_pack.py"])
def test_without_its_one_package_a_verifier_says_what_is_missing(name: str) -> None:
    program = files("callserver.store.evidence").joinpath(name)
    done = subprocess.run([sys.executable, "-I", "-S", str(program), "x"], capture_output=True, text=True, check=False)
    assert (done.returncode, "the package cryptography" in done.stderr) == (2, True)
    assert done.stderr.count("\n") == 1


def test_a_key_of_another_shape_is_misuse(sealed: Sealed, tmp_path: Path) -> None:
    program = files("callserver.store.evidence").joinpath("verify_journal.py")
    for text in ("ab", "no key", ""):
        (tmp_path / "site").write_text(text)
        words = [sys.executable, str(program), str(sealed.database), "--site-key-file", str(tmp_path / "site")]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, "holds no key: 64 digits in hex" in done.stderr) == (2, True)


def test_a_name_cannot_write_another_verdict_over_the_one_that_is_told(sealed: Sealed, tmp_path: Path) -> None:
    """A row behind the last checkpoint names a file whose name moves the cursor of a terminal."""
    name = "x\r\x1b[2KWHOLE: nothing wrong was found\nWHOLE: nothing wrong was found"
    appended(sealed, RecordingMade(CallId("i1.1"), {name: "0" * 64}, {}, 1, 1))
    program = tmp_path / "verify_journal.py"
    run(sealed, "verify", "--write-verifier", program)
    command = [sys.executable, program, sealed.database, "--recordings", sealed.recordings]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    ours = CliRunner().invoke(cli.app, ["verify", "--config", str(sealed.home.parent / "callserver.toml")], color=True)
    for code, told in ((done.returncode, done.stdout), (ours.exit_code, ours.stdout)):
        assert (code, "\x1b" in told, "\r" in told) == (1, False, False)
        assert told.splitlines()[-1].startswith("BROKEN: ")


def test_a_key_is_shown_by_its_public_half_alone(sealed: Sealed) -> None:
    path = sealed.home / "checkpoint.key"
    shown = run(sealed, "key", "show").stdout
    assert sealed.key in shown and read_key(path).public in shown
    assert path.read_text().splitlines()[1] not in shown
    assert reported(sealed, "key", "show")[1] == {
        "file": str(path),
        "fingerprint": sealed.key,
        "public": read_key(path).public,
        "successor_waits": False,
    }
    path.unlink()
    assert run(sealed, "key", "show").exit_code == 1


def test_rotation_makes_a_successor_once(sealed: Sealed) -> None:
    path = sealed.home / "checkpoint.key"
    done = run(sealed, "key", "rotate")
    assert (done.exit_code, read_key(next_of(path)).name in done.stdout) == (0, True)
    assert read_key(path).name == sealed.key
    assert reported(sealed, "key", "show")[1]["successor_waits"] is True
    again = run(sealed, "key", "rotate")
    assert (again.exit_code, "waits already" in again.output) == (1, True)


def test_a_lost_key_is_replaced_and_the_loss_is_told(sealed: Sealed) -> None:
    path = sealed.home / "checkpoint.key"
    path.unlink()
    assert "write this fingerprint down" in run(sealed, "key", "rotate").stdout
    next_of(path).unlink()
    make_key(path)
    assert "write this" not in run(sealed, "key", "rotate").stdout


def found(sealed: Sealed, *settings: str) -> list[tuple[str, str]]:
    """What doctor's check of key and anchors says: level and words."""
    config = load(sealed.home.parent / "callserver.toml", overrides(settings))
    return [(finding.level, finding.what) for finding in evidence(config)]


def test_doctor_knows_the_key_and_warns_of_an_anchor_on_the_same_disk_or_none(sealed: Sealed) -> None:
    (key, anchor) = found(sealed)
    assert key == ("good", f"{sealed.home / 'checkpoint.key'}, fingerprint {sealed.key}")
    assert anchor == ("warning", f"file:{sealed.anchor} lies on the journal's own disk")
    level, what = found(sealed, "evidence.anchors=[]")[1]
    assert (level, "cut short would not show" in what) == ("warning", True)


def test_doctor_looks_whether_anchors_are_in_reach_and_sends_nothing(sealed: Sealed, tmp_path: Path) -> None:
    gone, before = tmp_path / "gone" / "anchor", sealed.anchor.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert found(sealed, f"evidence.anchors=['http://127.0.0.1:{port}/']")[1] == (
            "good",
            f"http://127.0.0.1:{port}/ is in reach",
        )
    assert found(sealed, f"evidence.anchors=['http://127.0.0.1:{port}/']")[1] == (
        "fault",
        f"http://127.0.0.1:{port}/ cannot be reached: Connection refused",
    )
    assert found(sealed, f"evidence.anchors=['file:{gone}']")[1] == (
        "fault",
        f"file:{gone} cannot be reached: its directory is not there",
    )
    assert found(sealed, "evidence.anchors=['syslog://127.0.0.1:514']")[1] == ("good", "syslog://127.0.0.1:514 is in reach")
    mail = ("mail.host='127.0.0.1'", f"mail.port={port}", "mail.sender='a@b'", "evidence.anchors=['mailto:a@b']")
    assert found(sealed, *mail)[1] == ("fault", "mailto:a@b cannot be reached: Connection refused")
    assert sealed.anchor.read_bytes() == before


def test_doctor_finds_a_key_that_others_can_read_or_nobody_can_use(sealed: Sealed) -> None:
    path = sealed.home / "checkpoint.key"
    path.chmod(0o640)
    assert found(sealed)[0] == ("fault", f"{path} can be read by others")
    path.chmod(0o600)
    path.write_text("nonsense")
    assert found(sealed)[0][0] == "fault"
    path.unlink()
    assert found(sealed)[0] == ("good", f"{path} is made at the first start")
