"""The command line: what each verb says and with which code it leaves."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import typer.main
from sqlalchemy import text
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.commands import software
from callserver.commands.findings import Level
from callserver.commands.output import overrides
from callserver.config import ConfigError
from callserver.runtime import first as preparation
from callserver.runtime import untold
from callserver.store.engine import open_store
from tests import sources
from tests.web.desk import CALL, INCIDENT, OPERATOR, config_in, fill, story

DARLINGTON = sources.ROOT / "dialplans" / "darlington.toml"


def run(*words: str | Path, input: str | None = None) -> Result:
    """One command."""
    return CliRunner().invoke(cli.app, [str(word) for word in words], input=input)


def reported(*words: str | Path) -> tuple[int, Any]:
    """One command with --json: its code and its report."""
    result = run(*words, "--json")
    return result.exit_code, json.loads(result.stdout)


def verbs() -> list[list[str]]:
    """Every verb, also those of groups."""

    def walk(command: Any, path: list[str]) -> Iterator[list[str]]:
        inner = getattr(command, "commands", {})
        if not inner:
            yield path
        for name, one in inner.items():
            yield from walk(one, [*path, name])

    return list(walk(typer.main.get_command(cli.app), []))


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A filled store, copied for each test."""
    with TemporaryDirectory(prefix="cs") as name:
        fill(config_in(Path(name)))
        yield Path(name)


@pytest.fixture
def home(template: Path) -> Iterator[Path]:
    """A directory with callserver.toml and the story's store."""
    with TemporaryDirectory(prefix="cs") as name:
        home = Path(name) / "home"
        shutil.copytree(template, home)
        (home / "callserver.toml").write_text('[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n')
        for directory in ("data", "run", "spool"):
            (home / directory).chmod(0o700)
        yield home


@pytest.fixture
def config(home: Path) -> Path:
    """The configuration of `home`."""
    return home / "callserver.toml"


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_every_verb_explains_itself(verb: list[str]) -> None:
    """--help leaves with 0; an unknown option is misuse."""
    assert run(*verb, "--help").exit_code == 0
    assert "Usage" in run(*verb, "--help").stdout
    assert run(*verb, "--nonsense").exit_code == 2


def test_help_is_quick_because_nothing_heavy_is_loaded() -> None:
    """The modules behind the verbs are imported by the verbs."""
    heavy = {"sqlalchemy", "pydantic", "fastapi", "numpy", "uvicorn", "argon2", "alembic", "pjsua2", "rich"}
    script = "import sys, callserver.cli; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert heavy & set(done.stdout.split()) == set()


def test_a_word_that_is_no_verb_is_misuse() -> None:
    """And no verb at all shows the help."""
    assert run("nonsense").exit_code == 2
    assert "Commands" in run().output


def test_version() -> None:
    """Name and number."""
    assert run("version").stdout.startswith("callserver ")


# ---- check ------------------------------------------------------------------------------------------------------


def test_a_good_plan_is_good(tmp_path: Path) -> None:
    """The shipped one."""
    assert run("check", DARLINGTON).exit_code == 0
    code, report = reported("check", DARLINGTON)
    assert (code, report["good"], report["plan"]) == (0, True, str(DARLINGTON))
    assert (report["faults"], report["without_credentials"], report["proof"]["holes"]) == ([], [], [])


def test_a_bad_plan_is_told_with_its_lines(tmp_path: Path) -> None:
    """1, and each fault names file and line."""
    plan = tmp_path / "plan.toml"
    plan.write_text(DARLINGTON.read_text().replace('queue = "town"', 'queue = "nowhere"', 1))
    code, report = reported("check", plan)
    assert (code, report["good"]) == (1, False)
    assert report["faults"][0].startswith(f"{plan}:")
    assert "nowhere" in run("check", plan).stdout


