"""The watch finds what must not be seen for long in a journal, and nothing in a good one.

A journal of the real core from which facts were left out is the journal of a core that forgot them.
"""

from collections.abc import Callable

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core import ladder, offers, outside
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.instant import MS, SECOND, Instant
from callserver.watch.watch import Breach, Watch
from dialplans.model import Notice
from tests.core.driver import BUSY, LOST, Driver
from tests.core.plans import plan

Forgotten = Callable[[f.Fact], bool]


def watched(driver: Driver, forgotten: Forgotten = lambda fact: False) -> Watch:
    """A watch that read the journal without what was forgotten."""
    watch = Watch()
    for fact, at in driver.journal:
        if not forgotten(fact):
            watch.take(fact, at)
    return watch


def breaches(watch: Watch, since: Instant, ms: int) -> list[Breach]:
    """What it finds after so long, looking as often as it asks for."""
    until = Instant(since + ms * MS)
    found = watch.check(since)
    while not found and (at := watch.next_at()) is not None and at <= until:
        found = watch.check(at)
    return found or watch.check(until)


def keys(driver: Driver, forgotten: Forgotten, ms: int = 2_100) -> list[str]:
    """The alarms of a journal with a hole, so long after its end."""
    return [one.key for one in breaches(watched(driver, forgotten), driver.now, ms)]


def offered(driver: Driver) -> None:
    driver.press()


def refused(driver: Driver) -> None:
    driver.press()
    for operator in ("ann", "bob"):
        driver.end(operator, BUSY)


def talking(driver: Driver) -> None:
    driver.talk()


def wrapped_up(driver: Driver) -> None:
    driver.talk()
    driver.end("ann")


def rung_out(driver: Driver) -> None:
    driver.press()
    driver.after(16_000)
    driver.gone()


def at_the_last_step(driver: Driver) -> None:
    driver.press()
    driver.after(30_000)


def lost(driver: Driver) -> None:
    driver.talk()
    driver.end("ann", LOST)


STORIES = [offered, refused, talking, wrapped_up, rung_out, at_the_last_step, lost]


@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_found_in_a_good_journal(story: Callable[[Driver], None]) -> None:
    """Not at once, and not as long as nothing is due."""
    driver = Driver(None, "ann", "bob")
    story(driver)
    watch = watched(driver)
    assert watch.check(driver.now) == []
    driver.after(2_500)
    assert watched(driver).check(driver.now) == []
    assert watch.unfit == 0


def test_a_call_without_an_offer_is_found_after_two_seconds_and_not_before() -> None:
    """With the incident, whose last resort would help."""
    driver = Driver(None, "ann", "bob")
    driver.press()
    watch = watched(driver, _of_offers)
    assert breaches(watch, driver.now, 2_000) == []
    (found,) = breaches(watch, driver.now, 2_500)
    assert found.key == "watch:unoffered:i1" and found.incident == "i1" and "ann" in found.text


def _of_offers(fact: f.Fact) -> bool:
    made = isinstance(fact, f.OfferMade) or (isinstance(fact, f.LegCreated) and fact.role == "operator")
    return made or (isinstance(fact, f.OperatorMoved) and fact.new == "offered")


def test_who_may_not_have_a_call_is_not_missed() -> None:
    """Dan is in the group of the ladder's second step only."""
    driver = Driver(None, "ann", "dan")
    driver.talk("p2")
    driver.press("p1")
    assert driver.operator("dan") == "available"
    assert breaches(watched(driver), driver.now, 9_000) == []


def test_an_offer_that_rings_nowhere_is_found() -> None:
    """The seats' legs ended and the offer did not."""
    driver = Driver(None, "ann")
    driver.press()
    driver.end("ann", BUSY)
    found = keys(driver, lambda fact: isinstance(fact, f.OfferEnded))
    assert "watch:unanswerable:i1.1" in found


def test_an_operator_whose_offer_is_gone_is_found() -> None:
    """What other queues call stuck receiving."""
    driver = Driver(None, "ann")
    driver.press()
    driver.end("ann", BUSY)
    moved = lambda fact: isinstance(fact, f.OperatorMoved) and fact.new == "available" and fact.old == "offered"  # noqa: E731
    assert "watch:stuck:ann" in keys(driver, moved)


