"""A real call worker in the shapes of live call control: each party's tone is where it must be, and nowhere else."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from callserver.media.capture_format import Kind
from callserver.media.protocol import Close, Place, PromptOrder, ShapeOrder
from tests.eventually import eventually_sync
from tests.loopback.call_worker_board import Board, place_of
from tests.loopback.call_worker_rig import ABSENT, OPERATOR_HZ, POINT_HZ, PRESENT, Rig, rigged
from tests.loopback.prompt_files import write_prompt
from tests.loopback.rtp_peer import CODECS, RtpPeer, strength

pytestmark = pytest.mark.real

POLICE_HZ, SUPERVISOR_HZ, HOLD_HZ = 1_600.0, 2_100.0, 2_600.0
VOICES = {"point": POINT_HZ, "operator": OPERATOR_HZ, "outside": POLICE_HZ, "supervisor": SUPERVISOR_HZ}
TONES = {**VOICES, "hold": HOLD_HZ}
LOOK = 20
LEG = {role: f"c1.{number}" for number, role in enumerate(VOICES, 1)}
POINT, OPERATOR, POLICE, SUPERVISOR = VOICES


def shape(*talk: str, also: tuple[tuple[str, str], ...] = (), prompts: tuple[PromptOrder, ...] = ()) -> ShapeOrder:
    """All of `talk` hear each other; of each pair of `also` the second hears the first."""
    return ShapeOrder(tuple(LEG[role] for role in talk), prompts, tuple((LEG[said], LEG[heard]) for said, heard in also))


ALL = shape(POINT, OPERATOR, POLICE)
MUTED = shape(OPERATOR, POLICE, also=((OPERATOR, POINT), (POLICE, POINT)))
LISTENED = shape(POINT, OPERATOR, also=((POINT, SUPERVISOR), (OPERATOR, SUPERVISOR)))
WHISPERED = shape(POINT, OPERATOR, also=((POINT, SUPERVISOR), (OPERATOR, SUPERVISOR), (SUPERVISOR, OPERATOR)))
PRIVATE = shape(OPERATOR, POLICE, prompts=(PromptOrder("hold", (LEG[POINT],), 1),))


@dataclass
class Meeting:
    """Devices by role in one call, and the worker that carries it now."""

    rig: Rig
    board: Board
    peers: dict[str, RtpPeer]
    places: list[Place]

    def lost(self) -> None:
        """The worker is killed; a spare takes over the sockets, and is not told the shape yet."""
        spare = self.rig.worker()
        os.kill(self.board.pid, signal.SIGKILL)
        assert self.board.ended.wait(1)
        spare.open("c1", self.rig.run_dir, segment=2)
        for place, outer in zip(self.places, self.rig.outers, strict=True):
            spare.place(place, outer)
        self.board = spare

    def hears(self, **heard: tuple[str, ...]) -> None:
        """Every device soon hears exactly these voices, for `LOOK` packets that come from now on. `hold` is the prompt."""
        since = {role: len(self.peers[role].heard) for role in heard}

        def all_do() -> bool:
            return all(self._exactly(self.peers[role], since[role], expected) for role, expected in heard.items())

        eventually_sync(all_do, 5)

    def _exactly(self, peer: RtpPeer, since: int, expected: tuple[str, ...]) -> bool:
        packets = peer.heard[since:][-LOOK:]
        if len(packets) < LOOK:
            return False
        pcm = CODECS["PCMU"][2](b"".join(packet.payload for packet in packets))
        found = {voice: strength(pcm, hz, peer.rate_hz) for voice, hz in TONES.items()}
        return all(found[voice] > PRESENT if voice in expected else found[voice] < ABSENT for voice in TONES)


@pytest.fixture
def meet(tmp_path: Path) -> Iterator[Meeting]:
    with rigged(tmp_path) as rig:
        write_prompt(rig, "hold", 2_000, HOLD_HZ)
        board = rig.worker()
        board.open("c1", tmp_path)
        yield Meeting(rig, board, {}, [])


def bring(meet: Meeting, *roles: str) -> None:
    """Devices of these roles, placed in their order."""
    for role in roles:
        peer, outer = meet.rig.peer(VOICES[role])
        meet.peers[role] = peer
        meet.places.append(place_of(LEG[role], peer.port, role=role))
        meet.board.place(meet.places[-1], outer)


def test_a_muted_party_hears_all_and_is_heard_by_none_also_after_a_rescue(meet: Meeting) -> None:
    """And what it says meanwhile is in its capture nevertheless."""
    bring(meet, POINT, OPERATOR, POLICE)
    meet.board.order(ALL)
    meet.hears(point=(OPERATOR, POLICE), operator=(POINT, POLICE), outside=(POINT, OPERATOR))
    meet.board.order(MUTED)
    muted = {"point": (OPERATOR, POLICE), "operator": (POLICE,), "outside": (OPERATOR,)}
    meet.hears(**muted)
    meet.lost()
    meet.board.order(MUTED)
    meet.hears(**muted)
    meet.board.order(ALL)
    meet.hears(point=(OPERATOR, POLICE), operator=(POINT, POLICE), outside=(POINT, OPERATOR))
    assert said(meet, segment=1)[POINT] == {POINT}


def test_who_listens_hears_all_and_nobody_hears_him_also_after_a_rescue(meet: Meeting) -> None:
    bring(meet, POINT, OPERATOR, SUPERVISOR)
    meet.board.order(LISTENED)
    listened = {"point": (OPERATOR,), "operator": (POINT,), "supervisor": (POINT, OPERATOR)}
    meet.hears(**listened)
    meet.lost()
    meet.board.order(LISTENED)
    meet.hears(**listened)


def test_a_whisper_reaches_the_operator_alone_also_after_a_rescue(meet: Meeting) -> None:
    """From listening over whispering to joining, each by the difference from what was before."""
    bring(meet, POINT, OPERATOR, SUPERVISOR)
    meet.board.order(LISTENED)
    meet.hears(point=(OPERATOR,), operator=(POINT,), supervisor=(POINT, OPERATOR))
    meet.board.order(WHISPERED)
    whispered = {"point": (OPERATOR,), "operator": (POINT, SUPERVISOR), "supervisor": (POINT, OPERATOR)}
    meet.hears(**whispered)
    meet.lost()
    meet.board.order(WHISPERED)
    meet.hears(**whispered)
    meet.board.order(shape(POINT, OPERATOR, SUPERVISOR))
    meet.hears(point=(OPERATOR, SUPERVISOR), operator=(POINT, SUPERVISOR), supervisor=(POINT, OPERATOR))


def test_a_private_talk_leaves_the_point_with_the_hold_prompt_also_after_a_rescue(meet: Meeting) -> None:
    """Each party's capture holds what it said, and the point's what it was sent."""
    bring(meet, POINT, OPERATOR, POLICE)
    meet.board.order(PRIVATE)
    private = {"point": ("hold",), "operator": (POLICE,), "outside": (OPERATOR,)}
    meet.hears(**private)
    meet.lost()
    meet.board.order(PRIVATE)
    meet.hears(**private)
    assert said(meet, segment=2) == {role: {role} for role in (POINT, OPERATOR, POLICE)}


def test_four_parties_and_no_fifth(meet: Meeting) -> None:
    """Point, operator and police talk; a supervisor whispers to the operator."""
    bring(meet, POINT, OPERATOR, POLICE, SUPERVISOR)
    ears = tuple((role, SUPERVISOR) for role in (POINT, OPERATOR, POLICE))
    meet.board.order(shape(POINT, OPERATOR, POLICE, also=(*ears, (SUPERVISOR, OPERATOR))))
    meet.hears(
        point=(OPERATOR, POLICE),
        operator=(POINT, POLICE, SUPERVISOR),
        outside=(POINT, OPERATOR),
        supervisor=(POINT, OPERATOR, POLICE),
    )
    peer, outer = meet.rig.peer(900.0)
    meet.board.order(place_of("c1.5", peer.port, role=SUPERVISOR), outer.rtp.fileno(), outer.rtcp.fileno())
    _, refused = meet.board.until(kind="Refused", leg="c1.5")
    assert refused.why == "the worker has 4 legs already"
    meet.board.order(Close())
    _, closed = meet.board.until(kind="Closed", call="c1")
    assert sorted(closed.captures) == [f"c1.{number}.1.cap" for number in (1, 2, 3, 4)]


def said(meet: Meeting, segment: int) -> dict[str, set[str]]:
    """Whose voices are in the last 400 ms of what each leg said, by its capture."""
    meet.board.order(Close())
    meet.board.until(kind="Closed", call="c1")
    captures, rate_hz, decode = meet.rig.captures(), CODECS["PCMU"][0], CODECS["PCMU"][2]
    found = {}
    for role in meet.peers:
        payloads = [record.data[12:] for record in captures[f"{LEG[role]}.{segment}.cap"] if record.kind is Kind.IN]
        pcm = decode(b"".join(payloads[-LOOK:]))
        found[role] = {voice for voice, hz in VOICES.items() if strength(pcm, hz, rate_hz) > PRESENT}
    return found
