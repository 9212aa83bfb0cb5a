"""What a proof costs, and how it grows with points, steps, crews, hours and lines: `python -m tests.bench.proofs`."""

import calendar
import time
from dataclasses import replace

from callserver.core.instant import SECOND
from callserver.planning.proof import prove
from dialplans.model import Group, Hours, Ladder, Operator, Party, Plan, Point, Profile, Queue, Route, Span, Step, Trunk

START = calendar.timegm((2026, 6, 1, 0, 0, 0)) * SECOND
EVERY_DAY = tuple(range(7))


def made(points: int = 40, queues: int = 1, steps: int = 3, crews: int = 2, hours: int = 1, lines: int = 2) -> Plan:
    """A plan of so many points, queues, steps of each ladder, groups, opening hours and trunks."""
    groups = [f"g{number}" for number in range(crews)]
    open_at = {f"h{number}": Hours(f"h{number}", (Span(EVERY_DAY, 360 + 60 * number, 1_200),)) for number in range(hours)}
    rung = [Step((one + 1) * 15_000, ring_group=groups[one % crews]) for one in range(steps - 1)]
    last = Step(steps * 15_000, call_party="police", when=("nobody-on-duty",))
    routes = tuple(Route(f"sip:police@{number}", f"t{number}", 20_000) for number in range(lines))
    return Plan(
        name="made",
        time_zone="Europe/London",
        points={f"p{one}": Point(f"p{one}", f"Place {one}", f"q{one % queues}", "wall") for one in range(points)},
        profiles={"wall": Profile("wall", ring_limit_ms=600_000)},
        operators={f"{group}-{one}": Operator(f"{group}-{one}", group, (group,)) for group in groups for one in range(3)},
        groups=tuple(groups),
        queues={f"q{one}": Queue(f"q{one}", (groups[0],), "ladder") for one in range(queues)},
        ladders={"ladder": Ladder("ladder", (*rung, last))},
        parties={"police": Party("police", "Police", routes)},
        trunks={f"t{number}": Trunk(f"t{number}", "192.0.2.1") for number in range(lines)},
        hours=open_at,
        about_groups={groups[one % crews]: Group(groups[one % crews], hours=f"h{one}") for one in range(min(hours, crews))},
    )


def measure(plan: Plan) -> tuple[int, float]:
    """Runs, and seconds of the processor."""
    began = time.process_time()
    verdict = prove(plan, START)
    return verdict.runs, time.process_time() - began


def main() -> None:
    """One table."""
    print("what                      runs   seconds")
    base = {"points": 40, "queues": 1, "steps": 3, "crews": 2, "hours": 1, "lines": 2}
    rows: list[tuple[str, tuple[int, ...]]] = [
        ("points", (40, 400, 4_000)),
        ("queues", (1, 2, 4, 8)),
        ("steps", (2, 4, 8)),
        ("crews", (1, 2, 4, 6, 8)),
        ("hours", (0, 1, 2, 4)),
        ("lines", (1, 2, 4, 6)),
    ]
    for what, values in rows:
        for value in values:
            changed = {**base, what: value}
            if what in ("crews", "hours"):
                changed["crews"] = max(2 if what == "hours" else 1, value)
                changed["steps"] = changed["crews"] + 1
            runs, seconds = measure(replace(made(**changed), name=f"{value} {what}"))
            print(f"{value:>6} {what:<16} {runs:>7} {seconds:>9.2f}", flush=True)


if __name__ == "__main__":
    main()
