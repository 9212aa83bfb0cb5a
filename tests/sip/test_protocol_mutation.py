"""Broken siblings of valid messages meet one error type, in bounded time, and whatever is accepted goes round."""

import itertools
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callserver.sip.protocol import bindings, digest, sdp_gate
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.message import Keepalive, Request, SipError, Stream, parse_message, response_to, stamp_via
from callserver.sip.protocol.transaction import server_key

SDP = (
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 9 8 0 101\r\n"
    b"a=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
INVITE = (
    b"INVITE sip:help@help.test;user=phone SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKp1;rport, SIP/2.0/TCP [2001:db8::1]:5070;received=192.0.2.9\r\n"
    b"Record-Route: <sip:edge.test;lr>,\r\n <sip:192.0.2.1:5060;transport=tcp;lr>\r\nMax-Forwards: 70\r\n"
    b'From: "Point \\"1\\"" <sip:hp1:pw@help.test>;tag=f1\r\nt: <sip:help@help.test>\r\nCall-ID: c1@192.0.2.7\r\n'
    b"CSeq: 7 INVITE\r\n"
    b"m: <sip:hp1@192.0.2.7:5060;ob>;expires=60\r\nk: 100rel, timer\r\nExpires: 120\r\nContent-Type: application/sdp\r\n"
    b'Authorization: Digest username="hp1", realm="help.test", nonce="00", uri="sip:help@help.test", '
    b'response="00112233445566778899aabbccddeeff", algorithm=MD5, qop=auth, cnonce="x,y", nc=00000001\r\n'
    b"Content-Length: %d\r\n\r\n" % len(SDP)
) + SDP
REGISTER = INVITE.replace(b"INVITE", b"REGISTER").replace(b"sip:help@help.test;user=phone SIP", b"sip:help.test SIP")
RESPONSE = INVITE.replace(b"INVITE sip:help@help.test;user=phone SIP/2.0", b"SIP/2.0 200 OK")
SEEDS = [INVITE, REGISTER, RESPONSE, SDP]
SPICE = [
    b"\r\n", b"\n", b"\r", b"\0", b"\r\n\r\n", b"\r\n ", b'"', b"\\", b"<", b">", b";", b",", b":", b"@", b"%", b"%41", b"%00",
    b"[", b"]", b"=", b"/", b" ", b"\t", b"\xff", b"\xc3\xa9", b"0", b"9" * 12, b"-1", b"*", b"sip:", b"tag=x", b"l: 5\r\n",
    b"Content-Length: 0\r\n", b"Via: \r\n", b"a=rtpmap:0 PCMA/8000\r\n", b"m=audio 9 X 0\r\n", b"IN IP6 ::1", b"4294967296",
]  # fmt: skip

edits = st.lists(
    st.tuples(st.sampled_from(["insert", "delete", "replace", "double", "swap"]), st.integers(0, 2000), st.integers(0, 60),
              st.one_of(st.sampled_from(SPICE), st.binary(max_size=4))),
    min_size=1, max_size=6,
)  # fmt: skip


def mutate(seed: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    data = seed
    for kind, place, size, new in changes:
        at = place % (len(data) + 1)
        end = min(len(data), at + size)
        data = {
            "insert": data[:at] + new + data[at:],
            "delete": data[:at] + data[end:],
            "replace": data[:at] + new + data[at + len(new) :],
            "double": data[:end] + data[at:end] + data[end:],
            "swap": data[at:end] + data[:at] + data[end:],
        }[kind]
    return data


def use(data: bytes) -> None:
    """All that the edge does with a stranger's datagram; may raise `SipError`."""
    message = parse_message(data)
    assert message == parse_message(bytes(message))
    if isinstance(message, Request):
        stamped = stamp_via(message, "198.51.100.1", 1234)
        answer = response_to(stamped, 180, to_tag="t")
        assert answer == parse_message(bytes(answer))
        assert (stamped.via[0].params.get("received") or stamped.via[0].host) == "198.51.100.1"
        server_key(message)
        with_each(message)


def with_each(message: Request) -> None:
    for step in (
        lambda: Dialog.from_bytes(Dialog.as_uas(message, "t").to_bytes()).next_request("BYE", str(message.via[0])),
        lambda: digest.pick_credentials(message.get_all("Authorization"), "help.test"),
        lambda: bindings.apply_register((), message, 0, bindings.Source("192.0.2.7", 5060, "UDP")),
        lambda: read_sdp(message.body),
    ):
        only_sip_error(step)


def read_sdp(body: bytes) -> None:
    offer = sdp_gate.read_offer(body)
    local = sdp_gate.Local("192.0.2.1", 30000, 30001)
    answer = sdp_gate.build_answer(offer, offer.choose(), local, 1, 1)
    assert len(offer.lines) == answer.count(b"m=") and answer.count(b"\r\nm=audio 30000 ") == 1


def only_sip_error(step: Callable[[], object]) -> None:
    try:
        step()
    except SipError as error:
        assert 400 <= error.status <= 599
        if error.request is not None:
            parse_message(bytes(response_to(error.request, error.status, error.reason, "t", error.headers)))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), edits)
