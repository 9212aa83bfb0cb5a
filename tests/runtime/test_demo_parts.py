"""The demo's files: passwords that stay, links of which only sums are kept, a night desk that disturbs nobody."""

import hashlib
import json
import time
from pathlib import Path

import pytest

from callserver.runtime import demo_parts as parts
from callserver.runtime import street_stories as stories
from callserver.runtime.demo_history import BEGINS_AFTER_S, GIVE_UP_AFTER_S, OPERATOR, UNDISTURBED_S, NightDesk
from callserver.runtime.demo_phones import Setup
from callserver.runtime.demo_sounds import script_of, silence_file
from callserver.runtime.demo_text import typed, welcome
from callserver.runtime.simulated_phone import SILENT_DBFS, dbfs
from dialplans.load import shipped
from dialplans.parse import parse

ROOT = Path(parts.__file__).parent
OUTCOMES = {"police": "2", "civic": "3", "misuse": "5", "no-contact": "7"}


@pytest.fixture
def demo(tmp_path: Path) -> parts.Demo:
    """A demo that is prepared and does not run."""
    made = parts.Demo(tmp_path, 5570, 8590, 8591, "31000-31999")
    made.home.mkdir()
    made.plan = shipped("darlington")
    made.passwords = parts.passwords_in(made.home / "passwords.json", parts.users_of(made.plan))
    return made


def test_the_links_file_holds_sums_and_nobody_else_may_read_it(demo: parts.Demo) -> None:
    path = parts.write_links(demo, demo.home)
    links = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert not [token for token in demo.tokens.values() if token in path.read_text()]
    for user, token in demo.tokens.items():
        link = links.pop(hashlib.sha256(token.encode()).hexdigest())
        assert (link["user"], link["once"]) == (user, False)
        assert link["expires_s"] > time.time() + 3_600
    assert links == {}


def test_the_web_service_takes_the_links(demo: parts.Demo) -> None:
    from callserver.web.links import FILE, take

    parts.write_links(demo, demo.home)
    assert parts.LINKS_FILE == FILE
    for role, user in parts.ROLES.items():
        token = demo.link(user).partition("#link=")[2]
        assert demo.beside(role).endswith(token)
        for _ in range(2):
            taken = take(demo.home, token, time.time())
            assert taken is not None and taken.user == user
    assert take(demo.home, "another", time.time()) is None


def test_every_role_has_a_host_of_its_own_beside_the_street(demo: parts.Demo) -> None:
    """Cookies go by host: the operator stays signed in while the auditor's window is open."""
    parts.write_links(demo, demo.home)
    hosts = {demo.beside(role).split("/")[2] for role in parts.ROLES}
    assert len(hosts) == len(parts.ROLES)
    assert all(host.endswith((".localhost:8590", "127.0.0.1:8590")) for host in hosts)


def test_the_auditor_lands_at_the_replay_and_everybody_else_at_the_console(demo: parts.Demo) -> None:
    parts.write_links(demo, demo.home)
    pages = {role: demo.beside(role).partition("#link=")[0].split("/", 3)[3] for role in parts.ROLES}
    assert pages == {role: "replay" if role == "auditor" else "" for role in parts.ROLES}


def test_passwords_stay_and_new_users_get_theirs(tmp_path: Path) -> None:
    first = parts.passwords_in(tmp_path / "p.json", ("a", "b"))
    second = parts.passwords_in(tmp_path / "p.json", ("b", "c"))
    assert second["b"] == first["b"] and second["c"] not in first.values()


def test_what_is_printed_is_short_and_says_what_to_do_first(demo: parts.Demo) -> None:
    parts.write_links(demo, demo.home)
    text = welcome(demo, lonely=False)
    assert text.count("\n") < 30
    assert text.index(demo.beside("operator")) < text.index(demo.street_url) < text.index(demo.beside("auditor"))
    assert "No sound?" in text and "--allow-loopback-in-peer-connection" not in text
    assert "--allow-loopback-in-peer-connection" in welcome(demo, lonely=True)
    assert all(place.place in typed(demo) for name, place in shipped("darlington").points.items() if name in demo.simulated)