def test_ids_without_credentials_are_named(config: Path, home: Path) -> None:
    """From store and seed together."""
    (home / "plan.toml").write_text(DARLINGTON.read_text())
    (home / "seed.toml").write_text(f'[[sip]]\nuser = "{OPERATOR}"\npassword = "x"\n')
    code, report = reported(
        "check", "-c", config, "--set", f"plan.file={home}/plan.toml", "--set", f"directory.seed={home}/seed.toml"
    )
    missing = {(one["kind"], one["id"]) for one in report["without_credentials"]}
    assert (code, report["faults"]) == (1, [])
    assert ("operator", OPERATOR) not in missing
    assert ("point", "dl-market-square") in missing
    code, report = reported(
        "check", "-c", config, "--set", f"plan.file={home}/plan.toml", "--set", f"directory.seed={home}/no.toml"
    )
    assert (code, "no.toml" in report["faults"][0]) == (1, True)


def test_checking_nothing_is_misuse(config: Path) -> None:
    """No plan in the configuration, no such file."""
    assert run("check", "-c", config).exit_code == 2
    assert run("check", "nothing.toml").exit_code == 2


def test_a_bad_configuration_is_a_fault_of_check_and_misuse_elsewhere(config: Path) -> None:
    """The same words in both."""
    config.write_text("[sip]\nport = 5")
    for verb, code in (("check", 1), ("verify", 2), ("doctor", 2)):
        result = run(verb, "-c", config)
        assert (result.exit_code, "[sip] port: is unknown here" in result.output) == (code, True)


def test_settings_are_toml_or_text() -> None:
    """Numbers are numbers, the rest is text."""
    assert overrides(["web.port=8081", "sip.domain=sip.example", "web.origins=['https://a']"]) == {
        "web.port": 8081,
        "sip.domain": "sip.example",
        "web.origins": ["https://a"],
    }
    with pytest.raises(ConfigError):
        overrides(["web.port"])


# ---- verify -----------------------------------------------------------------------------------------------------


def test_a_whole_journal_verifies(config: Path) -> None:
    """Rows are counted, the last hash is told."""
    code, report = reported("verify", "-c", config, "--no-files")
    assert (code, report["ok"], report["rows"]) == (0, True, len(story()))
    assert report["hash"] in run("verify", "-c", config, "--no-files").stdout


def test_a_broken_row_is_named(config: Path, home: Path) -> None:
    """1, with its number."""
    engine = open_store(home / "data")
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER journal_no_update"))
        connection.execute(text("UPDATE journal SET utc_ns = utc_ns + 1 WHERE number = 7"))
    engine.dispose()
    code, report = reported("verify", "-c", config)
    assert (code, report["ok"], report["broken"]) == (1, False, 7)
    assert "row 7" in run("verify", "-c", config).stdout


def test_recordings_that_are_not_what_the_journal_says(config: Path) -> None:
    """The hash of the leg's file is invented in the story: it is altered."""
    code, report = reported("verify", "-c", config)
    assert (code, report["ok"], len(report["files"])) == (1, False, 1)
    assert "altered" in report["files"][0]
    assert report["fault"] == report["files"][0]
    assert run("verify", "-c", config, "--no-files").exit_code == 0


def test_without_a_store_there_is_nothing_to_verify(tmp_path: Path) -> None:
    """Misuse, with what to do; and no store is made by looking."""
    config = tmp_path / "callserver.toml"
    config.write_text("")
    for words in (["verify"], ["incidents", "list"], ["users", "list"]):
        result = run(*words, "-c", config)
        assert (result.exit_code, "there is no store" in result.output) == (2, True)
    assert not (tmp_path / "var").exists()


# ---- incidents and users ------------------------------------------------------------------------------------------


def test_incidents_are_listed_and_shown(config: Path) -> None:
    """For people and for programs."""
    code, rows = reported("incidents", "list", "-c", config, "--open")
    assert (code, [row["id"] for row in rows]) == (0, [INCIDENT])
    code, whole = reported("incidents", "show", INCIDENT, "-c", config)
    assert (code, [call["id"] for call in whole["calls"]]) == (0, [CALL])
    assert whole["facts"][0]["kind"] == "IncidentOpened"
    assert INCIDENT in run("incidents", "list", "-c", config).stdout
    assert f"call {CALL}: ended" in run("incidents", "show", INCIDENT, "-c", config).stdout
    assert run("incidents", "show", "nope", "-c", config).exit_code == 1


