"""Who may do what: the one table of roles by route. A route that is not in it does not start (`check_complete`).
WebSockets are routes with the method `WS`. Commands about a call are for operators who are in it: `acting.on_call` looks.

`operator` answers calls; `supervisor` watches the operators and listens to recordings; `auditor` reads everything and
changes nothing; `administrator` looks after the machine and its accounts, and hears no one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Of an account."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use a route. `public` needs no session; roles in `own_only` only for the path's `{id}` that is their own user."""

    roles: frozenset[Role] = frozenset()
    public: bool = False
    own_only: frozenset[Role] = frozenset()


_PUBLIC = Rule(public=True)
_EVERYONE = Rule(frozenset(Role))
_ON_DUTY = Rule(frozenset({Role.OPERATOR, Role.SUPERVISOR}))
_LISTEN = Rule(frozenset({Role.SUPERVISOR, Role.AUDITOR}))
_AUDIT = Rule(frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR}))
_IN_CHARGE = Rule(frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}))
_SELF = Rule(frozenset({Role.OPERATOR, Role.SUPERVISOR}), own_only=frozenset({Role.OPERATOR}))

RULES: Mapping[tuple[str, str], Rule] = {
    ("GET", "/"): _PUBLIC,  # pages hold no data; what they show comes by the API
    ("GET", "/replay"): _PUBLIC,
    ("GET", "/console/{path:path}"): _PUBLIC,
    ("GET", "/healthz"): _PUBLIC,
    ("GET", "/readyz"): _PUBLIC,
    ("GET", "/metrics"): _PUBLIC,  # its own token, where the configuration has one
    ("GET", "/openapi.json"): _PUBLIC,
    ("POST", "/api/session"): _PUBLIC,
    ("POST", "/api/session/link"): _PUBLIC,
    ("GET", "/api/session"): _EVERYONE,
    ("DELETE", "/api/session"): _EVERYONE,
    ("GET", "/api/incidents"): _EVERYONE,
    ("GET", "/api/incidents.csv"): _LISTEN,
    ("GET", "/api/incidents/{id}"): _EVERYONE,
    ("POST", "/api/incidents/{id}/close"): _ON_DUTY,
    ("POST", "/api/incidents/{id}/class"): _ON_DUTY,
    ("POST", "/api/incidents/{id}/climb"): _ON_DUTY,
    ("GET", "/api/calls"): _EVERYONE,
    ("GET", "/api/calls.csv"): _LISTEN,
    ("GET", "/api/calls/{id}"): _EVERYONE,
    ("GET", "/api/calls/{id}/timeline"): _EVERYONE,
    ("GET", "/api/calls/{id}/recording"): _LISTEN,
    ("POST", "/api/calls/{id}/played"): _LISTEN,  # of what they opened themselves
    ("GET", "/api/calls/{id}/peaks"): _LISTEN,
    ("GET", "/api/exports"): _LISTEN,
    ("POST", "/api/incidents/{id}/pack"): _LISTEN,
    ("POST", "/api/calls/{id}/redaction"): _LISTEN,
    ("POST", "/api/calls/{id}/export"): _LISTEN,
    ("POST", "/api/exports/{id}/approve"): _LISTEN,  # another person than the one who asked
    ("GET", "/api/exports/{id}/file"): _LISTEN,
    ("GET", "/api/disclosures"): _LISTEN,
    ("GET", "/api/disclosures.csv"): _LISTEN,
    ("POST", "/api/disclosures"): _LISTEN,
    ("GET", "/api/access-requests"): _LISTEN,
    ("POST", "/api/access-requests"): _LISTEN,
    ("POST", "/api/access-requests/{id}/answer"): _LISTEN,
    ("GET", "/api/quality"): _LISTEN,
    ("GET", "/api/quality.csv"): _LISTEN,
    ("GET", "/api/calls/{id}/sheet"): _LISTEN,
    ("POST", "/api/calls/{id}/sheet"): _LISTEN,  # not of their own calls
    ("GET", "/api/count/calls"): _EVERYONE,
    ("GET", "/api/count/incidents"): _EVERYONE,
    ("GET", "/api/searches"): _EVERYONE,
    ("POST", "/api/searches"): _EVERYONE,  # supervisors alone share
    ("DELETE", "/api/searches/{id}"): _EVERYONE,  # their own; supervisors what is shared besides
    ("GET", "/api/names"): _EVERYONE,
    ("GET", "/api/holds"): _AUDIT,
    ("GET", "/api/incidents/{id}/holds"): _AUDIT,
    ("POST", "/api/incidents/{id}/hold"): _LISTEN,
    ("POST", "/api/incidents/{id}/release"): _LISTEN,
    ("POST", "/api/calls/{id}/hangup"): _ON_DUTY,
    ("POST", "/api/calls/{id}/escalate"): _ON_DUTY,
    ("POST", "/api/calls/{id}/hold"): _ON_DUTY,
    ("POST", "/api/calls/{id}/mute"): _ON_DUTY,
    ("POST", "/api/calls/{id}/drop"): _ON_DUTY,
    ("POST", "/api/calls/{id}/bring"): _ON_DUTY,  # supervisors alone listen and whisper
    ("POST", "/api/calls/{id}/mode"): _ON_DUTY,  # likewise
    ("POST", "/api/calls/{id}/take-over"): _ON_DUTY,
    ("POST", "/api/calls/{id}/transfer"): _ON_DUTY,
    ("POST", "/api/calls/{id}/park"): _ON_DUTY,
    ("POST", "/api/calls/{id}/renew"): _ON_DUTY,
    ("POST", "/api/calls/{id}/bring-point"): _ON_DUTY,
    ("POST", "/api/calls/{id}/control"): _ON_DUTY,
    ("POST", "/api/incidents/{id}/take"): _ON_DUTY,  # operators for themselves
    ("POST", "/api/points/{id}/call"): _ON_DUTY,  # likewise
    ("POST", "/api/point-groups/{id}/call"): _ON_DUTY,  # likewise
    ("GET", "/api/call-backs"): _EVERYONE,
    ("GET", "/api/handover"): _EVERYONE,
    ("POST", "/api/call-backs/acknowledge"): _ON_DUTY,  # what was passed to whoever asks
    ("POST", "/api/incidents/{id}/acknowledge"): _ON_DUTY,  # likewise
    ("POST", "/api/incidents/{id}/give"): _ON_DUTY,  # operators their own, the room's, and to themselves
    ("POST", "/api/incidents/{id}/call-back"): _ON_DUTY,  # operators for themselves
    ("GET", "/api/points"): _EVERYONE,
    ("GET", "/api/operators"): _EVERYONE,
    ("POST", "/api/operators/{id}/available"): _SELF,
    ("POST", "/api/operators/{id}/pause"): _SELF,
    ("GET", "/api/queues"): _EVERYONE,
    ("GET", "/api/alarms"): _EVERYONE,
    ("GET", "/api/disks"): _EVERYONE,
    ("GET", "/api/audit"): _AUDIT,
    ("GET", "/api/looks"): _AUDIT,
    ("GET", "/api/plans"): _AUDIT,
    ("GET", "/api/plans/{id}"): _AUDIT,
    ("POST", "/api/plans/reload"): _IN_CHARGE,
    ("WS", "/api/live"): _EVERYONE,
    ("WS", "/api/seat"): _ON_DUTY,  # and operators of the plan only
}


def check_complete(routes: Iterable[tuple[str, str]]) -> None:
    """AssertionError where the app's routes and the table are not the same; called when the app is made."""
    served = set(routes)
    assert served == set(RULES), f"routes without a rule: {served - set(RULES)}; rules without a route: {set(RULES) - served}"


def allowed(rule: Rule, role: str, user: str, named: str) -> bool:
    """Whether somebody signed in as `user` may use a route whose `{id}` is `named`."""
    if role not in rule.roles:
        return False
    return role not in rule.own_only or user == named
