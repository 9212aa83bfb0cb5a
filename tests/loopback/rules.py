"""Plans for tests of the rules, and a wall clock that is moved by hand."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HEAD = """\
[plan]
name = "Rules"
time_zone = "Europe/London"
[profiles.plain]
point_bye = "end"
[outcomes]
safe = { name = "Caller safe", digit = "1" }
[codes]
"*1" = "available"
"*2" = "pause"
"""


def points(**classes: str) -> str:
    """Points by id, each of a class, all in the queue `desk`."""
    return "".join(
        f'[points.{point}]\nplace = "Place {point}"\nqueue = "desk"\nprofile = "plain"\npriority = "{kind}"\n'
        for point, kind in classes.items()
    )


def operators(**groups: str) -> str:
    """Operators by id, each of one group."""
    return "".join(f'[operators.{one}]\nname = "{one}"\ngroups = ["{group}"]\n' for one, group in groups.items())


def police(port: int, ring: str = "20s") -> str:
    """The police at this port."""
    return f'[parties.police]\nname = "Police"\n[[parties.police.routes]]\nuri = "sip:police@127.0.0.1:{port}"\nring = "{ring}"\n'


def queue(name: str, *lines: str, groups: str = '["desk"]', wrap_up: str = "0s") -> str:
    """A queue of a ladder with its own name, with further lines."""
    return "\n".join((f"[queues.{name}]", f"groups = {groups}", f'ladder = "{name}"', f'wrap_up = "{wrap_up}"', *lines, ""))


def ladder(name: str, *steps: str) -> str:
    """Steps as the inside of inline tables."""
    return f'[ladders.{name}]\nretry = "1s"\nsteps = [{", ".join("{ " + step + " }" for step in steps)}]\n'


def calls_police(after: str = "60s") -> str:
    """The last resort."""
    return f'after = "{after}", call = "police", or_at_once_when = "nobody-on-duty"'


@dataclass
class WallClock:
    """What a service takes for the time of day; its boottime goes on as it is."""

    file: Path

    def set(self, utc: str) -> "WallClock":
        """Such as "2026-11-25 21:59:50", and going on from there."""
        wanted = datetime.fromisoformat(utc).replace(tzinfo=UTC)
        return self._write(int(wanted.timestamp()) * 1_000_000_000 - time.time_ns())

    def ahead(self, milliseconds: int) -> "WallClock":
        """Ahead of the true time by so much, or behind it."""
        return self._write(milliseconds * 1_000_000)

    def _write(self, ahead_ns: int) -> "WallClock":
        aside = self.file.with_suffix(".new")
        aside.write_text(f"{ahead_ns}")
        aside.rename(self.file)
        return self

    def environment(self) -> dict[str, str]:
        """For the service's processes."""
        return {"WALL_CLOCK": str(self.file), "PYTHONPATH": str(Path(__file__).with_name("wall_clock"))}