def test_the_sheet_for_the_next_shift_needs_a_running_service(config: Path) -> None:
    """Nothing is made up from the store: what is open is the switchboard's to say."""
    result = run("incidents", "handover", "-c", config)
    assert (result.exit_code, "Does the service run" in result.output) == (1, True)


@pytest.mark.parametrize(("kind", "more"), [("sip", ["--algorithm", "SHA-256"]), ("web", ["--role", "auditor"]), ("trunk", [])])
def test_an_account_lives_and_goes(config: Path, home: Path, kind: str, more: list[str]) -> None:
    """Added once, listed without its secret, changed, removed once."""
    secret = home / "secret"
    secret.write_text("a good secret\n")
    words = ["users", "add", kind, "anna", "-c", config, "--password-file", secret, *more]
    assert run(*words).exit_code == 0
    assert run(*words).exit_code == 1
    listed = run("users", "list", "-c", config, "--json").stdout
    assert [row["user"] for row in json.loads(listed) if row["kind"] == kind and row["user"] == "anna"] == ["anna"]
    assert "a good secret" not in listed
    changed = run("users", "passwd", kind, "anna", "-c", config, "--password-file", "-", input="another secret\n")
    assert changed.exit_code == 0, changed.output
    assert run("users", "remove", kind, "anna", "-c", config).exit_code == 0
    assert run("users", "remove", kind, "anna", "-c", config).exit_code == 1
    assert run("users", "passwd", kind, "anna", "-c", config, "--password-file", secret).exit_code == 1
    kept = [note["body"] for path in untold.waiting(home / "data") for note in json.loads(path.read_text())]
    done = [f"{kind} account added", f"{kind} password changed", f"{kind} account removed"]
    assert [(body["user"], body["what"]) for body in kept] == [("anna", what) for what in done]
    assert all(body["by"].startswith("command line (") for body in kept)


@pytest.mark.parametrize(
    ("words", "secret", "said"),
    [
        (["web", "anna", "--role", "boss"], "long enough", "--role must be one of"),
        (["web", "anna", "--role", "auditor"], "short", "at least 8"),
        (["sip", "anna", "--algorithm", "ROT13"], "x", "algorithm must be one of"),
        (["sip", "an:na"], "x", "colon"),
        (["sip", "anna"], "", "empty"),
        (["cook", "anna"], "x", "sip"),
    ],
)
def test_an_account_that_cannot_be_is_misuse(config: Path, words: list[str], secret: str, said: str) -> None:
    """And nothing is made."""
    result = run("users", "add", *words, "-c", config, "--password-file", "-", input=secret)
    assert (result.exit_code, said in result.output) == (2, True)
    assert "anna" not in run("users", "list", "-c", config).stdout


# ---- serve, restart, trace, doctor ----------------------------------------------------------------------------------


def test_serve_refuses_a_bad_plan_before_anything_starts(config: Path, home: Path) -> None:
    """With the plan's faults."""
    (home / "plan.toml").write_text("[plan]\n")
    result = run("serve", "-c", config, "--set", f"plan.file={home}/plan.toml")
    assert (result.exit_code, "plan.toml:" in result.output) == (1, True)
    assert not (home / "run" / preparation.HANDED_OVER).exists()


def test_directories_are_made_for_the_service_alone(tmp_path: Path) -> None:
    """And the processes' configuration is in the run directory."""
    from callserver.config import load, load_json

    with TemporaryDirectory(prefix="cs") as name:
        config = load(None, {f"storage.{part}": Path(name) / part for part in ("data", "run", "spool")})
        handed_over = preparation.hand_over(config, None)
        assert load_json(handed_over.read_text()) == config
        assert [(Path(name) / part).stat().st_mode & 0o777 for part in ("data", "run", "spool")] == [0o700] * 3


