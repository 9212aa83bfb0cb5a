"""The notary signs again and again, journals its keys, and stops nothing when it cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.core.facts import AlarmRaised, CheckpointKeyMade, CheckpointSigned, Fact
from callserver.store.commit import commit
from callserver.store.engine import open_store, read_only
from callserver.store.evidence import examine
from callserver.store.evidence.keys import make_key, next_of, read_key
from callserver.store.evidence.notary import AGAIN_NS, Notary, NotNoted
from callserver.store.evidence.statement import line_of
from callserver.store.journal import read, verify
from callserver.store.ops import append_op
from callserver.store.upgrade import upgrade

EVERY_NS = 600_000_000_000


class Desk:
    """The switchboard, the clock and the alarms as the notary sees them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = open_store(home)
        upgrade(self.store)
        self.engine: Engine = read_only(home)
        self.now_ns = 10**12
        self.away = self.spooling = False
        self.waiting: list[tuple[str, Fact]] = []
        self.alarms: dict[str, str] = {}
        self.notary = self.another()

    def another(self) -> Notary:
        """A notary in a new process."""
        clock = lambda: self.now_ns  # noqa: E731
        alarms = (self.alarms.__setitem__, lambda key: self.alarms.pop(key, None))
        self.notary = Notary(self.engine, self.key, EVERY_NS, self.note, *alarms, clock, lambda: 10**18 + self.now_ns)
        return self.notary

    @property
    def key(self) -> Path:
        """The key's file."""
        return self.home / "checkpoint.key"

    def note(self, id: str, fact: Fact) -> None:
        """NOTE_FACT."""
        if self.away:
            raise NotNoted("nobody there")
        self.waiting.append((id, fact))
        if not self.spooling:
            self.drain()

    def drain(self) -> None:
        """What waits comes into the journal, each id once."""
        commit(self.store, [append_op(id, fact, self.now_ns, 10**18 + self.now_ns, 1) for id, fact in self.waiting])
        self.waiting.clear()

    def work(self, seconds: float = 0) -> None:
        """Time passes, then four rounds a second apart."""
        self.now_ns += int(seconds * 1e9)
        for _ in range(4):
            self.notary.step()
            self.now_ns += 1_000_000_000

    def happens(self) -> None:
        """Something to sign."""
        self.note(f"f{self.now_ns}", AlarmRaised("key", f"at {self.now_ns}"))

    def kinds(self) -> list[str]:
        """The journal's facts."""
        return [type(row.fact).__name__ for row in read(self.engine)]

    def signed(self) -> examine.Signed:
        """What the service's verifier finds; the chain is whole."""
        assert verify(self.engine).ok
        return examine.check_signatures(self.engine)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty store."""
    desk = Desk(tmp_path)
    yield desk
    desk.store.dispose()
    desk.engine.dispose()


def test_the_first_start_makes_a_key_journals_it_and_signs(desk: Desk) -> None:
    desk.work()
    assert desk.kinds() == ["CheckpointKeyMade", "CheckpointSigned"]
    newest = desk.notary.step()  # anchors need not wait for the next interval
    assert newest is not None and newest.sequence == 1
    assert desk.signed().signer == read_key(desk.key).name
    assert desk.alarms == {}


def test_the_journal_is_signed_at_the_interval_and_only_when_it_has_grown(desk: Desk) -> None:
    desk.work()
    desk.happens()
    desk.work(500)
    assert desk.signed().checkpoints == 1
    desk.work(100)
    assert (desk.signed().checkpoints, desk.signed().signed_to) == (2, 3)
    for _ in range(5):
        desk.work(700)
    assert desk.signed().checkpoints == 2


def test_a_new_process_goes_on_counting_with_the_same_key(desk: Desk) -> None:
    desk.work()
    name = read_key(desk.key).name
    for _ in range(3):
        desk.another()
        desk.happens()
        desk.work()
    assert desk.signed().checkpoints == 4
    assert list(desk.signed().keys) == [name]
    newest = desk.notary.step()
    assert newest is not None and newest.sequence == 4


def test_rotation_signs_once_more_and_the_old_key_consents(desk: Desk) -> None:
    desk.work()
    old = read_key(desk.key).name
    desk.happens()
    successor = make_key(next_of(desk.key))
    desk.work()
    kinds = ["CheckpointKeyMade", "CheckpointSigned", "AlarmRaised", "CheckpointSigned", "CheckpointKeyMade", "CheckpointSigned"]
    assert desk.kinds() == kinds
    assert read_key(desk.key).name == successor.name
    assert not next_of(desk.key).exists()
    assert list(desk.signed().keys) == [old, successor.name]
    assert {old, successor.name} == desk.signed().trusted


@pytest.mark.parametrize("rounds", range(6))
def test_rotation_may_be_cut_off_anywhere(desk: Desk, rounds: int) -> None:
    """A process dies after so many rounds; the next one finishes what was begun, once."""
    desk.work()
    make_key(next_of(desk.key))
    for _ in range(rounds):
        desk.notary.step()
    desk.another()
    desk.work()
    assert desk.kinds().count("CheckpointKeyMade") == 2
    assert desk.signed().signer == read_key(desk.key).name


def test_without_a_switchboard_nothing_is_signed_and_nothing_is_raised(desk: Desk) -> None:
    desk.away = True
    desk.work()
    assert (desk.kinds(), desk.alarms) == ([], {})
    desk.away = False
    desk.work(AGAIN_NS / 1e9)
    assert desk.signed().checkpoints == 1


def test_facts_that_wait_in_the_spool_are_not_counted_before_they_are_there(desk: Desk) -> None:
    """The key signs nothing until the journal has it, and a checkpoint told twice is one."""
    desk.spooling = True
    desk.work()
    assert {type(fact) for _, fact in desk.waiting} == {CheckpointKeyMade}
    desk.spooling = False
    desk.drain()
    desk.spooling = True
    desk.work()
    desk.work(700)
    assert [fact.sequence for _, fact in desk.waiting if isinstance(fact, CheckpointSigned)] == [1, 1]
    desk.drain()
    desk.spooling = False
    desk.work(700)
    desk.happens()
    desk.work(700)
    assert desk.signed().checkpoints == 2


def test_a_checkpoint_that_came_while_somebody_verified_is_no_fault(desk: Desk, tmp_path: Path) -> None:
    """One that the journal never got is."""
    desk.work()
    signed, anchor = desk.signed(), tmp_path / "anchor"
    desk.happens()
    desk.work(700)
    newest = desk.notary.step()
    assert newest is not None and newest.sequence == 2
    anchor.write_text(line_of(newest))
    assert examine.check_anchor(desk.engine, anchor, signed) == 1
    anchor.write_text(line_of(read_key(desk.key).checkpoint(3, newest.number, newest.hash, 10**18)))
    for seen in (signed, desk.signed()):
        with pytest.raises(examine.Wrong, match="checkpoint 3 is missing"):
            examine.check_anchor(desk.engine, anchor, seen)


def test_a_key_that_is_gone_is_an_alarm_and_never_silently_made_anew(desk: Desk) -> None:
    desk.work()
    desk.key.unlink()
    desk.happens()
    desk.work(700)
    assert "is gone" in desk.alarms["checkpoint"]
    assert not desk.key.exists()
    assert desk.signed().checkpoints == 1


def test_a_lost_key_is_followed_without_consent_and_verifiers_want_to_know_the_new_one(desk: Desk) -> None:
    desk.work()
    desk.key.unlink()
    successor = make_key(next_of(desk.key))
    desk.work(700)
    assert (desk.alarms, read_key(desk.key).name) == ({}, successor.name)
    with pytest.raises(examine.Wrong, match="without the consent"):
        desk.signed()
    assert examine.check_signatures(desk.engine, (successor.name,)).signer == successor.name


def test_a_key_that_cannot_be_read_is_an_alarm_until_it_can(desk: Desk) -> None:
    desk.work()
    pem = desk.key.read_bytes()
    desk.key.write_bytes(b"nonsense")
    desk.happens()
    desk.work(700)
    assert "no private key" in desk.alarms["checkpoint"]
    desk.key.write_bytes(pem)
    desk.work(AGAIN_NS / 1e9)
    assert desk.alarms == {}
    assert desk.signed().checkpoints == 2
