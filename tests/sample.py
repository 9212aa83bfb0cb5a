"""A rotating share of a large matrix for `make test`; `make test-long` runs all of it."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest


def rotating(cells: Iterable[str], share: int, always: Iterable[str] = ()) -> list[Any]:
    """Parameters of a matrix: every `share`-th cell, others each day, and those of `always`; the rest is marked `long`."""
    today = datetime.datetime.now(datetime.UTC).toordinal()
    kept = set(always)
    return [
        cell if cell in kept or (number + today) % share == 0 else pytest.param(cell, marks=pytest.mark.long)
        for number, cell in enumerate(cells)
    ]


def todays(names: Iterable[str], share: int, day: int) -> set[str]:
    """Every `share`-th of the names, at least one; in `share` days (a day's number counts up by one) each had its turn."""
    known = sorted(names)
    share = min(share, len(known)) or 1
    return {name for number, name in enumerate(known) if (number + day) % share == 0}


ROTATING: Mapping[str, int] = {
    # a file whose tests start whole services or browsers: one in so many of them runs in `make test`, others each day
    "tests/browser/test_live_control.py": 7,
    "tests/browser/test_push_to_talk.py": 2,
    "tests/browser/test_seat_faults.py": 6,
    "tests/console/test_page.py": 4,
    "tests/console/test_sizes.py": 2,
    "tests/loopback/test_call_back_list.py": 4,
    "tests/loopback/test_call_shapes.py": 5,
    "tests/loopback/test_codecs.py": 6,
    "tests/loopback/test_control_wire.py": 9,
    "tests/loopback/test_demo.py": 10,
    "tests/loopback/test_disks.py": 2,
    "tests/loopback/test_encrypted.py": 4,
    "tests/loopback/test_exports.py": 2,
    "tests/loopback/test_hostile.py": 3,
    "tests/loopback/test_last_resort.py": 4,
    "tests/loopback/test_looks.py": 2,
    "tests/loopback/test_lost_lines.py": 4,
    "tests/loopback/test_machine_faults.py": 6,
    "tests/loopback/test_one_way.py": 3,
    "tests/loopback/test_one_way_calls.py": 3,
    "tests/loopback/test_peers.py": 5,
    "tests/loopback/test_refusing_disks.py": 8,
    "tests/loopback/test_recorded_live.py": 4,
    "tests/loopback/test_reload.py": 2,
    "tests/loopback/test_restart_and_leaks.py": 6,
    "tests/loopback/test_restored.py": 2,
    "tests/loopback/test_retention.py": 2,
    "tests/loopback/test_rules.py": 6,
    "tests/loopback/test_signals.py": 7,
    "tests/loopback/test_sip_tls.py": 4,
    "tests/loopback/test_switchboard_death.py": 6,
    "tests/loopback/test_telephone.py": 9,
    "tests/loopback/test_watched_queue.py": 3,
    "tests/loopback/test_wire.py": 9,
    "tests/loopback/test_wire_lost.py": 10,
    "tests/loopback/test_wire_phones.py": 8,
    "tests/loopback/test_wire_timers.py": 6,
    "tests/loopback/test_worker_death.py": 4,
    "tests/planning/test_quotient.py": 20,
    "tests/replay/test_desk_page.py": 2,
    "tests/replay/test_finding_page.py": 2,
    "tests/replay/test_hearing.py": 3,
    "tests/replay/test_holds_page.py": 2,
    "tests/replay/test_looks_page.py": 4,
    "tests/replay/test_page.py": 4,
    "tests/replay/test_sample_page.py": 3,
}
"""What these files show of the rules is held by tests of the rules themselves, all of which run every time."""

_ROOT = Path(__file__).resolve().parents[1]


def put_off(items: Sequence[pytest.Item]) -> None:
    """Marks those tests of `ROTATING` `long` whose turn is another day."""
    day = datetime.datetime.now(datetime.UTC).toordinal()
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        file = item.path.relative_to(_ROOT).as_posix()
        if file in ROTATING and item.get_closest_marker("long") is None:
            files[file].append(item)
    for file, members in files.items():
        now = todays((item.nodeid for item in members), ROTATING[file], day)
        for item in members:
            if item.nodeid not in now:
                item.add_marker(pytest.mark.long)
