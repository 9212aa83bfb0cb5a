"""Every key of a plan, as literal tables: what it is called, how it is read, which field of the model it sets.

A key that is not required takes the default of `dialplans.model`. docs/dialplan.md describes each; a test compares.
Change together: the model, this file, docs/dialplan.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dialplans import values as v
from dialplans.model import MediaSource, PointBye, Strategy

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
SECOND_MS = 1000


@dataclass(frozen=True, slots=True)
class Key:
    """How one key is read; `field` is its place in the model where it is called otherwise there."""

    reads: v.Reader
    required: bool = False
    field: str = ""


def _ms(field: str, low_ms: int = 0, high_ms: int = v.DAY_MS) -> Key:
    return Key(v.duration(low_ms, high_ms), field=field)


def unread(value: object) -> object:
    """Taken as it is; `parse` looks into it by itself."""
    return value


Keys = Mapping[str, Key]

PLAN: Keys = {
    "name": Key(v.text, required=True),
    "time_zone": Key(v.zone, required=True),
    "help": Key(v.idents, field="help_users"),
}
PROFILE: Keys = {
    "answer": Key(unread),
    "point_bye": Key(v.member(PointBye)),
    "media_source": Key(v.member(MediaSource)),
    "ring_limit": _ms("ring_limit_ms", low_ms=SECOND_MS),
    "talk_limit": _ms("talk_limit_ms"),
    "expects_register": Key(v.boolean),
}
POINT: Keys = {
    "place": Key(v.text, required=True),
    "queue": Key(v.ident, required=True),
    "profile": Key(v.ident, required=True),
    "priority": Key(v.choice(v.PRIORITIES)),
    "language": Key(v.language),
    "latitude": Key(v.degrees(90)),
    "longitude": Key(v.degrees(180)),
    "trusted_sources": Key(v.networks),
}
OPERATOR: Keys = {
    "name": Key(v.text, required=True),
    "groups": Key(v.idents, required=True),
    "available_when_registered": Key(v.boolean),
}
SERIES: Keys = {
    "id": Key(v.text, required=True),
    "first": Key(v.integer(0, 999_999), required=True),
    "last": Key(v.integer(0, 999_999), required=True),
}
POINT_SERIES: Keys = {**SERIES, **POINT}
OPERATOR_SERIES: Keys = {**SERIES, **OPERATOR}
QUEUE: Keys = {
    "groups": Key(v.idents, required=True),
    "ladder": Key(v.ident, required=True),
    "strategy": Key(v.member(Strategy)),
    "ring_timeout": _ms("ring_timeout_ms", low_ms=SECOND_MS, high_ms=10 * MINUTE_MS),
    "rest_after_no_answer": _ms("rest_after_no_answer_ms", high_ms=HOUR_MS),
    "wrap_up": _ms("wrap_up_ms"),
    "reassurance": Key(v.ident),
    "reassurance_every": _ms("reassurance_every_ms", low_ms=SECOND_MS, high_ms=MINUTE_MS),
    "whisper_place": Key(v.boolean),
    "closed_by": Key(v.choice({"person": "person", "plan": "plan"})),
    "plan_outcome": Key(v.ident),
}
LADDER: Keys = {
    "steps": Key(unread, required=True),
    "retry": _ms("retry_ms", low_ms=SECOND_MS, high_ms=5 * MINUTE_MS),
}
STEP: Keys = {
    "after": Key(v.duration(), required=True, field="after_ms"),
    "ring": Key(v.ident, field="ring_group"),
    "call": Key(v.ident, field="call_party"),
    "or_at_once_when": Key(v.choice({"nobody-on-duty": True}), field="at_once_when_nobody"),
}
PARTY: Keys = {
    "name": Key(v.text, required=True),
    "routes": Key(unread, required=True),
}
ROUTE: Keys = {
    "uri": Key(v.uri, required=True),
    "trunk": Key(v.ident),
    "ring": _ms("ring_timeout_ms", low_ms=SECOND_MS, high_ms=10 * MINUTE_MS),
}
TRUNK: Keys = {
    "host": Key(v.host, required=True),
    "port": Key(v.integer(1, 65_535)),
    "transport": Key(v.choice({"udp": "udp", "tcp": "tcp"})),
    "user": Key(v.text),
    "probe": _ms("probe_ms", high_ms=HOUR_MS),
}
OUTCOME: Keys = {
    "name": Key(v.text, required=True),
    "digit": Key(v.digit),
}

TABLES: Mapping[str, Keys] = {
    "plan": PLAN,
    "profiles.ID": PROFILE,
    "points.ID": POINT,
    "point_series": POINT_SERIES,
    "operators.ID": OPERATOR,
    "operator_series": OPERATOR_SERIES,
    "queues.ID": QUEUE,
    "ladders.ID": LADDER,
    "ladders.ID.steps": STEP,
    "parties.ID": PARTY,
    "parties.ID.routes": ROUTE,
    "trunks.ID": TRUNK,
    "outcomes.ID": OUTCOME,
    "codes": {},  # its keys are what a telephone dials
}
"""Every table of a plan by the name that docs/dialplan.md gives it."""
