"""The SDP of a browser: what is taken from a real offer, what is refused in words, and that nothing else breaks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.media.seat_worker import sdp

OFFER = (Path(__file__).parents[1] / "data" / "chromium-offer.sdp").read_text().replace("\n", "\r\n")
OURS = sdp.Ours("abcd", "p" * 22, "AB:" * 31 + "CD", ("1 1 udp 100 127.0.0.1 30000 typ host",), 4711)


def test_a_real_offer_of_chromium_is_read() -> None:
    """Of its candidates only IPv4 hosts over UDP are kept."""
    offer = sdp.parse_offer(OFFER)
    assert (offer.mid, offer.ufrag, len(offer.password)) == ("0", "Z1YG", 24)
    assert offer.fingerprint.startswith("F2:97:6D:CB")
    assert [candidate.split(" ")[4] for candidate in offer.candidates] == ["127.0.0.1", "192.0.2.2"]


def test_the_answer_says_what_we_are() -> None:
    """We begin the DTLS handshake, send and receive G.722, on our candidate."""
    lines = sdp.answer(sdp.parse_offer(OFFER), OURS).split("\r\n")
    wanted = {"m=audio 30000 UDP/TLS/RTP/SAVPF 9", "a=setup:active", "a=sendrecv", "a=rtcp-mux", "a=rtpmap:9 G722/8000"}
    assert wanted | {"a=candidate:1 1 udp 100 127.0.0.1 30000 typ host", "a=mid:0", "a=ssrc:4711 cname:seat"} <= set(lines)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("v=0", "v=1", "no SDP"),
        ("m=audio", "m=video", "no SDP with exactly one audio line"),
        ("SAVPF 9", "SAVPF 111", "no G.722"),
        ("a=sendrecv", "a=sendonly", "not to send and to receive"),
        ("a=rtcp-mux", "a=nothing", "rtcp-mux"),
        ("a=setup:actpass", "a=setup:active", "DTLS handshake"),
        ("a=ice-ufrag:Z1YG", "a=ice-ufrag:Z", "a=ice-ufrag"),
        ("a=ice-pwd:LYz", "a=ice-pwd:\u00e9Yz", "a=ice-pwd"),
        ("sha-256 F2", "sha-1 F2", "a=fingerprint"),
        ("a=mid:0", "a=mid:0 1", "a=mid"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(old: str, new: str, words: str) -> None:
    """One ValueError, with what is missing."""
    assert old in OFFER
    with pytest.raises(ValueError, match=words):
        sdp.parse_offer(OFFER.replace(old, new))


def test_an_endless_offer_is_refused() -> None:
    """At the cap, not after reading."""
    with pytest.raises(ValueError, match="bytes"):
        sdp.parse_offer(OFFER + "a=x\r\n" * 20_000)


@given(st.integers(0, len(OFFER) - 1), st.integers(0, 60), st.text(max_size=30))
def test_mutated_offers_raise_nothing_but_our_error(at: int, gone: int, put: str) -> None:
    """And what is accepted holds to its grammar, so that it may go to the libraries."""
    try:
        offer = sdp.parse_offer(OFFER[:at] + put + OFFER[at + gone :])
    except ValueError:
        return
    assert offer.ufrag.isascii() and offer.password.isascii() and len(offer.fingerprint) == 95
    assert len(offer.candidates) <= sdp.MOST_CANDIDATES
