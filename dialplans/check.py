"""What the tables of a plan must say of each other: every id that is named exists, and no press can end in silence."""

from dialplans.lines import Path
from dialplans.model import Ladder
from dialplans.reading import Draft, Reading


def check(reading: Reading, draft: Draft) -> None:
    """Note as faults whatever would leave a press without an answer, or an id without its owner."""
    for rule in (_users, _points, _queues, _ladders, _parties, _codes):
        rule(reading, draft)


def _users(reading: Reading, draft: Draft) -> None:
    """Points, operators, parties and the users that points call are SIP users of one domain."""
    seen = dict.fromkeys(draft.plan.get("help_users", ("help",)), "plan.help")
    for (section, name), path in draft.where.items():
        if section not in ("points", "operators", "parties"):
            continue
        if name in seen:
            reading.fault(
                path, f"'{name}' is already in {seen[name]}", "Points, operators and parties share one domain: rename it"
            )
        else:
            seen[name] = section


def _points(reading: Reading, draft: Draft) -> None:
    for name, point in draft.points.items():
        path = draft.where["points", name]
        _named(reading, draft, (*path, "queue"), "queues", point.queue)
        _named(reading, draft, (*path, "profile"), "profiles", point.profile)
        if (point.latitude is None) != (point.longitude is None):
            reading.fault(path, f"'{name}' has half a position", "Write both latitude and longitude, or neither")


def _queues(reading: Reading, draft: Draft) -> None:
    for name, queue in draft.queues.items():
        path = draft.where["queues", name]
        _named(reading, draft, (*path, "ladder"), "ladders", queue.ladder)
        for group in queue.groups:
            _staffed(reading, draft, (*path, "groups"), group)
        if queue.closed_by == "plan" and not queue.plan_outcome:
            reading.fault(path, f"'{name}' is closed by the plan without an outcome", "Add the key 'plan_outcome'")
        if queue.plan_outcome:
            _named(reading, draft, (*path, "plan_outcome"), "outcomes", queue.plan_outcome)
            if queue.closed_by != "plan":
                reading.fault((*path, "plan_outcome"), f"'{name}' is closed by a person", 'Write closed_by = "plan" or drop this')


def _ladders(reading: Reading, draft: Draft) -> None:
    for name, ladder in draft.ladders.items():
        path = (*draft.where["ladders", name], "steps")
        if not ladder.steps:
            reading.fault(path, f"ladder '{name}' is empty", "Add [[ladders.ID.steps]]; the last must call an outside party")
            continue
        for index, step in enumerate(ladder.steps):
            if bool(step.ring_group) == bool(step.call_party):
                reading.fault((*path, index), "a step does one thing", "Write either ring = GROUP or call = PARTY")
            elif step.ring_group:
                _staffed(reading, draft, (*path, index, "ring"), step.ring_group)
            else:
                _named(reading, draft, (*path, index, "call"), "parties", step.call_party)
        _order(reading, path, ladder)


def _order(reading: Reading, path: Path, ladder: Ladder) -> None:
    for index, step in enumerate(ladder.steps[1:], start=1):
        if step.after_ms <= ladder.steps[index - 1].after_ms:
            reading.fault((*path, index, "after"), "a step does not come after the one before it", "Put the steps in time order")
    if not ladder.steps[-1].call_party:
        last = len(ladder.steps) - 1
        what = f"the last step of ladder '{ladder.id}' calls no outside party"
        reading.fault((*path, last), what, "End with a step that has call = PARTY: a press must never ring in vain for ever")


def _parties(reading: Reading, draft: Draft) -> None:
    for name, party in draft.parties.items():
        path = draft.where["parties", name]
        if not party.routes:
            reading.fault(path, f"party '{name}' has no route", "Add [[parties.ID.routes]] with a uri")
        for index, route in enumerate(party.routes):
            if route.trunk:
                _named(reading, draft, (*path, "routes", index, "trunk"), "trunks", route.trunk)


def _codes(reading: Reading, draft: Draft) -> None:
    for code, meaning in draft.codes.items():
        police, _, party = meaning.partition(":")
        if police == "police" and party:
            _named(reading, draft, ("codes", code), "parties", party)
        elif meaning not in ("available", "pause"):
            reading.fault(("codes", code), f"code {code} means '{meaning}'", 'Write "available", "pause" or "police:PARTY"')


def _named(reading: Reading, draft: Draft, path: Path, section: str, name: str) -> None:
    if not draft.knows(section, name):
        known = ", ".join(sorted(each for where, each in draft.where if where == section)[:8]) or "none yet"
        _once(reading, path, f"'{name}' is not in {section}", f"Write one of those in {section} ({known}), or add it there")


def _staffed(reading: Reading, draft: Draft, path: Path, group: str) -> None:
    """A group without an operator could never ring; operators that could not be read are given the benefit of the doubt."""
    built = {group for operator in draft.operators.values() for group in operator.groups}
    unread = any(where == "operators" and name not in draft.operators for where, name in draft.where)
    if group not in built and not unread:
        known = ", ".join(sorted(built)) or "none yet"
        _once(
            reading, path, f"no operator is in group '{group}'", f"Write a group that has operators ({known}), or add one to it"
        )


def _once(reading: Reading, path: Path, what: str, instead: str) -> None:
    """Three hundred points of one series make one fault, not three hundred."""
    line = reading.lines.of(path)
    if not any(fault.line == line and fault.what == what for fault in reading.faults):
        reading.fault(path, what, instead)
