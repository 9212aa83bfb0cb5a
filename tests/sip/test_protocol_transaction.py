"""The four transactions: every legal move, every other one refused, and their timers on a clock that is a number."""

from itertools import product

import pytest

from callserver.sip.protocol import transaction as tx
from callserver.sip.protocol.message import Request, Response, build_cancel, build_request, parse_message, response_to, via_value
from callserver.sip.protocol.transaction import ClientTransaction, Done, Event, IllegalMove, Output, ServerTransaction, State

MS = 1_000_000
START = 5_000 * MS


def request(method: str, branch: str = "z9hG4bKb1", **changes: str) -> Request:
    lines = {"Via": via_value("udp", "192.0.2.1", 5060, branch), "Route": "<sip:hop.test;lr>", "From": "<sip:a@b.test>;tag=f"}
    lines |= {"To": "<sip:c@d.test>", "Call-ID": "i1", "CSeq": f"3 {method}", **changes}
    return build_request(method, "sip:c@d.test", lines.items())


def answer(to: Request, status: int) -> Response:
    return response_to(to, status, to_tag="t")


def words(outputs: list[Output]) -> list[str]:
    """Outputs as short words: `send 180`, `send INVITE`, `deliver 200`, `Done`."""
    result = []
    for output in outputs:
        message = getattr(output, "message", None)
        what = message.method if isinstance(message, Request) else message.status if message else ""
        result.append(f"{type(output).__name__.lower()} {what}" if message else type(output).__name__)
    return result


