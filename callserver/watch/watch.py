"""The watch of the queue: facts and the time in, breaches out. It decides nothing; see `rules` for what it looks at.

Pure: whoever feeds it (`runtime.watching`, the simulation) says what time it is, and asks again at `next_at`. What was wrong
before the switchboard took up its work counts from then on, since nobody could have put it right meanwhile.
"""

from dataclasses import dataclass

from callserver.core.facts import Fact
from callserver.core.ids import IncidentId
from callserver.core.instant import SECOND, Instant
from callserver.watch.picture import Picture
from callserver.watch.rules import Kind, Wrong, all_wrong
from callserver.watch.taking import take

LOOK_EVERY_NS = 10 * SECOND  # while somebody waits, at the latest: a tier or an hour may come by time alone
ALARM = "watch:"


@dataclass(frozen=True, slots=True)
class Breach:
    """Something was wrong for longer than is tolerated. `incident`: the waiting one whose last resort would help."""

    key: str  # of the alarm
    text: str
    incident: IncidentId | None


class Watch:
    """See the module."""

    def __init__(self) -> None:
        self.picture = Picture()
        self.unfit = 0  # facts that did not fit the picture
        self._since: dict[tuple[Kind, str], tuple[Instant, int]] = {}  # what is wrong, since when, tolerated how long
        self._checked = Instant(0)

    def take(self, fact: Fact, at: Instant) -> None:
        """One fact of the journal, in its order; one that does not fit is counted and left out."""
        try:
            take(self.picture, fact, at)
        except LookupError:
            self.unfit += 1

    def check(self, now: Instant) -> list[Breach]:
        """All that is wrong for too long at this instant."""
        self._checked = now
        wrong = {(one.kind, one.about): one for one in all_wrong(self.picture, now)}
        self._since = {key: (self._began(key, one, now), one.grace_ns) for key, one in wrong.items()}
        return [_breach(one) for key, one in sorted(wrong.items()) if now - self._since[key][0] > one.grace_ns]

    def _began(self, key: tuple[Kind, str], one: Wrong, now: Instant) -> Instant:
        """When it was first seen so, and nothing has changed about it; never before the switchboard could act."""
        seen = self._since[key][0] if key in self._since else now
        return max(seen, one.since, self.picture.back_since)

    def next_at(self) -> Instant | None:
        """When to look again at the latest, if no fact comes; None: time alone changes nothing."""
        due = [Instant(since + grace_ns + 1) for since, grace_ns in self._since.values()]
        due = [at for at in due if at > self._checked]
        if any(incident.state == "waiting" for incident in self.picture.incidents.values()):
            due.append(Instant(self._checked + LOOK_EVERY_NS))
        return min(due, default=None)

    def raised(self) -> set[str]:
        """The keys of its alarms that ring by the journal."""
        return {key for key in self.picture.alarms if key.startswith(ALARM)}


def _breach(wrong: Wrong) -> Breach:
    return Breach(f"{ALARM}{wrong.kind}:{wrong.about}", wrong.text, wrong.incident)
