"""Plans that look good and leave somebody alone: the proof finds the hole in each, and tells it."""

import calendar
from pathlib import Path

import pytest

from callserver.planning.proof import prove
from dialplans.load import load
from tests import sources

BROKEN = sources.ROOT / "tests" / "planning" / "broken"
SPRING = calendar.timegm((2026, 4, 1, 9, 0, 0)) * 1_000_000_000

HOLES = {
    # file: (kind, words of the hole, words of its story in their order)
    "break": ("silence", "gives up after 2:00", ("nobody is on duty (off, or paused)", "2:00  the device gives up", "5:00")),
    "clocks": ("silence", "gives up after 1:02:00", ("Sun 25 Oct 2026 01:00:00 BST", "passed over", "1:30:00  step 2")),
    "closed-step": ("empty", "step 1 of ladder town rings group evening", ("Mary and Eve", "Mary rings", "Police is called")),
    "closing-time": ("nobody", "nothing ever rings", ("21:5", "handed over to queue desk", "passed over outside of hours day")),
    "condition": ("nobody", "nothing ever rings", ("nobody is on duty", "0:20  step 1", "this is how it still is")),
    "fallback": ("nobody", "nothing ever rings", ("22:30:00", "outside of hours: Police desk", "Civic enforcement (hours late)")),
    "hands-over": ("unrung", "before anybody of room was rung", ("Mary and Tom", "0:00  it is handed over", "Tom rings")),
    "holiday": ("nobody", "nothing ever rings", ("Mon 4 May 2026 00:00:00 BST (a holiday)", "outside of hours")),
    "loop": ("nobody", "nothing ever rings", ("handed over to queue coast", "handed over to queue town", "for ever")),
    "night": ("nobody", "nothing ever rings", ("22:00:00 BST", "outside of hours: Police duty officer (hours day)")),
    "passed-over": ("nobody", "nothing ever rings", ("22:00:00 BST", "0:30  step 1", "passed over outside of hours day")),
    "ring-limit": ("silence", "gives up after 2:00", ("Mary is busy", "2:00  the device gives up", "3:00  Police is called")),
    "skill": ("empty", "queue town offers calls to room, and there is nobody with welsh", ("Mary is there", "Police is called")),
    "spin": ("nobody", "nothing ever rings", ("0:00  it is handed over to queue coast", "nothing more is going to happen")),
    "trunk": ("one-trunk", "when trunk carrier is dead", ("trunk carrier is down", "nothing rings", "until somebody answers")),
    "weekend": ("nobody", "nothing ever rings", ("Sat 4 Apr 2026 22:00:00 BST", "Police night desk (hours night)")),
}


def test_every_broken_plan_has_its_hole_written_down() -> None:
    """Neither a file without words nor words without a file."""
    assert sorted(HOLES) == sorted(file.stem for file in BROKEN.glob("*.toml"))


@pytest.mark.parametrize("name", sorted(HOLES))
def test_the_hole_is_found_and_told(name: str) -> None:
    """By its kind, in words, with a story that leads there."""
    kind, words, told = HOLES[name]
    verdict = prove(load(BROKEN / f"{name}.toml"), SPRING)
    found = {hole.kind: hole for hole in verdict.holes}
    assert not verdict.good
    assert kind in found, [hole.what for hole in verdict.holes]
    assert words in found[kind].what
    assert found[kind].points == ("pier",)
    story = "\n".join(found[kind].story)
    places = [story.find(part) for part in told]
    assert -1 not in places, (told, story)
    assert places == sorted(places)


MENDED = {
    # file: what is changed in it, and what then holds
    "break": ('after = "5m"', 'after = "1m"'),
    "condition": ('after = "24h"', 'after = "1m"'),
    "holiday": ('holidays = "closed"', 'holidays = "as-usual"'),
    "passed-over": ('hours = "day"\n', ""),
    "ring-limit": ('after = "3m"', 'after = "1m"'),
    "skill": ('skills = ["welsh"]\n\n[operators.mary]\nname = "Mary"', '\n[operators.mary]\nname = "Mary"'),
    "trunk": ('uri = "sip:101@192.0.2.7"\ntrunk = "carrier"', 'uri = "sip:101@192.0.2.7"'),
    "weekend": ('days = ["mon-fri"]\n', ""),
}


@pytest.mark.parametrize("name", sorted(MENDED))
def test_the_mended_plan_is_proven(name: str, tmp_path: Path) -> None:
    """It was that and nothing else: one change, and the plan is good."""
    old, new = MENDED[name]
    text = (BROKEN / f"{name}.toml").read_text()
    assert old in text
    file = tmp_path / "plan.toml"
    file.write_text(text.replace(old, new, 1))
    verdict = prove(load(file), SPRING)
    assert [(hole.what, hole.story) for hole in verdict.holes] == []
