"""A store with one incident that was recorded, others around it, checkpoints as the notary names them; and packs made of it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from audio.peaks import pack, peaks_of
from audio.tones import Samples, tone
from audio.tracks import write_flac
from callserver.config import Config, load
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId
from callserver.runtime.packing import Wanted, make_pack, make_redaction
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.evidence.keys import SigningKey, make_key
from callserver.store.evidence.statement import line_of
from callserver.store.ops import append_op
from callserver.store.register import id_of
from callserver.store.upgrade import upgrade
from dialplans.load import shipped

INCIDENT, CALL = "260301-120000-aaaaaa", "260301-120000-aaaaaa.1"
POINT_LEG, OPERATOR_LEG = f"{CALL}.1", f"{CALL}.2"
START_NS = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z
SECOND = 1_000_000_000
PLAN = shipped("railway")
POINT = next(point.id for point in PLAN.points.values() if point.cameras)
OPERATOR = next(iter(PLAN.operators))
POINT_HZ, OPERATOR_HZ = 440.0, 880.0
RATE, LENGTH_S = 8000, 10
WANTED = Wanted("p1", INCIDENT, "olive", "the police ask for it", START_NS + 3600 * SECOND)


@dataclass
class Room:
    """Everything of it; a fact a second."""

    config: Config
    engine: Engine
    key: SigningKey
    anchor: Path
    rows: int = 0
    sequence: int = 0

    def append(self, *facts: f.Fact, id: str = "") -> None:
        """Facts, each a second after the one before."""
        ops = []
        for number, fact in enumerate(facts, self.rows + 1):
            ops.append(append_op(id or f"f{number}", fact, number, START_NS + number * SECOND, 1))
        self.rows = commit(self.engine, ops).last

    def desk(self, fact: "f.ExportAsked | f.ExportApproved | f.RedactionMade") -> None:
        """A fact of the desk under its own id."""
        self.append(fact, id=id_of(fact))

    def sign(self) -> None:
        """A checkpoint over the last row."""
        with self.engine.connect() as connection:
            hash = connection.exec_driver_sql("SELECT hash FROM journal_head").scalar_one()
        self.sequence += 1
        checkpoint = self.key.checkpoint(self.sequence, self.rows, hash.hex(), START_NS + self.rows * SECOND)
        self.append(checkpoint, id=f"checkpoint:{self.sequence}")
        with self.anchor.open("a") as file:
            file.write(line_of(checkpoint) + "\n")

    def others(self, count: int) -> None:
        """Rows of other incidents, with a text that must never be in a pack."""
        self.append(
            *(f.OutcomeRecorded(IncidentId(f"other-{self.rows}-{n}"), "helped", "anna", "a secret") for n in range(count))
        )

    def pack(self, out: Path, wanted: Wanted = WANTED) -> Path:
        """A pack at `out`."""
        make_pack(self.config, self.engine, wanted, out)
        return out

    def redact(
        self, spans: tuple[tuple[int, int], ...], party: str, cover: str, id: str = "r1", alone: bool = False
    ) -> f.RedactionMade:
        """A redaction, made and journalled."""
        asked = f.ExportAsked(
            *(id, IncidentId(INCIDENT), "redaction", "olive", "a child", CALL, False, spans, party, cover), alone=alone
        )
        made = make_redaction(self.config, self.engine, asked)
        self.desk(made)
        return made


def beeps(hz: float, starts: list[float]) -> Samples:
    """A tone of a second from each of these times on."""
    samples = np.zeros(RATE * LENGTH_S, np.int16)
    for start in starts:
        begin = round(start * RATE)
        samples[begin : begin + RATE] = tone(hz, 1.0, RATE)
    return samples


def room(home: Path) -> Room:
    """Ten seconds of conversation: the point at 1 s and 5 s, the operator at 3 s and 7 s, which the point hears 100 ms later."""
    config = load(None, {"storage.data": str(home / "data"), "storage.run": str(home / "run")})
    config.storage.data.mkdir(parents=True)
    made = Room(config, open_store(config.storage.data), make_key(config.storage.data / "checkpoint.key"), home / "anchor.txt")
    upgrade(made.engine)
    made.append(made.key.first(), id=f"checkpoint-key:{made.key.name}")
    made.append(f.PlanAdopted(1, "d" * 64, PLAN, "start"))
    made.others(5)
    made.sign()
    made.others(5)
    made.append(*_story())
    made.others(3)
    made.append(_recorded(config.storage.recordings))
    made.others(4)
    made.sign()
    made.others(30)
    made.append(f.OutcomeRecorded(IncidentId(INCIDENT), next(iter(PLAN.outcomes)), "anna", "<b>a man with a dog</b>"))
    made.sign()
    made.others(20)
    return made


def _story() -> list[f.Fact]:
    incident, call = IncidentId(INCIDENT), CallId(CALL)
    return [
        f.IncidentOpened(incident, PointId(POINT), next(iter(PLAN.queues)), 0, 1),
        f.CallOpened(call, incident, PointId(POINT)),
        f.LegCreated(LegId(POINT_LEG), call, "point", POINT, True),
        f.LegCreated(LegId(OPERATOR_LEG), call, "operator", OPERATOR, False),
        f.LegMoved(LegId(OPERATOR_LEG), "ringing", "up", "answered"),
        f.IncidentMoved(incident, "waiting", "attended", "answered", OperatorId(OPERATOR)),
    ]


def _recorded(recordings: Path) -> f.RecordingMade:
    folder = recordings / CALL
    said, answered = beeps(POINT_HZ, [1, 5]), beeps(OPERATOR_HZ, [3, 7])
    sides = [said, beeps(OPERATOR_HZ, [3.1, 7.1])]
    write_flac(folder / "call.flac", sides, RATE)
    write_flac(folder / f"{POINT_LEG}.flac", [said], RATE)
    write_flac(folder / f"{OPERATOR_LEG}.flac", [answered], RATE)
    (folder / "call.peaks").write_bytes(pack(peaks_of(sides, RATE, START_NS + 15 * SECOND)))
    sums = {f"{CALL}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    return f.RecordingMade(CallId(CALL), sums, {}, LENGTH_S * 1000, 0)
