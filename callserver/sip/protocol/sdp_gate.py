"""Offers and answers (RFC 3264) through a gate: what came is read into a few checked values; what goes is built from these.

No line of a peer's SDP is ever passed on. Audio only, G.711 and G.722 with telephone-event (RFC 4733), over RTP/AVP
(or AVPF, answered in kind); offers that only take SRTP are refused with 488.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from callserver.sip.protocol.errors import SipError
from callserver.sip.protocol.sdp import HOLD_HOST, MAX_PORT, Description, Media, parse_description, refused

CODECS = {"PCMU": 0, "PCMA": 8, "G722": 9}  # static payload types; the RTP clock of all is 8000 Hz (RFC 3551)
DTMF_PAYLOAD_TYPE = 101
DEFAULT_PTIME_MS = 20

_PROTOCOLS = ("RTP/AVP", "RTP/AVPF")


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of a leg: what our SDP names."""

    host: str
    rtp_port: int
    rtcp_port: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The codec of a leg."""

    codec: str
    payload_type: int
    dtmf_payload_type: int = -1


@dataclass(frozen=True, slots=True)
class Far:
    """The peer's side of the audio. `direction` is as the peer says it (hold by 0.0.0.0 included)."""

    host: str
    rtp_port: int
    rtcp_port: int
    ptime_ms: int
    direction: str
    rtcp_mux: bool

    @property
    def sends(self) -> bool:
        """Whether the peer will send to us."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether the peer wants to receive from us."""
        return self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Offer:
    """A peer's offer. `codecs` are ours among its formats in its order; `lines` are all m= lines, `index` the audio's."""

    far: Far
    codecs: tuple[Choice, ...]
    lines: tuple[Media, ...]
    index: int
    origin_id: str
    origin_version: int

    def choose(self, allowed: Collection[str] = tuple(CODECS)) -> Choice:
        """The first codec in the offer's order that is allowed. Raises `SipError` 488."""
        for choice in self.codecs:
            if choice.codec in allowed:
                return choice
        raise refused("No codec in common")


@dataclass(frozen=True, slots=True)
class Answer:
    """A peer's answer to our offer."""

    far: Far
    choice: Choice
    origin_id: str
    origin_version: int


def read_offer(body: bytes) -> Offer:
    """A peer's offer. Raises `SipError` 488 when it is malformed or holds no audio line that we can take."""
    description = parse_description(body)
    for index, media in enumerate(description.media):
        choices = _choices(media)
        if choices and media.kind == "audio" and media.port and media.protocol in _PROTOCOLS:
            far = _far(description, media)
            return Offer(far, choices, description.media, index, description.origin_id, description.origin_version)
    raise refused("There is no audio that we can take")


def read_answer(body: bytes, offered: Collection[str] = tuple(CODECS)) -> Answer:
    """The answer to an offer of ours that had one audio line with these codecs. Raises `SipError` 488."""
    description = parse_description(body)
    media = description.media[0]
    if len(description.media) != 1 or media.kind != "audio" or media.protocol != _PROTOCOLS[0] or not media.port:
        raise refused("The answer does not take our audio")
    for choice in _choices(media):
        if choice.codec in offered:
            return Answer(_far(description, media), choice, description.origin_id, description.origin_version)
    raise refused("The answer takes no codec that we offered")


def _choices(media: Media) -> tuple[Choice, ...]:
    """Every format that we know, in order, with the telephone-event that goes with it."""
    if media.kind != "audio":
        return ()
    known = [(name, _encoding(media, name)) for name in media.formats]
    dtmf = next((int(name) for name, encoding in known if encoding == "TELEPHONE-EVENT"), -1)
    return tuple(Choice(encoding, int(name), dtmf) for name, encoding in known if encoding in CODECS)


def _encoding(media: Media, name: str) -> str:
    """The encoding of a format when it has 8000 Hz, one channel and a sound payload type; else ""."""
    if not (name.isascii() and name.isdigit() and len(name) <= 3) or int(name) > 127:
        return ""
    known = media.rtpmap(name)
    if known is None:
        return next((codec for codec, static in CODECS.items() if static == int(name)), "")
    if known.clock_hz != 8000 or known.channels != 1:
        return ""
    static_of = {payload_type: codec for codec, payload_type in CODECS.items()}
    # Only dynamic numbers may be mapped freely: 64-95 would be taken for RTCP on one port (RFC 5761 4).
    fits = int(name) >= 96 or static_of.get(int(name)) == known.encoding
    return known.encoding if fits else ""


