"""What a telephone can do with a conversation by keys: give it away, ask somebody, mute, drop, leave; and that it says so."""

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.effects import ReviveCall
from callserver.core.ids import OperatorId
from callserver.core.state import Call, Incident
from tests.core.driver import Driver
from tests.core.plans import plan
from tests.core.test_core_control import both, hears, prompts

CODES = {
    "*21": "transfer:bob", "*22": "transfer:main", "*23": "transfer:police", "*31": "ask:bob", "*32": "ask:main",
    "*4": "hold", "*61": "join", "*62": "hand-over", "*63": "take-over", "*64": "mute", "*65": "drop", "*66": "leave",
    "*9": "police:police",
}  # fmt: skip


def conversation() -> tuple[Driver, Incident, Call]:
    """Ann talks with p1; bob is on duty besides. Both have telephones."""
    run = Driver(plan(codes=CODES), "ann", "bob")
    incident = run.talk()
    return run, incident, run.call(incident)


def press(run: Driver, digits: str, who: str = "ann") -> list[bool]:
    """Keys on somebody's telephone, in the call; whether each code was accepted."""
    leg = run.leg(who)
    run.do(*(ev.DigitPressed(leg, digit) for digit in digits))
    return [fact.accepted for fact in run.said(f.CodeUsed)]


def with_police() -> tuple[Driver, Incident, Call]:
    """Ann, p1 and the police talk."""
    run, incident, call = conversation()
    assert press(run, "*9") == [True]
    run.answer("police")
    return run, incident, call


def test_a_call_is_given_to_an_operator_a_group_and_a_party_without_asking() -> None:
    for code, rung in (("*21", {"bob"}), ("*22", {"bob"}), ("*23", {"police"})):
        run, incident, _ = conversation()
        assert press(run, code) == [True]
        assert run.rung() == rung and incident.state == "waiting"
        assert incident.operator is None and run.hung_up() >= {"ann"}


def test_a_transfer_that_is_not_possible_is_refused_and_the_talk_goes_on() -> None:
    run, incident, call = conversation()
    run.do(ev.SeatUnbound(OperatorId("bob"), "unplugged"))
    assert press(run, "*21") == [False]
    assert incident.state == "attended" and hears(call) == both(("ann", "p1"))
    assert prompts(call)["ann"] == "refused"


def test_a_colleague_is_asked_joins_and_has_the_call() -> None:
    for code in ("*31", "*32"):
        run, incident, call = conversation()
        assert press(run, code) == [True] and run.rung() == {"bob"}
        run.answer("bob")
        assert hears(call) == both(("ann", "bob")) and prompts(call)["p1"] == "hold"
        assert press(run, "*61") == [True]
        assert hears(call) == both(("ann", "bob"), ("ann", "p1"), ("bob", "p1"))
        assert press(run, "*62") == [True]
        run.gone()
        assert incident.operator == "bob" and hears(call) == both(("bob", "p1"))
        assert run.operator("ann") == "available"


def test_a_colleague_who_was_asked_takes_the_call_over_or_leaves_it() -> None:
    run, incident, call = conversation()
    press(run, "*31")
    run.answer("bob")
    assert press(run, "*66", "bob") == [True]
    run.gone()
    assert hears(call) == both(("ann", "p1"))
    press(run, "*31")
    run.answer("bob")
    assert press(run, "*63", "bob") == [True]
    run.gone()
    assert incident.operator == "bob" and hears(call) == both(("bob", "p1"))


def test_a_colleague_who_listens_joins_by_key_and_has_no_other_codes() -> None:
    run, _, call = conversation()
    run.do(ev.Bring(call.id, OperatorId("bob"), "listen", "sue"))
    run.answer("bob")
    for code in ("*4", "*21", "*9", "*65"):
        assert press(run, code, "bob") == [False]
    assert hears(call) == both(("ann", "p1")) | {("ann", "bob"), ("p1", "bob")}
    assert press(run, "*61", "bob") == [True]
    assert hears(call) == both(("ann", "bob"), ("ann", "p1"), ("bob", "p1"))


