"""The trace keeps the last messages of the last legs, within bounds that no flood and no year of calls passes."""

from callserver.sip.trace import Trace

MOST_LEGS, MOST_OF_ONE = 300, 48


def told(trace: Trace, call_id: str, number: int = 1, size: int = 500) -> None:
    """So many messages of a Call-ID."""
    for at in range(number):
        trace.note(call_id, at % 2 == 0, "udp:127.0.0.1:5060", b"x" * size, at)


def octets(trace: Trace) -> int:
    """What it holds of everything."""
    return sum(len(one.text) for rings in (trace._loose, trace._calls) for ring in rings.of.values() for one in ring)


def test_messages_of_before_a_leg_has_its_name_are_its_own() -> None:
    trace = Trace()
    told(trace, "a", 2)
    trace.name("i.1.1", "a")
    told(trace, "a", 1)
    assert len(trace.of("i.1.1")) == 3 and trace.legs() == ["i.1.1"]


def test_of_one_call_id_the_last_messages_are_kept() -> None:
    trace = Trace()
    trace.name("i.1.1", "a")
    told(trace, "a", MOST_OF_ONE + 10)
    assert [one.at_ns for one in trace.of("i.1.1")] == list(range(10, MOST_OF_ONE + 10))
    assert trace._calls.octets == octets(trace)


def test_a_trace_is_bounded_in_legs_and_what_it_counts_is_what_it_holds() -> None:
    trace = Trace()
    for number in range(3 * MOST_LEGS):
        told(trace, f"c{number}", 4)
        trace.name(f"i.{number}.1", f"c{number}")
        trace.name(f"i.{number}.1", f"fork{number}")
        told(trace, f"fork{number}", 4)
        told(trace, f"stranger{number}", 2)
    assert trace.legs() == [f"i.{number}.1" for number in range(2 * MOST_LEGS, 3 * MOST_LEGS)]
    assert len(trace._loose.of) == MOST_LEGS and len(trace._calls.of) == 2 * MOST_LEGS
    assert trace._loose.octets + trace._calls.octets == octets(trace)


def test_a_flood_of_long_messages_costs_no_more_than_its_octets_and_no_leg_its_messages() -> None:
    trace = Trace(octets=100_000)
    trace.name("i.1.1", "a")
    told(trace, "a", 5)
    for number in range(200):
        told(trace, f"flood{number}", 60, 9_000)
        assert octets(trace) <= 200_000
    assert len(trace.of("i.1.1")) == 5


def test_of_legs_with_long_messages_the_oldest_goes_first() -> None:
    trace = Trace(octets=100_000)
    for number in range(20):
        trace.name(f"i.{number}.1", f"c{number}")
        told(trace, f"c{number}", 10, 2_000)
    assert trace.legs()[-1] == "i.19.1" and len(trace.of("i.19.1")) == 10 and trace.of("i.0.1") == []
    assert octets(trace) <= 100_000


def test_two_legs_of_one_call_id_share_its_messages_until_both_are_gone() -> None:
    trace = Trace()
    trace.name("dialog-1", "a")
    told(trace, "a", 3)
    trace.name("i.1.1", "a")
    for number in range(MOST_LEGS - 1):
        trace.name(f"j.{number}.1", f"j{number}")
    assert "dialog-1" not in trace.legs() and len(trace.of("i.1.1")) == 3
