"""Which calls are due, by which rule and when; and taking their files away."""

from pathlib import Path

import pytest

from callserver.archive import deleting
from callserver.archive.retention import DAY_NS, Due, Kept, Rule, Rules, Text, due, rule_for, schedule, texts_due
from callserver.core.ids import CallId, IncidentId

CLOSED = 100 * DAY_NS
MONTH = Rules(31, 366)


def call(
    number: int, *, closed: int | None = CLOSED, priority: int = 2, outcome: str = "", queue: str = "q", silent: bool = False
) -> Kept:
    """The only call of its incident."""
    return Kept(CallId(f"i{number}.1"), IncidentId(f"i{number}"), closed, priority, outcome, queue, silent)


def test_a_call_is_due_when_its_days_are_over_and_not_a_moment_before() -> None:
    at = CLOSED + 31 * DAY_NS
    assert due([call(1)], {}, MONTH, at - 1) == []
    assert due([call(1)], {}, MONTH, at) == [Due(CallId("i1.1"), IncidentId("i1"), "default", at)]


def test_an_open_incident_and_a_held_one_are_never_due() -> None:
    holds = {IncidentId("i2"): ["h1", "h2"]}
    assert due([call(1, closed=None), call(2)], holds, MONTH, 10**6 * DAY_NS) == []
    (shown,) = schedule([call(1, closed=None), call(2)], holds, MONTH)
    assert shown.held == ("h1", "h2")


def test_no_days_at_all_is_for_ever() -> None:
    assert due([call(1)], {}, Rules(0, 0), 10**6 * DAY_NS) == []
    assert texts_due([Text(1, None, 0)], {}, Rules(0, 0), 10**6 * DAY_NS) == {}


@pytest.mark.parametrize(
    ("rule", "fitting", "other"),
    [
        (Rule("r", 7, classes=frozenset({0, 1})), call(1, priority=1), call(1, priority=2)),
        (Rule("r", 7, outcomes=frozenset({"prank"})), call(1, outcome="prank"), call(1, outcome="")),
        (Rule("r", 7, queues=frozenset({"lifts"})), call(1, queue="lifts"), call(1)),
        (Rule("r", 7, silent=True), call(1, silent=True), call(1)),
        (Rule("r", 7, silent=False), call(1), call(1, silent=True)),
        (Rule("r", 7, classes=frozenset({0}), silent=True), call(1, priority=0, silent=True), call(1, priority=0)),
    ],
)
def test_a_rule_is_for_calls_that_fit_all_that_it_says(rule: Rule, fitting: Kept, other: Kept) -> None:
    rules = Rules(31, 366, (rule,))
    assert [rule_for(one, rules) for one in (fitting, other)] == [("r", 7), ("default", 31)]


def test_the_first_rule_that_fits_counts() -> None:
    rules = Rules(31, 366, (Rule("prank", 3, outcomes=frozenset({"prank"})), Rule("lifts", 0, queues=frozenset({"lifts"}))))
    assert rule_for(call(1, outcome="prank", queue="lifts"), rules) == ("prank", 3)
    assert due([call(1, queue="lifts")], {}, rules, 10**6 * DAY_NS) == []


def test_the_oldest_go_first() -> None:
    calls = [call(1, closed=CLOSED + 2), call(2, closed=CLOSED), call(3, closed=CLOSED + 1)]
    assert [one.incident for one in due(calls, {}, MONTH, 10**6 * DAY_NS)] == ["i2", "i3", "i1"]


def test_texts_go_by_their_own_age_and_never_while_open_or_held() -> None:
    held = IncidentId("i3")
    texts = [
        *(Text(1, IncidentId("i1"), 0), Text(2, None, 0), Text(3, IncidentId("i1"), 0), Text(4, IncidentId("i1"), 1)),
        *(Text(5, held, 0), Text(6, IncidentId("i4"), 0, open=True)),
    ]
    assert texts_due(texts, {held: ["h"]}, MONTH, 366 * DAY_NS) == {("i1", "texts"): [1, 3], (None, "texts"): [2]}


def test_texts_of_the_register_have_days_of_their_own() -> None:
    texts = [Text(1, None, 0), Text(2, None, 0, register=True), Text(3, IncidentId("i1"), 0, register=True)]
    years = Rules(31, 366, register_days=2192)
    assert texts_due(texts, {}, years, 2192 * DAY_NS - 1) == {(None, "texts"): [1]}
    assert texts_due(texts, {IncidentId("i1"): ["h"]}, years, 2192 * DAY_NS) == {(None, "texts"): [1], (None, "register"): [2]}
    assert texts_due(texts, {}, Rules(31, 0, register_days=10), 10 * DAY_NS) == {
        (None, "register"): [2],
        (IncidentId("i1"), "register"): [3],
    }


class Files:
    """Recordings and captures of a few calls."""

    def __init__(self, root: Path) -> None:
        self.recordings, self.captures = root / "recordings", root / "captures"
        for number in (1, 2):
            self.put(self.recordings / f"i1.{number}" / "call.flac")
            self.put(self.recordings / f"i1.{number}" / ".call.flac.part")
            self.put(self.captures / "i1" / f"i1.{number}" / "i1.1.cap.gz")

    @staticmethod
    def put(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")

    def left(self) -> list[str]:
        roots = (self.recordings, self.captures)
        return sorted(str(path.relative_to(root)) for root in roots for path in root.rglob("*") if path.is_file())

    def delete(self, files: tuple[str, ...], captures: tuple[str, ...]) -> int:
        return deleting.delete(CallId("i1.1"), files, captures, self.recordings, self.captures)


def test_all_of_a_call_goes_and_nothing_of_another(tmp_path: Path) -> None:
    files = Files(tmp_path)
    lying = deleting.lying(CallId("i1.1"), files.recordings, files.captures)
    assert lying == (("i1.1/.call.flac.part", "i1.1/call.flac"), ("i1/i1.1/i1.1.cap",))
    assert not deleting.is_gone(CallId("i1.1"), files.recordings, files.captures)
    assert [files.delete(*lying), files.delete(*lying)] == [3, 0]
    assert deleting.is_gone(CallId("i1.1"), files.recordings, files.captures)
    assert files.left() == ["i1.2/.call.flac.part", "i1.2/call.flac", "i1/i1.2/i1.1.cap.gz"]
    assert not (files.recordings / "i1.1").exists() and not (files.captures / "i1" / "i1.1").exists()


def test_what_is_not_named_stays(tmp_path: Path) -> None:
    files = Files(tmp_path)
    assert files.delete(("i1.1/call.flac",), ()) == 1
    assert "i1.1/.call.flac.part" in files.left()


@pytest.mark.parametrize("name", ["../secret", "i1.2/call.flac", "i1.1/../../secret", "/etc/passwd", "i1.1", "", "secret"])
def test_a_name_that_leads_elsewhere_is_not_followed(tmp_path: Path, name: str) -> None:
    files = Files(tmp_path)
    Files.put(tmp_path / "secret")
    before = files.left()
    assert files.delete((name,), (name,)) == 0
    assert files.left() == before and (tmp_path / "secret").exists()
