"""What a call worker is told, made from what is known of calls and legs. Nothing is sent here."""

from pathlib import Path

from callserver.core.ids import CallId, LegId, call_of_leg, incident_of_call
from callserver.core.shape import Shape
from callserver.media import protocol
from callserver.runtime.clock import Anchor
from callserver.sip.interface import LocalMedia, RemoteMedia
from dialplans.model import MediaSource


def open_order(call: str, rate_hz: int, language: str, data_dir: Path, anchor: Anchor, now_ns: int) -> protocol.Open:
    """Carry this call."""
    return protocol.Open(
        call=call,
        rate_hz=rate_hz,
        segment=now_ns // 1_000_000,
        capture_dir=str(data_dir / "captures" / incident_of_call(CallId(call)) / call),
        prompts_dir=str(data_dir / "prompts"),
        language=language,
        boot_id=anchor.boot,
        anchor_number=anchor.number,
        anchor_boottime_ns=anchor.boottime_ns,
        anchor_utc_ns=anchor.utc_ns,
    )


def place_order(
    leg: str, role: str, source: str, line: LocalMedia, remote: RemoteMedia, learned: tuple[str, int] | None
) -> protocol.Place:
    """Carry this leg. `learned`: where its device was found to send from.

    A successor must not learn again: what waits in the socket may begin with a stranger's packet.
    """
    host, port = learned or (remote.host, remote.rtp_port)
    return protocol.Place(
        leg=leg,
        role=role,
        codec=protocol.Codec(remote.codec, remote.payload_type, remote.ptime_ms, dtmf_payload_type=remote.dtmf_payload_type),
        remote_host=host,
        remote_port=port,
        source=MediaSource.SDP if learned is not None else source,
        source_host=remote.source_host,
        continuity=protocol.Continuity(line.ssrc, line.first_seq, line.first_timestamp, line.started_ns),
        send=remote.device_receives,
        receive=remote.device_sends,
        rtcp_mux=remote.rtcp_mux,
    )


def shape_order(shape: Shape) -> protocol.ShapeOrder:
    """Sound like this."""
    prompts = tuple(protocol.PromptOrder(prompt.name, tuple(prompt.to), prompt.every_ms) for prompt in shape.prompts)
    return protocol.ShapeOrder(tuple(shape.talk), prompts, tuple((said, heard) for said, heard in shape.also))


def legs_in(shape: Shape) -> tuple[LegId, ...]:
    """Every leg that a shape speaks of, once: in the talk, at either end of a one-way link, or told something."""
    ends = (leg for link in shape.also for leg in link)
    told = (leg for prompt in shape.prompts for leg in prompt.to)
    return tuple(dict.fromkeys((*shape.talk, *ends, *told)))


def call_of(leg: str) -> str:
    """The call in a leg's id."""
    return call_of_leg(LegId(leg))
