"""`callserver demo`: the whole service on loopback with the Darlington plan, points that a person can press, and a police desk.

Everything is real: the service runs as `callserver serve` would run it, the simulated points and the police desk are SIP
user agents in processes of their own. Passwords are drawn at the first start and kept in DIR/demo/passwords.json.
`DIR/demo.json` describes what runs, for scripts; it is there for as long as the demo is ready, and no longer.
"""

import contextlib
import json
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from callserver.config import ConfigError, load
from callserver.runtime.demo_phones import Lines, Phones, Setup, end_with_parent, groups, voice
from callserver.runtime.first import hand_over, prepare_store
from dialplans.model import Plan
from dialplans.parse import parse

SPARE = ("dl-spare-1", "dl-spare-2")  # for real devices and scripts; all other points of the plan are simulated
POLICE = "police"
SOFTPHONES = ("operator1", "operator2", "operator3", "operator4")
WEB_ACCOUNTS = ("supervisor", "auditor", "administrator")
LOOPBACK = "127.0.0.1"
PLANNED_DESK = "127.0.0.1:25999"
READY_WITHIN_S = 20.0
REGISTERED_WITHIN_S = 5.0
STOP_WITHIN_S = 10.0
USUAL_SOUND, OTHER_SOUND = "20000-29999", "10000-19999"
LONGEST_RUN = 74  # bytes of [storage] run
CALLER_SAYS = "Hello? I am on my own here and somebody is following me. Can you see me?"
POLICE_SAYS = "Police control room, go ahead please."


@dataclass(slots=True)
class Demo:
    """What runs, by name."""

    directory: Path
    sip_port: int
    web_port: int
    rtp_ports: str
    police_port: int = 0
    plan: Plan | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    phones: Phones = field(default_factory=Phones)
    registered: set[str] = field(default_factory=set)
    service: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Path:
        """Where everything but demo.json is."""
        return self.directory / "demo"

    @property
    def description(self) -> Path:
        """demo.json."""
        return self.directory / "demo.json"

    @property
    def web(self) -> str:
        """The web service's address."""
        return f"http://{LOOPBACK}:{self.web_port}"

    @property
    def server(self) -> str:
        """The SIP address."""
        return f"{LOOPBACK}:{self.sip_port}"

    @property
    def help(self) -> str:
        """What a point calls."""
        return f"sip:help@{self.server}"

    @property
    def simulated(self) -> list[str]:
        """The points that a person presses by number, in order."""
        assert self.plan is not None
        return [point for point in self.plan.points if point not in SPARE]


class CannotStart(Exception):
    """In words, with what to do."""


