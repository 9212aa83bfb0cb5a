"""The worlds in which a matter is tried: who is at the seats, which lines carry, and at which moments somebody presses."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, product

from callserver.core.instant import MS
from callserver.planning.quotient import Crew, Matter, chain_of, last_party
from callserver.planning.small import carrier_of
from callserver.planning.timeline import Ahead, Open, Timeline
from callserver.planning.trial import Line, Seat
from dialplans.model import Plan

Seats = tuple[tuple[str, Seat], ...]
Lines = tuple[tuple[str, Line], ...]

CREWS_IN_FULL = 4
LINES_IN_FULL = 4
SPAN_MOST_MS = 3 * 3_600_000
HORIZON_LEAST_MS, HORIZON_MOST_MS = 600_000, 2 * 3_600_000
MARKS_MOST = 24

OFF, BUSY, RINGS, MUTE, FAILS, MANY, HALF = "off", "busy", "rings", "mute", "fails", "many", "half"
"""How a crew is: nobody there; all busy; one seat rings, does not reply, or fails; two ring; one of two replies."""

_SEATS: Mapping[str, tuple[Seat, ...]] = {
    OFF: (),
    BUSY: (Seat.BUSY,),
    RINGS: (Seat.RINGS,),
    MUTE: (Seat.MUTE,),
    FAILS: (Seat.FAILS,),
    MANY: (Seat.RINGS, Seat.RINGS),
    HALF: (Seat.MUTE, Seat.RINGS),
}


def kept(crews: Iterable[Crew]) -> tuple[str, ...]:
    """Who stands for each crew: two of its operators, or the one it has."""
    return tuple(name for crew in crews for name in crew.members[:2])


def seated(crews: tuple[Crew, ...], how: tuple[str, ...]) -> Seats:
    """The seats when each crew is like that."""
    return tuple(pair for crew, one in zip(crews, how, strict=True) for pair in zip(crew.members, _SEATS[one], strict=False))


def all_seats(crews: tuple[Crew, ...]) -> list[Seats]:
    """Every crew off, busy or ringing, in every combination; and each crew in any other way beside others that are all alike."""
    number = len(crews)
    found = [*_uniform(number), *(product((OFF, BUSY, RINGS), repeat=number) if number <= CREWS_IN_FULL else _two_differ(number))]
    for base in (OFF, BUSY, RINGS):
        for one in range(number):
            found += [_with((base,) * number, one, how) for how in (MUTE, FAILS, MANY, HALF)]
    return list(dict.fromkeys(seated(crews, how) for how in found))


def few_seats(crews: tuple[Crew, ...], hours: Iterable[str] | None = None) -> list[Seats]:
    """All crews alike, and a seat of each crew ringing alone; with `hours`, of those crews only whose groups keep these."""
    seen = None if hours is None else set(hours)
    whose = [one for one, crew in enumerate(crews) if seen is None or any(role[-1] in seen for role in crew.roles)]
    alone = [_with((OFF,) * len(crews), one, RINGS) for one in whose]
    return list(dict.fromkeys([*extreme_seats(crews), *(seated(crews, how) for how in alone)]))


def extreme_seats(crews: tuple[Crew, ...]) -> list[Seats]:
    """Nobody there, everybody busy, everybody at a dead seat, a seat of each crew ringing."""
    return list(dict.fromkeys(seated(crews, (how,) * len(crews)) for how in (OFF, BUSY, MUTE, RINGS)))


def _uniform(number: int) -> list[tuple[str, ...]]:
    return [(how,) * number for how in (OFF, BUSY, RINGS, MUTE, FAILS, MANY)]


def _with(how: tuple[str, ...], place: int, one: str) -> tuple[str, ...]:
    return (*how[:place], one, *how[place + 1 :])


def _two_differ(number: int) -> Iterator[tuple[str, ...]]:
    for base in (OFF, BUSY, RINGS):
        for first, second in combinations(range(number), 2):
            for one, other in product((OFF, BUSY, RINGS), repeat=2):
                yield _with(_with((base,) * number, first, one), second, other)


def carriers(plan: Plan, parties: Iterable[str]) -> tuple[str, ...]:
    """What the routes of these parties need."""
    return tuple(dict.fromkeys(carrier_of(route) for party in parties for route in plan.parties[party].routes))


def all_lines(plan: Plan, matter: Matter) -> list[Lines]:
    """Every set of lines that leaves one of each last resort's, each line alone, and all: dead, in every way of being so."""
    every = carriers(plan, matter.parties)
    resorts = [set(carriers(plan, chain_of(plan, last_party(plan.ladders[name])))) for name in matter.ladders]
    sizes = range(1, len(every) + 1) if len(every) <= LINES_IN_FULL else (1, len(every) - 1, len(every))
    dead = [set(some) for size in sizes for some in combinations(every, size)]
    left = [some for some in dead if len(some) in (1, len(every)) or all(resort - some for resort in resorts if resort)]
    return [tuple((name, how) for name in every if name in some) for some in left for how in Line]


# ---- moments ------------------------------------------------------------------------------------------------


def span_ms(plan: Plan, matter: Matter) -> int:
    """How long after a press the hours can matter to it: all ladders on the way, and the last resort twice around."""
    longest = max((plan.ladders[name].steps[-1].after_ms for name in matter.ladders if plan.ladders[name].steps), default=0)
    around = sum(route.ring_timeout_ms for party in matter.parties for route in plan.parties[party].routes)
    pause = max((plan.ladders[name].retry_ms for name in matter.ladders), default=0)
    return min(longest * len(matter.queues) + 2 * (around + pause), SPAN_MOST_MS)


def horizon_ms(plan: Plan, matter: Matter) -> int:
    """How far a trial is followed when nothing ends it: twice as far as a press can need."""
    return min(2 * span_ms(plan, matter) + HORIZON_LEAST_MS, HORIZON_MOST_MS)


def steady(line: Timeline, span: int) -> dict[Open, int]:
    """For each set of open hours the first moment from which nothing changes for the span, or for as long as it ever stays so."""
    found: dict[Open, tuple[int, int]] = {}
    for at in (line.from_ns, *line.changes):
        ahead = line.ahead(at, span)
        lasts = ahead[1][0] if len(ahead) > 1 else span
        if ahead[0][1] not in found or lasts > found[ahead[0][1]][0]:
            found[ahead[0][1]] = (lasts, at)
    return {how: at for how, (_, at) in found.items()}


def turning(line: Timeline, utc_ns: int, span: int) -> frozenset[str]:
    """The hours that open or close within the span."""
    ahead = line.ahead(utc_ns, span)
    return frozenset(name for number, name in enumerate(line.hours) if len({how[number] for _, how in ahead}) > 1)


def edges(line: Timeline, span: int, marks: dict[Open, tuple[int, ...]]) -> list[int]:
    """Moments before each kind of change such that it comes just before, at and after each mark of a press's course."""
    seen: set[Ahead] = set()
    kinds: set[Ahead] = set()
    found: list[int] = []
    for index, change in enumerate(line.changes):
        before = line.after[index - 1] if index else line.first
        own = marks.get(before, ())
        kind = line.ahead(change - (max(own, default=0) + 1) * MS, span)
        if kind in kinds:
            continue
        kinds.add(kind)
        for at in sorted({change - (mark + more) * MS for mark in (0, *own) for more in (0, 1)}):
            ahead = line.ahead(at, span)
            if at >= line.from_ns and len(ahead) > 1 and ahead not in seen:
                seen.add(ahead)
                found.append(at)
    return found
