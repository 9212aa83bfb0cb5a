"""A byte stream gives the same verdict however it is cut; no second message ever comes out of a body."""

import pytest

from callserver.sip.protocol.message import Keepalive, Request, SipError, Stream, is_keepalive, parse_message


def raw(call_id: str, body: bytes = b"", length: str | None = None, extra: str = "") -> bytes:
    head = (
        f"OPTIONS sip:help.test SIP/2.0\r\nVia: SIP/2.0/TCP h.test;branch=z9hG4bK{call_id}\r\nFrom: <sip:a@b.test>;tag=1\r\n"
        f"To: <sip:b@b.test>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n{extra}Content-Length: {length or len(body)}\r\n\r\n"
    )
    return head.encode() + body


def verdict(pieces: list[bytes]) -> list[object]:
    """Call-IDs, pings, statuses of malformed messages, and the framing fault at the end, if any."""
    stream, seen = Stream(), []
    for piece in pieces:
        try:
            items = stream.feed(piece)
        except SipError as error:
            assert error is stream.fault
            break
        for item in items:
            is_plain = isinstance(item, Keepalive | SipError)
            seen.append((type(item).__name__, getattr(item, "status", 0)) if is_plain else (item.call_id, item.body))
    return [*seen, ("closed", stream.fault.status)] if stream.fault else seen


STREAMS = {
    "one": raw("a"),
    "two with bodies": raw("a", b"INVITE sip:x SIP/2.0\r\n\r\n") + raw("b", b"\r\n\r\n"),
    "pings between": b"\r\n\r\n" + raw("a") + b"\r\n\r\n\r\n\r\n\r\n" + raw("b") + b"\r\n",
    "folded length": raw("a", b"xy", length="\r\n 2") + raw("b"),
    "malformed but framed": raw("a", extra="Max-Forwards: 999\r\n") + raw("b"),
    "missing To": raw("a").replace(b"To: <sip:b@b.test>\r\n", b"") + raw("b"),
    "bare LF": raw("a") + raw("b").replace(b"Call-ID: b\r\n", b"Call-ID: b\n") + raw("c"),
    "NUL": raw("a") + raw("b", extra="X: \0\r\n"),
    "two lengths": raw("a", b"zz", extra="Content-Length: 0\r\n") + raw("b"),
    "compact and long length": raw("a", b"zz", extra="l: 0\r\n") + raw("b"),
    "no length": raw("a").replace(b"Content-Length: 0\r\n", b"") + raw("b"),
    "length in hex": raw("a", length="0x10") + raw("b"),
    "length that wraps": raw("a", length="4294967296"),
    "length too large": raw("a", length="65537"),
    "length of digits without end": raw("a", length="1" * 500),
    "line without a colon": raw("a", extra="Content-Length 5\r\n") + raw("b"),
    "space in the name": raw("a", extra="X Y: 5\r\n"),
    "CR before the start": b"\r" + raw("a"),
    "half": raw("a")[:-10],
    "waits for its body": raw("a", b"abc", length="9"),
}


@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS.keys())
def test_split_at_every_byte_gives_the_same_verdict(data: bytes) -> None:
    whole = verdict([data])
    assert whole == verdict([data[at : at + 1] for at in range(len(data))])
    for at in range(len(data)):
        assert whole == verdict([data[:at], data[at:]]), at


def test_the_verdicts_are_the_right_ones() -> None:
    expected: dict[str, list[object]] = {
        "two with bodies": [("a", b"INVITE sip:x SIP/2.0\r\n\r\n"), ("b", b"\r\n\r\n")],
        "pings between": [("Keepalive", 0), ("a", b""), ("Keepalive", 0), ("Keepalive", 0), ("b", b"")],
        "folded length": [("a", b"xy"), ("b", b"")],
        "malformed but framed": [("SipError", 400), ("b", b"")],
        "missing To": [("SipError", 400), ("b", b"")],
        "bare LF": [("a", b""), ("closed", 400)],
        "two lengths": [("closed", 400)],
        "compact and long length": [("closed", 400)],
        "no length": [("closed", 400)],
        "length that wraps": [("closed", 513)],
        "length too large": [("closed", 513)],
        "length of digits without end": [("closed", 400)],
        "CR before the start": [("closed", 400)],
        "half": [],
        "waits for its body": [],
    }
    assert expected == {name: verdict([STREAMS[name]]) for name in expected}


def test_a_fault_after_messages_is_kept_and_raised_by_the_next_feed() -> None:
    stream = Stream()
    items = stream.feed(raw("a") + b"junk\r\n\r\n")
    assert [item.call_id for item in items if isinstance(item, Request)] == ["a"]
    assert stream.fault is not None
    with pytest.raises(SipError):
        stream.feed(raw("b"))


def test_a_framing_fault_can_be_answered() -> None:
    with pytest.raises(SipError) as caught:
        Stream().feed(STREAMS["two lengths"])
    assert caught.value.request is not None and caught.value.request.call_id == "a"


def test_an_endless_head_is_refused_at_the_cap_not_after_it() -> None:
    stream = Stream()
    stream.feed(b"OPTIONS sip:x SIP/2.0\r\n" + b"X: y\r\n" * 100)
    with pytest.raises(SipError) as caught:
        for _ in range(40):
            stream.feed(b"x" * 1024)
    assert caught.value.status == 513
    assert stream.pending == 0


def test_too_long_a_head_is_refused_even_when_it_comes_in_one_piece() -> None:
    for size in (32_768, 33_000, 64_000):
        with pytest.raises(SipError) as caught:
            Stream().feed(raw("a", extra="X: " + "y" * size + "\r\n"))
        assert caught.value.status == 513


def test_an_announced_giant_is_refused_before_its_body() -> None:
    with pytest.raises(SipError) as caught:
        Stream().feed(raw("a", length="2000000000"))
    assert caught.value.status == 513


def test_pending_counts_only_a_message_that_has_begun() -> None:
    stream = Stream()
    assert stream.pending == 0
    stream.feed(b"\r\n")
    assert stream.pending == 0
    stream.feed(raw("a")[:50])
    assert stream.pending > 0
    stream.feed(raw("a")[50:])
    assert stream.pending == 0
    stream.feed(raw("a", b"abc", length="9"))
    assert stream.pending > 0
    stream.feed(b"123456")
    assert stream.pending == 0


def test_datagram_keepalives_are_told_from_messages() -> None:
    assert all(is_keepalive(data) for data in (b"", b"\r\n", b"\r\n\r\n", b"\0", b"\0\0\0\0", b" "))
    assert not any(is_keepalive(data) for data in (b"X", b"\r\nA", b"\0" * 5))


def test_a_stream_and_a_datagram_read_the_same_message() -> None:
    data = raw("a", b"body")
    assert [parse_message(data)] == Stream().feed(data)