def run(directory: Path, sip_port: int, web_port: int, rtp_ports: str) -> int:
    """Run until Ctrl-C or SIGTERM; the exit status."""
    if rtp_ports == USUAL_SOUND and any(20000 <= port <= 29999 for port in (sip_port, web_port)):
        rtp_ports = OTHER_SOUND  # who chooses the one need not choose the other
    demo = Demo(directory, sip_port, web_port, rtp_ports)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a script's shell started it in the background
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, lambda *_: sys.exit(0))
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # in the background it goes on without what is typed
    with contextlib.ExitStack() as at_end:
        try:
            _check_ports(demo)
            run_directory = _run_directory(demo, at_end)
            at_end.callback(_stop, demo)
            _start_service(demo, run_directory)
            _wait_until_ready(demo)
            return _serve(demo)
        except CannotStart as error:
            print(f"callserver demo: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0


def _check_ports(demo: Demo) -> None:
    wanted = (
        (socket.SOCK_DGRAM, "UDP", demo.sip_port, "--sip-port"),
        (socket.SOCK_STREAM, "TCP", demo.sip_port, "--sip-port"),
        (socket.SOCK_STREAM, "TCP", demo.web_port, "--web-port"),
    )
    for kind, name, port, option in wanted:
        why = _hindrance(kind, port)
        if why:
            raise CannotStart(f"port {port} ({name}) cannot be used: {why}. Choose another with {option}.")
    after = (demo.sip_port + 939 + number for number in range(200))
    demo.police_port = next((port for port in after if port < 65536 and not _hindrance(socket.SOCK_DGRAM, port)), 0)
    if not demo.police_port:
        raise CannotStart("no port is free for the police desk, which follows the SIP port. Choose another with --sip-port.")


def _hindrance(kind: int, port: int) -> str:
    """Why the port cannot be bound; "" when it can."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return str(error.strerror)
    return ""


def _run_directory(demo: Demo, at_end: contextlib.ExitStack) -> Path:
    """Where the sockets are: in the demo's own directory, unless that lies too deep for a Unix socket's path."""
    run = demo.home / "run"
    if len(str(run).encode()) <= LONGEST_RUN:
        return run
    return Path(at_end.enter_context(tempfile.TemporaryDirectory(prefix="callserver-demo-", ignore_cleanup_errors=True)))


def _start_service(demo: Demo, run_directory: Path) -> None:
    demo.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    demo.description.unlink(missing_ok=True)
    text = resources.files("dialplans").joinpath("darlington.toml").read_text("utf-8")
    text = text.replace(PLANNED_DESK, f"{LOOPBACK}:{demo.police_port}")
    demo.plan = parse(text, "darlington.toml")
    (demo.home / "plan.toml").write_text(text)
    demo.passwords = _passwords(demo.home / "passwords.json", (*demo.plan.points, *demo.plan.operators, *WEB_ACCOUNTS))
    _write_seed(demo, demo.plan)
    (demo.home / "callserver.toml").write_text(
        f'[sip]\nudp_port = {demo.sip_port}\ntcp_port = {demo.sip_port}\nrtp_ports = "{demo.rtp_ports}"\n'
        f"[web]\nport = {demo.web_port}\n"
        f'[storage]\ndata = "data"\nrun = {json.dumps(str(run_directory))}\nspool = "spool"\n'
        '[plan]\nfile = "plan.toml"\n[directory]\nseed = "seed.toml"\n[log]\nlevel = "error"\n'
    )
    try:
        config = load(demo.home / "callserver.toml")
    except ConfigError as error:
        raise CannotStart(
            f"{error}\nPorts are chosen with --sip-port, --web-port and --rtp-ports, the place of its files with --directory."
        ) from error
    prepared = hand_over(config)
    prepare_store(config)
    command = [sys.executable, "-m", "callserver.runtime.supervisor", str(prepared)]
    demo.service = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509 (there are no threads here)
    )


def _write_seed(demo: Demo, plan: Plan) -> None:
    lines = [f'[[sip]]\nuser = "{user}"\npassword = "{demo.passwords[user]}"\n' for user in (*plan.points, *plan.operators)]
    lines += [f'[[web]]\nuser = "{role}"\nrole = "{role}"\npassword = "{demo.passwords[role]}"\n' for role in WEB_ACCOUNTS]
    _write_closed(demo.home / "seed.toml", "\n".join(lines))


def _passwords(path: Path, users: tuple[str, ...]) -> dict[str, str]:
    known: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    passwords = {user: known.get(user) or secrets.token_urlsafe(9) for user in users}
    _write_closed(path, json.dumps(passwords))
    return passwords


def _write_closed(path: Path, text: str) -> None:
    """A file that only we may read, either whole or not there."""
    aside = path.with_name(f".{path.name}.new")
    aside.touch(mode=0o600)
    aside.write_text(text)
    aside.replace(path)


def _wait_until_ready(demo: Demo) -> None:
    assert demo.service is not None
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if demo.service.poll() is not None:
            raise CannotStart("the service did not start; it says why above.")
        try:
            with urllib.request.urlopen(f"{demo.web}/readyz", timeout=1.0) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise CannotStart(f"the service is not ready after {READY_WITHIN_S:.0f} s.")


def _start_phones(demo: Demo) -> None:
    caller = voice(demo.home / "caller.wav", CALLER_SAYS, 440.0)
    desk = voice(demo.home / "police.wav", POLICE_SAYS, 1000.0)
    for passwords in groups({user: demo.passwords[user] for user in demo.simulated}):
        demo.phones.start(Setup(passwords, demo.server, LOOPBACK, demo.help, 0, caller))
    demo.phones.start(Setup({POLICE: ""}, demo.server, LOOPBACK, demo.help, demo.police_port, desk))


def _describe(demo: Demo) -> None:
    assert demo.plan is not None
    points = [
        {"id": p.id, "user": p.id, "password": demo.passwords[p.id], "place": p.place, "simulated": p.id not in SPARE}
        for p in demo.plan.points.values()
    ]
    description: dict[str, Any] = {
        "web": demo.web,
        "sip": {"host": LOOPBACK, "udp": demo.sip_port, "tcp": demo.sip_port, "domain": LOOPBACK},
        "help": demo.help,
        "points": points,
        "seats": [{"kind": "softphone", "user": user, "password": demo.passwords[user]} for user in SOFTPHONES],
        **{role: {"user": role, "password": demo.passwords[role]} for role in WEB_ACCOUNTS},
        "police": f"sip:{POLICE}@{LOOPBACK}:{demo.police_port}",
    }
    _write_closed(demo.description, json.dumps(description, indent=1) + "\n")


def _explain(demo: Demo) -> None:
    assert demo.plan is not None
    say = print
    say(f"\ncallserver demo: Darlington town centre, on this machine only.   SIP: {demo.server}   Web: {demo.web}\n")
    say("1. Register a softphone on this machine as an operator (UDP or TCP, no encryption, no STUN):")
    say(f"     user operator1   password {demo.passwords['operator1']}   domain {LOOPBACK}   proxy or server {demo.server}")
    say("   Registered is on duty. *2 pauses, *1 goes on.")
    say("2. Press: type a number and Enter. Nobody on duty? Then the police desk answers at once.")
    for number, point in enumerate(demo.simulated, 1):
        say(f"     {number:2}  {demo.plan.points[point].place}")
    say(f"   Or register a second softphone as dl-spare-1, password {demo.passwords['dl-spare-1']}, and call {demo.help}")
    say("3. Answer, talk. *9 brings in the police. Hang up, then call *5 and a digit to say the outcome, as *51")
    say("   (the digit alone while your line is still up, because the other side hung up first):")
    say(
        "     "
        + ", ".join(f"{digit} {demo.plan.outcomes[outcome].lower()}" for digit, outcome in demo.plan.outcome_digits.items())
    )
    say(f"4. Look: {Path(sys.argv[0])} incidents list --config {demo.home / 'callserver.toml'}")
    say(f"   Everything a script needs, all passwords included, is in {demo.description}")
    say("\n`h 1` lets point 1 hang up (it is called back: a point that falls silent is no end), `h p` the police desk.")
    say("Ctrl-C ends the demo.\n", flush=True)


def _serve(demo: Demo) -> int:
    """Lines of the terminal go to the phones, the phones' news to the terminal, until the service ends."""
    assert demo.service is not None
    _start_phones(demo)
    with selectors.PollSelector() as selector:  # takes files and /dev/null too
        for process in demo.phones.processes:
            assert process.stdout is not None
            selector.register(process.stdout, selectors.EVENT_READ, Lines())
        _until_registered(demo, selector)
        _describe(demo)
        _explain(demo)
        if sys.stdin is not None and not sys.stdin.closed:
            selector.register(sys.stdin, selectors.EVENT_READ, typed := Lines())
        else:
            typed = Lines()
        while demo.service.poll() is None:
            for lines, line in _read(selector, 1.0):
                if lines is typed:
                    _obey(demo, line.split())
                else:
                    _tell(demo, line)
    print(f"callserver demo: the service ended by itself ({demo.service.returncode})", file=sys.stderr)
    return 1


def _until_registered(demo: Demo, selector: selectors.BaseSelector) -> None:
    deadline = time.monotonic() + REGISTERED_WITHIN_S
    while set(demo.simulated) - demo.registered and time.monotonic() < deadline:
        for _, line in _read(selector, 0.2):
            user, _, news = line.partition(" ")
            if news == "registered":
                demo.registered.add(user)


def _read(selector: selectors.BaseSelector, within_s: float) -> Iterator[tuple[Lines, str]]:
    for key, _ in selector.select(within_s):
        whole = key.data.of(key.fd)
        if whole is None:
            selector.unregister(key.fileobj)
        for line in whole or ():
            yield key.data, line


def _tell(demo: Demo, line: str) -> None:
    user, _, news = line.partition(" ")
    number = f"{demo.simulated.index(user) + 1:2}  " if user in demo.simulated else "    "
    print(f"   {number}{user}: {news}", flush=True)


def _obey(demo: Demo, words: list[str]) -> None:
    verb = "hangup" if words[:1] == ["h"] else "press"
    which = words[-1] if words else ""
    if verb == "hangup" and which in ("p", POLICE):
        user = POLICE
    elif which.isdecimal() and 1 <= int(which) <= len(demo.simulated):
        user = demo.simulated[int(which) - 1]
    else:
        print(f"   type 1 to {len(demo.simulated)} to press, h 1 or h p to hang up", flush=True)
        return
    if not demo.phones.order(user, verb):
        print(f"   {user} has died; end the demo and start it again", flush=True)


def _stop(demo: Demo) -> None:
    demo.description.unlink(missing_ok=True)
    demo.phones.stop()
    if demo.service is None:
        return
    demo.service.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        demo.service.wait(STOP_WITHIN_S)
    with contextlib.suppress(ProcessLookupError):  # which is what it should be
        os.killpg(demo.service.pid, signal.SIGKILL)
    demo.service.wait()