def test_mutated_messages_meet_only_the_one_error(seed: bytes, changes: list[tuple[str, int, int, bytes]]) -> None:
    data = mutate(seed, changes)
    only_sip_error(lambda: use(data))
    only_sip_error(lambda: read_sdp(data))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS[:3]), st.sampled_from(SEEDS[:3]), edits, st.lists(st.integers(0, 3000), max_size=8))
def test_a_mutated_stream_reads_the_same_however_it_is_cut(
    one: bytes, two: bytes, changes: list[tuple[str, int, int, bytes]], cuts: list[int]
) -> None:
    data = mutate(one + two, changes)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert read([data]) == read(pieces)


def read(pieces: list[bytes]) -> list[object]:
    stream, seen = Stream(), []
    for piece in pieces:
        try:
            items = stream.feed(piece)
        except SipError:
            break
        for item in items:
            seen.append(str(item) if isinstance(item, SipError) else "ping" if isinstance(item, Keepalive) else bytes(item))
    return [*seen, str(stream.fault)]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_noise_meets_only_the_one_error(data: bytes) -> None:
    only_sip_error(lambda: parse_message(data))
    only_sip_error(lambda: sdp_gate.read_offer(data))
    only_sip_error(lambda: digest.parse_credentials("Digest " + data.decode("latin-1")))


LONG = 30_000
WORST = [
    "Via: SIP" + " " * LONG + "/2.0/UDP h", "Via: SIP/2.0/UDP h" + ";" * LONG, "Via: SIP/2.0/UDP h;a=" + "b" * LONG + "\x80",
    "Via: SIP/2.0/UDP " + "a." * (LONG // 2), "Via: SIP/2.0/UDP [" + ":" * LONG, "Via: " + "SIP/2.0/UDP h," * (LONG // 14),
    "Via: SIP/2.0/UDP h;" + ";".join(f"p{n}" for n in range(LONG // 7)),
    'Contact: "' + "\\" * LONG + '" <sip:a>', 'Contact: "' + '\\"' * (LONG // 2), "Contact: " + "<" * LONG,
    "Contact: " + "<sip:a>," * (LONG // 8) + "<sip:a>", "Contact: " + '"' * LONG, "Contact: <sip:" + "a" * LONG + "@>",
    "Contact: <sip:" + "%41" * (LONG // 3) + "%4@h>", "Contact: <sip:h?" + "a=b&" * (LONG // 4) + "\\>",
    "Contact: <sip:h;" + ";".join(f"p{n}" for n in range(LONG // 7)) + ">", "Contact: <tel:" + "1" * LONG + "\\>",
    "Contact: " + "a " * (LONG // 2) + "<sip:a>", "Contact: " + "é" * (LONG // 2) + ",<sip:a>",
    "Supported: " + "," * LONG, "Supported: " + "a, " * (LONG // 3), "X: a" + "\r\n " * (LONG // 3),
    "X: " + " \t" * (LONG // 2) + "a",
    "X" + " " * LONG + ": a", "X" * LONG + ": a", "CSeq: " + "0" * LONG + " INVITE", "CSeq: 1" + " " * LONG + "INVITE",
    "Authorization: Digest " + ",".join(f'p{n}="a"' for n in range(LONG // 9)), 'Authorization: Digest a="' + "\\" * LONG,
    "Authorization: Digest " + "=" * LONG,
]  # fmt: skip


@pytest.mark.parametrize("line", WORST, ids=[line[:30] for line in WORST])
def test_the_worst_line_within_the_cap_costs_little(line: str) -> None:
    """Linear work on 30 kB takes milliseconds; the exponential and quadratic of other parsers took seconds."""
    data = INVITE.replace(b"Max-Forwards: 70", line.encode())
    began = time.process_time()
    only_sip_error(lambda: use(data))
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "body",
    [
        SDP + b"a=rtpmap:" * 7000, SDP + b"a=rtpmap:9 A/8000\r\n" * 500, SDP + b"a" * 60_000, SDP + b"\r\n" * 30_000,
        SDP.replace(b"9 8 0", b"9 " * 30_000), SDP + b"m=audio 40000 RTP/AVP 0\r\n" * 2000, b"v=0\r\n" * 12_000,
    ],
)  # fmt: skip
def test_the_worst_sdp_costs_little(body: bytes) -> None:
    began = time.process_time()
    only_sip_error(lambda: read_sdp(body))
    assert time.process_time() - began < 1.0


def test_a_stream_fed_byte_by_byte_is_linear() -> None:
    data = INVITE.replace(b"Max-Forwards: 70", b"X: " + b"y" * LONG)
    stream = Stream()
    began = time.process_time()
    items = [item for at in range(len(data)) for item in stream.feed(data[at : at + 1])]
    assert len(items) == 1
    assert time.process_time() - began < 2.0
