"""Reads a plan's files, checks and proves them, in a process of its own that gives way to everything else.

Run as `python -m callserver.runtime.plan_reading FILE UTC_NS DIGEST`: it writes one `Reading` to standard output. A proof takes
seconds of a core; the switchboard, whose loop every call needs, only waits for the answer (`read_apart`).
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from callserver.media.urgency import LAST, rank
from callserver.store.plan_texts import PlanText
from dialplans.model import Plan

if TYPE_CHECKING:
    from callserver.planning.verdict import Doubt, Hole

LIMIT_S = 120.0
NAMES_MOST = 6  # points that a sentence names
MOST_SENTENCES = 200  # of faults, holes or warnings


class Reading(msgspec.Struct, frozen=True):
    """What a plan's files say. With `faults` there is no plan; with `holes` there is one that a press could fall through."""

    digest: str = ""
    plan: Plan | None = None
    texts: tuple[PlanText, ...] = ()
    faults: tuple[str, ...] = ()
    holes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    proven: bool = False


class NotRead(Exception):
    """The reading process gave no answer; the text says why."""


_READINGS = msgspec.json.Decoder(Reading)


def read(file: Path, utc_ns: int, known: str) -> Reading:
    """Read and check; prove as of `utc_ns`, unless the digest is `known`."""
    from dialplans.faults import PlanError
    from dialplans.load import loaded

    try:
        found = loaded(file)
    except PlanError as error:
        return Reading(faults=_few([str(fault) for fault in error.faults]))
    except OSError as error:
        return Reading(faults=(f"{error.filename or file}: {error.strerror or error}",))
    texts = tuple(PlanText(name.removeprefix(f"{file.parent}/"), text) for name, text in found.files)
    reading = Reading(found.digest, found.plan, texts, warnings=_few([str(warning) for warning in found.warnings]))
    if found.digest == known:
        return reading
    holes, warnings = prove(found.plan, utc_ns)
    warnings = _few([*reading.warnings, *warnings])
    return msgspec.structs.replace(reading, holes=_few(holes), warnings=warnings, proven=True)


def prove(plan: Plan, utc_ns: int) -> tuple[Sequence[str], Sequence[str]]:
    """(holes, warnings): ways in which a press could end without anybody, and what should be looked at. One sentence each."""
    from callserver.planning.proof import prove as verdict_on

    verdict = verdict_on(plan, utc_ns)
    return [_sentence(hole) for hole in verdict.holes], [_sentence(doubt) for doubt in verdict.warnings]


def _sentence(found: "Hole | Doubt") -> str:
    """What it is and whom it concerns; `callserver check` tells the story."""
    points = ", ".join(found.points[:NAMES_MOST])
    more = f" and {len(found.points) - NAMES_MOST} more" if len(found.points) > NAMES_MOST else ""
    return f"{found.what} ({points}{more})" if points else found.what


def _few(sentences: Sequence[str]) -> tuple[str, ...]:
    left = len(sentences) - MOST_SENTENCES
    return (*sentences[:MOST_SENTENCES], f"and {left} more") if left > 0 else tuple(sentences)


async def read_apart(file: Path, utc_ns: int, known: str) -> Reading:
    """`read` in a process of the last rank. Raises NotRead when it fails or takes longer than LIMIT_S."""
    command = (sys.executable, "-m", __name__, str(file), str(utc_ns), known)
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    except OSError as error:
        raise NotRead(f"the plan's reader cannot be started: {error}") from error
    try:
        out, told = await asyncio.wait_for(process.communicate(), LIMIT_S)
    except TimeoutError as error:
        raise NotRead(f"the plan could not be proven within {LIMIT_S:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = told.decode(errors="replace").strip().rpartition("\n")[2]
        raise NotRead(f"the plan's reader ended with {process.returncode}: {last}")
    try:
        return _READINGS.decode(out)
    except ValueError as error:
        raise NotRead(f"the plan's reader gave no reading: {error}") from error


def _plain(value: Any) -> Any:
    """msgspec knows dict alone of all mappings."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a plan cannot hold a {type(value).__name__}")


def main() -> None:
    """Entry point."""
    rank(LAST)
    file, utc_ns, known = sys.argv[1:4]
    sys.stdout.buffer.write(msgspec.json.Encoder(enc_hook=_plain).encode(read(Path(file), int(utc_ns), known)))


if __name__ == "__main__":
    main()
