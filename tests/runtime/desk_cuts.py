"""One recorded incident, exports of it and its deletion: each run can be broken off after any step, and gone on with elsewhere.

The journal is a real store; what is appended to it is on the disk (`tests/store` holds that), all else as `tests/archive/power`
models it. A new archivist gets the files as they were left and a store of as many facts.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from audio.disk import Disk
from callserver.config import Config, load
from callserver.control import CommandRefused, Verb
from callserver.core import decide
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.runtime.desk_work import DeskWork
from callserver.runtime.retaining import Retaining
from callserver.store.commit import commit
from callserver.store.engine import open_store, read_only
from callserver.store.ops import append_op
from callserver.store.register import read_desk
from tests.archive.power import Image, Model, RecordingDisk, Step, lay_out
from tests.runtime.verdict import fault_of
from tests.store.pack_room import CALL, INCIDENT, SECOND, START_NS, room

NOW_NS = START_NS + 3600 * SECOND
DAY_NS = 86_400 * SECOND
INC = IncidentId(INCIDENT)
PACK, REDACTION = (
    f.ExportAsked("e1", INC, "pack", "olive", "the police ask"),
    f.ExportAsked("e2", INC, "redaction", "olive", "a child", CALL, False, ((1000, 2000),), "point", "tone"),
)
HOLD = f.HoldPlaced("h1", INC, "sue", 10**19 // 2, "the police ask")


class Meeting(RecordingDisk):
    """Before its step number `at` somebody else does something, once."""

    def __init__(self, at: int, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self.at, self.meanwhile = at, meanwhile

    def note(self, step: Step) -> None:
        if len(self.steps) == self.at:
            self.at = -1
            self.meanwhile()
        super().note(step)


@dataclass
class Site:
    """A directory with store and files; the switchboard journals what the core lets pass."""

    root: Path
    now_ns: int = NOW_NS
    state: State = field(default_factory=State)
    alarms: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, f.Fact]] = field(default_factory=list)  # (id, fact) in this life
    noted: Callable[[Step], None] = lambda step: None

    def __post_init__(self) -> None:
        settings = {"storage.data": str(self.data), "storage.run": str(self.root / "run"), "retention.text_days": 0}
        self.config: Config = load(None, settings)
        self.config.storage.run.mkdir(exist_ok=True)
        self.writer = open_store(self.data)
        self.engine = read_only(self.data)
        self._works: list[DeskWork] = []

    @property
    def data(self) -> Path:
        """What must not be lost."""
        return self.root / "data"

    def close(self) -> None:
        """The files of the store are closed."""
        for engine in (self.writer, self.engine, *(work.engine for work in self._works)):
            engine.dispose()

    # ---- the archivist ------------------------------------------------------------------------------------------

    def desk(self, disk: Disk) -> None:
        """A round of the desk, by an archivist that has just been started."""
        self._works.append(DeskWork(self.config, disk, lambda: self.now_ns, self.ask))
        self._works[-1].go()

    def retain(self, disk: Disk) -> None:
        """A round of retention, the same."""
        clock_s = lambda: self.now_ns / 1e9  # noqa: E731
        Retaining(self.config, self.engine, clock_s, lambda: self.now_ns, disk, self.ask, 0).go()

    def all(self, disk: Disk) -> None:
        """Both, twice."""
        for _ in range(2):
            self.retain(disk)
            self.desk(disk)

    # ---- the switchboard ----------------------------------------------------------------------------------------

    def ask(self, verb: str, args: dict[str, Any]) -> None:
        """What a work asks of the switchboard."""
        if verb == Verb.NOTE_FACT:
            self.note(msgspec.convert(args["body"], f.KINDS[args["kind"]]), args["id"])
            return
        fact: f.Fact
        if verb == Verb.RAISE_ALARM:
            self.alarms[args["key"]] = args["text"]
            fact = f.AlarmRaised(args["key"], args["text"])
        else:
            self.alarms.pop(args["key"], None)
            fact = f.AlarmCleared(args["key"], "gone")
        self._append(f"alarm{len(self.told)}", fact)

    def note(self, fact: f.Fact, id: str) -> None:
        """Raises `CommandRefused` where the core refuses."""
        facts, _ = decide.handle(self.state, ev.Noted(fact, id), Instant(self.now_ns))
        if isinstance(facts[0], f.Refused):
            raise CommandRefused("refused", facts[0].why)
        self.noted(Step("append", fact=(id, fact)))
        self._append(id, fact)

    def _append(self, id: str, fact: f.Fact) -> None:
        self.told.append((id, fact))
        done = commit(self.writer, [append_op(id, fact, self.now_ns, self.now_ns, 1)])
        assert done.projection_fault == ""

    # ---- what is seen -------------------------------------------------------------------------------------------

    def files(self) -> dict[str, bytes]:
        """All that lies there, but the store's own."""
        found = [path for path in self.data.rglob("*") if path.is_file() and path.parent != self.data]
        return {str(path.relative_to(self.data)): path.read_bytes() for path in found}

    def exports(self) -> dict[str, str]:
        """State of each."""
        return {id: one.state(self.now_ns, False) for id, one in read_desk(self.engine).exports.items()}

    def fault(self) -> str:
        """The first thing wrong by either verifier; "" when all is whole."""
        return fault_of(self.engine, self.config.storage)


