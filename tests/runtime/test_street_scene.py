"""What the street shows, from the phones' news and from what is pressed."""

import itertools
from typing import Any

from callserver.runtime.demo_cast import POLICE
from callserver.runtime.street_scene import QUIET_DBFS, ROWS, Scene, cable_of, ordered, rows_of, scene_of, told
from callserver.runtime.street_stories import NIGHT, POINTS
from dialplans.load import shipped

PLAN = shipped("darlington")
TOWN = [PLAN.points[name] for name in POINTS]


def scene() -> Scene:
    """The town before anything happened."""
    return scene_of(TOWN, {name: story.title for name, story in POINTS.items()}, POLICE)


def after(*news: str, of: Scene | None = None) -> Scene:
    """The scene after these lines of High Row's phone, or of the one that the line names."""
    found = of or scene()
    for line in news:
        user, _, rest = line.partition(" ") if line.startswith(("dl-", "police")) else ("dl-high-row", "", line)
        found = told(found, user, rest)
    return found


def point(found: Scene, name: str = "dl-high-row") -> dict[str, Any]:
    """One point as it is shown."""
    return next(each for each in found.shown()["points"] if each["id"] == name)


def test_every_point_of_the_town_has_a_story_and_every_story_a_point() -> None:
    assert {name for name, each in PLAN.points.items() if each.profile != "spare"} == set(POINTS)
    assert len(NIGHT) == 4


def test_points_stand_as_on_the_map() -> None:
    rows = rows_of(TOWN)
    assert [len(row) for row in rows] == [4] * ROWS
    for row, below in itertools.pairwise(rows):
        assert min(each.latitude or 0 for each in row) >= max(each.latitude or 0 for each in below)
    for row in rows:
        assert sorted(each.longitude or 0 for each in row) == [each.longitude for each in row]


def test_the_light_is_dark_then_flashes_then_is_steady() -> None:
    pressed = ordered(scene(), "dl-high-row", "press")
    history = [scene(), pressed, after("ringing", of=pressed), after("ringing", "connected"), after("connected", "ended 200")]
    assert [point(each)["light"] for each in history] == ["dark", "flashing", "flashing", "steady", "dark"]
    assert point(history[-1])["note"] == "the call is over"


def test_a_call_back_flashes_and_says_so() -> None:
    back = after("connected", "ended 200", "called")
    assert (point(back)["state"], point(back)["light"], point(back)["note"]) == ("called", "flashing", "called back")


def test_a_call_that_nobody_took_says_so() -> None:
    assert "486" in point(after("ringing", "ended 486"))["note"]


def test_captions_and_what_is_heard_follow_the_news() -> None:
    speaking = point(after("connected", "says I have had a fall.", "hears -27"))
    assert (speaking["said"], speaking["speaks"], speaking["level_dbfs"]) == ("I have had a fall.", True, -27)
    silent = point(after("connected", "says I have had a fall.", "silent"))
    assert (silent["said"], silent["speaks"]) == ("I have had a fall.", False)
    over = point(after("connected", "says Hello", "hears -27", "ended 200"))
    assert (over["said"], over["level_dbfs"]) == ("", QUIET_DBFS)


def test_who_walks_away_is_gone_until_the_next_press() -> None:
    left = ordered(after("connected"), "dl-high-row", "walk")
    assert (point(left)["left"], point(left)["light"]) == (True, "steady")
    assert point(ordered(told(left, "dl-high-row", "ended 200"), "dl-high-row", "press"))["left"] is False
    assert ordered(scene(), "dl-high-row", "walk") == scene(), "nobody stands at a point that is not in a call"


def test_a_cut_cable_takes_its_row_and_no_other() -> None:
    cut = ordered(after("connected"), "dl-high-row", "cut")
    row = set(cable_of(cut, "dl-high-row"))
    assert len(row) == 4
    assert row == {each["id"] for each in cut.shown()["points"] if each["cut"]}
    assert point(cut)["light"] == "dark"
    mended = ordered(cut, "dl-high-row", "mend")
    assert not any(each["cut"] for each in mended.shown()["points"]) and point(mended)["light"] == "steady"


def test_the_police_desk_rings_answers_and_holds_several_calls() -> None:
    ringing = after("police called")
    assert ringing.shown()["desk"]["state"] == "called"
    both = after("police connected", "police called", "police connected", of=ringing)
    one = after("police ended 200", of=both)
    none = after("police ended 200", of=one)
    assert [each.shown()["desk"]["state"] for each in (both, one, none)] == ["talking", "talking", "idle"]


def test_the_police_desk_can_be_answered_by_hand() -> None:
    by_hand = ordered(scene(), POLICE, "by-hand")
    assert (by_hand.shown()["desk"]["automatic"], ordered(by_hand, POLICE, "automatic").automatic) == (False, True)


def test_only_changes_are_news() -> None:
    calm = scene()
    assert told(calm, "night-desk", "connected") is calm
    assert told(calm, "dl-high-row", "nothing known") is calm
    assert ordered(calm, POLICE, "automatic") is calm
    assert ordered(after("connected"), "dl-high-row", "press") == after("connected"), "it is pressed already"
    assert calm.number + 1 == told(calm, "dl-high-row", "registered").number
