"""How smooth the page stays on a bad night: 200 waiting calls, 60 changes a second."""

import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.console import boards
from tests.console.conftest import Open
from tests.console.scenes import at_seat
from tests.console.stage import Stage

pytestmark = pytest.mark.real

WAITING, PER_SECOND, SECONDS, LEAST_FRAMES = 200, 60, 5, 30

_COUNT = f"""() => new Promise((resolve) => {{
  const stamps = [];
  const began = performance.now();
  const look = (now) => {{
    stamps.push(now);
    performance.now() - began < {SECONDS * 1000} ? requestAnimationFrame(look) : resolve(stamps);
  }};
  requestAnimationFrame(look);
}})"""


def _pump(stage: Stage, stopping: threading.Event) -> None:
    """Somebody comes, somebody goes, somebody's step changes, at each turn."""
    turn, began = 0, time.monotonic()
    while not stopping.wait(max(0.0, began + turn / PER_SECOND - time.monotonic())):
        at = turn % WAITING
        fresh = boards.crowd(WAITING)[f"incident/n{at:03}"]
        gone = (turn * 7) % WAITING
        stage.change({f"incident/n{at:03}": {**fresh, "step": turn % 5, "presses": turn % 3}, f"incident/n{gone:03}": None})
        turn += 1


def _frames(page: Page) -> list[float]:
    stamps = page.evaluate(_COUNT)
    return [after - before for before, after in pairwise(stamps)]


def test_two_hundred_waiting_and_sixty_changes_a_second_stay_above_thirty_frames(
    stage: Stage, open_page: Open, pictures: Path
) -> None:
    """Over five seconds on average, and the slowest twentieth of the frames too."""
    page = at_seat(stage, open_page, boards.crowd(WAITING))
    stopping = threading.Event()
    pump = threading.Thread(target=_pump, args=(stage, stopping), name="pump")
    pump.start()
    try:
        before = stage.number
        gaps_ms = _frames(page)
        changes = (stage.number - before) / SECONDS
    finally:
        stopping.set()
        pump.join()
    mean, slow = len(gaps_ms) / (sum(gaps_ms) / 1000), 1000 / sorted(gaps_ms)[int(len(gaps_ms) * 0.95)]
    words = (
        f"{mean:.1f} frames a second, slowest twentieth {slow:.1f}, worst {max(gaps_ms):.0f} ms, {changes:.0f} changes a second"
    )
    (pictures / "frames.txt").write_text(words + "\n")
    assert changes > PER_SECOND * 0.9, f"only {changes:.0f} changes a second were sent"
    assert mean > LEAST_FRAMES and slow > LEAST_FRAMES * 0.5, words
