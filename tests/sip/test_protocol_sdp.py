"""The SDP gate: what gets in is checked values, what goes out is built from them."""

import pytest

from callserver.sip.protocol import sdp_gate
from callserver.sip.protocol.message import SipError
from callserver.sip.protocol.sdp_gate import Choice, Local, answer_direction, build_answer, build_offer, read_answer, read_offer

HEAD = ["v=0", "o=- 11 12 IN IP4 192.0.2.7", "s=talk", "c=IN IP4 192.0.2.7", "t=0 0"]
AUDIO = "m=audio 40000 RTP/AVP 0"
LOCAL = Local("192.0.2.1", 30000, 30001)


def sdp(*media: str, head: list[str] = HEAD, end: str = "\r\n") -> bytes:
    return (end.join([*head, *media]) + end).encode()


def refusal(body: bytes) -> None:
    with pytest.raises(SipError) as caught:
        read_offer(body)
    assert caught.value.status == 488


def test_a_plain_offer_is_read() -> None:
    offer = read_offer(sdp("m=audio 40000 RTP/AVP 8 0 96 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000"))
    assert tuple((c.codec, c.payload_type, c.dtmf_payload_type) for c in offer.codecs) == (("PCMA", 8, 101), ("PCMU", 0, 101))
    far = offer.far
    assert (
        far.host, far.rtp_port, far.rtcp_port, far.ptime_ms, far.direction, far.rtcp_mux,
    ) == ("192.0.2.7", 40000, 40001, 20, "sendrecv", False)  # fmt: skip
    assert far.sends and far.receives
    assert (offer.origin_id, offer.origin_version) == ("11", 12)


def test_the_first_allowed_codec_of_the_offers_order_is_chosen() -> None:
    offer = read_offer(sdp("m=audio 40000 RTP/AVP 3 9 8 0"))
    assert offer.choose().codec == "G722"
    assert offer.choose(("PCMU", "PCMA")).codec == "PCMA"
    with pytest.raises(SipError) as caught:
        offer.choose(())
    assert caught.value.status == 488


def test_dynamic_numbers_are_understood_and_false_ones_are_not() -> None:
    offer = read_offer(
        sdp(
            "m=audio 40000 RTP/AVP 97 8 9 98 99 100", "a=rtpmap:97 pcmu/8000/1", "a=rtpmap:8 PCMU/8000", "a=rtpmap:9 G722/16000",
            "a=rtpmap:98 PCMA/8000/2", "a=rtpmap:99 telephone-event/48000", "a=rtpmap:100 telephone-event/8000",
        )
    )  # fmt: skip
    assert (Choice("PCMU", 97, 100),) == offer.codecs
    refusal(sdp("m=audio 40000 RTP/AVP 72 128 x", "a=rtpmap:72 PCMU/8000", "a=rtpmap:128 PCMU/8000", "a=rtpmap:x PCMU/8000"))


def test_lines_end_in_crlf_or_lf() -> None:
    assert read_offer(sdp(AUDIO)) == read_offer(sdp(AUDIO, end="\n"))
    refusal(sdp(AUDIO, end="\r"))


@pytest.mark.parametrize(
    ("lines", "ptime_ms"),
    [
        (["a=ptime:30"], 30), (["a=ptime:5"], 20), (["a=ptime:80"], 20), (["a=ptime:25"], 20), (["a=ptime:-20"], 20),
        (["a=ptime:1_0"], 20), (["a=ptime:99999999999"], 20), (["a=ptime:40", "a=maxptime:30"], 30), (["a=maxptime:10"], 10),
        (["a=maxptime:150"], 20), (["a=ptime:"], 20), (["a=ptime:60"], 60), (["a=ptime:10"], 10),
    ],
)  # fmt: skip
def test_ptime_outside_10_to_60_is_dropped(lines: list[str], ptime_ms: int) -> None:
    offer = read_offer(sdp(AUDIO, *lines))
    assert ptime_ms == offer.far.ptime_ms
    assert f"a=ptime:{ptime_ms}\r\n".encode() in build_answer(offer, offer.choose(), LOCAL, 1, 1)


@pytest.mark.parametrize(
    ("lines", "rtcp_port", "mux"),
    [
        ([], 40001, False), (["a=rtcp:50000"], 50000, False), (["a=rtcp:50000 IN IP4 6.6.6.6"], 50000, False),
        (["a=rtcp:80"], 40001, False), (["a=rtcp-mux"], 40000, True), (["a=rtcp:x"], 40001, False),
    ],
)  # fmt: skip
def test_rtcp(lines: list[str], rtcp_port: int, mux: bool) -> None:
    offer = read_offer(sdp(AUDIO, *lines))
    assert (rtcp_port, mux, "192.0.2.7") == (offer.far.rtcp_port, offer.far.rtcp_mux, offer.far.host)
    assert mux == (b"a=rtcp-mux" in build_answer(offer, offer.choose(), LOCAL, 1, 1))


