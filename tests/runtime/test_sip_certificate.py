"""The certificate of SIP over TLS: when it is read, when it rings, and that nothing is ever worse for looking."""

import ssl
from pathlib import Path

from callserver.config import load
from callserver.core.events import ConditionCleared, ConditionRaised, Event
from callserver.runtime.sip_certificate import ALARM, SipCertificate
from callserver.runtime.sip_settings import edge_config
from tests.sip.authority import DAY, Authority


class Desk:
    """The files of a certificate, and what came of looking at them."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self.certificate, self.key = directory / "server.pem", directory / "server.key"
        self.used: list[ssl.SSLContext] = []
        self.alarms: dict[str, str] = {}
        given: dict[str, object] = {"sip.tls_cert": self.certificate, "sip.tls_key": self.key, **settings}
        (directory / "callserver.toml").touch()
        self.look = SipCertificate(
            load(directory / "callserver.toml", given), self.used.append, self._post, lambda: self.alarms
        ).look

    def _post(self, event: Event) -> None:
        assert isinstance(event, ConditionRaised | ConditionCleared)
        if isinstance(event, ConditionRaised):
            assert event.key not in self.alarms, "an alarm is raised once until it is cleared"
            self.alarms[event.key] = event.text
        else:
            self.alarms.pop(event.key, None)

    def put(self, files: tuple[Path, Path]) -> None:
        for file, to in zip(files, (self.certificate, self.key), strict=True):
            to.write_bytes(file.read_bytes())


async def test_a_good_certificate_is_used_once_and_silent(tmp_path: Path) -> None:
    desk, authority = Desk(tmp_path), Authority(tmp_path)
    desk.put(authority.issue("localhost"))
    await desk.look()
    await desk.look()
    assert (len(desk.used), desk.alarms) == (1, {})
    desk.put(authority.issue("localhost"))
    await desk.look()
    assert len(desk.used) == 2


async def test_two_weeks_before_its_end_it_rings_and_a_renewed_one_clears_it(tmp_path: Path) -> None:
    desk, authority = Desk(tmp_path), Authority(tmp_path)
    desk.put(authority.issue("localhost", ends=15 * DAY))
    await desk.look()
    assert desk.alarms == {}
    desk.put(authority.issue("localhost", ends=13 * DAY))
    await desk.look()
    assert "expires on" in desk.alarms[ALARM]
    desk.put(authority.issue("localhost"))
    await desk.look()
    assert (len(desk.used), desk.alarms) == (3, {})


async def test_an_expired_one_is_used_all_the_same_and_rings(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.put(Authority(tmp_path).issue("localhost", begins=-9 * DAY, ends=-DAY))
    await desk.look()
    assert len(desk.used) == 1
    assert "expired on" in desk.alarms[ALARM]


async def test_what_cannot_be_read_leaves_the_one_of_before_and_says_so(tmp_path: Path) -> None:
    desk, authority = Desk(tmp_path), Authority(tmp_path)
    await desk.look()
    assert desk.alarms[ALARM].startswith("SIP over TLS is off: [sip] tls_cert: ")
    assert "No such file" in desk.alarms[ALARM]
    desk.put(authority.issue("localhost"))
    await desk.look()
    assert (len(desk.used), desk.alarms) == (1, {})
    desk.key.write_bytes(authority.issue("localhost")[1].read_bytes())  # half of a renewal
    await desk.look()
    assert len(desk.used) == 1
    assert "stays in use" in desk.alarms[ALARM] and "is not the key of" in desk.alarms[ALARM]


async def test_without_tls_an_alarm_of_before_is_cleared(tmp_path: Path) -> None:
    desk = Desk(tmp_path, **{"sip.tls_cert": None, "sip.tls_key": None})
    desk.alarms[ALARM] = "of before"
    await desk.look()
    assert (desk.used, desk.alarms) == ([], {})


def test_devices_are_told_an_address_that_they_can_call(tmp_path: Path) -> None:
    """Nobody can call 0.0.0.0: where we listen everywhere, Via and Contact name the address of the sound."""
    (tmp_path / "callserver.toml").touch()
    given = {"sip.host": "0.0.0.0", "sip.domain": "help.test", "sip.media_host": "192.0.2.10", "storage.data": tmp_path}
    told = edge_config(load(tmp_path / "callserver.toml", given))
    assert (told.host, told.domain, told.tls_port) == ("192.0.2.10", "help.test", 0)
    assert edge_config(load(tmp_path / "callserver.toml", {"storage.data": tmp_path})).host == "127.0.0.1"
