"""Who may speak SIP with us: the plan says who exists and in which role, the directory holds the credentials.

Lookups are in memory; `read` reads the directory anew (at start, and when an account was changed).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from sqlalchemy import Engine

from callserver.sip.interface import TrunkAccess
from callserver.store import directory
from dialplans.model import Plan, Trunk


@dataclass(slots=True)
class Accounts:
    """See sip.interface.Accounts. `sip` maps a user to (algorithm, HA1), `trunk_secrets` a trunk id to its password."""

    plan: Plan
    sip: Mapping[str, tuple[str, str]]
    trunk_secrets: Mapping[str, str]
    in_use: Callable[[], Iterable[Plan]] = tuple  # besides: plans of open incidents, whose trunks still carry calls
    _networks: dict[str, tuple[IPv4Network, ...]] = field(default_factory=dict)
    _users: frozenset[str] | None = None  # that the plan's buttons call; None: not looked at yet

    def read(self, engine: Engine) -> None:
        """Read the directory anew."""
        self.sip = {user: (known.algorithm, known.ha1) for user, known in directory.sip_accounts(engine).items()}
        self.trunk_secrets = directory.trunk_secrets(engine)

    def adopt(self, plan: Plan) -> None:
        """Another plan is in force."""
        self.plan = plan
        self._networks.clear()
        self._users = None

    def role(self, user: str) -> str:
        """See sip.interface.Accounts."""
        if user in self.plan.points:
            return "point"
        return "operator" if user in self.plan.operators else ""

    def ha1(self, user: str) -> tuple[str, str]:
        """See sip.interface.Accounts. An account of nobody in the plan does not count."""
        return self.sip.get(user, ("", "")) if self.role(user) else ("", "")

    def trusted(self, user: str, source_host: str) -> bool:
        """See sip.interface.Accounts."""
        point = self.plan.points.get(user)
        if point is None or not point.trusted_sources:
            return False
        if user not in self._networks:
            networks = (ip_network(text) for text in point.trusted_sources)
            self._networks[user] = tuple(network for network in networks if isinstance(network, IPv4Network))
        source = ip_address(source_host)
        return isinstance(source, IPv4Address) and any(source in network for network in self._networks[user])

    def is_help(self, user: str) -> bool:
        """See sip.interface.Accounts."""
        return user in self.plan.help_users or user in self._button_users()

    def button(self, point: str, called: str, values: Callable[[str], Sequence[str]]) -> str:
        """See sip.interface.Accounts. The called user goes before headers; a header's value is compared without its case."""
        known = self.plan.points.get(point)
        buttons = known.buttons if known is not None else ()
        for button in buttons:
            if button.user and button.user == called:
                return button.id
        for button in buttons:
            name, _, wanted = button.header.partition(":")
            if name and wanted.strip().lower() in (value.strip().lower() for value in values(name)):
                return button.id
        return ""

    def _button_users(self) -> frozenset[str]:
        if self._users is None:
            self._users = frozenset(button.user for point in self.plan.points.values() for button in point.buttons) - {""}
        return self._users

    def trunk(self, trunk: str) -> TrunkAccess | None:
        """See sip.interface.Accounts."""
        known = self._trunks().get(trunk)
        if known is None:
            return None
        password = self.trunk_secrets.get(trunk, "")
        way = (known.id, known.host, known.port, known.transport)
        return TrunkAccess(*way, known.user, password, known.probe_ms, known.ca, known.register)

    def trunk_source(self, source_host: str, source_port: int) -> str:
        """See sip.interface.Accounts."""
        for trunk in self._trunks().values():
            if (trunk.host, trunk.port) == (source_host, source_port):
                return trunk.id
        return ""

    def trunks(self) -> tuple[str, ...]:
        """All trunk ids, for the prober."""
        return tuple(self._trunks())

    def _trunks(self) -> Mapping[str, Trunk]:
        """A trunk that the plan in force has too is where that plan says."""
        older = {id: trunk for plan in self.in_use() for id, trunk in plan.trunks.items()}
        return {**older, **self.plan.trunks}

    def points(self) -> tuple[str, ...]:
        """All point ids, for the prober."""
        return tuple(self.plan.points)
