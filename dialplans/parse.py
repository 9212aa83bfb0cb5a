"""From the texts of a plan to a `Plan`, or to everything that is wrong with it. Pure: texts come as arguments.

Four passes: TOML; the files as one (`sources`); each table by the literal keys of `dialplans.keys` (`sections`); what the
tables say of each other (`check`, `check_ladders`, `unused`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from dialplans import model
from dialplans.check import check
from dialplans.check_ladders import check_ladders
from dialplans.faults import Fault, PlanError, in_order
from dialplans.reading import Draft, Reading
from dialplans.sections import NEEDED, SECTIONS
from dialplans.sources import Merged, gather
from dialplans.unused import unused
from dialplans.values import Wrong

NOTHING: Mapping[str, str] = MappingProxyType({})


def parse(text: str, name: str, included: Mapping[str, str] = NOTHING) -> model.Plan:
    """The plan that `text` (TOML) tells. `name` is the file's name, for faults; `included` has texts by path from that file.

    Raises `PlanError` with all faults at once.
    """

    def read(path: str) -> str:
        if path not in included:
            raise Wrong(f"'{path}' is not here", "Put it beside the plan, or take it out of 'include'")
        return included[path]

    return examine(gather(name, text, read))[0]


def examine(merged: Merged) -> tuple[model.Plan, tuple[Fault, ...]]:
    """The plan of all these texts, and what is odd about it but no fault. Raises `PlanError` with all faults at once."""
    reading = Reading(merged, list(merged.faults))
    draft = Draft()
    for section, read in SECTIONS.items():
        if section in merged.raw:
            read(reading, draft, merged.raw[section])
    for section in merged.raw:
        if section not in SECTIONS:
            reading.fault((section,), f"unknown table '{section}'", f"Known are {', '.join(SECTIONS)}")
    for sections, why in NEEDED.items():
        if not any(merged.raw.get(section) for section in sections):
            reading.fault((), f"there is no '{sections[0]}'", why)
    check(reading, draft)
    check_ladders(reading, draft)
    if reading.faults:
        raise PlanError(in_order(reading.faults, reading.files))
    unused(reading, draft)
    return _plan(draft), tuple(in_order(reading.warnings, reading.files))


def _plan(draft: Draft) -> model.Plan:
    groups = sorted({group for operator in draft.operators.values() for group in operator.groups})
    return model.Plan(
        points=draft.points,
        profiles=draft.profiles,
        operators=draft.operators,
        groups=tuple(groups),
        queues=draft.queues,
        ladders=draft.ladders,
        parties=draft.parties,
        trunks=draft.trunks,
        outcomes=draft.outcomes,
        outcome_digits=draft.outcome_digits,
        codes=draft.codes,
        hours=draft.hours,
        about_groups=draft.about_groups,
        cameras=draft.cameras,
        nuisance=draft.nuisance,
        notices=draft.notices,
        texts=draft.texts,
        pauses=draft.pauses,
        point_groups=draft.point_groups,
        **draft.plan,
    )
