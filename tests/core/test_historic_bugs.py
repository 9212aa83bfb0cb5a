"""What other queue engines are known to have done to waiting callers, and that ours cannot.

Each test is named after the fault as its reporters told it, with the engine in which it was met. The engines are fine
software; they are named so that somebody who was bitten finds the place.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core.decide import next_deadline
from callserver.core.effects import DialPoint, EndLeg
from callserver.core.facts import OfferMade, OfferWidened
from callserver.core.fold import fold
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PartyId
from callserver.core.instant import MS
from callserver.core.recovery import reconcile
from callserver.core.termination import By, Class, Termination
from callserver.watch.watch import Watch
from dialplans.model import Operator, Plan, Priority, Strategy
from tests.core.driver import BUSY, CANCELLED, GONE, LOST, Driver
from tests.core.plans import plan, with_queue

Story = Callable[[Driver], None]


def classed(made: Plan | None = None, **points: Priority) -> Plan:
    """The plan with classes for some of its points."""
    made = made or plan()
    known = {id: replace(made.points[id], priority=priority) for id, priority in points.items()}
    return replace(made, points={**made.points, **known})


def nothing_waits_for_long(driver: Driver) -> None:
    """The watch, which shares nothing with the core but the question who may be rung, agrees."""
    watch = Watch()
    for fact, at in driver.journal:
        watch.take(fact, at)
    watch.check(driver.now)
    driver.after(2_500)
    for fact, at in driver.journal[-len(driver.facts) :] if driver.facts else ():
        watch.take(fact, at)
    assert watch.check(driver.now) == []


def restart(driver: Driver) -> None:
    """The switchboard is killed: what it dialled is gone without a word, what was answered goes on."""
    driver.state = fold(driver.journal)
    alive = {leg.id for leg in driver.state.legs.values() if leg.state in ("up", "early")}
    driver.do(*reconcile(driver.state, alive, set(driver.state.calls)), ev.Woken())


# ---- stuck and halted -------------------------------------------------------------------------------------------


def _busy(driver: Driver) -> None:
    driver.end("ann", BUSY)


def _unreachable(driver: Driver) -> None:
    driver.end("ann", GONE)


def _rings_out(driver: Driver) -> None:
    driver.after(15_000)


def _seat_lost(driver: Driver) -> None:
    driver.do(ev.SeatUnbound(OperatorId("ann"), "expired"))


def _pauses(driver: Driver) -> None:
    driver.do(ev.Pause(OperatorId("ann"), "break", "ann"))


def _closed(driver: Driver) -> None:
    driver.end("p1", CANCELLED)
    driver.do(ev.GiveOutcome(IncidentId("i1"), "false", "sue"))


def _let_go(driver: Driver) -> None:
    driver.do(ev.HangUp(CallId("i1.1"), "sue"))


def _answered_elsewhere(driver: Driver) -> None:
    driver.answer("bob")


OFFER_ENDS: list[Story] = [_busy, _unreachable, _rings_out, _seat_lost, _pauses, _closed, _let_go, _answered_elsewhere, restart]


@pytest.mark.parametrize("end", OFFER_ENDS)
def test_stuck_receiving(end: Story) -> None:
    """mod_callcenter, also "stuck Reserved": the offer is over and its operator stays in it, and is never rung again."""
    driver = Driver(None, "ann", "bob")
    driver.press()
    assert driver.operator("ann") == "offered"
    end(driver)
    driver.gone()
    ringing = {operator for call in driver.state.calls.values() if call.offer for operator in call.offer.legs.values()}
    assert (driver.operator("ann") == "offered") == ("ann" in ringing)
    driver.do(ev.SeatBound(OperatorId("ann"), "sip"), ev.MakeAvailable(OperatorId("ann"), "ann"))
    driver.after(17_000)
    driver.gone()
    driver.press("p3")
    assert driver.operator("ann") in ("offered", "available")
    nothing_waits_for_long(driver)


def test_dispatch_dead() -> None:
    """mod_callcenter: the thread that hands out calls is dead until the module is loaded anew.

    Here nothing hands out but the decision itself: every event does, refused ones too, and while a call waits there is always a
    next moment at which it is looked at again, for as long as nobody answers.
    """
    driver = Driver(None, "ann")
    driver.press()
    until = driver.now + 3_600_000 * MS
    looked = 0
    while driver.now < until:
        deadline = next_deadline(driver.state)
        assert deadline is not None and driver.now < deadline <= driver.now + 60_000 * MS
        driver.now = deadline
        driver.do(ev.LegRang(LegId("nobody's")), ev.GiveOutcome(IncidentId("none"), "helped", "sue"))
        driver.gone()
        looked += 1
    assert len(driver.ever(OfferMade)) > 100 < looked


def test_one_odd_event_stops_nothing() -> None:
    """The same fault by its cause: whatever comes at whatever time, the next press is offered at once."""
    driver = Driver(None, "ann")
    odd = (
        ev.LegAnswered(LegId("x")), ev.LegEnded(LegId("x"), LOST), ev.HangUp(CallId("x"), "x"), ev.WorkerLost(CallId("x"), "x"),
        ev.DigitPressed(LegId("x"), "5"), ev.SeatUnbound(OperatorId("x"), "x"), ev.Pause(OperatorId("x"), "x", "x"),
        ev.Reclassify(IncidentId("x"), 9, "x"), ev.ClimbLadder(IncidentId("x"), "x"), ev.LastResort(IncidentId("x"), "x"),
        ev.NoticeDone("x", False, "x"), ev.Hold(CallId("x"), True, "x"), ev.Woken(),
    )  # fmt: skip
    driver.do(*odd)
    driver.press()
    assert driver.rung() == {"ann"}


@pytest.mark.parametrize("strategy", list(Strategy))
def test_halts_at_the_last_of_the_list(strategy: Strategy) -> None:
    """mod_callcenter, "halts at last agent": when the last of the list did not answer, nobody is rung any more."""
    driver = Driver(with_queue(plan(), "idle", strategy=strategy), "ann", "bob", "cat")
    driver.press("p3")
    for _ in range(80):
        driver.gone()
        driver.after(5_000)
    shown = [*driver.ever(OfferMade), *driver.ever(OfferWidened)]
    rung = [operator for offer in shown for operator in offer.operators]
    assert all(rung.count(operator) >= 8 for operator in ("ann", "bob", "cat")), rung
    nothing_waits_for_long(driver)


def test_the_queue_stops_when_a_call_joins_at_the_head() -> None:
    """Asterisk with force_longest_waiting_caller, and a deadlock that Wazo patches: a call at position 1 stops the others."""
    driver = Driver(classed(p2=Priority.NORMAL, p3=Priority.NORMAL), "ann", "bob", "cat")
    driver.talk("p2", "ann")
    driver.press("p3")
    assert driver.state.waiting == ["i2"]
    head = driver.press("p1")
    assert driver.state.waiting[0] == head.id
    nothing_waits_for_long(driver)
    offered = {call.incident for call in driver.state.calls.values() if call.offer}
    assert offered == {"i2", head.id}


# ---- zombies ----------------------------------------------------------------------------------------------------


def test_zombie_call_rung_after_hang_up() -> None:
    """mod_callcenter: the caller has gone, the operator is rung, answers, and hears nobody.

    Here a caller who hung up is still a caller: whoever answers is connected by calling the point back. Once the incident is
    closed nothing of it rings, and an answer that crossed our CANCEL is ended.
    """
    driver = Driver(None, "ann", "bob")
    driver.press()
    driver.end("p1", CANCELLED)
    driver.answer("ann")
    assert [order.point for order in driver.ordered(DialPoint)] == ["p1"]
    driver.gone()
    driver.press("p3")
    late = driver.leg("bob")
    driver.do(ev.GiveOutcome(IncidentId("i2"), "false", "sue"))
    assert [order.leg for order in driver.ordered(EndLeg) if order.leg == late] == [late]
    driver.do(ev.LegAnswered(late))
    assert [order.leg for order in driver.ordered(EndLeg)] == [late]
    driver.gone()
    assert not [leg for leg in driver.state.legs.values() if leg.call == "i2.1"]
    assert driver.operator("bob") == "available"


def _point_says_bye(driver: Driver) -> None:
    driver.end("p2")


def _operator_hangs_up(driver: Driver) -> None:
    driver.end("ann")


def _line_lost(driver: Driver) -> None:
    driver.end("ann", LOST)


def _ended_by_a_supervisor(driver: Driver) -> None:
    driver.do(ev.HangUp(CallId("i1.1"), "sue"))


def _lost_in_a_restart(driver: Driver) -> None:
    driver.end("ann", Termination(Class.LOST, By.US, "lost in a restart"))


def _left_to_the_police(driver: Driver) -> None:
    driver.do(ev.Escalate(CallId("i1.1"), PartyId("police"), "ann"))
    driver.answer("police")
    driver.end("ann")


def _seat_gone_then_the_leg(driver: Driver) -> None:
    driver.do(ev.SeatUnbound(OperatorId("ann"), "expired"))
    driver.end("ann", LOST)


TALK_ENDS: list[Story] = [
    *(_point_says_bye, _operator_hangs_up, _line_lost, _ended_by_a_supervisor),
    *(_lost_in_a_restart, _left_to_the_police, _seat_gone_then_the_leg),
]


@pytest.mark.parametrize("end", TALK_ENDS)
def test_locked_incall(end: Story) -> None:
    """OpenSIPS call_center: the call is over and its operator stays "incall" for ever."""
    driver = Driver(None, "ann")
    driver.talk("p2", "ann")
    end(driver)
    driver.gone()
    driver.after(61_000)
    driver.gone()
    driver.do(ev.SeatBound(OperatorId("ann"), "sip"), ev.MakeAvailable(OperatorId("ann"), "ann"))
    driver.after(17_000)
    driver.gone()
    driver.press("p3")
    driver.after(17_000)
    driver.gone()
    assert driver.operator("ann") == "offered"
    nothing_waits_for_long(driver)


# ---- priority ---------------------------------------------------------------------------------------------------


def test_weight_starves() -> None:
    """Asterisk: a call of a heavier queue keeps operators idle who are not even members of it."""
    made = classed(p1=Priority.EMERGENCY, p3=Priority.INFORMATION)
    made = with_queue(replace(made, groups=(*made.groups, "empty")), "help", groups=("empty",))
    driver = Driver(made, "ann")
    driver.press("p1")
    driver.press("p3")
    assert driver.rung() == {"ann"}
    assert {call.incident for call in driver.state.calls.values() if call.offer} == {"i2"}


def test_longest_waiting_beats_priority() -> None:
    """A lower call that waits for some minutes goes before an emergency that has just come."""
    driver = Driver(classed(p3=Priority.NORMAL, p6=Priority.NORMAL), "ann")
    driver.talk("p6", "ann")
    driver.press("p3")
    driver.after(300_000)
    driver.gone("police")
    driver.press("p1")
    driver.end("ann")
    assert {call.incident for call in driver.state.calls.values() if call.offer} == {"i3"}


def test_priority_change_ignored_for_those_already_waiting() -> None:
    """Asterisk until 2023: a new priority counted for those who came later only."""
    driver = Driver(classed(p3=Priority.NORMAL, p5=Priority.NORMAL, p6=Priority.NORMAL), "ann")
    driver.talk("p6", "ann")
    driver.press("p3")
    driver.press("p5")
    driver.do(ev.Reclassify(IncidentId("i3"), Priority.EMERGENCY, "sue"))
    assert driver.state.waiting == ["i3", "i2"]
    driver.end("ann")
    assert {call.incident for call in driver.state.calls.values() if call.offer} == {"i3"}


def test_penalty_lost_in_rules() -> None:
    """Asterisk: a rule that changes a running queue forgets who was to be asked later.

    Here an incident keeps the plan under which it was opened: dan, who is for the second step, is not rung before it, though
    a new plan has him in the first group.
    """
    driver = Driver(None, "ann", "dan")
    driver.press("p1")
    promoted = replace(plan(), operators={**plan().operators, "dan": Operator("dan", "Dan", ("main",))})
    driver.do(ev.PlanLoaded(2, "another", promoted, "admin"))
    assert driver.operator("dan") == "available"
    driver.after(10_000)
    assert driver.operator("dan") == "offered"


# ---- wrap-up ----------------------------------------------------------------------------------------------------


def test_wrap_up_ends_early() -> None:
    """Across queues: a call of another queue, with a shorter wrap-up or none, ends the operator's."""
    driver = Driver(classed(p2=Priority.NORMAL, p3=Priority.NORMAL, p6=Priority.NORMAL), "ann")
    driver.talk("p2", "ann")
    driver.end("p2")
    driver.press("p3")
    driver.press("p6")
    driver.after(59_999)
    assert driver.operator("ann") == "wrap-up" and not driver.ever(OfferMade)[1:]
    driver.after(1)
    driver.gone()
    assert driver.operator("ann") == "offered"


