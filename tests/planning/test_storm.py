"""Storms: what their texts may say, what is drawn from them, and that a seed is all the chance there is."""

import math
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest

from callserver.core import events as ev
from callserver.core.instant import SECOND
from callserver.planning.chance import Chance, Spread
from callserver.planning.period import Change, Doing, LinesLost, Period
from callserver.planning.rehearse import rehearse
from callserver.planning.storm import ROWS, TABLES, StormError, parse
from callserver.planning.weather import generate
from dialplans.load import SHIPPED, shipped
from dialplans.model import Button, Operator, Plan, Point, Priority
from tests import sources
from tests.core.plans import plan

HEAD = '[storm]\nstart = "2026-06-06T20:00"\nduration = "10h"\n'
STORMS = sorted((sources.ROOT / "callserver" / "planning" / "storms").glob("*.toml"))
DARLINGTON = shipped("darlington")


def storm(rows: str, made: Plan = DARLINGTON, before: Plan | None = None, head: str = HEAD) -> Period:
    """A storm over a plan."""
    return generate(parse(head + rows, "storm.toml"), made, before)


def faults(rows: str, head: str = HEAD) -> list[str]:
    """What is wrong with it."""
    with pytest.raises(StormError) as raised:
        storm(rows, head=head)
    return [str(fault) for fault in raised.value.faults]


# ---- chance --------------------------------------------------------------------------------------------------


def test_the_same_keys_give_the_same_numbers_and_others_others() -> None:
    """Written down, so that a rehearsal of last year can be made again."""
    assert [Chance(1, "press", 2).below(1_000_000) for _ in range(2)] == [Chance(1, "press", 2).below(1_000_000)] * 2
    assert [round(Chance(7).part(), 6), round(Chance("7", "").part(), 6)] == [0.518757, 0.690505]
    assert len({Chance(1, number).part() for number in range(1_000)}) == 1_000