def test_an_operator_who_talks_without_a_line_is_found() -> None:
    """What other queues call locked in a call."""
    driver = Driver(None, "ann")
    driver.talk("p6")
    driver.end("ann")
    assert "watch:stuck:ann" in keys(driver, lambda fact: isinstance(fact, f.OperatorMoved) and fact.old == "talking")


def test_a_wrap_up_past_its_end_is_found() -> None:
    """Its end is in the fact; the watch needs no other."""
    driver = Driver(None, "ann")
    driver.talk()
    driver.end("ann")
    watch = watched(driver)
    assert breaches(watch, driver.now, 60_000) == []
    assert "watch:stuck:ann" in [one.key for one in breaches(watch, driver.now, 63_000)]


def test_a_line_that_never_ends_is_found() -> None:
    """Its seat is never rung again, though its operator is free."""
    driver = Driver(None, "ann")
    driver.press()
    driver.do(ev.Pause(OperatorId("ann"), "break", "ann"))
    watch = watched(driver)
    leg = next(leg.id for leg in driver.state.legs.values() if leg.party == "ann")
    driver.answer("police")
    watch = watched(driver)
    assert [one.key for one in breaches(watch, driver.now, 89_000)] == []
    assert f"watch:stuck:{leg}" in [one.key for one in breaches(watch, driver.now, 91_000)]


@pytest.mark.parametrize(
    ("story", "forgotten", "kind"),
    [
        (lost, lambda fact: isinstance(fact, f.IncidentMoved) and fact.old == "attended", "unowned"),
        (wrapped_up, lambda fact: isinstance(fact, f.OperatorMoved) and fact.new == "wrap-up", "unowned"),
        (offered, lambda fact: isinstance(fact, f.LegCreated) and fact.role == "point", "ignored"),
        (offered, lambda fact: isinstance(fact, f.CallOpened), "unowned"),
    ],
)
def test_an_incident_without_care_is_found(story: Callable[[Driver], None], forgotten: Forgotten, kind: str) -> None:
    driver = Driver(None, "ann", "bob")
    story(driver)
    assert f"watch:{kind}:i1" in keys(driver, forgotten)


def test_a_repeated_press_that_leads_to_nothing_is_found() -> None:
    """It joined its incident, and the device hears nothing."""
    driver = Driver(None, "ann")
    driver.press()
    driver.press()
    assert "watch:ignored:i1" in keys(driver, lambda fact: isinstance(fact, f.LegCreated) and fact.leg == "i1.1.3")


def test_a_ladder_past_its_time_is_found() -> None:
    """The step was due two seconds ago."""
    driver = Driver(None, "ann")
    driver.press()
    watch = watched(driver)
    assert breaches(watch, driver.now, 11_900) == []
    assert breaches(watch, driver.now, 13_200)[0].key == "watch:late:i1"


def test_a_ladder_that_stands_while_nobody_is_there_is_found() -> None:
    """The step for it is not due by time."""
    driver = Driver(None)
    driver.press()
    forgotten = (f.LadderStepTaken, f.RouteTried)
    found = keys(driver, lambda fact: isinstance(fact, forgotten) or (isinstance(fact, f.LegCreated) and fact.role == "outside"))
    assert found == ["watch:late:i1"]


def test_a_last_resort_that_does_not_ring_is_found() -> None:
    """The steps were taken, and no party is dialled."""
    driver = Driver(None)
    driver.press()
    unrung = lambda fact: isinstance(fact, f.RouteTried) or (isinstance(fact, f.LegCreated) and fact.role == "outside")  # noqa: E731
    assert keys(driver, unrung) == ["watch:silent:i1"]


def test_a_pause_between_rounds_is_no_silence_until_it_is_over() -> None:
    """All routes failed; the next round is due in five seconds."""
    driver = Driver()
    driver.press()
    driver.end("civic", BUSY)
    for _ in range(2):
        driver.end("police", BUSY)
    assert driver.ever(f.RouteAwaited)
    watch = watched(driver)
    assert breaches(watch, driver.now, 6_900) == []
    assert breaches(watch, driver.now, 8_500)[0].key == "watch:silent:i1"


