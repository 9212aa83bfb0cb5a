"""RFC 4028 as values: who refreshes, how often, when it is over; and RFC 3262's numbers and repeats."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.sip.protocol import session_timer
from callserver.sip.protocol.message import Request, Response, SipError, build_request, response_to
from callserver.sip.protocol.reliable import RAck, Repeat1xx, parse_rack, rseq_of
from callserver.sip.protocol.session_timer import Timer
from callserver.sip.protocol.transaction import Done, Send, TimedOut

S = 1_000_000_000


def asking(*lines: tuple[str, str]) -> Request:
    """An INVITE with these lines."""
    return build_request(
        "INVITE",
        "sip:help@help.test",
        [
            ("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa"), ("From", "<sip:hp1@help.test>;tag=f"),
            ("To", "<sip:help@help.test>"), ("Call-ID", "c"), ("CSeq", "1 INVITE"), ("Contact", "<sip:hp1@127.0.0.1>"), *lines,
        ],
    )  # fmt: skip


def answering(status: int, *lines: tuple[str, str]) -> Response:
    """A response with these lines."""
    return response_to(asking(), status, to_tag="t", headers=lines)


@pytest.mark.parametrize(
    ("supported", "value", "ours", "said"),
    [
        (True, "600", False, "600;refresher=uac"),
        (True, "600;refresher=uac", False, "600;refresher=uac"),
        (True, "600;refresher=uas", True, "600;refresher=uas"),
        (True, "600 ; Refresher=UAS", True, "600;refresher=uas"),
        (False, "600", True, "600;refresher=uas"),
        (True, "90", False, "90;refresher=uac"),
    ],
)
def test_the_refresher_of_our_answer_is_that_of_the_table_in_section_9(
    supported: bool, value: str, ours: bool, said: str
) -> None:
    request = asking(("Session-Expires", value), *([("Supported", "timer")] if supported else []))
    timer, lines = session_timer.as_uas(request, 7)
    assert timer == Timer(int(said.partition(";")[0]), ours, 7)
    assert lines == ((("Require", "timer"),) if supported else ()) + (("Session-Expires", said),)


def test_too_short_an_interval_is_422_with_ours_unless_it_would_not_be_understood() -> None:
    with pytest.raises(SipError) as caught:
        session_timer.as_uas(asking(("Session-Expires", "89"), ("Supported", "timer")), 0)
    assert (caught.value.status, caught.value.headers) == (422, (("Min-SE", "90"),))
    assert session_timer.as_uas(asking(("Session-Expires", "89")), 0) == (None, ())


@pytest.mark.parametrize("value", ["", "soon", "-5", "600;refresher", "99999999999", "0"])
def test_a_session_timer_that_cannot_be_read_costs_nobody_the_call(value: str) -> None:
    timer, _ = session_timer.as_uas(asking(("Session-Expires", value), ("Supported", "timer")), 0)
    assert timer is None or timer.interval_s == 600


def test_an_answer_to_ours_says_who_refreshes_and_none_turns_the_timer_off() -> None:
    assert session_timer.as_uac(answering(200, ("Session-Expires", "1800;refresher=uas")), 3) == Timer(1800, False, 3)
    assert session_timer.as_uac(answering(200, ("Session-Expires", "1800;refresher=uac")), 3) == Timer(1800, True, 3)
    assert session_timer.as_uac(answering(200, ("Session-Expires", "1800")), 3) == Timer(1800, True, 3)
    assert session_timer.as_uac(answering(200, ("Session-Expires", "1;refresher=uac")), 3) == Timer(30, True, 3)
    assert session_timer.as_uac(answering(200), 3) is None


def test_ours_is_refreshed_at_half_the_time_and_theirs_is_lost_a_little_before_its_end() -> None:
    assert Timer(1800, True, 5).refresh_ns == 5 + 900 * S
    assert Timer(1800, True, 5).over_ns == 5 + 1800 * S
    assert Timer(1800, False, 5).over_ns == 5 + (1800 - 32) * S
    assert Timer(90, False, 5).over_ns == 5 + 60 * S


def test_min_se_is_read_with_and_without_parameters_and_is_never_below_90() -> None:
    assert session_timer.least_s(answering(422, ("Min-SE", "2400"))) == 2400
    assert session_timer.least_s(answering(422, ("Min-SE", "2400;lr"))) == 2400
    assert session_timer.least_s(answering(422, ("Min-SE", "10"))) == 90
    assert session_timer.least_s(answering(422)) == 90


@pytest.mark.parametrize(
    ("status", "lines", "number"),
    [
        (183, [("Require", "100rel"), ("RSeq", "988789")], 988789),
        (180, [("Require", "timer, 100REL"), ("RSeq", "1")], 1),
        (180, [("RSeq", "1")], 0),
        (180, [("Require", "100rel")], 0),
        (180, [("Require", "100rel"), ("RSeq", "x")], 0),
        (200, [("Require", "100rel"), ("RSeq", "1")], 0),
    ],
)
def test_which_responses_are_reliable(status: int, lines: list[tuple[str, str]], number: int) -> None:
    assert rseq_of(answering(status, *lines)) == number


def test_rack_is_read_as_it_is_written_and_nothing_else_is() -> None:
    assert parse_rack("776656 1 INVITE") == RAck(776656, 1, "INVITE")
    assert str(parse_rack(" 1\t2  INVITE ")) == "1 2 INVITE"
    for text in ("", "1 2", "1 2 INVITE 3", "-1 2 INVITE", "4294967296 1 INVITE"):
        with pytest.raises(SipError):
            parse_rack(text)


def test_a_reliable_response_is_repeated_at_doubling_pauses_for_32_seconds() -> None:
    """At 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s (RFC 3262 3: without a longest pause)."""
    response = answering(183)
    repeat, sent = Repeat1xx(response, 0), []
    assert repeat.timer(S // 4) == []
    while (due := repeat.next_deadline()) < 32 * S:
        assert repeat.timer(due) == [Send(response)]
        sent.append(due / S)
    assert sent == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert repeat.timer(32 * S) == [TimedOut(), Done()]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_whatever_a_device_writes_the_numbers_are_read_or_refused(text: str) -> None:
    """One kind of error, and no interval that could not be waited for."""
    with contextlib.suppress(SipError):
        assert parse_rack(text).rseq >= 0
    assert rseq_of(answering(183, ("Require", "100rel"), ("RSeq", text))) >= 0
    with contextlib.suppress(SipError):
        timer, _ = session_timer.as_uas(asking(("Session-Expires", text), ("Supported", "timer")), 0)
        assert timer is None or timer.interval_s >= session_timer.LEAST_S
    assert session_timer.least_s(answering(422, ("Min-SE", text))) >= session_timer.LEAST_S
    agreed = session_timer.as_uac(answering(200, ("Session-Expires", text)), 0)
    assert agreed is None or 0 < agreed.refresh_ns < agreed.over_ns or not agreed.ours
