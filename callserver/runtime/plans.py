"""Which plan is in force at start: the file of the configuration if it is another than the journal's, else the journal's."""

import hashlib
from pathlib import Path

import structlog

from callserver.core.events import PlanLoaded
from callserver.core.state import State
from dialplans.faults import PlanError
from dialplans.load import load
from dialplans.model import Plan

log = structlog.get_logger()


def load_plan(path: Path | None, state: State) -> PlanLoaded | None:
    """The event to post, or None when the plan in force stays.

    A file that cannot be used leaves the plan in force where there is one; without any the fault rises (PlanError, OSError).
    """
    if path is None:
        return None
    known = state.plans.get(state.plan_version)
    try:
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        plan: Plan = load(Path(path))
    except (PlanError, OSError) as error:
        if known is None:
            raise
        log.error("plan.unusable", file=str(path), error=str(error), in_force=state.plan_version)
        return None
    if known == plan:
        return None
    return PlanLoaded(state.plan_version + 1, digest, plan, "start")