class Place:
    """Where sites come from: all alike, each with some facts more."""

    def __init__(self, home: Path, *facts: f.ExportAsked) -> None:
        self.home = home
        made = room(home / "first")
        made.append(
            f.CallMoved(CallId(CALL), "talking", "ended", "over"), f.IncidentMoved(INC, "attended", "closed", "done", None)
        )
        for fact in facts:
            made.desk(fact)
        made.engine.dispose()
        self.data = home / "first" / "data"
        captures = self.data / "captures" / INCIDENT / CALL
        captures.mkdir(parents=True)
        for number in (1, 2):
            (captures / f"{CALL}.1.{number}.cap.gz").write_bytes(b"packets" * 40 * number)
        self.count = 0

    def after(self, site: Site) -> "Place":
        """Sites as this one is now."""
        self.data = site.data
        return self

    def site(self, image: Image | None = None, of: Path = Path(), told: list[tuple[str, f.Fact]] | None = None) -> Site:
        """A fresh one; with the files of `image`, whose paths are below `of`, and these facts."""
        self.count += 1
        root = self.home / str(self.count)
        (root / "data").mkdir(parents=True)
        for path in self.data.iterdir():
            if path.is_file():
                shutil.copy(path, root / "data" / path.name)
        if image is None:
            for name in ("recordings", "captures"):
                shutil.copytree(self.data / name, root / "data" / name)
        else:
            lay_out(image, of, root / "data")
        site = Site(root)
        for id, fact in told or ():
            site.note(fact, id)
        site.told.clear()
        return site


@dataclass
class Unbroken:
    """A whole run of some work: its steps, what was there before and after it."""

    place: Place
    site: Site
    before: Model
    steps: list[Step]
    after: dict[str, bytes]
    told: list[tuple[str, f.Fact]]

    def model(self, count: int) -> Model:
        """As it was after so many steps."""
        names = dict(self.before.names)
        fresh = {id(file): type(file)(file.now, file.synced) for file in names.values()}
        model = Model({path: fresh[id(file)] for path, file in names.items()})
        model.safe = dict(model.names)
        for step in self.steps[:count]:
            model.take(step)
        return model


def whole_run(
    place: Place, work: Callable[[Site, Disk], None], disk: RecordingDisk | None = None, now_ns: int = NOW_NS
) -> Unbroken:
    """The work as it goes when nothing happens."""
    site = place.site()
    site.now_ns = now_ns
    before = Model.of(site.data, apart=site.data)
    disk = disk or RecordingDisk()
    site.noted = disk.note
    work(site, disk)
    return Unbroken(place, site, before, disk.steps, site.files(), list(site.told))


def deaths(whole: Unbroken, count: int) -> Iterator[Image]:
    """What is left when the process dies after so many steps, also in the middle of writing."""
    model = whole.model(count)
    yield model.killed()
    if count < len(whole.steps) and whole.steps[count].what == "write":
        step = whole.steps[count]
        model.take(Step("write", step.path, at=step.at, data=step.data[: len(step.data) // 2]))
        yield model.killed()


def cuts(whole: Unbroken, count: int) -> Iterator[Image]:
    """What may be left when the power is cut after so many steps."""
    yield from whole.model(count).cut()


def every(
    whole: Unbroken, left: Callable[[Unbroken, int], Iterator[Any]], steps: range, check: Callable[[Site, Image], None]
) -> int:
    """Each different thing that may be left, once; how many there were."""
    seen: set[int] = set()
    for count in steps:
        told: list[Any] = whole.model(count).facts
        for image in left(whole, count):
            mark = hash((frozenset(image.items()), len(told)))
            if mark in seen:
                continue
            seen.add(mark)
            site = whole.place.site(image, whole.site.data, told)
            site.now_ns = whole.site.now_ns
            try:
                check(site, image)
            except AssertionError as error:
                raise AssertionError(f"after step {count} of {len(whole.steps)}: {whole.steps[max(0, count - 1)]}") from error
            finally:
                site.close()
                shutil.rmtree(site.root)
    return len(seen)


def facts_of(facts: list[tuple[str, f.Fact]]) -> list[f.Fact]:
    """Without alarms."""
    return [fact for _, fact in facts if not isinstance(fact, f.AlarmRaised | f.AlarmCleared)]