def test_the_outside_party_is_muted_heard_again_and_dropped() -> None:
    run, _, call = with_police()
    assert press(run, "*64") == [True]
    assert hears(call) == both(("ann", "p1")) | {("ann", "police"), ("p1", "police")}
    assert press(run, "*64") == [True]
    assert hears(call) == both(("ann", "p1"), ("ann", "police"), ("p1", "police"))
    assert press(run, "*65") == [True]
    assert run.hung_up() == {"police"} and hears(call) == both(("ann", "p1"))


def test_the_operator_leaves_the_call_to_the_police_by_key_and_to_nobody_else() -> None:
    run, incident, call = conversation()
    assert press(run, "*66") == [False] and incident.state == "attended"
    run, incident, call = with_police()
    assert press(run, "*66") == [True]
    run.gone()
    assert hears(call) == both(("p1", "police")) and run.operator("ann") == "available"


def test_codes_for_which_nobody_is_there_are_refused() -> None:
    run, _, _ = conversation()
    for code in ("*61", "*62", "*63", "*64", "*65"):
        assert press(run, code) == [False]


def test_whoever_pressed_a_code_hears_whether_it_was_accepted_once_and_alone() -> None:
    """Beside the talk; a further code says it anew, and a new process for the sound does not."""
    run, _, call = with_police()
    press(run, "*64")
    assert prompts(call) == {"ann": "accepted", "police": prompts(call)["police"]}
    assert "p1" not in prompts(call)
    run.do(ev.WorkerLost(call.id, "killed"))
    assert all("ann" not in prompt.to for order in run.ordered(ReviveCall) for prompt in order.shape.prompts)
    run.do(ev.Mute(call.id, run.leg("p1"), True, "ann"))
    assert "ann" not in prompts(call)
    leg = run.leg("ann")
    run.do(*(ev.DigitPressed(leg, digit) for digit in "*6"))
    assert "ann" not in prompts(call)
    run.do(ev.DigitPressed(leg, "4"))
    assert prompts(call)["ann"] == "accepted"
    run.do(ev.DigitPressed(leg, "*"))
    assert "ann" not in prompts(call), "the next digit cuts the words, so that the same words can be said again"


def test_a_code_of_the_console_says_nothing_in_the_call() -> None:
    """Nor does one that was called as a number, which is answered there."""
    run, _, call = conversation()
    run.do(ev.Hold(call.id, True, "ann"))
    assert call.held and "ann" not in prompts(call)
    run.do(ev.CodeDialled(OperatorId("ann"), "*4", "d1"))
    assert not call.held and prompts(call).get("ann") not in ("accepted", "refused")
    run.do(ev.CodeDialled(OperatorId("ann"), "*9", "d2"))
    assert run.rung() == {"police"}


# ---- the hold button ---------------------------------------------------------------------------------------------


def test_the_hold_button_of_an_operators_telephone_lets_the_caller_hear_that_somebody_is_there() -> None:
    run, _, call = conversation()
    leg = run.leg("ann")
    run.do(ev.DeviceHeld(leg, True))
    assert run.said(f.CallHeld) == [f.CallHeld(call.id, True, "ann")]
    assert prompts(call)["p1"] == "hold" and hears(call) == set()
    run.do(ev.DeviceHeld(leg, True))
    assert run.facts == []
    run.do(ev.DeviceHeld(leg, False))
    assert hears(call) == both(("ann", "p1")) and "p1" not in prompts(call)


def test_a_held_telephone_leaves_the_caller_with_the_police_where_they_are_in_the_call() -> None:
    """They go on talking with each other; nobody is on hold who has somebody to talk with."""
    run, _, call = with_police()
    run.do(ev.DeviceHeld(run.leg("ann"), True))
    assert not call.held and both(("p1", "police")) <= hears(call)


def test_a_hold_button_of_anybody_elses_device_changes_nothing() -> None:
    run, _, call = with_police()
    for party in ("p1", "police"):
        run.do(ev.DeviceHeld(run.leg(party), True))
        assert run.facts == []
    run.end("p1")
    run.do(ev.DeviceHeld(run.leg("ann"), True))
    assert run.facts == [] and call.state == "calling-back"
