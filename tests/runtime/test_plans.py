"""Another plan while calls go on: read apart, proven before it replaces one, followed by everything that is not the core's."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from callserver.core import facts as f
from callserver.core.events import Event
from callserver.core.facts import Fact
from callserver.runtime import plan_reading
from callserver.runtime.accounts import Accounts
from callserver.runtime.plan_reading import NotRead, Reading, read_apart
from callserver.runtime.plans import HOLES, REFUSED, PlanRefused, Plans, first_plan
from callserver.store import plan_texts
from callserver.store.plan_texts import PlanText
from dialplans.faults import PlanError
from dialplans.model import Trunk
from tests.core.driver import Driver
from tests.core.plans import plan
from tests.loopback.service import plan_text

DIGEST, OTHER = "a" * 64, "b" * 64
TEXTS = (PlanText("plan.toml", "# the morning\n"),)


class Room:
    """The plans of a core that runs, with a reader that says what it is told to."""

    def __init__(self, data: Path, *readings: Reading | NotRead) -> None:
        self.driver = Driver()
        self.readings, self.known = list(readings), list[str]()
        self.plans = Plans(
            data / "plan.toml", data, lambda: self.driver.state, self._ask, self._post, lambda: 1_700_000_000 * 10**9, self._read
        )

    async def _ask(self, event: Event) -> list[Fact]:
        self.driver.do(event)
        return self.driver.facts

    def _post(self, event: Event) -> None:
        self.driver.do(event)

    async def _read(self, file: Path, utc_ns: int, known: str) -> Reading:
        self.known.append(known)
        said = self.readings.pop(0)
        if isinstance(said, NotRead):
            raise said
        return said

    def adopted(self) -> list[tuple[int, str, str]]:
        return [(one.version, one.digest, one.by) for one, _ in self.driver.journal if isinstance(one, f.PlanAdopted)]


def good(digest: str = DIGEST, name: str = "another") -> Reading:
    """A reading without a fault."""
    return Reading(digest, replace(plan(), name=name), TEXTS, warnings=("the bench has no camera",), proven=True)


async def test_a_good_plan_comes_into_force_with_its_text_and_whoever_asked(tmp_path: Path) -> None:
    room = Room(tmp_path, good())
    before = room.driver.state.plan_version
    done = await room.plans.reload("the-supervisor")
    assert (done.version, done.name, done.changed, done.warnings) == (before + 1, "another", True, ("the bench has no camera",))
    assert room.adopted()[-1] == (before + 1, DIGEST, "the-supervisor")
    assert plan_texts.find(tmp_path, DIGEST) == TEXTS


async def test_an_open_incident_keeps_the_plan_that_it_was_opened_under(tmp_path: Path) -> None:
    room = Room(tmp_path, good())
    incident = room.driver.press()
    before = incident.plan_version
    await room.plans.reload("ann")
    assert room.driver.state.incidents[incident.id].plan_version == before
    assert sorted(room.driver.state.plans) == [before, before + 1]


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(faults=("plan.toml:3: there is no queue desk", "plan.toml:9: two")), "there is no queue desk (and 1 more"),
        (Reading(DIGEST, plan(), TEXTS, holes=("p1 at night rings nobody",), proven=True), "rings nobody"),
        (NotRead("the plan could not be proven within 120 s"), "within 120 s"),
    ],
    ids=["faults", "holes", "no reading"],
)
async def test_a_bad_plan_changes_nothing_and_rings_until_a_good_one_comes(
    tmp_path: Path, reading: Reading | NotRead, said: str
) -> None:
    """All faults are told to whoever asked; the alarm has the first."""
    room = Room(tmp_path, reading, good())
    before = room.adopted()
    with pytest.raises(PlanRefused) as refused:
        await room.plans.reload("ann")
    if isinstance(reading, Reading):
        assert (*reading.faults, *reading.holes) == refused.value.faults
    assert said in room.driver.state.alarms[REFUSED]
    assert room.adopted() == before
    await room.plans.reload("ann")
    assert REFUSED not in room.driver.state.alarms


async def test_the_alarm_tells_the_newest_reason(tmp_path: Path) -> None:
    room = Room(tmp_path, Reading(faults=("one",)), Reading(faults=("two",)), Reading(faults=("two",)))
    for _ in range(3):
        with pytest.raises(PlanRefused):
            await room.plans.reload("ann")
    raised = [fact.text for fact, _ in room.driver.journal if isinstance(fact, f.AlarmRaised) and fact.key == REFUSED]
    assert [text.rpartition(": ")[2] for text in raised] == ["one", "two"]


async def test_a_file_that_says_nothing_else_is_no_new_version(tmp_path: Path) -> None:
    """By its digest, or because other words mean the same plan."""
    room = Room(tmp_path, good(), good(), good(OTHER))
    first = await room.plans.reload("ann")
    assert [(await room.plans.reload("ann")).changed for _ in range(2)] == [False, False]
    assert room.adopted()[-1][0] == first.version
    assert room.known[1:] == [DIGEST, DIGEST]


async def test_two_who_ask_at_once_are_served_one_after_the_other(tmp_path: Path) -> None:
    room = Room(tmp_path, good(DIGEST, "one"), good(OTHER, "two"))
    done = await asyncio.gather(room.plans.reload("ann"), room.plans.reload("bob"))
    assert [one.name for one in done] == ["one", "two"]
    assert done[1].version == done[0].version + 1


async def test_a_first_plan_with_a_hole_is_in_force_with_an_alarm(tmp_path: Path) -> None:
    """People before papers; a good plan later clears it."""
    in_force = Driver().state.plan_digest
    room = Room(tmp_path, Reading(in_force, plan(), TEXTS, holes=("p1 at night rings nobody",), proven=True), good(OTHER))
    await room.plans.begin(first=True)
    assert "p1 at night rings nobody" in room.driver.state.alarms[HOLES]
    assert room.known == [""]
    await room.plans.begin(first=False)
    assert HOLES not in room.driver.state.alarms and room.adopted()[-1][2] == "start"


async def test_a_file_that_changes_while_the_first_plan_is_proven_is_judged_as_another(tmp_path: Path) -> None:
    """Its holes are not those of the plan in force."""
    room = Room(tmp_path, Reading(DIGEST, replace(plan(), name="another"), TEXTS, holes=("a hole",), proven=True), good())
    await room.plans.begin(first=True)
    assert [key for key in room.driver.state.alarms if key.startswith("plan:")] == [REFUSED]
    await room.plans.begin(first=True)
    assert room.adopted()[-1][1:] == (DIGEST, "start") and REFUSED not in room.driver.state.alarms


async def test_at_a_later_start_a_plan_with_a_hole_does_not_replace_the_one_in_force(tmp_path: Path) -> None:
    room = Room(tmp_path, Reading(DIGEST, replace(plan(), name="another"), TEXTS, holes=("a hole",), proven=True))
    before = room.adopted()
    await room.plans.begin(first=False)
    assert room.adopted() == before and "a hole" in room.driver.state.alarms[REFUSED]


async def test_a_disk_that_does_not_take_the_text_keeps_no_plan_away(tmp_path: Path) -> None:
    (tmp_path / plan_texts.FOLDER).write_text("in the way")
    assert (await Room(tmp_path, good()).plans.reload("ann")).changed


def test_the_first_plan_is_that_of_the_file_and_a_later_one_is_not_looked_at(tmp_path: Path) -> None:
    """What the journal has goes on being in force while the file is proven."""
    file = tmp_path / "plan.toml"
    file.write_text(plan_text(["sip:police@127.0.0.1:5999"]))
    empty = Driver().state
    empty.plans.clear()
    empty.plan_version = 0
    loaded = first_plan(file, empty)
    assert loaded is not None and (loaded.version, loaded.plan.name, loaded.by) == (1, "Test", "start")
    assert first_plan(file, Driver().state) is None and first_plan(None, empty) is None
    file.write_text("[plan]\n")
    with pytest.raises(PlanError):
        first_plan(file, empty)


async def test_the_reader_reads_in_a_process_of_its_own(tmp_path: Path) -> None:
    """A whole plan comes back equal to what reading it here gives; faults come as sentences; a known digest is not proven."""
    file = tmp_path / "plan.toml"
    file.write_text(plan_text(["sip:police@127.0.0.1:5999"]))
    apart, here = await read_apart(file, 1, ""), plan_reading.read(file, 1, "")
    assert apart == here and apart.plan is not None and apart.proven
    assert apart.texts == (PlanText("plan.toml", file.read_text()),)
    assert not plan_reading.read(file, 1, apart.digest).proven
    file.write_text("[plan]\n")
    assert (await read_apart(file, 1, "")).faults == plan_reading.read(file, 1, "").faults != ()
    assert "No such file" in (await read_apart(tmp_path / "none.toml", 1, "")).faults[0]


async def test_a_reader_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_reading, "LIMIT_S", 0.0)
    with pytest.raises(NotRead, match="could not be proven"):
        await read_apart(tmp_path / "plan.toml", 1, "")


def test_a_trunk_of_an_open_incidents_plan_is_still_there() -> None:
    """Whoever is called by it is called; where both plans have it, the newer one says where it is."""
    newer = replace(plan(), trunks={"trunk-b": Trunk("trunk-b", "moved")})
    accounts = Accounts(newer, {}, {"trunk-a": "secret"}, lambda: [plan(), newer])
    found = {id: accounts.trunk(id) for id in ("trunk-a", "trunk-b", "trunk-c")}
    assert {id: access and (access.host, access.password) for id, access in found.items()} == {
        "trunk-a": ("a", "secret"),
        "trunk-b": ("moved", ""),
        "trunk-c": None,
    }
    assert set(accounts.trunks()) == {"trunk-a", "trunk-b"}


def test_a_text_is_found_by_its_digest_alone(tmp_path: Path) -> None:
    """Nothing else of the disk is read, whatever is asked for."""
    plan_texts.keep(tmp_path, DIGEST, TEXTS)
    plan_texts.keep(tmp_path, DIGEST, ())
    assert plan_texts.find(tmp_path, DIGEST) == TEXTS
    assert plan_texts.find(tmp_path, OTHER) == ()
    assert plan_texts.find(tmp_path, "../secret") == ()
    (tmp_path / plan_texts.FOLDER / f"{OTHER}.json").write_text("{")
    assert plan_texts.find(tmp_path, OTHER) == ()


def test_a_hole_is_read_as_one_sentence_with_its_points(tmp_path: Path) -> None:
    """As the proof finds it: here the only step that calls somebody is never taken in time, for nobody else is ever rung."""
    file = tmp_path / "plan.toml"
    text = plan_text(["sip:police@127.0.0.1:5999"])
    hours = '[hours]\noffice = [{ days = ["mon-fri"], from = "08:00", until = "18:00" }]\n'
    closed = text.replace('call = "police"', 'call = "police"\nhours = "office"')
    assert closed != text
    file.write_text(closed + hours)
    reading = plan_reading.read(file, 1_772_366_400_000_000_000, "")
    assert reading.faults == () and reading.plan is not None
    assert len(reading.holes) >= 1 and all("\n" not in hole for hole in reading.holes)
    assert "p1, p2" in reading.holes[0]
