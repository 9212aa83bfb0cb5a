"""What check and doctor say of the certificate for SIP over TLS."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from callserver.cli import app
from callserver.commands import certificate
from callserver.config import load
from tests.sip.authority import DAY, Authority


def _findings(directory: Path, files: tuple[Path, Path] | None) -> list[tuple[str, str]]:
    (directory / "callserver.toml").touch()
    given = {"sip.tls_cert": files[0], "sip.tls_key": files[1]} if files is not None else {}
    return [(one.level, one.what) for one in certificate.sip_tls(load(directory / "callserver.toml", given))]


def test_doctor_tells_the_names_and_the_end_of_a_good_one_and_that_without_it_signalling_is_open(tmp_path: Path) -> None:
    ((level, what),) = _findings(tmp_path, None)
    assert level == "good" and "off" in what and "signalling" in what
    ((level, what),) = _findings(tmp_path, Authority(tmp_path).issue("sip.example.org"))
    assert level == "good" and what.startswith("port 5061: sip.example.org, until 20")


@pytest.mark.parametrize(("days", "level", "words"), [(20, "warning", "expires on"), (-1, "fault", "expired on")])
def test_doctor_warns_a_month_ahead(tmp_path: Path, days: int, level: str, words: str) -> None:
    files = Authority(tmp_path).issue("sip.example.org", begins=-9 * DAY, ends=days * DAY)
    found = _findings(tmp_path, files)
    assert found[0][0] == level and words in found[0][1] and "[sip] tls_cert" in found[0][1]


def test_check_names_what_cannot_be_used(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate_file, _ = authority.issue("sip.example.org")
    _, other_key = authority.issue("sip.example.org")
    (tmp_path / "callserver.toml").write_text(f'[sip]\ntls_cert = "{certificate_file}"\ntls_key = "{other_key}"\n')
    checked = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "callserver.toml")])
    assert checked.exit_code == 1
    assert "[sip] tls_key" in checked.output and "is not the key of" in checked.output