def test_there_is_no_rtcp_port_past_the_last() -> None:
    assert read_offer(sdp("m=audio 65535 RTP/AVP 0")).far.rtcp_port == 0


BROKEN = {
    "empty": b"",
    "binary": b"\x00\x01\x02",
    "NUL": sdp(AUDIO, "a=x\0y"),
    "no v": sdp(AUDIO, head=HEAD[1:]),
    "another version": sdp(AUDIO, head=["v=1", *HEAD[1:]]),
    "v not first": sdp(AUDIO, head=[*HEAD[1:], HEAD[0]]),
    "v twice": sdp(AUDIO, head=["v=0", *HEAD]),
    "no o": sdp(AUDIO, head=[HEAD[0], *HEAD[2:]]),
    "o twice": sdp(AUDIO, head=[*HEAD, HEAD[1]]),
    "o malformed": sdp(AUDIO, head=["v=0", "o=- x 1 IN IP4 1.1.1.1", *HEAD[2:]]),
    "no c": sdp(AUDIO, head=[*HEAD[:3], HEAD[4]]),
    "no m": sdp(),
    "a line of no kind": sdp(AUDIO, "nonsense"),
    "an empty line": sdp("", AUDIO),
    "a capital kind": sdp(AUDIO, "A=sendrecv"),
    "port 1023": sdp("m=audio 1023 RTP/AVP 0"),
    "port 65536": sdp("m=audio 65536 RTP/AVP 0"),
    "port 0": sdp("m=audio 0 RTP/AVP 0"),
    "port negative": sdp("m=audio -1 RTP/AVP 0"),
    "port in words": sdp("m=audio x RTP/AVP 0"),
    "no formats": sdp("m=audio 40000 RTP/AVP"),
    "33 formats": sdp("m=audio 40000 RTP/AVP " + " ".join(["0"] * 33)),
    "5 media": sdp(*[AUDIO] * 5),
    "two blanks between formats": sdp("m=audio 40000 RTP/AVP 0  8"),
    "IPv6": sdp(AUDIO, "c=IN IP6 2001:db8::1"),
    "a name for an address": sdp(AUDIO, "c=IN IP4 phone.test"),
    "multicast": sdp(AUDIO, "c=IN IP4 224.2.1.1"),
    "multicast with ttl": sdp(AUDIO, "c=IN IP4 224.2.1.1/127"),
    "broadcast": sdp(AUDIO, "c=IN IP4 255.255.255.255"),
    "reserved": sdp(AUDIO, "c=IN IP4 240.0.0.1"),
    "this network": sdp(AUDIO, "c=IN IP4 0.1.2.3"),
    "octal octets": sdp(AUDIO, "c=IN IP4 010.0.0.1"),
    "only SRTP": sdp("m=audio 40000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"),
    "only DTLS": sdp("m=audio 40000 UDP/TLS/RTP/SAVPF 0"),
    "only video": sdp("m=video 40000 RTP/AVP 0"),
    "only foreign codecs": sdp("m=audio 40000 RTP/AVP 3 18 96", "a=rtpmap:96 opus/48000/2"),
    "only telephone-event": sdp("m=audio 40000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"),
    "513 lines": sdp(AUDIO, *["a=x"] * 513),
    "a long line": sdp(AUDIO, "a=" + "x" * 1100),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_broken_or_unwanted_sdp_is_488(body: bytes) -> None:
    refusal(body)


def test_the_bounds_themselves_are_allowed() -> None:
    read_offer(sdp("m=audio 1024 RTP/AVP " + " ".join(["0"] * 32)))
    read_offer(sdp("m=audio 65535 RTP/AVP 0", *["m=video 40002 RTP/AVP 96"] * 3))


@pytest.mark.parametrize(
    ("head", "media", "direction"),
    [
        ([], [], "sendrecv"), ([], ["a=sendonly"], "sendonly"), (["a=recvonly"], [], "recvonly"),
        (["a=sendonly"], ["a=inactive"], "inactive"), ([], ["c=IN IP4 0.0.0.0"], "sendonly"),
        ([], ["c=IN IP4 0.0.0.0", "a=sendonly"], "sendonly"), ([], ["c=IN IP4 0.0.0.0", "a=inactive"], "inactive"),
        ([], ["c=IN IP4 0.0.0.0", "a=recvonly"], "inactive"),
    ],
)  # fmt: skip
def test_directions_and_hold(head: list[str], media: list[str], direction: str) -> None:
    offer = read_offer(sdp(AUDIO, *media, head=HEAD + head))
    assert direction == offer.far.direction
    assert ("send" in direction, direction in ("sendrecv", "recvonly")) == (offer.far.sends, offer.far.receives)


def test_our_direction_never_goes_past_theirs_or_our_wish() -> None:
    table = {
        ("sendrecv", "sendrecv"): "sendrecv", ("sendonly", "sendrecv"): "recvonly", ("recvonly", "sendrecv"): "sendonly",
        ("inactive", "sendrecv"): "inactive", ("sendrecv", "recvonly"): "recvonly", ("sendrecv", "sendonly"): "sendonly",
        ("sendonly", "sendonly"): "inactive", ("recvonly", "recvonly"): "inactive", ("sendrecv", "inactive"): "inactive",
    }  # fmt: skip
    assert table == {pair: answer_direction(*pair) for pair in table}


def test_the_answer_rejects_the_other_lines_in_their_order_and_passes_nothing_on() -> None:
    offer = read_offer(
        sdp(
            "m=audio 40002 RTP/SAVP 0 8", "a=crypto:1 AES inline:secret", "m=audio 40000 RTP/AVP 9 0 101",
            "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=x-evil:1", "a=sendonly",
            "m=video 40004 RTP/AVP 96 97", "b=AS:1",
        )
    )  # fmt: skip
    answer = build_answer(offer, offer.choose(("PCMU",)), LOCAL, 77, 3).decode().split("\r\n")
    assert answer == [
        "v=0", "o=- 77 3 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 0 RTP/SAVP 0",
        "m=audio 30000 RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
        "a=ptime:20", "a=recvonly", "m=video 0 RTP/AVP 96", "",
    ]  # fmt: skip


def test_avpf_is_answered_in_kind() -> None:
    offer = read_offer(sdp("m=audio 40000 RTP/AVPF 0"))
    assert b"m=audio 30000 RTP/AVPF 0\r\n" in build_answer(offer, offer.choose(), LOCAL, 1, 1)


def test_our_offer_can_be_taken_by_ourselves_and_our_answer_read() -> None:
    for codecs in (("PCMA",), ("G722", "PCMA", "PCMU")):
        offer = read_offer(build_offer(LOCAL, codecs, 5, 6, "sendonly"))
        assert codecs == tuple(choice.codec for choice in offer.codecs)
        assert (offer.far.rtp_port, offer.far.rtcp_port, offer.far.direction, offer.origin_id) == (30000, 30001, "sendonly", "5")
        answer = read_answer(build_answer(offer, offer.choose(), Local("192.0.2.9", 31000, 31007), 8, 9), codecs)
        assert Choice(codecs[0], sdp_gate.CODECS[codecs[0]], 101) == answer.choice
        assert (
            answer.far.host, answer.far.rtp_port, answer.far.rtcp_port, answer.far.direction,
        ) == ("192.0.2.9", 31000, 31007, "recvonly")  # fmt: skip


def test_an_offer_within_a_call_keeps_its_numbers() -> None:
    body = build_offer(LOCAL, (), 5, 7, choice=Choice("PCMU", 97, 96), rtcp_mux=True)
    assert b"m=audio 30000 RTP/AVP 97 96\r\n" in body and b"a=rtcp-mux\r\n" in body
    assert (Choice("PCMU", 97, 96),) == read_offer(body).codecs
    assert b"m=audio 30000 RTP/AVP 97\r\n" in build_offer(LOCAL, (), 5, 8, choice=Choice("PCMU", 97))
    with pytest.raises(SipError):
        build_offer(LOCAL, (), 5, 7)


@pytest.mark.parametrize(
    "body",
    [
        sdp("m=audio 0 RTP/AVP 0"), sdp("m=audio 40000 RTP/SAVP 0"), sdp("m=video 40000 RTP/AVP 0"), sdp(AUDIO, AUDIO),
        sdp("m=audio 40000 RTP/AVP 9"), sdp("m=audio 40000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), b"", sdp(),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_take_our_offer_is_488(body: bytes) -> None:
    with pytest.raises(SipError) as caught:
        read_answer(body, ("PCMU", "PCMA"))
    assert caught.value.status == 488