def _far(description: Description, media: Media) -> Far:
    host = media.host or description.host
    if not host:
        raise refused("The SDP has no address")
    direction = media.direction or description.direction
    if host == HOLD_HOST:  # may send to us, cannot be sent to
        direction = "sendonly" if direction in ("sendrecv", "sendonly") else "inactive"
    rtcp_port = media.port if media.rtcp_mux else media.rtcp_port or media.port + 1
    ptime_ms = media.ptime_ms or DEFAULT_PTIME_MS
    if media.maxptime_ms:
        ptime_ms = min(ptime_ms, media.maxptime_ms)
    return Far(host, media.port, rtcp_port if rtcp_port <= MAX_PORT else 0, ptime_ms, direction, media.rtcp_mux)


def answer_direction(offered: str, wanted: str = "sendrecv") -> str:
    """Our direction to an offered one, as far as we want to send and receive (RFC 3264 6.1)."""
    send = wanted in ("sendrecv", "sendonly") and offered in ("sendrecv", "recvonly")
    receive = wanted in ("sendrecv", "recvonly") and offered in ("sendrecv", "sendonly")
    return {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly"}.get((send, receive), "inactive")


def _head(local: Local, origin_id: int, version: int) -> list[str]:
    return [
        "v=0", f"o=- {origin_id} {version} IN IP4 {local.host}", "s=-", f"c=IN IP4 {local.host}", "t=0 0",
    ]  # fmt: skip


def _audio(local: Local, protocol: str, choices: Sequence[Choice], dtmf: int, ptime_ms: int) -> list[str]:
    formats = [choice.payload_type for choice in choices] + ([dtmf] if dtmf >= 0 else [])
    lines = [f"m=audio {local.rtp_port} {protocol} {' '.join(str(number) for number in formats)}"]
    if local.rtcp_port not in (local.rtp_port, local.rtp_port + 1):
        lines.append(f"a=rtcp:{local.rtcp_port}")
    lines += [f"a=rtpmap:{choice.payload_type} {choice.codec}/8000" for choice in choices]
    lines += [f"a=rtpmap:{dtmf} telephone-event/8000", f"a=fmtp:{dtmf} 0-15"] if dtmf >= 0 else []
    return [*lines, f"a=ptime:{ptime_ms}"]


def _body(lines: Sequence[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()


def build_offer(
    local: Local,
    codecs: Sequence[str],
    origin_id: int,
    version: int,
    direction: str = "sendrecv",
    *,
    choice: Choice | None = None,
    rtcp_mux: bool = False,
) -> bytes:
    """One audio line with these codecs in this order and telephone-event.

    `choice` is for a re-INVITE: what runs, with its payload types (they may not change their meaning, RFC 3264 8.3.2).
    """
    choices = [choice] if choice else [Choice(codec, CODECS[codec]) for codec in codecs]
    if not choices:
        raise SipError(500, "An offer needs a codec")
    dtmf = choice.dtmf_payload_type if choice else DTMF_PAYLOAD_TYPE
    lines = _head(local, origin_id, version) + _audio(local, _PROTOCOLS[0], choices, dtmf, DEFAULT_PTIME_MS)
    return _body([*lines, f"a={direction}", *(["a=rtcp-mux"] if rtcp_mux else [])])


def build_answer(offer: Offer, choice: Choice, local: Local, origin_id: int, version: int, direction: str = "sendrecv") -> bytes:
    """The answer that takes the offer's audio line with one codec and rejects all others, in their order (RFC 3264 6).

    `direction` is what we want; the answer says what of it the offer allows. rtcp-mux is taken when it is offered.
    """
    lines = _head(local, origin_id, version)
    for index, media in enumerate(offer.lines):
        if index != offer.index:
            lines.append(f"m={media.kind} 0 {media.protocol} {media.formats[0]}")
            continue
        lines += _audio(local, media.protocol, [choice], choice.dtmf_payload_type, offer.far.ptime_ms)
        lines.append(f"a={answer_direction(offer.far.direction, direction)}")
        lines += ["a=rtcp-mux"] if offer.far.rtcp_mux else []
    return _body(lines)
