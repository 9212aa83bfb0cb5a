"""What is shipped around the code: locks, installer, image, unit."""

import configparser
import re
import subprocess
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import sources


def pins(name: str) -> dict[str, str]:
    """Name -> exact version of a lock file; AssertionError for a line that is neither pin, comment nor the other lock."""
    found = {}
    for line in sources.text(name).splitlines():
        if not line.startswith("#") and line != "-r requirements.lock":
            match = re.fullmatch(r"([a-z0-9-]+)==([A-Za-z0-9.+!-]+)", line)
            assert match is not None, f"{name}: {line}"
            found[match[1]] = match[2]
    return found


def test_locks_hold_what_the_project_asks_for() -> None:
    """Every dependency is pinned, to a version that pyproject.toml allows."""
    project = tomllib.loads(sources.text("pyproject.toml"))["project"]
    runtime = pins("requirements.lock")
    test = {**runtime, **pins("requirements-test.lock")}
    for wanted, pinned in ((project["dependencies"], runtime), (project["optional-dependencies"]["test"], test)):
        for text in wanted:
            need = Requirement(text)
            assert need.specifier.contains(pinned[canonicalize_name(need.name)]), text


def test_the_licence_is_that_of_its_gravest_dependency() -> None:
    """pjsua2 is under the GPL, so this is."""
    assert "GNU GENERAL PUBLIC LICENSE" in sources.text("LICENSE")
    assert tomllib.loads(sources.text("pyproject.toml"))["project"]["license"] == "GPL-3.0-or-later"


def test_shell_scripts_parse_and_are_executable() -> None:
    """bash reads them without complaint."""
    for name in ("install.sh", ".ci/run", "tests/bench/run"):
        path = sources.ROOT / name
        assert path.stat().st_mode & 0o111, name
        subprocess.run(["bash", "-n", str(path)], check=True, timeout=10)


def test_the_installer_refuses_what_it_does_not_know() -> None:
    """A mistyped option installs nothing; help says what there is."""
    wrong = subprocess.run(["./install.sh", "--tset"], cwd=sources.ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    told = subprocess.run(["./install.sh", "--help"], cwd=sources.ROOT, capture_output=True, text=True, timeout=10, check=True)
    assert "--test" in told.stdout and "--plain" in told.stdout


def test_everyone_installs_by_the_same_script() -> None:
    """CI runs the README's command, which installs by install.sh, as the image does."""
    assert "make test" in sources.text(".ci/run") and "make test" in sources.text("README.md")
    assert "./install.sh --test" in sources.text("Makefile") and "make demo" in sources.text("README.md")
    assert "./install.sh --plain" in sources.text("Dockerfile")


def test_the_image_is_careful() -> None:
    """Not root, health asked, data on a volume, every file that it copies is there."""
    text = sources.text("Dockerfile")
    assert re.search(r"^USER callserver$", text, re.MULTILINE)
    assert "/healthz" in text.partition("HEALTHCHECK")[2]
    assert 'VOLUME ["/var/lib/callserver"]' in text
    for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        assert [name for name in line.split() if not (sources.ROOT / name).exists()] == []


def test_the_unit_restarts_what_dies_and_stops_gently() -> None:
    """systemd ends the supervisor, which ends the rest; a silent one is restarted."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(sources.text("packaging/callserver.service"))
    service = unit["Service"]
    assert (service["KillMode"], service["Restart"], service["Type"]) == ("mixed", "always", "notify")
    assert int(service["WatchdogSec"]) <= 10
    assert (
        int(service["TimeoutStartSec"]) >= 1800
    )  # of a large store a new version takes minutes, and a start broken off does it anew
    assert service["ExecStart"].split()[1:] == ["serve", "--config", "/etc/callserver/callserver.toml"]
    assert service["User"] == "callserver" and service["NoNewPrivileges"] == "yes"
