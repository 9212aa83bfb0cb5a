"""Live control of a conversation: mute, drop, private talk, supervisors' modes, taking over; who hears whom in each."""

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.effects import DialOperator, EndLeg
from callserver.core.ids import LegId, OperatorId, PartyId
from callserver.core.state import Call, Incident
from tests.core.driver import LOST, Driver


def hears(call: Call) -> set[tuple[str, str]]:
    """Who (first) is heard by whom, by party."""
    names = {leg: call.legs[leg].party for leg in call.legs}
    talk = {(names[one], names[other]) for one in call.shape.talk for other in call.shape.talk if one != other}
    return talk | {(names[one], names[other]) for one, other in call.shape.also}


def both(*pairs: tuple[str, str]) -> set[tuple[str, str]]:
    """Both directions of each pair."""
    return {*pairs, *((other, one) for one, other in pairs)}


def prompts(call: Call) -> dict[str, str]:
    """What each party is played, by party."""
    return {call.legs[leg].party: prompt.name for prompt in call.shape.prompts for leg in prompt.to}


def conversation(*more: str) -> tuple[Driver, Incident, Call]:
    """Ann talks with p1; these operators are on duty besides."""
    run = Driver(None, "ann", *more)
    incident = run.talk()
    return run, incident, run.call(incident)


def with_police() -> tuple[Driver, Incident, Call]:
    """Ann, p1 and the police talk."""
    run, incident, call = conversation()
    run.do(ev.Escalate(call.id, PartyId("police"), "ann"))
    run.answer("police")
    return run, incident, call


def bring(run: Driver, call: Call, mode: str, operator: str = "bob") -> LegId:
    """A colleague's seat is brought in, and answers."""
    run.do(ev.Bring(call.id, OperatorId(operator), mode, "sue"))
    return run.answer(operator)


# ---- muted ------------------------------------------------------------------------------------------------------


def test_who_is_muted_hears_the_others_and_is_not_heard() -> None:
    run, _, call = with_police()
    run.do(ev.Mute(call.id, run.leg("p1"), True, "ann"))
    assert hears(call) == both(("ann", "police")) | {("ann", "p1"), ("police", "p1")}
    assert [(fact.muted, fact.by) for fact in run.said(f.LegMuted)] == [(True, "ann")]
    run.do(ev.Mute(call.id, run.leg("p1"), True, "ann"))
    assert run.facts == []  # is so already
    run.do(ev.Mute(call.id, run.leg("p1"), False, "ann"))
    assert hears(call) == both(("ann", "police"), ("ann", "p1"), ("police", "p1"))


def test_two_who_are_muted_do_not_hear_each_other() -> None:
    run, _, call = with_police()
    run.do(ev.Mute(call.id, run.leg("p1"), True, "ann"), ev.Mute(call.id, run.leg("police"), True, "ann"))
    assert hears(call) == {("ann", "p1"), ("ann", "police")}


def test_only_a_leg_that_talks_can_be_muted() -> None:
    run, _, call = conversation()
    run.do(ev.Escalate(call.id, PartyId("police"), "ann"))
    run.do(ev.Mute(call.id, run.leg("police"), True, "ann"))
    assert [type(fact) for fact in run.facts] == [f.Refused]


def test_a_mute_ends_when_the_operator_who_could_end_it_goes() -> None:
    run, _, call = with_police()
    run.do(ev.Mute(call.id, run.leg("p1"), True, "ann"))
    run.end("ann")
    assert hears(call) == both(("p1", "police"))


def test_a_mute_ends_when_the_caller_waits_again() -> None:
    run, incident, call = conversation()
    run.do(ev.Mute(call.id, run.leg("p1"), True, "ann"))
    run.end("ann", LOST)
    assert incident.state == "waiting" and not call.legs[run.leg("p1")].muted


# ---- dropped -----------------------------------------------------------------------------------------------------


def test_a_party_is_dropped_and_the_talk_goes_on() -> None:
    run, _, call = with_police()
    run.do(ev.Drop(call.id, run.leg("police"), "ann"))
    assert run.hung_up() == {"police"} and hears(call) == both(("ann", "p1"))
    run.gone()
    run.after(60_000)
    assert run.ordered(DialOperator) == [] and run.rung() == set()


def test_a_dropped_party_that_rings_is_not_tried_by_its_next_route() -> None:
    run, _, call = conversation()
    run.do(ev.Escalate(call.id, PartyId("police"), "ann"))
    run.do(ev.Drop(call.id, run.leg("police"), "ann"))
    assert len(run.said(f.PartyGivenUp)) == 1
    run.gone()
    assert run.rung() == set()


