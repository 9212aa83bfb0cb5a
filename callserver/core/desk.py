"""The auditor's desk, from its facts: how far each export is, what was disclosed, which requests for access are open.

Nothing here is part of the state that decides on calls: whoever shows or carries out exports folds the facts of the desk alone
(their rows' ids begin with `PREFIX`). The rule of four eyes stands here and nowhere else: an approval counts when it is another
person's, and came within a day of the asking; an export is made and fetched within a day of its approval, or is asked for anew.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from callserver.core import facts as f

PREFIX = "desk:"
PACKS = ".packs"  # below [storage] data; a name with a dot in front is in no backup
PROGRESS = "desk.json"  # below [storage] run
PACK, REDACTION, RECORDING = "pack", "redaction", "recording"
WHATS = (PACK, REDACTION, RECORDING)
TONE, SILENCE = "tone", "silence"
POINT, OTHERS, EVERYONE = "point", "others", "everyone"

WAITING = "waiting"  # for the second person
QUEUED = "queued"  # for the archivist
READY, FAILED, EXPIRED = "ready", "failed", "expired"

DAY_NS = 24 * 3600 * 1_000_000_000
SOON_NS = 7 * DAY_NS

DeskFact = (
    f.ExportAsked | f.ExportApproved | f.ExportFailed | f.ExportFetched | f.PackMade | f.RedactionMade
    | f.DisclosureMade | f.AccessAsked | f.AccessAnswered
)  # fmt: skip


@dataclass(slots=True)
class Export:
    """One export. Times are UTC ns; `digest` is that of the pack, "" for what has none."""

    asked: f.ExportAsked
    asked_utc_ns: int
    approved_by: str = ""
    approved_utc_ns: int = 0
    failed: str = ""
    digest: str = ""
    made_utc_ns: int = 0
    fetched: int = 0

    def state(self, now_utc_ns: int, four_eyes: bool) -> str:
        """One of the states above. `four_eyes`: whether a second person is needed now; once needed it stays so."""
        if self.failed:
            return FAILED
        if (four_eyes or self.asked.four_eyes) and not self.approved_by:
            return EXPIRED if now_utc_ns >= self.asked_utc_ns + DAY_NS else WAITING
        since_ns = self.approved_utc_ns or self.asked_utc_ns
        if self.asked.what == REDACTION and self.made_utc_ns:
            return READY
        if now_utc_ns >= max(since_ns, self.made_utc_ns) + DAY_NS:
            return EXPIRED
        return READY if self.made_utc_ns or self.asked.what == RECORDING else QUEUED


@dataclass(slots=True)
class Disclosure:
    """An entry of the register."""

    fact: f.DisclosureMade
    utc_ns: int


@dataclass(slots=True)
class Access:
    """A request for access; `answered` None while it is open."""

    asked: f.AccessAsked
    answered: f.AccessAnswered | None = None
    answered_utc_ns: int = 0

    def alarm(self, now_utc_ns: int) -> str:
        """What has to be said about it now, "" for nothing. It names no person: alarms lie in the chain."""
        if self.answered is not None or now_utc_ns < self.asked.due_utc_ns - SOON_NS:
            return ""
        day = datetime.fromtimestamp(self.asked.due_utc_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d, %H:%M UTC")
        late = now_utc_ns >= self.asked.due_utc_ns
        return f"the request for access {self.asked.request} {'was' if late else 'is'} due by {day}, and is not answered"


@dataclass(slots=True)
class Desk:
    """All of it, in the order of the journal."""

    exports: dict[str, Export] = field(default_factory=dict)
    redactions: dict[str, f.RedactionMade] = field(default_factory=dict)
    disclosures: dict[str, Disclosure] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)

    def redactions_of(self, call: str) -> list[f.RedactionMade]:
        """Those of one call that count, oldest first: from the last one on that was to cover nothing but its own."""
        found: list[f.RedactionMade] = []
        for one in self.redactions.values():
            if one.of == call:
                found = [one] if one.alone else [*found, one]
        return found

    def left_open(self, call: str) -> list[str]:
        """Redactions that count and of which the newest does not cover all: made at the same time, or by an older version."""
        found = self.redactions_of(call)
        return [one.redaction for one in found[:-1] if one.redaction not in found[-1].earlier]


def desk(rows: Iterable[tuple[int, f.Fact]]) -> Desk:
    """The desk that these facts tell of, each with the UTC ns of its row."""
    found = Desk()
    for utc_ns, fact in rows:
        _take(found, utc_ns, fact)
    return found


def objection(export: Export, by: str, now_utc_ns: int) -> str:
    """Why `by` may not approve this export, in words; "" where it may be."""
    if export.approved_by:
        return f"{export.approved_by} has approved it already"
    if person(by) == person(export.asked.by):
        return "the one who asked cannot approve; another supervisor or auditor does"
    if now_utc_ns >= export.asked_utc_ns + DAY_NS:
        return "it was asked for more than a day ago; ask for it anew"
    return ""


def person(name: str) -> str:
    """Who is meant by the name of an account, or by `command line (USER)`."""
    inner = name.removeprefix("command line (").removesuffix(")") if name.startswith("command line (") else name
    return inner.casefold()


def covered(asked: f.ExportAsked) -> str:
    """What a redaction covers, in words; "" for another export, and for a pack whether its sound is redacted."""
    if asked.what == PACK:
        return "the sound is redacted" if asked.redacted else ""
    if asked.what != REDACTION:
        return ""
    spans = ", ".join(f"{begin / 1000:.1f}-{end / 1000:.1f} s" for begin, end in asked.spans) or "all of it"
    rest = "what earlier ones covered is left open" if asked.alone else "and all that earlier ones covered"
    return f"{asked.party}: {spans}, by {asked.cover}; {rest}"


def due(received_utc_ns: int, zone: tzinfo = UTC) -> int:
    """The last second of the same day of the next month, or of its last day, in local time. UTC ns.

    Regulation (EU) 2016/679 article 12(3), Regulation (EEC, Euratom) 1182/71 article 3(1) and (2)(c). That a month may end later
    where that day is a Saturday, a Sunday or a holiday (article 3(4)) is left out: what is late by law is late here.
    """
    received = datetime.fromtimestamp(received_utc_ns // 1_000_000_000, UTC).astimezone(zone)
    year, month = (received.year + 1, 1) if received.month == 12 else (received.year, received.month + 1)
    day = min(received.day, calendar.monthrange(year, month)[1])
    then = datetime(year, month, day, 23, 59, 59, tzinfo=zone)
    return (then - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * 1_000_000_000


def _take(found: Desk, utc_ns: int, fact: f.Fact) -> None:
    match fact:
        case f.ExportAsked():
            found.exports.setdefault(fact.export, Export(fact, utc_ns))
        case f.DisclosureMade():
            found.disclosures.setdefault(fact.disclosure, Disclosure(fact, utc_ns))
        case f.AccessAsked():
            found.access.setdefault(fact.request, Access(fact))
        case f.AccessAnswered():
            request = found.access.get(fact.request)
            if request is not None and request.answered is None:
                request.answered, request.answered_utc_ns = fact, utc_ns
        case f.RedactionMade():
            found.redactions.setdefault(fact.redaction, fact)
            _made(found, fact.redaction, utc_ns, "")
        case f.PackMade():
            _made(found, fact.pack, utc_ns, fact.digest)
        case f.ExportApproved() | f.ExportFailed() | f.ExportFetched():
            _went_on(found.exports.get(fact.export), utc_ns, fact)


def _made(found: Desk, id: str, utc_ns: int, digest: str) -> None:
    export = found.exports.get(id)
    if export is not None:
        export.made_utc_ns, export.digest = utc_ns, digest


def _went_on(export: Export | None, utc_ns: int, fact: f.ExportApproved | f.ExportFailed | f.ExportFetched) -> None:
    if export is None:
        return
    if isinstance(fact, f.ExportFailed):
        export.failed = fact.why
    elif isinstance(fact, f.ExportFetched):
        export.fetched += 1
    elif not objection(export, fact.by, utc_ns):
        export.approved_by, export.approved_utc_ns = fact.by, utc_ns
