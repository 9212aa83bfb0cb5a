"""`callserver trace` in words: whose legs, which messages, and why nothing is heard."""

from collections import OrderedDict

from callserver.core.ids import CallId, LegId
from callserver.core.instant import Instant
from callserver.core.state import Leg, State
from callserver.media.protocol import LegCounts, Strange
from callserver.runtime.clock import Anchor
from callserver.runtime.tracing import MOST_LEGS, SoundNow, StrangeSound, trace
from callserver.sip.trace import Traced

S = 1_000_000_000
ANCHOR = Anchor(1, "boot", boottime_ns=100 * S, utc_ns=1_800_000_000 * S, offset_ns=7 * S)
LEG = "i1.1.1"


class Ladders:
    """What the edge would remember."""

    def __init__(self, **of: list[Traced]) -> None:
        self.of = {name.replace("_", "."): messages for name, messages in of.items()}

    def traced(self) -> list[str]:
        """See tracing.Ladders."""
        return list(self.of)

    def trace(self, leg: str) -> list[Traced]:
        """See tracing.Ladders."""
        return self.of.get(leg, [])


def state_with(leg_state: str) -> State:
    """One leg of the point `gate`."""
    state = State()
    leg = Leg(LegId(LEG), CallId("i1.1"), "point", "gate", True, leg_state, Instant(0))
    state.legs[leg.id] = leg
    return state


def sound(**given: object) -> SoundNow:
    """Nothing known but what is given."""
    known: dict[str, object] = {"counts": {}, "silent_since": {}, "strange": StrangeSound.none(), "now_ns": 200 * S}
    return SoundNow(**(known | given))  # type: ignore[arg-type]


INVITE = Traced(108 * S + 250_000_000, False, "udp:192.0.2.1:5060", "INVITE sip:help@x SIP/2.0\r\nFrom: <sip:gate@x>;tag=1\r\n")


def test_messages_stand_in_utc_with_their_first_line() -> None:
    """Seven seconds of the instant are the anchor's offset, so this is 1.25 s after its UTC."""
    lines = trace("i1", state_with("early"), Ladders(i1_1_1=[INVITE]), sound(), ANCHOR)
    assert lines == [
        f"leg {LEG}: point gate, early",
        "  08:00:01.250Z <- udp:192.0.2.1:5060  INVITE sip:help@x SIP/2.0",
    ]


def test_legs_are_found_by_point_incident_call_and_leg_and_no_other_way() -> None:
    """Also when the leg has ended and only its messages are left."""
    ladders = Ladders(i1_1_1=[INVITE])
    for of in ("gate", "i1", "i1.1", LEG):
        assert len(trace(of, State(), ladders, sound(), ANCHOR)) == 2
    for of in ("gat", "i", "i2", "", "i1.1.11"):
        assert trace(of, State(), ladders, sound(), ANCHOR) == []


def test_why_nothing_is_heard() -> None:
    """Counts, silence, strangers; a leg that nobody carries; a switchboard that has just begun."""
    strange = StrangeSound.none()
    strange.note(Strange(LEG, "audio arrives from A, expected B", 3))
    strange.note(Strange(LEG, "audio arrives from C, expected B", 2))
    counts = {LEG: LegCounts(LEG, received=0, refused=5, sent=40, from_engine=40, capture_dropped=0)}
    one_way = {(LEG, "out"): "nobody listens at D", (LEG, "in"): "told above"}
    now = sound(counts=counts, silent_since={LEG: 190 * S}, strange=strange, one_way=one_way)
    assert trace("gate", state_with("up"), Ladders(), now, ANCHOR)[1:] == [
        "  no SIP message since this switchboard began",
        "  sound: 0 packets taken, 5 refused, 40 sent",
        "  sound: nothing comes for 10.0 s: its microphone, or the network",
        "  sound: 5 packets refused: audio arrives from C, expected B",
        "  sound: the device does not hear us: nobody listens at D",
    ]
    assert trace("gate", state_with("up"), Ladders(), sound(), ANCHOR)[-1].endswith("no call worker carries it at this moment")


def test_strangers_are_remembered_of_the_last_legs_only() -> None:
    """Memory is bounded."""
    strange = StrangeSound(OrderedDict())
    for number in range(MOST_LEGS + 5):
        strange.note(Strange(f"leg{number}", "what", 1))
    assert len(strange.of) == MOST_LEGS and "leg4" not in strange.of and f"leg{MOST_LEGS + 4}" in strange.of
