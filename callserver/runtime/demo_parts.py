"""What a running demo is: its ports, accounts and files, and the description that scripts read."""

import hashlib
import json
import secrets
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ifaddr

from callserver.runtime.demo_phones import Phones
from callserver.runtime.street_server import Street
from dialplans.model import Plan

SPARE = ("dl-spare-1", "dl-spare-2")  # for real devices and scripts
NIGHT_PROFILE = "night"  # of the points that belong to the night desk
NIGHT_OPERATOR = "night-desk"
POLICE = "police"
SEATS = ("operator1", "operator2", "operator3", "operator4")
ROLES: Mapping[str, str] = {
    # role: the account that its link signs in
    "operator": SEATS[0],
    "supervisor": "supervisor",
    "auditor": "auditor",
    "administrator": "administrator",
}
WEB_ACCOUNTS = ("supervisor", "auditor", "administrator")
LOOPBACK = "127.0.0.1"
STREET_KEY = "street"  # its place among the passwords
LINKS_FILE = "sign-in-links.json"  # in [storage] run; the web service reads it
LINKS_HOLD_S = 7 * 24 * 3600


@dataclass(slots=True)
class Demo:
    """What runs, by name."""

    directory: Path
    sip_port: int
    web_port: int
    street_port: int
    rtp_ports: str
    tones: bool = False
    history: bool = True
    seat_ports: str = "30000-30499"
    only_loopback: bool = False
    police_port: int = 0
    plan: Plan | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    phones: Phones = field(default_factory=Phones)
    registered: set[str] = field(default_factory=set)
    service: subprocess.Popen[bytes] | None = None
    street: Street | None = None

    @property
    def home(self) -> Path:
        """Where everything but demo.json is."""
        return self.directory / "demo"

    @property
    def data(self) -> Path:
        """The service's [storage] data."""
        return self.home / "data"

    @property
    def description(self) -> Path:
        """demo.json."""
        return self.directory / "demo.json"

    @property
    def web(self) -> str:
        """The web service's address."""
        return f"http://{LOOPBACK}:{self.web_port}"

    @property
    def street_url(self) -> str:
        """The street's address, with its key."""
        return f"http://{LOOPBACK}:{self.street_port}/{self.passwords[STREET_KEY]}/"

    @property
    def server(self) -> str:
        """The SIP address."""
        return f"{LOOPBACK}:{self.sip_port}"

    @property
    def help(self) -> str:
        """What a point calls."""
        return f"sip:help@{self.server}"

    @property
    def town(self) -> list[str]:
        """The town's points, the spare ones included; the night desk's are not among them."""
        assert self.plan is not None
        return [name for name, point in self.plan.points.items() if point.profile != NIGHT_PROFILE]

    @property
    def simulated(self) -> list[str]:
        """The points that a person presses by number, in order."""
        return [point for point in self.town if point not in SPARE]

    def link(self, user: str, host: str = LOOPBACK) -> str:
        """Where this user's browser is signed in by itself: at the replay for the auditor, at the console for others."""
        page = "replay" if user == ROLES["auditor"] else ""
        return f"http://{host}:{self.web_port}/{page}#link={self.tokens[user]}"

    def beside(self, role: str) -> str:
        """The role's link under a host name of its own: cookies go by host, so one browser can be all of them at once."""
        return self.link(ROLES[role], LOOPBACK if role == "operator" else f"{role}.localhost")


def users_of(plan: Plan) -> tuple[str, ...]:
    """Everybody and everything that has a password."""
    return (*plan.points, *plan.operators, *WEB_ACCOUNTS, STREET_KEY)


def passwords_in(path: Path, users: tuple[str, ...]) -> dict[str, str]:
    """The passwords of the last start, drawn for who had none."""
    known: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    passwords = {user: known.get(user) or secrets.token_urlsafe(9) for user in dict.fromkeys(users)}
    write_closed(path, json.dumps(passwords))
    return passwords


def write_seed(demo: Demo, plan: Plan) -> None:
    """Accounts for points, operators and the roles."""
    lines = [f'[[sip]]\nuser = "{user}"\npassword = "{demo.passwords[user]}"\n' for user in (*plan.points, *plan.operators)]
    accounts = {**dict.fromkeys(SEATS, "operator"), **{role: role for role in WEB_ACCOUNTS}}
    for user, role in accounts.items():
        lines.append(f'[[web]]\nuser = "{user}"\nrole = "{role}"\npassword = "{demo.passwords[user]}"\n')
    write_closed(demo.home / "seed.toml", "\n".join(lines))


def write_links(demo: Demo, run_directory: Path) -> Path:
    """Draw the tokens of the sign-in links; their file holds sums alone. Its path."""
    demo.tokens = {user: secrets.token_urlsafe(24) for user in (*SEATS, *WEB_ACCOUNTS)}
    expires_s = int(time.time()) + LINKS_HOLD_S
    links = {
        hashlib.sha256(token.encode()).hexdigest(): {"user": user, "expires_s": expires_s, "once": False}
        for user, token in demo.tokens.items()
    }
    path = run_directory / LINKS_FILE
    write_closed(path, json.dumps(links))
    return path


def describe(demo: Demo) -> None:
    """Write demo.json."""
    assert demo.plan is not None
    points = [
        {"id": p, "user": p, "password": demo.passwords[p], "place": demo.plan.points[p].place, "simulated": p not in SPARE}
        for p in demo.town
    ]
    accounts = {user: {"user": user, "password": demo.passwords[user]} for user in (*SEATS, *WEB_ACCOUNTS)}
    description: dict[str, Any] = {
        "web": demo.web,
        "street": demo.street_url,
        "links": {role: demo.link(user) for role, user in ROLES.items()},
        "sip": {"host": LOOPBACK, "udp": demo.sip_port, "tcp": demo.sip_port, "domain": LOOPBACK},
        "help": demo.help,
        "points": points,
        "seats": [
            *({"kind": "softphone", **accounts[user]} for user in SEATS),
            *({"kind": "browser", **accounts[user], "link": demo.link(user)} for user in SEATS),
        ],
        **{role: accounts[role] for role in WEB_ACCOUNTS},
        "police": f"sip:{POLICE}@{LOOPBACK}:{demo.police_port}",
    }
    write_closed(demo.description, json.dumps(description, indent=1) + "\n")


def write_closed(path: Path, text: str) -> None:
    """A file that only we may read, either whole or not there."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    aside.write_text(text)
    aside.replace(path)


def is_lonely(demo: Demo) -> bool:
    """Whether browsers' sound can go over loopback alone: this machine has no other address, or no other is to be used."""
    found = {str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4}
    return demo.only_loopback or all(one.startswith("127.") for one in found)
