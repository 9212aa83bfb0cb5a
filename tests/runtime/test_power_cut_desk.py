"""What the desk makes and what retention deletes is broken off at each step, by death and by power cut: it is whole or not there,
the journal says which, and the next start finishes it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from audio.disk import Disk
from callserver.control import CommandRefused
from callserver.core import facts as f
from callserver.core.ids import CallId
from callserver.runtime.packing import Wanted, make_pack, make_redaction
from callserver.store.register import read_desk
from tests.archive.power import Careless, Image, QuickDisk, RecordingDisk
from tests.full_disk import files_end_at
from tests.runtime.desk_cuts import (
    DAY_NS,
    HOLD,
    INC,
    NOW_NS,
    PACK,
    REDACTION,
    Meeting,
    Place,
    Site,
    Unbroken,
    cuts,
    deaths,
    every,
    facts_of,
    whole_run,
)
from tests.store.pack_room import CALL, INCIDENT

SAMPLE = 11  # each day every eleventh step; `long` has all of them
LATER_NS = NOW_NS + 400 * DAY_NS
REFUSED = "No space left on device"


def desk(site: Site, disk: Disk) -> None:
    site.desk(disk)


def retain(site: Site, disk: Disk) -> None:
    site.retain(disk)


@pytest.fixture
def asked(tmp_path: Path) -> Place:
    """A pack and a redaction are asked for."""
    return Place(tmp_path, PACK, REDACTION)


@pytest.fixture
def kept(tmp_path: Path) -> Place:
    """A redaction is there too."""
    place = Place(tmp_path, REDACTION)
    site = place.site()
    site.desk(Disk())
    site.close()
    return place.after(site)


# ---- making ------------------------------------------------------------------------------------------------------------------


def made(whole: Unbroken) -> Callable[[Site, Image], None]:
    """What the journal tells of is there; a new archivist brings all of it to the same end, to the byte."""

    def check(site: Site, image: Image) -> None:
        missing = [path for path in named(site) if not path.is_file()]
        assert missing == [], "the journal tells of it"
        site.desk(QuickDisk())
        assert site.files() == whole.after
        assert desk_facts(site) == desk_facts(whole.site)
        assert site.fault() == ""

    return check


def named(site: Site) -> list[Path]:
    """Files that facts of the desk tell of."""
    found = read_desk(site.engine)
    packs = [site.data / ".packs" / f"{id}.zip" for id, one in found.exports.items() if one.digest]
    return [*packs, *(site.config.storage.recordings / name for one in found.redactions.values() for name in one.files)]


def desk_facts(site: Site) -> tuple[list[str], list[f.RedactionMade]]:
    """SHA-256 of packs, and redactions."""
    found = read_desk(site.engine)
    return [one.digest for one in found.exports.values()], list(found.redactions.values())


def series(whole: Unbroken, step: int, check: Callable[[Site, Image], None]) -> None:
    steps = range(len(whole.steps) % step, len(whole.steps) + 1, step)
    found = every(whole, cuts, steps, check), every(whole, deaths, steps, check)
    print(f"{len(whole.steps)} steps, {len(steps)} looked at; things left by a power cut {found[0]}, by a death {found[1]}")
    assert found[0] >= len(steps) // 2 and found[1] >= len(steps) // 2


@pytest.mark.timeout(300)
def test_packs_and_redactions_survive_a_cut_and_a_death_at_some_steps(asked: Place) -> None:
    whole = whole_run(asked, desk)
    assert whole.site.exports() == {"e1": "ready", "e2": "ready"}
    assert {"directory", "create", "write", "sync", "rename", "append"} <= {step.what for step in whole.steps}
    series(whole, SAMPLE, made(whole))


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_packs_and_redactions_survive_a_cut_and_a_death_at_each_step(asked: Place) -> None:
    whole = whole_run(asked, desk)
    series(whole, 1, made(whole))


@pytest.mark.parametrize("files", [True, False], ids=["files", "directories"])
def test_the_series_finds_a_sync_that_is_left_out(asked: Place, files: bool) -> None:
    whole = whole_run(asked, desk, Careless(files))
    told = [number for number, step in enumerate(whole.steps, 1) if step.what == "append"]
    with pytest.raises(AssertionError):
        every(whole, cuts, range(told[0], told[0] + 1), made(whole))


def test_a_disk_that_is_full_from_any_step_on_is_told_and_all_is_made_when_there_is_room(asked: Place) -> None:
    whole = whole_run(asked, desk)
    original = asked.site().files()
    for count in range(0, len(whole.steps), 5):
        site = asked.site()
        site.desk(RecordingDisk(fail_at=count))
        left = {name: octets for name, octets in site.files().items() if octets != original.get(name)}
        assert left == {str(path.relative_to(site.data)): path.read_bytes() for path in named(site)}, (
            f"{count}: something is half"
        )
        waits = [id for id, state in site.exports().items() if state == "queued"]
        assert (REFUSED in site.alarms.get("exports", "")) == bool(waits), count
        assert waits or count > len(whole.steps) - 5, count
        site.desk(QuickDisk())
        assert site.files() == whole.after and desk_facts(site) == desk_facts(whole.site), count
        assert "exports" not in site.alarms and site.fault() == "", count
        site.close()


def test_files_that_end_at_some_byte_leave_nothing_and_are_told(asked: Place) -> None:
    """The kernel cuts and refuses what libsndfile and zipfile write, as a full disk does in the middle of a block."""
    site = asked.site()
    original = site.files()
    refused = 0
    wanted = Wanted("e1", INCIDENT, "olive", "the police ask", NOW_NS)
    largest = max(map(len, whole_run(asked, desk).after.values()))
    for room in range(0, largest, largest // 40):
        for make in (
            lambda: make_redaction(site.config, site.engine, REDACTION),
            lambda: make_pack(site.config, site.engine, wanted, site.data / "out" / "e1.zip"),
        ):
            (site.data / "out").mkdir(exist_ok=True)
            try:
                with capture_logs(), site.engine.connect() as reads:
                    reads.exec_driver_sql("SELECT 1 FROM journal").first()  # SQLite's shared memory is a file, and has its length
                    with files_end_at(room):
                        make()
            except OSError as error:
                assert error.strerror or "does not read back" in str(error)
                refused += 1
                assert site.files() == original, room
            for name in set(site.files()) - set(original):
                (site.data / name).unlink()
    assert refused > 20
    site.close()


# ---- deleting ----------------------------------------------------------------------------------------------------------------


def sound(site: Site) -> dict[str, bytes]:
    """What lies there of the call."""
    return {name: octets for name, octets in site.files().items() if name.startswith(("recordings", "captures"))}


def deleted(site: Site) -> bool:
    """Whether the journal says so."""
    with site.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM journal WHERE kind = 'RecordingDeleted'").scalar_one() > 0


def going(place: Place, held: bool) -> Callable[[Site, Image], None]:
    """Without its fact nothing is gone, behind it no file is half; then it goes to its end, or a hold has come before it."""
    original = sound(place.site())

    def check(site: Site, image: Image) -> None:
        told, left = deleted(site), sound(site)
        assert left == original if not told else left.items() <= original.items()
        if held:
            site.note(HOLD, "hold")
        site.all(QuickDisk())
        assert sound(site) == (original if held and not told else {})
        assert deleted(site) == (told or not held)
        assert site.fault() == ""

    return check


@pytest.mark.timeout(300)
@pytest.mark.parametrize("held", [False, True], ids=["free", "held meanwhile"])
def test_a_deletion_that_is_broken_off_at_each_step_goes_to_its_end_or_has_not_begun(kept: Place, held: bool) -> None:
    whole = whole_run(kept, retain, now_ns=LATER_NS)
    assert sound(whole.site) == {} and facts_of(whole.told)
    series(whole, 1, going(kept, held))


def test_the_series_finds_files_that_go_before_their_fact(kept: Place) -> None:
    whole = whole_run(kept, retain, now_ns=LATER_NS)
    whole.steps.sort(key=lambda step: step.what == "append")  # as if each file went first
    with pytest.raises(AssertionError):
        every(whole, deaths, range(len(whole.steps)), going(kept, False))


@pytest.mark.parametrize("step", range(0, 12, 3))
def test_a_disk_that_is_full_deletes_all_the_same(kept: Place, step: int) -> None:
    site = kept.site()
    site.now_ns = LATER_NS
    site.retain(RecordingDisk(fail_at=step))
    site.all(QuickDisk())
    assert sound(site) == {} and site.fault() == "" and "retention" not in site.alarms
    site.close()


# ---- a deletion, or a hold, in the middle of making ----------------------------------------------------------------------------


@pytest.mark.parametrize("every_step", [pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(3_600)]), 7])
def test_what_is_being_made_while_its_call_is_deleted_goes_too(asked: Place, every_step: int) -> None:
    """The desk and retention are two threads: at each step of the one the whole other may come between."""
    whole = whole_run(asked, desk)
    for count in range(0, len(whole.steps), every_step):
        site = asked.site()

        def forget(site: Site = site) -> None:
            for number, fact in enumerate(forgotten()):
                site.note(fact, f"erase{number}")
            site.retain(QuickDisk())

        meeting = Meeting(count, forget)
        site.noted = meeting.note
        site.desk(meeting)
        site.noted = lambda step: None
        site.all(QuickDisk())
        assert site.files() == {}, f"it stays when the deletion comes before step {count}: {sorted(site.files())}"
        assert set(site.exports().values()) <= {"failed", "ready"} and site.exports()["e1"] == "failed", count
        assert site.fault() == "", count
        site.close()


def forgotten() -> list[f.Fact]:
    """As `incidents erase` asks for it."""
    files = (f"{CALL}/call.flac",)
    return [f.TextsErased(INC, (), "request", "sue"), f.RecordingDeleted(CallId(CALL), files, (), "request", "sue")]


def test_a_hold_in_the_middle_of_making_keeps_all_of_it(asked: Place) -> None:
    whole = whole_run(asked, desk)
    for count in range(0, len(whole.steps), 7):
        site = asked.site()
        meeting = Meeting(count, lambda site=site: site.note(HOLD, "hold"))
        site.noted = meeting.note
        site.desk(meeting)
        site.noted = lambda step: None
        site.now_ns = LATER_NS
        for number, fact in enumerate(forgotten()):
            with pytest.raises(CommandRefused, match="is held"):
                site.note(fact, f"erase{number}")
        site.all(QuickDisk())
        expected = {name: octets for name, octets in whole.after.items() if not name.startswith(".packs")}
        assert sound(site) == expected and site.fault() == "", count
        site.close()
