"""What is agreed about a leg's audio: between the SDP gate and the leg's record."""

from collections.abc import Sequence

from callserver.sip.composer import Composer
from callserver.sip.interface import LocalMedia, RemoteMedia
from callserver.sip.leg import Leg
from callserver.sip.protocol import sdp_gate as gate

MAX_ID = 2**31


def begin_sdp(leg: Leg, composer: Composer) -> None:
    """Give the leg its SDP identity, once (RFC 8866 5.2)."""
    if not leg.sdp_id:
        leg.sdp_id = composer.number(MAX_ID) + 1


def choose(offer: gate.Offer, codecs: Sequence[str], kept: str = "") -> gate.Choice:
    """`kept` while the offer has it; else the first of our order that it has. Raises `SipError` 488."""
    for codec in ([kept] if kept else []) + list(codecs):
        if any(choice.codec == codec for choice in offer.codecs):
            return offer.choose((codec,))
    return offer.choose(())


def take_offer(leg: Leg, body: bytes, local: LocalMedia, codecs: Sequence[str], source_host: str) -> tuple[bytes, RemoteMedia]:
    """Our answer, one version on where it says something else than before (RFC 3264 8), and what it means. Changes nothing.

    Raises `SipError` 488.
    """
    offer = gate.read_offer(body)
    choice = choose(offer, codecs, leg.remote.codec if leg.remote is not None else "")
    answer = gate.build_answer(offer, choice, _ours(local), leg.sdp_id, leg.sdp_version)
    if answer != leg.sdp:
        answer = gate.build_answer(offer, choice, _ours(local), leg.sdp_id, leg.sdp_version + 1)
    return answer, _remote(offer.far, choice, source_host)


def make_offer(leg: Leg, local: LocalMedia, codecs: Sequence[str]) -> bytes:
    """Our offer, one version on; in a dialog that has its audio only what runs. Changes nothing."""
    running = None
    if leg.remote is not None:
        running = gate.Choice(leg.remote.codec, leg.remote.payload_type, leg.remote.dtmf_payload_type)
    return gate.build_offer(_ours(local), codecs, leg.sdp_id, leg.sdp_version + 1, choice=running)


def take_answer(body: bytes, codecs: Sequence[str], source_host: str) -> RemoteMedia:
    """What the answer to our offer means. Raises `SipError` 488."""
    answer = gate.read_answer(body, codecs)
    return _remote(answer.far, answer.choice, source_host)


def _ours(local: LocalMedia) -> gate.Local:
    return gate.Local(local.host, local.rtp_port, local.rtcp_port)


def _remote(far: gate.Far, choice: gate.Choice, source_host: str) -> RemoteMedia:
    return RemoteMedia(
        host=far.host,
        rtp_port=far.rtp_port,
        codec=choice.codec,
        payload_type=choice.payload_type,
        ptime_ms=far.ptime_ms,
        dtmf_payload_type=choice.dtmf_payload_type,
        device_sends=far.sends,
        device_receives=far.receives,
        rtcp_mux=far.rtcp_mux,
        source_host=source_host,
    )