def test_restart_replaces_a_process(config: Path, home: Path) -> None:
    """It ends the one that the supervisor's list names and waits for its successor."""
    first = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    watch = (
        "import json, os, pathlib, select, sys\n"
        "ended = select.poll(); ended.register(os.pidfd_open(int(sys.argv[2])), select.POLLIN); ended.poll(20000)\n"
        "pathlib.Path(sys.argv[1]).write_text(json.dumps([{'name': 'web', 'pid': os.getpid()}]))"
    )
    processes = home / "run" / "processes.json"
    processes.write_text(json.dumps([{"name": "web", "pid": first.pid}]))
    supervisor = subprocess.Popen([sys.executable, "-c", watch, str(processes), str(first.pid)])
    try:
        result = run("restart", "web", "-c", config)
        assert result.exit_code == 0, result.output
        assert f"process {first.pid} replaced by {supervisor.pid}" in result.stdout
        assert first.wait(5) == -15
    finally:
        first.kill()
        first.wait()
        supervisor.wait(20)


def test_restart_without_a_service(config: Path) -> None:
    """1 where it does not run, 2 for a process that cannot be replaced."""
    assert run("restart", "switchboard", "-c", config).exit_code == 1
    assert run("restart", "supervisor", "-c", config).exit_code == 2


def test_trace_needs_the_service(config: Path) -> None:
    """And says so."""
    result = run("trace", "dl-market-square", "-c", config)
    assert (result.exit_code, "Does the service run" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("2.15.1", Level.FAULT),
        ("2.16", Level.FAULT),
        ("2.17", Level.GOOD),
        ("2.17.1", Level.GOOD),
        ("3.0", Level.GOOD),
        ("?", Level.FAULT),
    ],
)
def test_an_unpatched_engine_is_a_fault_with_its_compensations(version: str, level: Level) -> None:
    """Named one by one, so that nobody drops one unawares."""
    finding = software.engine_finding(version)
    assert finding.level is level
    if level is Level.FAULT:
        assert [words for words in software.COMPENSATIONS if words not in finding.what_to_do] == []


def test_doctor_looks_at_everything(config: Path, home: Path) -> None:
    """One finding or more of each check, a fault for each thing that is broken."""
    (home / "plan.toml").write_text(DARLINGTON.read_text())
    (home / "data").chmod(0o755)
    code, report = reported("doctor", "-c", config, "--set", f"plan.file={home}/plan.toml")
    checks = {finding["check"] for finding in report["findings"]}
    faults = {finding["check"] for finding in report["findings"] if finding["level"] == "fault"}
    installed = {"pjsip", "speech", "prompts", "plan", "credentials"}
    assert checks >= installed | {"disk", "modes", "limits", "ranks", "ports", "clock", "service"}
    assert (code, report["good"]) == (1, False)
    assert faults >= {"pjsip", "credentials", "modes"}
    assert [one for one in report["findings"] if one["level"] != "good" and not one["what_to_do"]] == []


def test_doctor_sees_a_clock_behind_the_journal(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The story was written in 2026; a clock of 1970 is a fault."""
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    _, report = reported("doctor", "-c", config)
    assert [one["level"] for one in report["findings"] if one["check"] == "clock"] == ["fault"]


def test_doctor_names_the_option_of_a_port_that_is_taken(config: Path) -> None:
    """Not only the number."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        _, report = reported("doctor", "-c", config, "--set", f"sip.udp_port={port}", "--set", "sip.rtp_ports=1024-1100")
    faults = [one for one in report["findings"] if one["check"] == "ports" and one["level"] == "fault"]
    assert [str(port) in one["what"] and "[sip] udp_port" in one["what_to_do"] for one in faults] == [True]


def test_the_entry_point_is_installed() -> None:
    """`callserver`, beside this interpreter."""
    assert os.access(Path(sys.executable).with_name("callserver"), os.X_OK)