def test_wrap_up_ends_late() -> None:
    """OpenSIPS: nobody is free before the last wrap-up of all ends, while callers wait."""
    driver = Driver(classed(p2=Priority.NORMAL, p3=Priority.NORMAL, p4=Priority.NORMAL), "ann", "bob")
    driver.talk("p2", "ann")
    driver.talk("p3", "bob")
    driver.end("ann")
    driver.end("bob")
    driver.press("p4")
    assert (driver.operator("ann"), driver.operator("bob")) == ("wrap-up", "wrap-up")
    driver.after(20_000)
    assert (driver.operator("ann"), driver.operator("bob")) == ("wrap-up", "offered")


# ---- place in line ----------------------------------------------------------------------------------------------


def _rings_out_ten_times(driver: Driver) -> None:
    for _ in range(10):
        driver.after(15_000)
        driver.gone()


def _its_operator_is_lost(driver: Driver) -> None:
    driver.answer("bob")
    driver.gone("ann", "bob")
    driver.after(30_000)
    driver.end("bob", LOST)


def _it_hangs_up(driver: Driver) -> None:
    driver.end("p1", CANCELLED)


def _it_presses_again(driver: Driver) -> None:
    driver.press("p1")


@pytest.mark.parametrize("meanwhile", [_rings_out_ten_times, _its_operator_is_lost, _it_hangs_up, _it_presses_again, restart])
def test_place_in_line_lost(meanwhile: Story) -> None:
    """Microsoft Teams: whoever is not answered in time, or comes back, goes to the end of the queue."""
    driver = Driver(None, "ann", "bob")
    driver.talk("p6", "ann")
    first = driver.press("p1")
    for point in ("p3", "p4"):
        driver.after(1_000)
        driver.press(point)
    meanwhile(driver)
    assert driver.state.waiting[0] == first.id


def test_callbacks_jump_ahead() -> None:
    """FreePBX and Twilio queued callbacks: who is to be called back goes before those who hold the line, or starves them.

    Here both stand in one line by one rule: the caller who hung up keeps the place, no better and no worse.
    """
    driver = Driver(None, "ann")
    driver.talk("p6", "ann")
    driver.press("p1")
    driver.after(1_000)
    driver.press("p3")
    driver.after(1_000)
    driver.press("p4")
    driver.end("p3", CANCELLED)
    assert driver.state.waiting == ["i2", "i3", "i4"]
    served = []
    for _ in range(3):
        if driver.operator("ann") == "talking":
            driver.end("ann")
        driver.do(ev.MakeAvailable(OperatorId("ann"), "ann"))
        driver.gone("ann")
        served.append(next(call.incident for call in driver.state.calls.values() if call.offer))
        driver.answer("ann")
        if driver.rung():
            driver.answer("p3")
    assert served == ["i2", "i3", "i4"]
