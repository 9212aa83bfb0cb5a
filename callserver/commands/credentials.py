"""Ids of the plan that nobody can use: points, operators and trunks without credentials."""

from collections.abc import Iterator
from dataclasses import dataclass

from callserver.commands.store import reading
from callserver.config import Config, environment
from callserver.store import directory, seed
from callserver.store.engine import store_path
from dialplans.model import Plan


@dataclass(frozen=True, slots=True)
class Missing:
    """An id of the plan and what it lacks in the directory."""

    kind: str  # point | operator | trunk
    id: str
    needs: str


def missing_credentials(plan: Plan, config: Config) -> tuple[tuple[Missing, ...], list[str]]:
    """What the directory (the store, and the seed that fills it at start) lacks; and faults of the seed itself."""
    sip, trunks, foreign = _of_store(config)
    faults = []
    if config.directory.seed is not None:
        try:
            for account in seed.read_seed(config.directory.seed, environment()):
                (trunks if account.kind == "trunk" else sip if account.kind == "sip" else set()).add(account.id)
                foreign.discard(account.id)
        except seed.SeedError as error:
            faults = str(error).splitlines()
    missing = tuple(_missing(plan, sip - foreign, trunks))
    known = set(plan.points) | set(plan.operators)
    faults += [
        f"{user}: its SIP account is of another domain than {config.sip.domain}; set its password anew"
        for user in sorted(foreign & known)
    ]
    return missing, faults


def _missing(plan: Plan, sip: set[str], trunks: set[str]) -> Iterator[Missing]:
    for point in plan.points.values():
        if point.id not in sip and not point.trusted_sources:
            yield Missing("point", point.id, "SIP account")
    for operator in plan.operators.values():
        if operator.id not in sip:
            yield Missing("operator", operator.id, "SIP account")
    for trunk in plan.trunks.values():
        if trunk.user and trunk.id not in trunks:
            yield Missing("trunk", trunk.id, "secret")


def _of_store(config: Config) -> tuple[set[str], set[str], set[str]]:
    """SIP users, trunk ids, and those SIP users whose realm is not our domain: their HA1 cannot fit."""
    if not store_path(config.storage.data).is_file():
        return set(), set(), set()
    with reading(config) as engine:
        accounts = directory.sip_accounts(engine)
        foreign = {user for user, account in accounts.items() if account.realm != config.sip.domain}
        return set(accounts), set(directory.trunk_secrets(engine)), foreign