def run(transaction: ClientTransaction | ServerTransaction, until_ms: int) -> list[tuple[int, str]]:
    """(milliseconds after START, word) of every timer's outputs."""
    seen = []
    while (at := transaction.next_deadline()) is not None and at <= START + until_ms * MS:
        seen += [((at - START) // MS, word) for word in words(transaction.timer(at))]
    return seen


# ---- tables ---------------------------------------------------------------------------------------------------

FINAL = {Event.R1XX: 180, Event.R2XX: 200, Event.FAILURE: 486}
KINDS = {
    "client invite": (tx.CLIENT_INVITE, tx.CLIENT_INVITE_TIMERS, State.CALLING),
    "client other": (tx.CLIENT_OTHER, tx.CLIENT_OTHER_TIMERS, State.TRYING),
    "server invite": (tx.SERVER_INVITE, tx.SERVER_INVITE_TIMERS, State.PROCEEDING),
    "server other": (tx.SERVER_OTHER, tx.SERVER_OTHER_TIMERS, State.TRYING),
}

EXPECTED = {  # RFC 3261 figures 5 to 8 with RFC 6026, written down a second time from the figures
    "client invite": {
        "calling": "A:calling:send INVITE|B:terminated:TimedOut,Done|1xx:proceeding:deliver 180|2xx:accepted:deliver 200"
        "|300-699:completed:send ACK,deliver 486|transport error:terminated:Failed,Done",
        "proceeding": "1xx:proceeding:deliver 180|2xx:accepted:deliver 200|300-699:completed:send ACK,deliver 486"
        "|transport error:terminated:Failed,Done",
        "completed": "300-699:completed:send ACK|D:terminated:Done|transport error:terminated:Failed,Done",
        "accepted": "2xx:accepted:deliver 200|M:terminated:Done",
    },
    "client other": {
        "trying": "E:trying:send OPTIONS|F:terminated:TimedOut,Done|1xx:proceeding:deliver 180|2xx:completed:deliver 200"
        "|300-699:completed:deliver 486|transport error:terminated:Failed,Done",
        "proceeding": "E:proceeding:send OPTIONS|F:terminated:TimedOut,Done|1xx:proceeding:deliver 180"
        "|2xx:completed:deliver 200|300-699:completed:deliver 486|transport error:terminated:Failed,Done",
        "completed": "K:terminated:Done",
    },
    "server invite": {
        "proceeding": "request again:proceeding:|1xx:proceeding:send 180|2xx:accepted:send 200|300-699:completed:send 486"
        "|transport error:terminated:Failed,Done",
        "completed": "request again:completed:send 486|G:completed:send 486|H:terminated:TimedOut,Done|ACK:confirmed:"
        "|transport error:terminated:Failed,Done",
        "confirmed": "I:terminated:Done",
        "accepted": "2xx:accepted:send 200|ACK:accepted:deliver ACK|L:terminated:Done",
    },
    "server other": {
        "trying": "1xx:proceeding:send 180|2xx:completed:send 200|300-699:completed:send 486"
        "|transport error:terminated:Failed,Done",
        "proceeding": "request again:proceeding:send 180|1xx:proceeding:send 180|2xx:completed:send 200"
        "|300-699:completed:send 486|transport error:terminated:Failed,Done",
        "completed": "request again:completed:send 486|J:terminated:Done|transport error:terminated:Failed,Done",
    },
}

WAY = {  # events that lead into a state
    "client invite": {"calling": [], "proceeding": ["1xx"], "completed": ["300-699"], "accepted": ["2xx"]},
    "client other": {"trying": [], "proceeding": ["1xx"], "completed": ["300-699"]},
    "server invite": {"proceeding": [], "completed": ["300-699"], "confirmed": ["300-699", "ACK"], "accepted": ["2xx"]},
    "server other": {"trying": [], "proceeding": ["1xx"], "completed": ["300-699"]},
}


def make(kind: str) -> ClientTransaction | ServerTransaction:
    side, _, what = kind.partition(" ")
    first = request("INVITE" if what == "invite" else "OPTIONS")
    made = ClientTransaction(first, START, False) if side == "client" else ServerTransaction(first, START, False)
    assert KINDS[kind][2] == made.state
    return made


def happen(transaction: ClientTransaction | ServerTransaction, event: Event) -> list[Output]:
    first = transaction.request
    if event is Event.BROKEN:
        return transaction.transport_failed(START)
    if event in FINAL:
        response = answer(first, FINAL[event])
        if isinstance(transaction, ClientTransaction):
            return transaction.receive(response, START)
        return transaction.respond(response, START)
    if event in (Event.REQUEST, Event.ACK):
        assert isinstance(transaction, ServerTransaction)
        return transaction.receive(request("ACK") if event is Event.ACK else first, START)
    return transaction._move(event, None, START)


def moves(kind: str, state: str) -> dict[str, tuple[str, list[str]]]:
    rows = [row.split(":") for row in EXPECTED[kind][state].split("|")]
    return {event: (after, [word for word in outputs.split(",") if word]) for event, after, outputs in rows}


CASES = [(kind, state) for kind, states in EXPECTED.items() for state in states]


@pytest.mark.parametrize(("kind", "state"), CASES)
def test_every_legal_move(kind: str, state: str) -> None:
    for event, (after, outputs) in moves(kind, state).items():
        transaction = make(kind)
        for step in WAY[kind][state]:
            happen(transaction, Event(step))
        assert state == transaction.state
        assert outputs == words(happen(transaction, Event(event))), event
        assert after == transaction.state, event


@pytest.mark.parametrize(("kind", "state"), CASES)
def test_every_other_move_changes_nothing(kind: str, state: str) -> None:
    client = kind.startswith("client")
    for event in set(Event) - {Event(name) for name in moves(kind, state)}:
        if client and event in (Event.REQUEST, Event.ACK):
            continue  # a client has no way to be told so
        transaction = make(kind)
        for step in WAY[kind][state]:
            happen(transaction, Event(step))
        deadline = transaction.next_deadline()
        if not client and event in FINAL:
            with pytest.raises(IllegalMove):
                happen(transaction, event)
        else:
            assert happen(transaction, event) == [], event
        assert (state, deadline) == (transaction.state, transaction.next_deadline()), event


def test_nothing_happens_to_a_terminated_one() -> None:
    for kind, event in product(KINDS, Event):
        transaction = make(kind)
        transaction.transport_failed(START)
        assert transaction.state == State.TERMINATED and transaction.next_deadline() is None
        if kind.startswith("client") and event in (Event.REQUEST, Event.ACK):
            continue
        if kind.startswith("server") and event in FINAL:
            with pytest.raises(IllegalMove):
                happen(transaction, event)
        else:
            assert happen(transaction, event) == []


def test_the_tables_hold_no_row_and_no_timer_beside_the_expected() -> None:
    for kind, (table, timers, _) in KINDS.items():
        expected = {(State(state), Event(event)) for state in EXPECTED[kind] for event in moves(kind, state)}
        assert expected == set(table)
        for state, running in timers.items():
            assert {event for held, event in table if held is state and len(event) == 1} == set(running)


# ---- time -----------------------------------------------------------------------------------------------------


def test_an_unanswered_invite_is_sent_seven_times_and_times_out() -> None:
    transaction = make("client invite")
    assert isinstance(transaction, ClientTransaction)
    assert words(transaction.start()) == ["send INVITE"]
    sends = [(at, "send INVITE") for at in (500, 1500, 3500, 7500, 15500, 31500)]
    assert [*sends, (32_000, "TimedOut"), (32_000, "Done")] == run(transaction, 60_000)


def test_an_unanswered_other_request_settles_at_four_seconds() -> None:
    sends = [(at, "send OPTIONS") for at in (500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500)]
    assert [*sends, (32_000, "TimedOut"), (32_000, "Done")] == run(make("client other"), 60_000)


def test_a_provisional_stops_an_invite_but_slows_another_request() -> None:
    invite, other = make("client invite"), make("client other")
    for transaction in (invite, other):
        happen(transaction, Event.R1XX)
    assert run(invite, 600_000) == []
    sends = [(at, "send OPTIONS") for at in (500, 4500, 8500, 12500, 16500, 20500, 24500, 28500)]
    assert [*sends, (32_000, "TimedOut"), (32_000, "Done")] == run(other, 60_000)


@pytest.mark.parametrize(
    ("kind", "events", "expected"),
    [
        ("client invite", [Event.FAILURE], [(32_000, "Done")]),
        ("client invite", [Event.R2XX], [(32_000, "Done")]),
        ("client other", [Event.R2XX], [(5_000, "Done")]),
        ("server invite", [Event.R2XX], [(32_000, "Done")]),
        ("server invite", [Event.FAILURE, Event.ACK], [(5_000, "Done")]),
        ("server other", [Event.R2XX], [(32_000, "Done")]),
    ],
)
def test_how_long_each_lingers_over_udp(kind: str, events: list[Event], expected: list[tuple[int, str]]) -> None:
    transaction = make(kind)
    for event in events:
        happen(transaction, event)
    assert expected == run(transaction, 60_000)


def test_a_failure_is_repeated_until_its_ack_or_the_end() -> None:
    transaction = make("server invite")
    happen(transaction, Event.FAILURE)
    sends = [(at, "send 486") for at in (500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500)]
    assert [*sends, (32_000, "TimedOut"), (32_000, "Done")] == run(transaction, 60_000)


def test_over_tcp_nothing_is_repeated_and_endings_are_at_once() -> None:
    for method, status in (("INVITE", 486), ("OPTIONS", 200)):
        first = request(method)
        silent = ClientTransaction(first, START, True)
        assert run(silent, 60_000) == [(32_000, "TimedOut"), (32_000, "Done")]
        client = ClientTransaction(first, START, True)
        assert Done() == client.receive(answer(first, status), START)[-1]
        server = ServerTransaction(first, START, True)
        outputs = server.respond(answer(first, status), START)
        if method == "OPTIONS":
            assert words(outputs) == ["send 200", "Done"]
    server = ServerTransaction(request("INVITE"), START, True)
    server.respond(answer(server.request, 486), START)
    assert server.next_deadline() == START + 32_000 * MS
    assert [Done()] == server.receive(request("ACK"), START)


def test_a_restored_invite_is_silent_and_still_takes_its_answer() -> None:
    transaction = ClientTransaction(request("INVITE"), START, False, silent=True)
    assert transaction.start() == [] and transaction.next_deadline() is None
    assert words(transaction.receive(answer(transaction.request, 486), START)) == ["send ACK", "deliver 486"]


def test_time_that_jumps_fires_what_is_due_once() -> None:
    transaction = make("client invite")
    assert words(transaction.timer(START + 100_000 * MS)) == ["send INVITE", "TimedOut", "Done"]
    assert transaction.timer(START + 200_000 * MS) == []


def test_a_late_timer_call_before_the_deadline_does_nothing() -> None:
    transaction = make("client invite")
    assert transaction.timer(START + 499 * MS) == []


def test_the_last_response_is_what_a_copy_of_the_request_gets() -> None:
    transaction = make("server invite")
    assert isinstance(transaction, ServerTransaction)
    assert transaction.receive(transaction.request, START) == []
    for status in (100, 180, 183):
        transaction.respond(answer(transaction.request, status), START)
        assert [f"send {status}"] == words(transaction.receive(transaction.request, START))


def test_a_2xx_is_repeated_until_its_ack() -> None:
    response = answer(request("INVITE"), 200)
    times, repeat = [], tx.Retransmit2xx(response, START)
    while (at := repeat.next_deadline()) is not None:
        times += [((at - START) // MS, word) for word in words(repeat.timer(at))]
    sends = [(at, "send 200") for at in (500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500)]
    assert [*sends, (32_000, "TimedOut"), (32_000, "Done")] == times
    repeat = tx.Retransmit2xx(response, START)
    repeat.timer(START + 500 * MS)
    repeat.acked()
    assert repeat.next_deadline() is None and repeat.timer(START + 40_000 * MS) == []


# ---- what is sent and matched -----------------------------------------------------------------------------------


def test_the_ack_to_a_failure_is_of_the_invites_transaction() -> None:
    invite = request("INVITE")
    (sent, _) = ClientTransaction(invite, START, False).receive(answer(invite, 486), START)
    ack = getattr(sent, "message", None)
    assert isinstance(ack, Request) and ack == parse_message(bytes(ack))
    assert (invite.uri, invite.via, "t", 3) == (ack.uri, ack.via, ack.to.tag, ack.cseq.number)
    assert (ack.get_all("Route"), ack.method) == (["<sip:hop.test;lr>"], "ACK")
    assert tx.server_key(invite) == tx.server_key(ack)


def test_a_cancel_names_its_invite_and_is_a_transaction_of_its_own() -> None:
    invite = request("INVITE")
    cancel = build_cancel(invite)
    assert tx.server_key(invite) == tx.server_key(cancel, "INVITE") != tx.server_key(cancel)
    assert tx.client_key(invite) != tx.client_key(cancel)
    assert (cancel.cseq.number, cancel.cseq.method, cancel.to.tag) == (3, "CANCEL", None)


def test_keys_tell_transactions_apart() -> None:
    invite = request("INVITE")
    assert tx.client_key(invite) == tx.client_key(answer(invite, 180)) == ClientTransaction(invite, 0, False).key
    others = [request("INVITE", branch="z9hG4bKb2"), request("BYE"), request("INVITE", Via="SIP/2.0/UDP x;branch=z9hG4bKb1")]
    assert tx.server_key(invite) not in [tx.server_key(other) for other in others]
    old = request("INVITE", Via="SIP/2.0/UDP x")
    assert tx.server_key(old) == tx.server_key(request("ACK", Via="SIP/2.0/UDP x", CSeq="3 ACK"))
    assert tx.server_key(old) != tx.server_key(request("INVITE", Via="SIP/2.0/UDP x", CSeq="4 INVITE"))
