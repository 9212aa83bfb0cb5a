"""What the tables of a plan must say of each other: every id that is named exists, and nothing contradicts itself.

Ladders and parties have a file of their own, `check_ladders`.
"""

from dialplans.lines import Path
from dialplans.model import POINTS_MOST, Point, Queue
from dialplans.names import among, named, skilled, staffed
from dialplans.reading import Draft, Reading
from dialplans.sections import CODE_MEANINGS, CODES, CODES_FOR, TEXT

REASSURANCE = Queue.__dataclass_fields__["reassurance"].default
ENGLISH = "en"


def check(reading: Reading, draft: Draft) -> None:
    """Note as faults ids without an owner, and what cannot be meant."""
    for rule in (_users, _points, _point_groups, _groups, _queues, _nuisance, _texts, _codes):
        rule(reading, draft)


def _users(reading: Reading, draft: Draft) -> None:
    """Points, operators, parties and the users that points call are SIP users of one domain."""
    seen = dict.fromkeys(draft.plan.get("help_users", ("help",)), "plan.help")
    seen |= {button.user: f"button {button.id}" for point in draft.points.values() for button in point.buttons if button.user}
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
        named(reading, draft, (*path, "queue"), "queues", point.queue)
        named(reading, draft, (*path, "profile"), "profiles", point.profile)
        named(reading, draft, (*path, "nuisance"), "nuisance", point.nuisance)
        for camera in point.cameras:
            named(reading, draft, (*path, "cameras"), "cameras", camera)
        for skill in point.skills:
            skilled(reading, draft, (*path, "skills"), skill)
        for button in point.buttons:
            named(reading, draft, (*path, "buttons", button.id, "queue"), "queues", button.queue)
        if (point.latitude is None) != (point.longitude is None):
            what = f"'{name}' has half a position" if path[0] == "points" else "the series has half a position"
            reading.fault(path, what, "Write both latitude and longitude, or neither")
        _lowered(reading, draft, path, point)


def _lowered(reading: Reading, draft: Draft, path: Path, point: Point) -> None:
    """A policy against nuisance lowers: a class that no press of the point stands above would raise, or do nothing."""
    policy = draft.nuisance.get(point.nuisance)
    if policy is None:
        return
    classes = {point.priority, *(button.priority for button in point.buttons if not button.digit)}
    if policy.priority <= min(classes):
        what = f"nuisance '{policy.id}' puts presses into {policy.priority.name.lower()}, which lowers none of this point's"
        reading.fault((*path, "nuisance"), what, "Name a policy with a lower class than the point's, or none")


def _point_groups(reading: Reading, draft: Draft) -> None:
    for name, group in draft.point_groups.items():
        path = (*draft.where["point_groups", name], "points")
        for point in group.points:
            named(reading, draft, path, "points", point)
        if len(group.points) > POINTS_MOST:
            what = f"group '{name}' has {len(group.points)} points, and a call four legs: the operator's and {POINTS_MOST} more"
            reading.fault(path, what, f"Name at most {POINTS_MOST}, and make further groups of the others")
        if len(group.points) < 2:
            reading.fault(path, f"group '{name}' has one point", "Name two or three, or call the point by itself")


def _groups(reading: Reading, draft: Draft) -> None:
    for name, group in draft.about_groups.items():
        path = draft.where["groups", name]
        staffed(reading, draft, path, name)
        named(reading, draft, (*path, "hours"), "hours", group.hours)


def _queues(reading: Reading, draft: Draft) -> None:
    for name, queue in draft.queues.items():
        path = draft.where["queues", name]
        named(reading, draft, (*path, "ladder"), "ladders", queue.ladder)
        for group in queue.groups:
            staffed(reading, draft, (*path, "groups"), group)
        _tiers(reading, draft, (*path, "tiers"), queue)
        _by_hours(reading, draft, (*path, "ladders"), queue)
        _closing(reading, draft, path, queue)
        for notice in queue.overdue_notify:
            named(reading, draft, (*path, "overdue_notify"), "notices", notice)
        if not queue.reassurance.startswith(TEXT) and queue.reassurance != REASSURANCE:
            what = f"'{queue.reassurance}' is neither in texts nor the phrase '{REASSURANCE}'"
            reading.fault((*path, "reassurance"), what, f"Write the id of a text, or leave the key out for '{REASSURANCE}'")
        if 0 < queue.longest_wait_ms < queue.service_target_ms:
            what = f"'{name}' alarms of waits that are within its service target"
            reading.fault((*path, "longest_wait"), what, "Make longest_wait longer than service_target")


def _tiers(reading: Reading, draft: Draft, path: Path, queue: Queue) -> None:
    for index, tier in enumerate(queue.tiers):
        at = reading.row(path, index)
        for group in tier.groups:
            staffed(reading, draft, (*at, "groups"), group)
        if index and tier.after_ms <= queue.tiers[index - 1].after_ms:
            reading.fault((*at, "after"), "a tier does not come after the one before it", "Put the tiers in time order")


def _by_hours(reading: Reading, draft: Draft, path: Path, queue: Queue) -> None:
    seen: set[str] = set()
    for index, (hours, ladder) in enumerate(queue.ladders):
        at = reading.row(path, index)
        named(reading, draft, (*at, "hours"), "hours", hours)
        named(reading, draft, (*at, "ladder"), "ladders", ladder)
        if hours in seen:
            reading.fault((*at, "hours"), f"'{hours}' has a ladder already", "The first one counts: take this one out")
        seen.add(hours)


def _closing(reading: Reading, draft: Draft, path: Path, queue: Queue) -> None:
    if queue.closed_by == "plan" and not queue.plan_outcome:
        reading.fault(path, f"'{queue.id}' is closed by the plan without an outcome", "Add the key 'plan_outcome'")
    if queue.plan_outcome:
        named(reading, draft, (*path, "plan_outcome"), "outcomes", queue.plan_outcome)
        if queue.closed_by != "plan":
            instead = 'Write closed_by = "plan" or drop this'
            reading.fault((*path, "plan_outcome"), f"'{queue.id}' is closed by a person", instead)


def _nuisance(reading: Reading, draft: Draft) -> None:
    for name, policy in draft.nuisance.items():
        for outcome in policy.outcomes:
            named(reading, draft, (*draft.where["nuisance", name], "outcomes"), "outcomes", outcome)


def _texts(reading: Reading, draft: Draft) -> None:
    languages = {point.language for point in draft.points.values()} | {ENGLISH}
    unread = any(where == "points" and name not in draft.points for where, name in draft.where)
    for name, words in draft.texts.items():
        path = draft.where["texts", name]
        if ENGLISH not in words:
            reading.fault(path, f"text '{name}' has no English", 'Add en = "...": it is read where a language has nothing else')
        for language in sorted(set(words) - languages) if not unread else ():
            what = f"no point speaks '{language}'"
            reading.fault((*path, language), what, f"Write one of the points' languages ({', '.join(sorted(languages))})")


def _codes(reading: Reading, draft: Draft) -> None:
    for code, meaning in draft.codes.items():
        word, _, whom = meaning.partition(":")
        if word in CODES_FOR and whom:
            among(reading, draft, ("codes", code), CODES_FOR[word], whom)
        elif meaning not in CODES:
            reading.fault(("codes", code), f"code {code} means '{meaning}'", CODE_MEANINGS)