def test_what_was_wrong_while_the_switchboard_was_away_counts_from_its_return() -> None:
    """Nobody could have offered the call meanwhile."""
    driver = Driver(None, "ann")
    driver.press()
    watch = watched(driver)
    back = Instant(driver.now + 60 * SECOND)
    assert watch.check(Instant(back - 10 * SECOND)) == []
    assert watch.check(Instant(back - 1)) != []
    watch.take(f.ServerStarted("1", 10), back)
    assert watch.check(Instant(back + 2 * SECOND)) == []
    assert [one.key for one in watch.check(Instant(back + 2 * SECOND + 1))] == ["watch:late:i1"]


def test_trouble_that_comes_and_goes_is_not_taken_for_one() -> None:
    """Two short gaps between offers, seen by two looks that are far apart."""
    driver = Driver(None, "ann", "bob")
    watch = watched(driver)
    facts: list[f.Fact] = [
        f.IncidentOpened(IncidentId("x"), PointId("p1"), "help", 0, 1),
        f.CallOpened(_call("x"), IncidentId("x"), PointId("p1")),
        f.LegCreated(_leg("x.1.1"), _call("x"), "point", "p1", True),
    ]
    for fact in facts:
        watch.take(fact, driver.now)
    assert watch.check(driver.now) == []
    later = Instant(driver.now + 1_900 * MS)
    watch.take(f.OfferMade(_offer("x.1.o1"), _call("x"), (OperatorId("ann"),), (_leg("x.1.2"),), later + SECOND, ""), later)
    watch.take(f.OfferEnded(_offer("x.1.o1"), "refused", ""), Instant(later + 10 * MS))
    assert watch.check(Instant(driver.now + 2_500 * MS)) == []
    assert watch.check(Instant(driver.now + 4_000 * MS)) != []


def test_a_notice_that_is_never_settled_is_found() -> None:
    """After five minutes."""
    driver = Driver(plan(notices={"mail": Notice("mail", to="duty@example.org")}))
    driver.press()
    watch = watched(driver)
    watch.take(f.NoticeOrdered("i1.n1", IncidentId("i1"), "mail", "look"), driver.now)
    driver.answer("police")
    for fact in driver.facts:
        watch.take(fact, driver.now)
    assert "watch:untold:i1.n1" not in [one.key for one in breaches(watch, driver.now, 299_000)]
    assert "watch:untold:i1.n1" in [one.key for one in watch.check(Instant(driver.now + 301 * SECOND))]


def no_rule(*_: object, **__: object) -> None:
    """One that was forgotten."""


@pytest.mark.parametrize(
    ("room", "rule", "bound", "kind"),
    [(offers, "deal", ("ann",), "unoffered"), (ladder, "climb", (), "late"), (outside, "failed", (), "silent")],
)
def test_the_fallback_rings_somebody_whatever_rule_is_broken(
    room: object, rule: str, bound: tuple[str, ...], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch's LastResort calls the police although the core forgets to."""
    monkeypatch.setattr(room, rule, no_rule)
    driver = Driver(None, *bound)
    driver.press()
    while rings := [leg.party for leg in driver.state.legs.values() if leg.role == "outside"]:
        driver.end(rings[0], BUSY)
    (found,) = breaches(watched(driver), driver.now, 3_000)
    assert found.key == f"watch:{kind}:i1" and found.incident is not None
    driver.do(ev.LastResort(found.incident, found.text))
    assert "police" in driver.rung()


def test_a_hole_in_the_journal_is_counted_and_nothing_breaks() -> None:
    """A fact about a call that it never heard of."""
    watch = Watch()
    watch.take(f.CallMoved(_call("nobody"), "waiting", "talking", ""), Instant(1))
    assert (watch.unfit, watch.check(Instant(2)), watch.next_at()) == (1, [], None)


def test_its_own_alarms_are_known_from_the_journal() -> None:
    """So that a watch that was started anew clears what its predecessor raised."""
    watch = Watch()
    watch.take(f.AlarmRaised("watch:stuck:ann", "x"), Instant(1))
    watch.take(f.AlarmRaised("journal", "x"), Instant(1))
    assert watch.raised() == {"watch:stuck:ann"}
    watch.take(f.AlarmCleared("watch:stuck:ann", "x"), Instant(2))
    assert watch.raised() == set()


def _call(incident: str) -> f.CallId:
    return f.CallId(f"{incident}.1")


def _leg(leg: str) -> f.LegId:
    return f.LegId(leg)


def _offer(offer: str) -> f.OfferId:
    return f.OfferId(offer)
