"""The archivist's part of the quality sample: each month's seed once, whatever dies or is away meanwhile."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from callserver.config import Config
from callserver.control import CommandRefused, Unavailable
from callserver.core.facts import SampleSeeded
from callserver.runtime.sampling import Sampling
from callserver.store import sampling
from callserver.store.engine import read_only
from tests.store.months import autumn, note, utc_ns
from tests.web.desk import config_in


class Switchboard:
    """Journals what it is told, while it is there."""

    def __init__(self, config: Config) -> None:
        self.config, self.away, self.asked = config, False, 0

    def ask(self, verb: str, args: dict[str, Any]) -> None:
        """A note; `id` is taken once."""
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        if args["kind"] != "SampleSeeded":
            raise CommandRefused("refused", "something else")
        note(self.config.storage.data, args["id"], msgspec.convert(args["body"], SampleSeeded), utc_ns("2026-12-05T09:00:00"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = config_in(tmp_path)
    autumn(config.storage.data)
    return config


def test_months_that_are_over_are_drawn_once_by_good_seeds(config: Config) -> None:
    board = Switchboard(config)
    for _ in range(2):
        Sampling(config, board.ask).go()
    engine = read_only(config.storage.data)
    found = sampling.seeds(engine)
    assert (list(found), board.asked) == (["2026-10", "2026-11"], 2)
    assert [(sampling.doubt(engine, one), one.calls_per_operator, one.zone) for one in found.values()] == [
        ("", 2, "Europe/London")
    ] * 2


def test_a_switchboard_that_is_away_is_told_later_and_the_same(config: Config) -> None:
    board = Switchboard(config)
    due = sampling.due(read_only(config.storage.data), "Europe/London", 12)
    board.away = True
    works = Sampling(config, board.ask)
    works.go()
    board.away = False
    works.go()
    assert [(one.month, one.row, one.seed) for one in sampling.seeds(read_only(config.storage.data)).values()] == due


def test_where_none_are_wanted_none_are_drawn(tmp_path: Path) -> None:
    config = config_in(tmp_path, **{"quality.calls_per_operator": 0})
    autumn(config.storage.data)
    board = Switchboard(config)
    Sampling(config, board.ask).go()
    assert board.asked == 0
