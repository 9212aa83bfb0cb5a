"""The one SDP exchange with an operator's browser: one audio line, G.722, ICE and DTLS on it (RFC 8829, 8839, 8842). Pure.

Strict where it matters and deaf to the rest: of a browser's offer only what the answer and the transport need is read, each
value held to its grammar, so that nothing else ever reaches the libraries behind.
"""

import re
from dataclasses import dataclass

MOST_BYTES = 65_536
MOST_CANDIDATES = 32
CODEC, PAYLOAD_TYPE = "G722", 9

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_FINGERPRINT = re.compile(r"sha-256 ((?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})")
_MID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_IPV4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_CANDIDATE = re.compile(rf"[A-Za-z0-9+/]{{1,32}} 1 udp [0-9]{{1,10}} {_IPV4} [0-9]{{1,5}} typ host[ -~]{{0,200}}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a browser's offer says. `candidates` are the values of a=candidate that we could use: IPv4 hosts over UDP."""

    mid: str
    ufrag: str
    password: str
    fingerprint: str  # of its certificate, SHA-256
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ours:
    """What our answer says of us. `ssrc` is that of the stream we send."""

    ufrag: str
    password: str
    fingerprint: str
    candidates: tuple[str, ...]
    ssrc: int


def parse_offer(text: str) -> Offer:
    """Reads a browser's offer. `ValueError` in plain words when we could not answer it."""
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"the offer has more than {MOST_BYTES} bytes")
    before, audio = _split(text.splitlines())
    found: dict[str, list[str]] = {}
    for line in audio:
        name, _, value = line.removeprefix("a=").partition(":")
        found.setdefault(name, []).append(value)
    for line in before:  # ICE and DTLS may stand once for all lines
        name, _, value = line.removeprefix("a=").partition(":")
        found.setdefault(name, [value])
    if "sendrecv" not in found and any(one in found for one in ("sendonly", "recvonly", "inactive")):
        raise ValueError("the offer is not to send and to receive")
    if "rtcp-mux" not in found:
        raise ValueError("the offer does not put RTCP beside RTP (rtcp-mux)")
    _check_codec(audio[0], found.get("rtpmap", []))
    if found.get("setup", [""])[0] not in ("actpass", "passive"):
        raise ValueError("the offer does not let us begin the DTLS handshake")
    candidates = [value for value in found.get("candidate", []) if _CANDIDATE.fullmatch(value)]
    return Offer(
        mid=_value(found, "mid", _MID),
        ufrag=_value(found, "ice-ufrag", _UFRAG),
        password=_value(found, "ice-pwd", _PASSWORD),
        fingerprint=_value(found, "fingerprint", _FINGERPRINT).partition(" ")[2],
        candidates=tuple(candidates[:MOST_CANDIDATES]),
    )


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines before the first media line, and those of the audio line."""
    media = [at for at, line in enumerate(lines) if line.startswith("m=")]
    if not lines or lines[0] != "v=0" or len(media) != 1 or not lines[media[0]].startswith("m=audio "):
        raise ValueError("the offer is no SDP with exactly one audio line")
    return lines[: media[0]], lines[media[0] :]


def _check_codec(media: str, maps: list[str]) -> None:
    types = media.split(" ")[3:]
    mapped = any(value.upper().startswith(f"{PAYLOAD_TYPE} {CODEC}/8000") for value in maps)
    if str(PAYLOAD_TYPE) not in types or (not mapped and any(value.startswith(f"{PAYLOAD_TYPE} ") for value in maps)):
        raise ValueError("the offer has no G.722, payload type 9 (RFC 3551)")


def _value(found: dict[str, list[str]], name: str, pattern: re.Pattern[str]) -> str:
    value = found.get(name, [""])[0]
    if not pattern.fullmatch(value):
        raise ValueError(f"the offer has no usable a={name}")
    return value


def answer(offer: Offer, ours: Ours) -> str:
    """Our answer: we take everything that the offer must have, begin the DTLS handshake, and send one stream."""
    host, port = _default(ours.candidates)
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {offer.mid}",
        "a=msid-semantic: WMS seat",
        f"m=audio {port} UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
        f"c=IN IP4 {host}",
        f"a=mid:{offer.mid}",
        "a=sendrecv",
        "a=rtcp-mux",
        f"a=rtpmap:{PAYLOAD_TYPE} {CODEC}/8000",
        "a=ptime:20",
        f"a=ice-ufrag:{ours.ufrag}",
        f"a=ice-pwd:{ours.password}",
        f"a=fingerprint:sha-256 {ours.fingerprint}",
        "a=setup:active",
        "a=msid:seat audio",
        f"a=ssrc:{ours.ssrc} cname:seat",
        *(f"a=candidate:{candidate}" for candidate in ours.candidates),
        "a=end-of-candidates",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def _default(candidates: tuple[str, ...]) -> tuple[str, str]:
    """Address and port of the first candidate, for what must stand in m= and c= (RFC 8839 section 4.3.1)."""
    if not candidates:
        return "0.0.0.0", "9"
    parts = candidates[0].split(" ")
    return parts[4], parts[5]