def test_the_last_one_who_has_the_call_cannot_be_dropped() -> None:
    run, _, call = conversation()
    for party in ("ann", "p1"):
        run.do(ev.Drop(call.id, run.leg(party), "sue"))
        assert [type(fact) for fact in run.facts] == [f.Refused]


def test_the_last_resort_of_a_waiting_call_cannot_be_dropped() -> None:
    run = Driver()
    incident = run.press()
    run.do(ev.Drop(run.call(incident).id, run.leg("police"), "sue"))
    assert [type(fact) for fact in run.facts] == [f.Refused]


# ---- left to the police -------------------------------------------------------------------------------------------


def test_an_operator_leaves_the_call_to_the_police_by_dropping_the_own_leg() -> None:
    run, incident, call = with_police()
    run.do(ev.Hold(call.id, True, "ann"))
    run.do(ev.Drop(call.id, run.leg("ann"), "ann"))
    assert run.hung_up() == {"ann"} and incident.state == "attended" and run.operator("ann") == "available"
    assert hears(call) == both(("p1", "police")) and not call.held
    run.gone()
    assert call.state == "talking"


# ---- private -------------------------------------------------------------------------------------------------------


def test_the_operator_speaks_with_the_police_alone_while_the_point_is_comforted() -> None:
    run, _, call = with_police()
    run.do(ev.SetMode(call.id, run.leg("police"), "private", "ann"))
    assert hears(call) == both(("ann", "police")) and prompts(call)["p1"] == "hold"
    run.do(ev.SetMode(call.id, run.leg("police"), "join", "ann"))
    assert hears(call) == both(("ann", "police"), ("ann", "p1"), ("police", "p1"))


def test_a_colleague_is_asked_privately() -> None:
    run, _, call = conversation()
    run.do(ev.SeatBound(OperatorId("bob"), "sip"))
    run.do(ev.Bring(call.id, OperatorId("bob"), "private", "ann"))
    assert hears(call) == both(("ann", "p1"))  # until bob answers, the talk goes on
    run.answer("bob")
    assert hears(call) == both(("ann", "bob")) and prompts(call) == {"p1": "hold"}
    run.end("bob")
    assert hears(call) == both(("ann", "p1"))


# ---- listening, whispering, joining ---------------------------------------------------------------------------------


def test_a_supervisor_listens_and_is_heard_by_nobody() -> None:
    run, _, call = conversation("bob")
    bring(run, call, "listen")
    assert hears(call) == both(("ann", "p1")) | {("ann", "bob"), ("p1", "bob")}
    assert run.operator("bob") == "available"


def test_a_whisper_is_heard_by_the_operator_alone() -> None:
    run, _, call = with_police()
    run.do(ev.SeatBound(OperatorId("bob"), "sip"))
    bring(run, call, "whisper")
    everybody = {("ann", "bob"), ("p1", "bob"), ("police", "bob")}
    assert hears(call) == both(("ann", "p1"), ("ann", "police"), ("police", "p1")) | everybody | {("bob", "ann")}


def test_a_mode_is_changed_in_the_midst_of_it() -> None:
    run, _, call = conversation("bob")
    leg = bring(run, call, "listen")
    run.do(ev.SetMode(call.id, leg, "join", "sue"))
    assert hears(call) == both(("ann", "p1"), ("ann", "bob"), ("p1", "bob"))
    run.do(ev.SetMode(call.id, leg, "shout", "sue"))
    assert [type(fact) for fact in run.facts] == [f.Refused]


def test_a_listener_hears_what_the_operator_says_while_the_point_waits() -> None:
    run, _, call = conversation("bob")
    bring(run, call, "listen")
    run.do(ev.Hold(call.id, True, "ann"))
    assert hears(call) == {("ann", "bob")} and prompts(call)["p1"] == "hold"


def test_a_seat_that_listens_is_not_rung_and_everybody_is_busy() -> None:
    run, _, call = conversation("bob")
    bring(run, call, "listen")
    run.press("p2")
    assert run.rung() == set()
    run.end("bob")
    assert run.rung() == {"bob"}


def test_a_seat_that_does_not_answer_is_given_up_and_the_talk_goes_on() -> None:
    run, _, call = conversation("bob")
    run.do(ev.Bring(call.id, OperatorId("bob"), "listen", "sue"))
    run.after(30_000)
    assert run.hung_up() == {"bob"} and call.state == "talking"
    run.gone()
    assert call.modes == {} and run.operator("bob") == "available"


@pytest.mark.parametrize(("wanted", "why"), [("cat", "cannot be reached"), ("ann", "is in a call"), ("eve", "no such operator")])
def test_only_a_free_seat_can_be_brought_in(wanted: str, why: str) -> None:
    run, _, call = conversation("bob")
    run.do(ev.Bring(call.id, OperatorId(wanted), "join", "sue"))
    assert [why in fact.why for fact in run.said(f.Refused)] == [True]


