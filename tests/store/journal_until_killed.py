"""A process that journals as fast as it can and prints the last number that it was promised, until it is killed."""

import sys
from pathlib import Path

from callserver.core.facts import AlarmRaised
from callserver.store.journal import Entry, JournalWriter, Kept


def main() -> None:
    """Arguments: the data directory, the number of the first fact."""
    writer = JournalWriter(Path(sys.argv[1]))
    writer.start()
    first = int(sys.argv[2])
    while True:
        futures = []
        for number in range(first, first + 50):
            fact = AlarmRaised(f"key {number}", "x" * 500)
            futures.append((number, writer.append([Entry(f"fact-{number}", fact, number, number, 1)])))
            writer.put_leg(f"leg-{number % 7}", str(number).encode())
        for number, future in futures:
            if future.result().kept is Kept.JOURNAL:
                sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        first += 50


if __name__ == "__main__":
    main()
