"""Numbered connections: nothing lost, nothing twice, over any number of broken connections and a restarted side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.media.peer import MAX_WAITING, Numbered
from callserver.media.protocol import Ack, Beat, Digit, Hello, Remove, decode, encode


def digits(numbered: Numbered, datagrams: list[bytes]) -> list[str]:
    """What is to be acted upon."""
    messages = [numbered.receive(datagram) for datagram in datagrams]
    return [message.digit for message in messages if isinstance(message, Digit)]


def test_messages_are_numbered_from_one_and_repeated_ones_ignored() -> None:
    worker, board = Numbered(), Numbered()
    sent = [worker.send(Digit("l", digit)) for digit in "12"]
    assert [decode(datagram).number for datagram in sent] == [1, 2]
    assert digits(board, [*sent, *sent]) == ["1", "2"]
    assert board.ack_due() == encode(0, Ack(2))
    assert board.ack_due() is None


def test_what_was_acknowledged_is_not_sent_again() -> None:
    worker = Numbered()
    for digit in "123":
        worker.send(Digit("l", digit))
    assert worker.receive(encode(0, Ack(2))) is None
    assert [sending.message for sending in worker.hello(0)] == [Digit("l", "3")]
    assert worker.waiting == 1
    assert worker.hello(3) == []


def test_hello_and_beat_are_given_and_not_numbered() -> None:
    board = Numbered()
    beat = Beat(1, True, ())
    assert board.receive(encode(0, Hello(1, 0))) == Hello(1, 0)
    assert board.receive(encode(0, beat)) == beat
    assert board.ack_due() is None


def test_a_new_side_goes_on_from_what_its_predecessor_had_sent() -> None:
    """What it was told to send before it knew is numbered on."""
    worker, old, new = Numbered(), Numbered(), Numbered()
    for _ in range(5):
        worker.receive(old.send(Remove("l")))
    early = new.send(Remove("early"))
    assert worker.receive(early) is None
    assert [decode(sending.datagram).number for sending in new.hello(worker.had)] == [6]
    assert decode(new.send(Remove("late"))).number == 7
    assert worker.receive(new.hello(worker.had)[0].datagram) == Remove("early")


def test_a_new_side_takes_up_in_the_middle() -> None:
    worker, new = Numbered(), Numbered()
    for digit in "123":
        worker.send(Digit("l", digit))
    worker.receive(encode(0, Ack(2)))
    again = [sending.datagram for sending in worker.hello(new.had)]
    assert digits(new, again) == ["3"]
    assert new.had == 3


def test_what_must_be_numbered_and_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="numbered"):
        Numbered().receive(encode(0, Digit("l", "1")))
    with pytest.raises(ValueError, match=r"."):
        Numbered().receive(b"\xff\xff")


def test_messages_for_a_side_that_never_comes_are_bounded_and_the_loss_is_counted() -> None:
    worker = Numbered()
    for _ in range(MAX_WAITING + 3):
        worker.send(Digit("l", "1"))
    assert (worker.waiting, worker.lost) == (MAX_WAITING, 3)


@given(st.lists(st.sampled_from(["send", "deliver", "ack", "break", "restart"]), max_size=60))
def test_every_message_is_acted_upon_in_order_and_at_most_twice_only_over_a_restart(steps: list[str]) -> None:
    """A restarted side may be told again what its predecessor had not acknowledged, and nothing else."""
    worker, board, wire = Numbered(), Numbered(), []
    worker.hello(board.had)
    got: list[int] = []
    sent = acknowledged = 0
    for step in steps:
        if step == "send":
            sent += 1
            wire.append(worker.send(Digit("l", str(sent))))
        elif step == "deliver" and wire:
            got += map(int, digits(board, [wire.pop(0)]))
        elif step == "ack" and (ack := board.ack_due()):
            worker.receive(ack)
            acknowledged = board.had
        elif step in ("break", "restart"):
            if step == "restart":
                board = Numbered()
                got = got[:acknowledged]
            wire = [sending.datagram for sending in worker.hello(board.had)]
            acknowledged = max(acknowledged, board.had)
    got += map(int, digits(board, wire))
    assert got == list(range(1, sent + 1))