def test_a_setup_goes_through_its_line(tmp_path: Path) -> None:
    scripts = {"dl-high-row": (script_of(stories.SILENT, tmp_path),)}
    setup = Setup({"dl-high-row": "pw"}, "s", "d", "h", silence_file(tmp_path / "s.wav"), scripts=scripts, answer_ms=None)
    assert setup == Setup.of(setup.line())
    assert setup.line().count(b"\n") == 1


def test_sounds_are_made_once(tmp_path: Path) -> None:
    first = script_of(stories.SILENT, tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert first == script_of(stories.SILENT, tmp_path)
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert all(300 < act.length_ms < 6_000 for act in (*first.acts, *first.after))


@pytest.mark.parametrize(("percent", "low", "high"), [(0, SILENT_DBFS, SILENT_DBFS), (50, -1, 0), (44, -7, -5), (10, -46, -38)])
def test_the_engines_level_is_read_in_decibels(percent: int, low: int, high: int) -> None:
    assert low <= dbfs(percent) <= high


class Night:
    """A night desk under a clock that is turned by hand."""

    def __init__(self) -> None:
        self.busy = False
        self.desk = NightDesk(stories.NIGHT, OUTCOMES, lambda: self.busy, 100.0)
        self.now_s = 100.0
        self.orders: list[tuple[str, str, str]] = []

    def pass_s(self, seconds: float) -> None:
        """Time goes by; what is due is noted."""
        for _ in range(round(seconds * 2)):
            self.now_s += 0.5
            self.orders += self.desk.due(self.now_s)

    def hear(self, *news: tuple[str, str]) -> None:
        """News of phones."""
        for user, text in news:
            self.desk.heard(user, text, self.now_s)

    def take(self) -> list[tuple[str, str, str]]:
        """The orders since the last time."""
        orders, self.orders = self.orders, []
        return orders


def test_the_night_plan_is_sound_and_its_calls_fit_it() -> None:
    text = (ROOT / "demo-night.toml").read_text("utf-8")
    plan = parse((ROOT.parents[1] / "dialplans" / "darlington.toml").read_text("utf-8") + text, "demo")
    digits = {outcome: digit for digit, outcome in plan.outcome_digits.items()}
    assert {call.outcome: digits[call.outcome] for call in stories.NIGHT} == OUTCOMES
    points = [plan.points[call.point] for call in stories.NIGHT]
    assert {plan.queues[point.queue].groups for point in points} == {("night-desk",)}
    others = [queue.groups for name, queue in plan.queues.items() if name != "night"]
    assert not [groups for groups in others if "night-desk" in groups], "the town's presses must not ring there"


def test_the_night_desk_makes_its_calls_one_after_the_other_and_leaves() -> None:
    night = Night()
    night.pass_s(BEGINS_AFTER_S)
    first, *rest = stories.NIGHT
    assert night.take() == [(first.point, "press", "")]
    night.hear((OPERATOR, "connected"), (first.point, "ended 200"))
    night.pass_s(1.5)
    assert night.take() == [(OPERATOR, "keys", "2")]
    night.hear((OPERATOR, "ended 200"))
    for call in rest:
        night.pass_s(0.5)
        assert night.take() == [(call.point, "press", "")]
        night.hear((OPERATOR, "connected"), (OPERATOR, "ended 200"), (call.point, "ended 200"))
        night.pass_s(1.5)
        assert night.take() == [(OPERATOR, "dial", f"*5{OUTCOMES[call.outcome]}")]
        night.hear((OPERATOR, "connected"), (OPERATOR, "ended 200"))
    night.pass_s(0.5)
    assert night.take() == [(OPERATOR, "leave", "")]
    night.pass_s(5)
    assert night.desk.over and night.take() == []


def test_the_night_desk_waits_while_somebody_else_is_on_the_telephone() -> None:
    night = Night()
    night.busy = True
    night.pass_s(60)
    night.busy = False
    night.pass_s(UNDISTURBED_S - 1)
    assert night.take() == []
    night.pass_s(1.5)
    assert night.take() == [(stories.NIGHT[0].point, "press", "")]


def test_the_night_desk_gives_up_where_nothing_happens() -> None:
    night = Night()
    night.pass_s(BEGINS_AFTER_S + GIVE_UP_AFTER_S + 1)
    assert [verb for _, verb, _ in night.take()] == ["press", "hangup", "hangup", "leave"]
    night.pass_s(5)
    assert night.desk.over
