"""What the demo's street shows, as a value: every point and the police desk, folded from the phones' news.

Pure. The page draws what `Scene.shown` gives and decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dialplans.model import Point

ROWS = 3
IDLE, CALLING, CALLED, TALKING = "idle", "calling", "called", "talking"
LIGHTS: Mapping[str, str] = {IDLE: "dark", CALLING: "flashing", CALLED: "flashing", TALKING: "steady"}
QUIET_DBFS = -90


@dataclass(frozen=True, slots=True)
class Party:
    """One telephone of the scene. `said` is its last caption; it speaks now while `speaks`; `level_dbfs` is what it hears."""

    state: str = IDLE
    said: str = ""
    speaks: bool = False
    level_dbfs: int = QUIET_DBFS
    calls: int = 0
    note: str = ""
    left: bool = False
    cut: bool = False
    reachable: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a point stands in the picture, and what happens there."""

    id: str
    place: str
    story: str
    row: int
    column: int
    cable: tuple[str, ...]

    @property
    def name(self) -> str:
        """The place's first words."""
        return self.place.partition(",")[0]


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it. `number` grows with every change."""

    spots: tuple[Spot, ...]
    parties: Mapping[str, Party]
    desk: str
    automatic: bool = True
    number: int = 0

    def shown(self) -> dict[str, Any]:
        """For the page, as JSON has it."""
        return {
            "number": self.number,
            "points": [_point(spot, self.parties[spot.id]) for spot in self.spots],
            "desk": {"user": self.desk, **_party(self.parties[self.desk]), "automatic": self.automatic},
        }


def rows_of(points: Sequence[Point]) -> list[list[Point]]:
    """The points as on a map: rows from north to south, in each from west to east."""
    northern = sorted(points, key=lambda point: -(point.latitude or 0.0))
    length = -(-len(northern) // ROWS)
    rows = [northern[at : at + length] for at in range(0, len(northern), length)]
    return [sorted(row, key=lambda point: point.longitude or 0.0) for row in rows]


def scene_of(points: Sequence[Point], titles: Mapping[str, str], desk: str) -> Scene:
    """The scene before anything has happened. The points of a row hang on one cable."""
    spots = [
        Spot(point.id, point.place, titles.get(point.id, ""), number, column, tuple(each.id for each in row))
        for number, row in enumerate(rows_of(points))
        for column, point in enumerate(row)
    ]
    return Scene(tuple(spots), {**{spot.id: Party() for spot in spots}, desk: Party(reachable=True)}, desk)


def told(scene: Scene, user: str, news: str) -> Scene:
    """The scene after one line of a phone's news; the same where it is none of the scene's."""
    party = scene.parties.get(user)
    if party is None:
        return scene
    return _with(scene, user, _told(party, news, user == scene.desk))


def ordered(scene: Scene, user: str, verb: str) -> Scene:
    """The scene after an order of the page, for what the phone itself does not tell."""
    if user == scene.desk:
        automatic = {"automatic": True, "by-hand": False}.get(verb, scene.automatic)
        return scene if automatic == scene.automatic else replace(scene, automatic=automatic, number=scene.number + 1)
    party = scene.parties[user]
    if verb == "press" and party.state == IDLE:
        return _with(scene, user, replace(party, state=CALLING, said="", left=False, note=""))
    if verb == "walk" and party.state != IDLE:
        return _with(scene, user, replace(party, left=True, speaks=False, said=""))
    if verb in ("cut", "mend"):
        for each in cable_of(scene, user):
            scene = _with(scene, each, replace(scene.parties[each], cut=verb == "cut", level_dbfs=QUIET_DBFS))
    return scene


def cable_of(scene: Scene, user: str) -> tuple[str, ...]:
    """The points that hang on the same cable."""
    return next((spot.cable for spot in scene.spots if spot.id == user), ())


def _with(scene: Scene, user: str, party: Party) -> Scene:
    if party == scene.parties[user]:
        return scene
    return replace(scene, parties={**scene.parties, user: party}, number=scene.number + 1)


def _told(party: Party, news: str, desk: bool) -> Party:
    verb, _, rest = news.partition(" ")
    if verb == "ringing":
        return replace(party, state=CALLING, note="")
    if verb == "called":
        return replace(party, state=TALKING if party.calls else CALLED, note="" if desk else "called back")
    if verb == "connected":
        return replace(party, state=TALKING, calls=party.calls + 1, note="")
    if verb == "ended":
        return _ended(party, rest)
    if verb == "says":
        return replace(party, said=rest, speaks=True)
    if verb == "silent":
        return replace(party, speaks=False)
    if verb == "hears":
        return replace(party, level_dbfs=int(rest))
    return replace(party, reachable=True) if verb == "registered" else party


def _ended(party: Party, status: str) -> Party:
    calls = max(0, party.calls - 1)
    if calls:
        return replace(party, calls=calls)
    note = "the call is over" if party.state == TALKING else f"the call came to nothing ({status})"
    return replace(party, state=IDLE, calls=0, said="", speaks=False, level_dbfs=QUIET_DBFS, left=False, note=note)


def _party(party: Party) -> dict[str, Any]:
    return {
        "state": party.state,
        "light": "dark" if party.cut else LIGHTS[party.state],
        "said": party.said,
        "speaks": party.speaks,
        "level_dbfs": party.level_dbfs,
        "note": party.note,
        "left": party.left,
        "cut": party.cut,
        "reachable": party.reachable,
    }


def _point(spot: Spot, party: Party) -> dict[str, Any]:
    where = {"id": spot.id, "name": spot.name, "place": spot.place, "story": spot.story, "row": spot.row, "column": spot.column}
    return {**where, "cable": [each for each in spot.cable if each != spot.id], **_party(party)}
