"""The archivist's seconds over live conversations: told once each way, not before the disk has it, and never of what is over."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from audio.tones import Samples
from callserver.archive.following import Follower
from callserver.archive.proving import CANNOT_READ, NOT_WRITTEN, Listed, Measured, Proof, Prover
from callserver.core.facts import RecordingConfirmed, RecordingDoubtful
from callserver.media import capture_format as cf
from callserver.media.protocol import Codec
from tests.archive.wire import PCMU, Row, Sender, at, header
from tests.audio.sounds import mixed, noise, speech

CALL = "i1.1"
POINT, OPERATOR = "i1.1.1", "i1.1.2"
ROLES = {POINT: "point", OPERATOR: "operator"}


@dataclass
class Talk:
    """A conversation whose captures grow second by second."""

    root: Path
    rows: dict[str, list[Row]] = field(default_factory=dict)
    facts: list[Proof] = field(default_factory=list)
    second: float = 0.0
    away: bool = False
    sounding: bool = True
    expected: bool = True
    since_s: float = 0.0
    codec: Codec = PCMU

    def __post_init__(self) -> None:
        self.prover = Prover(self.root, self.tell, lambda: at(self.second))
        (self.root / "i1" / CALL).mkdir(parents=True)

    def tell(self, fact: Proof) -> None:
        if self.away:
            raise ConnectionError("the switchboard is away")
        self.facts.append(fact)

    def file(self, leg: str) -> Path:
        return self.root / "i1" / CALL / f"{leg}.1.cap"

    def says(self, leg: str, sound: Samples, begin_s: float = 0.0, ssrc: int = 1) -> None:
        self.rows.setdefault(leg, []).extend(Sender(self.codec, ssrc=ssrc).says(sound, 0.0, since=round(begin_s * 50)))

    def seconds(self, count: int, *legs: str) -> list[dict[str, Measured]]:
        """So many more of them; what was to be shown after each."""
        return [self._one(legs or (POINT, OPERATOR)) for _ in range(count)]

    def _one(self, legs: tuple[str, ...]) -> dict[str, Measured]:
        before, self.second = self.second, self.second + 1
        for leg, rows in self.rows.items():
            if not self.file(leg).exists():
                self.file(leg).write_bytes(cf.encode_header(header(leg, ROLES[leg], codec=self.codec), at(0)))
            with self.file(leg).open("ab") as out:
                for at_ns, kind, data, flags in rows:
                    if at(before) <= at_ns < at(self.second):
                        out.write(cf.encode_record(at_ns, kind, data, flags))
        listed = [Listed(leg, CALL, at(self.since_s), self.sounding, self.expected) for leg in legs]
        return self.prover.step(listed)

    def told(self) -> list[tuple[str, str, str]]:
        return [(type(fact).__name__, fact.leg, getattr(fact, "why", "")) for fact in self.facts]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    made = Talk(tmp_path)
    whole = speech(8000, 90.0)
    made.says(POINT, whole[: 40 * 8000])
    made.says(OPERATOR, whole[45 * 8000 : 85 * 8000], ssrc=2)
    return made


def test_both_voices_are_confirmed_once_within_four_seconds(talk: Talk) -> None:
    shown = talk.seconds(4)[-1]
    assert sorted(talk.told()) == [("RecordingConfirmed", POINT, ""), ("RecordingConfirmed", OPERATOR, "")]
    assert {one.state for one in shown.values()} == {"good"}
    assert all(-45 < one.rms < -10 and one.rms < one.peak < 0 for one in shown.values())
    talk.seconds(20)
    assert len(talk.facts) == 2


def test_a_side_of_which_nothing_comes_is_doubtful_within_ten_seconds_and_is_told_by_what_the_wire_says(talk: Talk) -> None:
    del talk.rows[OPERATOR]
    talk.sounding = False
    talk.seconds(10)
    assert ("RecordingDoubtful", OPERATOR, "nothing") in talk.told()
    talk.sounding = True
    talk.seconds(2)
    assert talk.told()[-1] == ("RecordingDoubtful", OPERATOR, NOT_WRITTEN)


def test_a_side_is_confirmed_again_after_a_doubt_and_doubted_again_after_that(talk: Talk) -> None:
    talk.rows[OPERATOR] = []
    voice = mixed(speech(8000, 90)[50 * 8000 : 55 * 8000], noise(8000, 5, -62, 0.3))  # in a room: no zeros between words
    silence = np.zeros(12 * 8000, np.int16)
    for begin_s, sound in ((0, voice), (5, silence), (17, voice), (22, silence)):
        talk.says(OPERATOR, sound, begin_s, ssrc=2)
    talk.seconds(34)
    of_operator = [(kind, why) for kind, leg, why in talk.told() if leg == OPERATOR]
    assert of_operator == [("RecordingConfirmed", ""), ("RecordingDoubtful", "dead")] * 2


def test_who_does_not_speak_is_neither_confirmed_nor_doubted(talk: Talk) -> None:
    talk.rows[OPERATOR] = []
    talk.says(OPERATOR, noise(8000, 30, -66, 0.3), ssrc=2)
    shown = talk.seconds(30)[-1]
    assert [leg for _, leg, _ in talk.told()] == [POINT]
    assert shown[OPERATOR].state == "quiet"


def test_nothing_is_held_against_a_side_on_hold_and_its_time_begins_anew_afterwards(talk: Talk) -> None:
    del talk.rows[OPERATOR]
    talk.expected = False
    talk.seconds(30)
    assert talk.facts == []
    talk.expected, talk.since_s = True, 30.0
    talk.seconds(6)
    assert [kind for kind, leg, _ in talk.told() if leg == OPERATOR] == []
    talk.seconds(4)
    assert ("RecordingDoubtful", OPERATOR, NOT_WRITTEN) in talk.told()


def test_a_call_that_is_followed_anew_is_judged_from_what_comes_next_not_from_when_it_began(talk: Talk) -> None:
    """The archivist was started anew, a quarter of a minute into the conversation."""
    talk.seconds(15)
    talk.prover = Prover(talk.root, talk.tell, lambda: at(talk.second))
    talk.facts.clear()
    assert [one.state for one in talk.seconds(1)[0].values()] == ["listening", "listening"]
    talk.seconds(3)
    assert sorted(talk.told()) == [("RecordingConfirmed", POINT, ""), ("RecordingConfirmed", OPERATOR, "")]


def test_an_archivist_that_comes_anew_into_a_pause_waits_it_out_like_any_other(talk: Talk) -> None:
    talk.rows[OPERATOR] = []
    talk.says(OPERATOR, np.zeros(40 * 8000, np.int16), ssrc=2)
    talk.second = 20.0
    assert {one.state for second in talk.seconds(6, OPERATOR) for one in second.values()} == {"listening"}
    talk.seconds(4, OPERATOR)
    assert talk.told() == [("RecordingDoubtful", OPERATOR, "dead")]


def test_bytes_that_cannot_be_decoded_are_told_and_stop_nothing(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(codec: str, payload: bytes) -> Samples:
        raise ValueError("G.722 cannot be decoded")

    monkeypatch.setattr("callserver.archive.following.decode", fail)
    talk.seconds(10)
    assert set(talk.told()) == {("RecordingDoubtful", leg, CANNOT_READ) for leg in (POINT, OPERATOR)}


def test_nothing_is_confirmed_that_the_disk_does_not_have(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(follower: Follower) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Follower, "sync", refuse)
        talk.seconds(6)
    assert sorted(talk.told()) == [("RecordingDoubtful", POINT, NOT_WRITTEN), ("RecordingDoubtful", OPERATOR, NOT_WRITTEN)]
    talk.seconds(2)
    assert {kind for kind, _, _ in talk.told()[2:]} == {"RecordingConfirmed"}


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(talk: Talk) -> None:
    talk.rows.pop(OPERATOR)
    talk.file(OPERATOR).mkdir()
    talk.seconds(10)
    assert set(talk.told()) == {("RecordingConfirmed", POINT, ""), ("RecordingDoubtful", OPERATOR, CANNOT_READ)}


def test_a_fact_that_could_not_be_told_is_told_in_the_next_round(talk: Talk) -> None:
    talk.away = True
    talk.seconds(1)
    with pytest.raises(ConnectionError):
        talk.seconds(3)
    talk.away = False
    talk.seconds(2)
    assert sorted(talk.told()) == [("RecordingConfirmed", POINT, ""), ("RecordingConfirmed", OPERATOR, "")]


def test_a_leg_that_is_over_is_forgotten_with_its_files(talk: Talk) -> None:
    talk.seconds(5)
    assert list(talk.seconds(1, POINT)[0]) == [POINT]
    talk.prover.step([])
    assert talk.prover._legs == {}


def test_what_is_told_are_facts_of_the_call(talk: Talk) -> None:
    talk.seconds(4)
    assert {(type(fact), fact.call) for fact in talk.facts} == {(RecordingConfirmed, CALL)}
    assert RecordingDoubtful not in {type(fact) for fact in talk.facts}
