"""One simulated world, to see a failing seed again: `python -m tests.simulation SEED HOURS [--presses N]`."""

import argparse
import time

from tests.simulation.invariants import Broken
from tests.simulation.world import run


def main() -> int:
    """Prints what happened; 1 when something was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed", type=int)
    parser.add_argument("hours", type=float)
    parser.add_argument("--presses", type=int, help="go on until so many instead of for so many hours")
    asked = parser.parse_args()
    began_s = time.perf_counter()
    try:
        world = run(asked.seed, asked.hours, asked.presses)
    except Broken as broken:
        print(broken)
        return 1
    took_s = time.perf_counter() - began_s
    print(f"seed {asked.seed}: {world.people.presses} presses, {world.steps} steps, {world.crashes} deaths, {took_s:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