def test_the_generator_is_splitmix64() -> None:
    """The first numbers from the seed 1234567, as its authors' program gives them."""
    chance = Chance()
    chance._state = 1_234_567
    assert [chance._next() for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize(
    ("spread", "mean"),
    [
        (Spread("exactly", 5_000), 5_000),
        (Spread("mean", 5_000), 5_000),
        (Spread("from", 2_000, 8_000), 5_000),
        (Spread("median", 5_000, 1.5), 5_000 * math.exp(math.log(1.5) ** 2 / 2)),
    ],
)
def test_lengths_have_the_mean_that_their_kind_has(spread: Spread, mean: float) -> None:
    """Within four standard errors of ten thousand draws, at most 4 % here."""
    chance = Chance("lengths", spread.kind)
    drawn = [spread.draw(chance) for _ in range(10_000)]
    assert fmean(drawn) == pytest.approx(mean, rel=0.04)
    assert min(drawn) >= 0


def test_some_are_different_ones_in_their_order() -> None:
    for seed in range(50):
        some = Chance(seed).some("abcdef", 3)
        assert some == sorted(set(some)) and len(some) == 3
    assert Chance(1).some("abc", 9) == ["a", "b", "c"]


# ---- arrivals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_arrivals_are_poisson(seed: int) -> None:
    """30 an hour for 100 hours are 3,000, give or take four standard deviations; gaps have the mean and the spread of chance."""
    head = f'[storm]\nstart = "2026-06-01T00:00"\nduration = "100h"\nseed = {seed}\n'
    presses = storm("[[arrivals]]\nper_hour = 30\n", head=head).presses
    assert abs(len(presses) - 3_000) < 4 * math.sqrt(3_000)
    gaps = [(later.at - one.at) / 1e9 for one, later in pairwise(presses)]
    assert fmean(gaps) == pytest.approx(120, rel=0.08)
    assert sum(gap > 120 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.04)
    counts = Counter(press.point for press in presses)
    assert set(counts) == set(DARLINGTON.points)
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_a_seed_is_all_the_chance_there_is() -> None:
    text = "[[arrivals]]\nper_hour = 20\ntalk = { mean = '90s' }\n"
    assert storm(text) == storm(text)
    other = HEAD + "seed = 2\n"
    assert storm(text, head=other).presses != storm(text).presses


def test_one_row_more_changes_nothing_of_the_others() -> None:
    """Each row draws by itself."""
    one = storm("[[arrivals]]\nper_hour = 20\n")
    two = storm("[[arrivals]]\nper_hour = 20\n[[mass]]\nat = '9h'\npresses = 5\n[[leave]]\nat = '1h'\n")
    assert {(press.at, press.point) for press in one.presses} <= {(press.at, press.point) for press in two.presses}
    assert len(two.presses) == len(one.presses) + 5


def test_a_row_lasts_from_and_until() -> None:
    found = storm("[[arrivals]]\nper_hour = 60\nfrom = '2h'\nuntil = '3h'\n")
    hours = {(press.at - found.begins) // 3_600_000_000_000 for press in found.presses}
    assert hours == {2}


BUTTONS = (Button("blue", Priority.INFORMATION, user="info", queue="idle"), Button("five", Priority.HIGH, digit="5"))


def test_rows_mean_points_by_pattern_queue_class_and_button() -> None:
    """Each alone, on a plan that has all of them."""
    made = plan()
    points = {
        **made.points,
        "p1": Point("p1", "Gate", "help", "human", buttons=BUTTONS),
        "p2": Point("p2", "Gate", "help", "human", Priority.NORMAL),
    }
    made = replace(made, points=points)
    assert _pressed(made, 'points = ["p[34]"]') == {"p3", "p4"}
    assert _pressed(made, 'queue = "idle"') == {"p3", "p4"}
    assert _pressed(made, 'class = "normal"') == {"p2"}
    assert _pressed(made, 'button = "blue"') == {"p1"}
    assert _pressed(made, 'button = "blue"\nclass = "information"') == {"p1"}
    assert _pressed(made, 'button = "blue"\nqueue = "idle"') == {"p1"}
    assert {press.button for press in storm('[[arrivals]]\nper_hour = 20\nbutton = "blue"\n', made).presses} == {"blue"}


def test_a_button_that_is_a_digit_is_keyed_after_the_press() -> None:
    """The press itself is an ordinary one."""
    made = replace(plan(), points={**plan().points, "p1": Point("p1", "Gate", "help", "human", buttons=BUTTONS)})
    one = storm('[[arrivals]]\nper_hour = 20\nbutton = "five"\n', made).presses[0]
    assert (one.point, one.button, one.doings) == ("p1", "", (Doing(2_000, "digit", "5"),))


def _pressed(made: Plan, says: str) -> set[str]:
    return {press.point for press in storm(f"[[arrivals]]\nper_hour = 60\n{says}\n", made).presses}


def test_a_mass_incident_is_at_one_place_and_soon_after_its_beginning() -> None:
    """Blackwellgate is 80 m from High Row, Market Square 106 m, all others more; most press in the first third of the time."""
    found = storm("[[mass]]\nat = '1h'\npresses = 60\nover = '9m'\naround = 'dl-high-row'\nnearest = 3\n")
    assert {press.point for press in found.presses} == {"dl-high-row", "dl-blackwellgate", "dl-market-square"}
    after = [(press.at - found.begins) / 1e9 - 3_600 for press in found.presses]
    assert (len(after), min(after) >= 0, max(after) < 540) == (60, True, True)
    assert sum(one < 180 for one in after) > 30


def test_a_prank_is_a_row_of_presses_at_one_point() -> None:
    found = storm("[[pranks]]\nper_hour = 0.5\npresses = 4\nevery = '10s'\n")
    assert len(found.presses) % 4 == 0
    first = [press for press in found.presses if press.at == found.presses[0].at or press.point == found.presses[0].point][:4]
    assert [(press.at - first[0].at) // 1_000_000 for press in first] == [0, 10_000, 20_000, 30_000]


def test_a_storm_begins_by_the_clocks_of_the_plan() -> None:
    """Eight in the evening of a London summer is 19:00 UTC."""
    assert storm("[[arrivals]]\nper_hour = 1\n").begins == 1_780_772_400 * 1_000_000_000


# ---- people --------------------------------------------------------------------------------------------------


def test_seats_are_on_duty_die_in_halves_and_come_back() -> None:
    found = storm("[[arrivals]]\nper_hour = 1\n[[seats_dead]]\nat = '1h'\nshare = 0.5\nback_after = '30m'\n")
    assert found.operators == frozenset(DARLINGTON.operators)
    lost = [change for change in found.changes if isinstance(change, LinesLost)]
    assert len(lost) == round(len(DARLINGTON.operators) / 2)
    assert {(one.at - found.begins) // 1_000_000_000 for one in lost} == {3_600}
    back = [one for one in _events(found, ev.SeatBound) if one.at > found.begins]
    assert {(one.at - found.begins) // 1_000_000_000 for one in back} == {5_400}


def _events(found: Period, kind: type) -> list[Change]:
    return [one for one in found.changes if isinstance(one, Change) and isinstance(one.event, kind)]


def test_only_those_on_duty_are_there_and_can_leave() -> None:
    found = storm('[people]\non_duty = ["operator[12]"]\n[[arrivals]]\nper_hour = 1\n[[leave]]\nat = "1h"\noperators = ["*2"]\n')
    assert found.operators == {"operator1", "operator2"}
    left = [one.event for one in _events(found, ev.Pause)]
    assert [getattr(event, "operator", "") for event in left] == ["operator2"]


def test_trunks_are_lost_and_back() -> None:
    found = storm('[[arrivals]]\nper_hour = 1\n[[trunks_lost]]\nat = "1h"\nback_after = "1m"\n', plan())
    lost, back = ([(one.at - found.begins) // SECOND for one in _events(found, kind)] for kind in (ev.TrunkLost, ev.TrunkReached))
    assert (lost, back) == ([3_600, 3_600], [3_660, 3_660])


def test_a_share_of_seats_lets_a_press_ring() -> None:
    """A fifth of them, within four standard deviations."""
    found = storm("[people]\nunanswered = 0.2\n[[arrivals]]\nper_hour = 50\n")
    replies = [press.replies[operator] for press in found.presses for operator in DARLINGTON.operators]
    share = sum(reply is None for reply in replies) / len(replies)
    assert share == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / len(replies)))


def test_operators_of_the_plan_before_are_there_too() -> None:
    """So that the old plan is not rehearsed without its people."""
    before = replace(plan(), operators={"zoe": Operator("zoe", "Zoe", ("main",))})
    assert "zoe" in storm("[[arrivals]]\nper_hour = 1\n", plan(), before).operators


# ---- faults --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("[[arrivals]]\nper_hour = 0\n", 5, "0 is no number from 0.001"),
        ("[[arrivals]]\nper_hour = 5\nfor = '1h'\n", 6, "unknown key 'for'"),
        ("[[arrivals]]\nper_hour = 5\ntalk = 90\n", 6, "90 is no length of time"),
        ("[[arrivals]]\nper_hour = 5\ntalk = { mean = '2 min' }\n", 6, "'2 min' is no duration"),
        ("[[arrivals]]\nper_hour = 5\nuntil = '1h'\nfrom = '2h'\n", 6, "'until' is not after 'from'"),
        ("[[arrivals]]\nper_hour = 5\npoints = ['xx-*']\n", 4, "no point fits 'xx-*'"),
        ("[[arrivals]]\nper_hour = 5\nqueue = 'harbour'\n", 4, "there is no queue 'harbour'"),
        ("[[arrivals]]\nper_hour = 5\nclass = 'information'\n", 4, "no point fits all that this row says"),
        ("[[mass]]\nat = '1h'\n", 4, "has no 'presses'"),
        ("[[mass]]\nat = '1h'\npresses = 3\naround = 'dl-nowhere'\n", 4, "'dl-nowhere' is none of the points"),
        ("[[leave]]\nat = '1h'\noperators = ['*']\nshare = 0.5\n[[arrivals]]\nper_hour = 5\n", 7, "both 'operators' and 'share'"),
        ("[[leave]]\nat = '1h'\noperators = ['zoe']\n[[arrivals]]\nper_hour = 5\n", 4, "no operator on duty fits 'zoe'"),
        ("[[trunks_lost]]\nat = '1h'\ntrunks = ['x']\n[[arrivals]]\nper_hour = 5\n", 4, "no trunk fits 'x'"),
        ("[people]\non_duty = ['zoe']\n[[arrivals]]\nper_hour = 5\n", 4, "no operator fits 'zoe'"),
        ("[thunder]\n[[arrivals]]\nper_hour = 5\n", 4, "unknown table 'thunder'"),
        ("[people]\nanswer = '5s'\n", 1, "nobody presses in this storm"),
        ("[[arrivals]]\nper_hour = 50000\n", 4, "more than 200,000 presses"),
        ("[[arrivals]\n", 4, "This is no TOML"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_would_be_right(text: str, line: int, what: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(f"storm.toml:{line}: ")
    assert what in fault
    assert fault.count(". ") >= 1


def test_all_faults_are_told_at_once() -> None:
    found = faults("[[arrivals]]\nper_hour = -1\n[[mass]]\nat = 5\npresses = 0\n", head="[storm]\nduration = '99d'\nseed = 'x'\n")
    assert [fault.split(":")[1] for fault in found] == ["1", "2", "3", "5", "7", "8"]


def test_a_time_with_a_zone_of_its_own_is_a_fault() -> None:
    (fault,) = faults("[[arrivals]]\nper_hour = 5\n", head='[storm]\nstart = "2026-06-06T20:00Z"\nduration = "1h"\n')
    assert "storm.toml:2" in fault and "time zone" in fault


def test_a_day_of_five_hundred_presses(capsys: pytest.CaptureFixture[str]) -> None:
    """How fast, for whoever looks; that all of it is rehearsed, for everybody."""
    head = '[storm]\nstart = "2026-06-06T00:00"\nduration = "24h"\n'
    found = storm("[people]\nanswer = { median = '6s', factor = 1.6 }\n[[arrivals]]\nper_hour = 21\n", head=head)
    began = time.perf_counter()
    (run,) = rehearse(found, DARLINGTON).runs
    took_s = time.perf_counter() - began
    assert run.effort is not None
    with capsys.disabled():
        print(
            f"\n{len(found.presses)} presses: {run.effort.events:,} events in {took_s:.2f} s, {run.effort.events / took_s:,.0f}/s"
        )
    assert run.rows[0].presses == len(found.presses) > 400
    assert (run.rows[0].unanswered, run.rows[0].by_seat > 300) == (0, True)


# ---- what comes with it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("file", STORMS, ids=lambda file: file.stem)
def test_a_shipped_storm_passes_over_every_shipped_plan(file: Path, name: str) -> None:
    """Nobody is left without an answer, where the police answers."""
    made = shipped(name)
    found = generate(parse(file.read_text(), file.name), made)
    (run,) = rehearse(found, made).runs
    whole = run.rows[0]
    assert whole.incidents > 30
    assert (whole.unanswered, whole.presses) == (0, len(found.presses))


def test_every_table_and_key_of_a_storm_is_described() -> None:
    """docs/rehearse.md has each below its table's heading."""
    document = sources.text("docs/rehearse.md")
    for table, keys in {**TABLES, **ROWS}.items():
        _, found, body = document.partition(f"### `{table}`")
        assert found, table
        body = body.partition("\n### ")[0]
        assert [key for key in keys if f"`{key}`" not in body] == [], table
