"""Every key of a plan, as literal tables: what it is called, how it is read, which field of the model it sets.

A key that is not required takes the default of `dialplans.model`. docs/dialplan.md describes each; a test compares.
Change together: the model, this file, docs/dialplan.md, and schema.json (`python -m dialplans.schema`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dialplans import values as v
from dialplans import values_site as site
from dialplans import values_time as at
from dialplans.model import MediaSource, PointBye, Strategy

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
MONTH_MS = 30 * v.DAY_MS


@dataclass(frozen=True, slots=True)
class Key:
    """How one key is read; `field` is its place in the model where it is called otherwise there."""

    reads: v.Reader
    required: bool = False
    field: str = ""
    below: str = ""  # the table of `TABLES` that it holds


def _ms(field: str, low_ms: int = 0, high_ms: int = v.DAY_MS, required: bool = False) -> Key:
    return Key(v.duration(low_ms, high_ms), required, field)


@v.reader()
def unread(value: object) -> object:
    """Taken as it is; what reads the section looks into it by itself."""
    return value


def _below(table: str, required: bool = False) -> Key:
    return Key(unread, required, below=table)


_ANSWER = v.Reader(
    unread.read, {"anyOf": [{"enum": ["human", "at-once"]}, {"pattern": f"^after {v.DURATION}$"}], "type": "string"}
)
_AUTO_ANSWER = {"both": "both", "none": "", "call-info": "call-info", "alert-info": "alert-info"}

Keys = Mapping[str, Key]

PLAN: Keys = {
    "name": Key(v.text, required=True),
    "time_zone": Key(at.zone, required=True),
    "help": Key(v.idents, field="help_users"),
    "ageing": Key(v.never_or(v.duration(SECOND_MS), never=0), field="ageing_ms"),
    "holidays": Key(at.dates),
}
HOURS: Keys = {
    "days": Key(at.days),
    "from": Key(at.clock(midnight_at_the_end=False), field="from_min"),
    "until": Key(at.clock(midnight_at_the_end=True), field="until_min"),
    "holidays": Key(v.choice({word: word for word in ("as-usual", "closed", "only")})),
}
PROFILE: Keys = {
    "answer": Key(_ANSWER),
    "point_bye": Key(v.member(PointBye)),
    "media_source": Key(v.member(MediaSource)),
    "ring_limit": _ms("ring_limit_ms", low_ms=SECOND_MS),
    "queue_limit": _ms("queue_limit_ms"),
    "talk_limit": _ms("talk_limit_ms"),
    "expects_register": Key(v.boolean),
    "trust_reports": Key(v.boolean),
    "auto_answer": Key(v.choice(_AUTO_ANSWER)),
    "acknowledge": Key(v.keys),
    "on_end": Key(v.keys),
    "dtmf": Key(v.choice({"rfc4733": "rfc4733", "info": "info"})),
    "digit_length": _ms("digit_length_ms", low_ms=40, high_ms=2 * SECOND_MS),
    "digit_gap": _ms("digit_gap_ms", low_ms=40, high_ms=2 * SECOND_MS),
    "controls": _below("profiles.ID.controls.ID"),
}
CONTROL: Keys = {
    "name": Key(v.text, required=True),
    "digits": Key(v.keys, required=True),
}
POINT: Keys = {
    "place": Key(v.text, required=True),
    "queue": Key(v.ident, required=True),
    "profile": Key(v.ident, required=True),
    "priority": Key(v.choice(v.PRIORITIES)),
    "language": Key(v.language),
    "latitude": Key(v.degrees(90)),
    "longitude": Key(v.degrees(180)),
    "trusted_sources": Key(site.networks),
    "cameras": Key(v.idents),
    "skills": Key(v.idents),
    "nuisance": Key(v.ident),
    "buttons": _below("points.ID.buttons.ID"),
}
BUTTON: Keys = {
    "priority": Key(v.choice(v.PRIORITIES), required=True),
    "user": Key(v.ident),
    "header": Key(site.header),
    "digit": Key(v.digit),
    "queue": Key(v.ident),
}
OPERATOR: Keys = {
    "name": Key(v.text, required=True),
    "groups": Key(v.idents, required=True),
    "skills": Key(v.idents),
    "available_when_registered": Key(v.boolean),
}
SERIES: Keys = {
    "id": Key(v.text, required=True),
    "first": Key(v.integer(0, 999_999), required=True),
    "last": Key(v.integer(0, 999_999), required=True),
}
POINT_SERIES: Keys = {**SERIES, **POINT}
POINT_GROUP: Keys = {
    "name": Key(v.text, required=True),
    "points": Key(v.idents, required=True),
}
OPERATOR_SERIES: Keys = {**SERIES, **OPERATOR}
GROUP: Keys = {
    "name": Key(v.text),
    "hours": Key(v.ident),
}
QUEUE: Keys = {
    "groups": Key(v.idents, required=True),
    "tiers": _below("queues.ID.tiers"),
    "ladder": Key(v.ident, required=True),
    "ladders": _below("queues.ID.ladders"),
    "strategy": Key(v.member(Strategy)),
    "ring_timeout": _ms("ring_timeout_ms", low_ms=SECOND_MS, high_ms=10 * MINUTE_MS),
    "rest_after_no_answer": _ms("rest_after_no_answer_ms", high_ms=HOUR_MS),
    "auto_pause_after": Key(v.count(1, 100)),
    "wrap_up": _ms("wrap_up_ms"),
    "wrap_up_cut": Key(v.boolean),
    "reassurance": Key(v.ident),
    "reassurance_every": _ms("reassurance_every_ms", low_ms=SECOND_MS, high_ms=MINUTE_MS),
    "whisper_place": Key(v.boolean),
    "most_waiting": Key(v.count(1, 10_000)),
    "longest_wait": _ms("longest_wait_ms"),
    "service_target": _ms("service_target_ms", low_ms=SECOND_MS),
    "preempt_after": Key(v.never_or(v.duration(), never=None), field="preempt_after_ms"),
    "raise_after_presses": Key(v.count(2, 100)),
    "raise_when_silent": Key(v.boolean),
    "park_recall": _ms("park_recall_ms", low_ms=10 * SECOND_MS, high_ms=HOUR_MS),
    "call_back_within": _ms("call_back_within_ms", low_ms=10 * SECOND_MS),
    "review_within": _ms("review_within_ms", low_ms=MINUTE_MS, high_ms=MONTH_MS),
    "acknowledge_within": _ms("acknowledge_within_ms", low_ms=10 * SECOND_MS, high_ms=HOUR_MS),
    "overdue_notify": Key(v.idents),
    "closed_by": Key(v.choice({"person": "person", "plan": "plan"})),
    "plan_outcome": Key(v.ident),
}
TIER: Keys = {
    "after": _ms("after_ms", low_ms=SECOND_MS, required=True),
    "groups": Key(v.idents, required=True),
}
QUEUE_LADDER: Keys = {
    "hours": Key(v.ident, required=True),
    "ladder": Key(v.ident, required=True),
}
LADDER: Keys = {
    "steps": _below("ladders.ID.steps", required=True),
    "retry": _ms("retry_ms", low_ms=SECOND_MS, high_ms=5 * MINUTE_MS),
}
STEP: Keys = {
    "after": _ms("after_ms", required=True),
    "ring": Key(v.ident, field="ring_group"),
    "call": Key(v.ident, field="call_party"),
    "hand_to": Key(v.ident),
    "say": Key(v.ident),
    "notify": Key(v.idents),
    "or_at_once_when": Key(v.conditions, field="when"),
    "ring_for": _ms("ring_ms", low_ms=SECOND_MS, high_ms=10 * MINUTE_MS),
    "tries": Key(v.integer(1, 20)),
    "hours": Key(v.ident),
}
PARTY: Keys = {
    "name": Key(v.text, required=True),
    "routes": _below("parties.ID.routes", required=True),
    "hours": Key(v.ident),
    "fallback": Key(v.ident),
    "reference": Key(v.text),
    "accept": Key(v.choice({key: key for key in "123456789"})),
    "language": Key(v.language),
}
ROUTE: Keys = {
    "uri": Key(site.uri, required=True),
    "trunk": Key(v.ident),
    "ring": _ms("ring_timeout_ms", low_ms=SECOND_MS, high_ms=10 * MINUTE_MS),
}
TRUNK: Keys = {
    "host": Key(site.host, required=True),
    "port": Key(v.integer(1, 65_535)),
    "transport": Key(v.choice({"udp": "udp", "tcp": "tcp", "tls": "tls"})),
    "ca": Key(site.file),
    "user": Key(v.text),
    "register": Key(v.boolean),
    "probe": _ms("probe_ms", high_ms=HOUR_MS),
}
CAMERA: Keys = {
    "name": Key(v.text, required=True),
    "url": Key(site.web_address, required=True),
}
NUISANCE: Keys = {
    "outcomes": Key(v.idents, required=True),
    "count": Key(v.integer(1, 1000), required=True),
    "within": _ms("within_ms", low_ms=MINUTE_MS, high_ms=MONTH_MS, required=True),
    "priority": Key(v.choice(v.PRIORITIES), required=True),
}
NOTICE: Keys = {
    "webhook": Key(site.web_address, field="url"),
    "mail": Key(site.mail_address, field="to"),
}
OUTCOME: Keys = {
    "name": Key(v.text, required=True),
    "digit": Key(v.digit),
}

TABLES: Mapping[str, Keys] = {
    "include": {},  # a list of files
    "plan": PLAN,
    "hours.ID": HOURS,
    "profiles.ID": PROFILE,
    "profiles.ID.controls.ID": CONTROL,
    "points.ID": POINT,
    "points.ID.buttons.ID": BUTTON,
    "point_series": POINT_SERIES,
    "point_groups.ID": POINT_GROUP,
    "operators.ID": OPERATOR,
    "operator_series": OPERATOR_SERIES,
    "groups.ID": GROUP,
    "queues.ID": QUEUE,
    "queues.ID.tiers": TIER,
    "queues.ID.ladders": QUEUE_LADDER,
    "ladders.ID": LADDER,
    "ladders.ID.steps": STEP,
    "parties.ID": PARTY,
    "parties.ID.routes": ROUTE,
    "trunks.ID": TRUNK,
    "cameras.ID": CAMERA,
    "nuisance.ID": NUISANCE,
    "notices.ID": NOTICE,
    "outcomes.ID": OUTCOME,
    "texts.ID": {},  # its keys are languages
    "pauses": {},  # its keys are ids of reasons
    "codes": {},  # its keys are what a telephone dials
}
"""Every table of a plan by the name that docs/dialplan.md gives it."""

ROWS = frozenset(
    {
        "hours.ID",
        "point_series",
        "operator_series",
        "queues.ID.tiers",
        "queues.ID.ladders",
        "ladders.ID.steps",
        "parties.ID.routes",
    }
)
"""Those of `TABLES` that are arrays of tables."""