def test_a_call_carries_four_legs() -> None:
    run, _, call = with_police()
    run.do(ev.SeatBound(OperatorId("bob"), "sip"), ev.SeatBound(OperatorId("cat"), "sip"))
    bring(run, call, "listen")
    run.do(ev.Bring(call.id, OperatorId("cat"), "listen", "sue"))
    assert [fact.why for fact in run.said(f.Refused)] == ["a call carries 4 legs"]


def test_who_listens_is_let_go_when_the_call_is_over_or_waits_again() -> None:
    run, incident, call = conversation("bob")
    bring(run, call, "listen")
    run.end("ann", LOST)
    assert incident.state == "waiting" and run.hung_up() == {"bob"}


def test_of_a_group_that_is_asked_the_one_who_is_free_longest_is_dialled() -> None:
    run, _, call = conversation("bob", "cat")
    run.do(ev.Bring(call.id, OperatorId("main"), "private", "ann"))
    assert run.rung() == {"bob"}
    run.answer("bob")
    assert call.modes[run.leg("bob")] == "private"


def test_a_group_of_which_nobody_is_free_is_refused() -> None:
    run, _, call = conversation("bob")
    run.do(ev.Bring(call.id, OperatorId("backup"), "private", "ann"))
    assert [fact.why for fact in run.said(f.Refused)] == ["nobody of backup is free"]


# ---- taking over -----------------------------------------------------------------------------------------------------


def test_an_attended_transfer_is_a_private_word_and_taking_over() -> None:
    run, incident, call = conversation("bob")
    bring(run, call, "private")
    run.do(ev.TakeOver(call.id, OperatorId("bob"), "ann"))
    assert run.hung_up() == {"ann"} and hears(call) == both(("bob", "p1"))
    assert (call.operator, incident.operator, run.operator("bob"), run.operator("ann")) == ("bob", "bob", "talking", "available")
    run.gone()
    run.end("bob")
    assert (incident.state, incident.operator, run.operator("bob")) == ("wrap-up", "bob", "wrap-up")


def test_a_seat_outside_of_the_call_is_dialled_and_takes_it_over_when_it_answers() -> None:
    run, _, call = conversation("bob")
    run.do(ev.TakeOver(call.id, OperatorId("bob"), "sue"))
    assert [order.operator for order in run.ordered(DialOperator)] == ["bob"] and call.operator == "ann"
    run.answer("bob")
    assert call.operator == "bob" and prompts(call) == {"bob": "place:p1"}


def test_who_was_told_the_place_by_a_colleague_is_not_told_again() -> None:
    run, _, call = conversation("bob")
    bring(run, call, "join")
    run.do(ev.TakeOver(call.id, OperatorId("bob"), "sue"))
    assert prompts(call) == {}


@pytest.mark.parametrize("mode", ["join", "private"])
def test_a_colleague_who_was_brought_in_has_the_call_when_the_operator_hangs_up_or_is_lost(mode: str) -> None:
    for end in (None, LOST):
        run, incident, call = conversation("bob")
        bring(run, call, mode)
        run.end("ann", *(() if end is None else (end,)))
        assert (incident.state, call.operator, run.operator("bob")) == ("attended", "bob", "talking")
        assert hears(call) == both(("bob", "p1"))


def test_who_joins_where_the_police_alone_have_the_call_has_it() -> None:
    run, incident, call = with_police()
    run.end("ann")
    run.do(ev.SeatBound(OperatorId("bob"), "sip"))
    bring(run, call, "join")
    assert (call.operator, incident.operator) == ("bob", "bob")
    assert hears(call) == both(("bob", "p1"), ("bob", "police"), ("p1", "police"))


def test_a_muted_colleague_who_takes_a_call_over_is_heard() -> None:
    run, _, call = conversation("bob")
    leg = bring(run, call, "join")
    run.do(ev.Mute(call.id, leg, True, "sue"))
    run.end("ann")
    assert hears(call) == both(("bob", "p1"))


def test_a_paused_operator_may_take_a_call_over() -> None:
    run, _, call = conversation("bob")
    run.do(ev.Pause(OperatorId("bob"), "", "bob"))
    run.do(ev.TakeOver(call.id, OperatorId("bob"), "bob"))
    run.answer("bob")
    assert run.operator("bob") == "talking"


def test_shapes_with_one_way_links_survive_the_loss_of_a_worker() -> None:
    run, _, call = conversation("bob")
    bring(run, call, "whisper")
    before = hears(call)
    run.do(ev.WorkerLost(call.id, "killed"))
    assert hears(call) == before and run.ordered(EndLeg) == []
