"""`callserver demo`: the whole service on loopback with the Darlington plan, a street with buttons to press, and a police desk.

Everything is real: the service runs as `callserver serve` would run it, the simulated points and the desks are SIP
user agents in processes of their own. Passwords are drawn at the first start and kept in DIR/demo/passwords.json.
`DIR/demo.json` describes what runs, for scripts; it is there for as long as the demo is ready, and no longer.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

from callserver.config import ConfigError, load
from callserver.runtime import demo_parts as parts
from callserver.runtime.demo_cast import night_desk, scene_page, start_night_desk, start_phones
from callserver.runtime.demo_history import OPERATOR, NightDesk
from callserver.runtime.demo_parts import LOOPBACK, POLICE, Demo
from callserver.runtime.demo_phones import Lines, end_with_parent
from callserver.runtime.demo_text import typed as what_can_be_typed
from callserver.runtime.demo_text import welcome
from callserver.runtime.first import hand_over, prepare_store
from callserver.runtime.street_server import Street, open_street
from dialplans.parse import parse

PLANNED_DESK = "127.0.0.1:25999"
READY_WITHIN_S = 20.0
REGISTERED_WITHIN_S = 5.0
STOP_WITHIN_S = 10.0
ROUND_S = 0.5
USUAL_SOUND, OTHER_SOUND = "20000-29999", "10000-19999"
LONGEST_RUN = 74  # bytes of [storage] run
UNPRINTED = ("says", "silent", "hears")  # news for the street alone


class CannotStart(Exception):
    """In words, with what to do."""


def run(demo: Demo) -> int:
    """Run until Ctrl-C or SIGTERM; the exit status."""
    ports = (demo.sip_port, demo.web_port, demo.street_port)
    if demo.rtp_ports == USUAL_SOUND and any(20000 <= port <= 29999 for port in ports):
        demo.rtp_ports = OTHER_SOUND  # who chooses the one need not choose the other
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
            _start_service(demo, run_directory, at_end)
            _wait_until_ready(demo)
            return _serve(demo, at_end)
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
        (socket.SOCK_STREAM, "TCP", demo.street_port, "--street-port"),
    )
    if demo.web_port == demo.street_port:
        raise CannotStart(f"port {demo.web_port} cannot be both the console's and the street's. Choose with --street-port.")
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


def _start_service(demo: Demo, run_directory: Path, at_end: contextlib.ExitStack) -> None:
    demo.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    demo.description.unlink(missing_ok=True)
    text = resources.files("dialplans").joinpath("darlington.toml").read_text("utf-8")
    text = text.replace(PLANNED_DESK, f"{LOOPBACK}:{demo.police_port}")
    text += resources.files("callserver.runtime").joinpath("demo-night.toml").read_text("utf-8")
    demo.plan = parse(text, "darlington.toml")
    (demo.home / "plan.toml").write_text(text)
    demo.passwords = parts.passwords_in(demo.home / "passwords.json", parts.users_of(demo.plan))
    parts.write_seed(demo, demo.plan)
    (demo.home / "callserver.toml").write_text(
        f'[sip]\nudp_port = {demo.sip_port}\ntcp_port = {demo.sip_port}\nrtp_ports = "{demo.rtp_ports}"\n'
        f'[web]\nport = {demo.web_port}\n[seats]\nports = "{demo.seat_ports}"\n'
        f"addresses = {json.dumps([LOOPBACK] if demo.only_loopback else [])}\n"
        f'[storage]\ndata = "data"\nrun = {json.dumps(str(run_directory))}\nspool = "spool"\n'
        '[plan]\nfile = "plan.toml"\n[directory]\nseed = "seed.toml"\n[log]\nlevel = "error"\n'
    )
    try:
        config = load(demo.home / "callserver.toml")
    except ConfigError as error:
        raise CannotStart(
            f"{error}\nPorts are chosen with --sip-port, --web-port, --street-port, --rtp-ports and --seat-ports, "
            "the place of its files with --directory."
        ) from error
    prepared = hand_over(config, demo.home / "callserver.toml")
    at_end.callback(parts.write_links(demo, run_directory).unlink, missing_ok=True)
    prepare_store(config)
    command = [sys.executable, "-m", "callserver.runtime.supervisor", str(prepared)]
    demo.service = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509 (there are no threads here)
    )


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


def _serve(demo: Demo, at_end: contextlib.ExitStack) -> int:
    """Lines of the terminal go to the phones, the phones' news to terminal and street, until the service ends."""
    assert demo.service is not None
    night = night_desk(demo) if demo.history else None  # before anybody can call
    scene = start_phones(demo)
    demo.street = Street(scene, scene_page(demo), lambda user, verb: _order(demo, user, verb))
    with selectors.PollSelector() as selector:  # takes files and /dev/null too
        _listen(demo, selector)
        _until_registered(demo, selector)
        at_end.callback(_open_street(demo, demo.street))
        parts.describe(demo)
        print(welcome(demo, parts.is_lonely(demo)), flush=True)
        typed = Lines()
        if sys.stdin is not None and not sys.stdin.closed:
            selector.register(sys.stdin, selectors.EVENT_READ, typed)
        while demo.service.poll() is None:
            for lines, line in _read(selector, ROUND_S):
                if lines is typed:
                    _obey(demo, line.split())
                else:
                    _tell(demo, line, night)
            night = _night(demo, selector, night)
    print(f"callserver demo: the service ended by itself ({demo.service.returncode})", file=sys.stderr)
    return 1


def _open_street(demo: Demo, street: Street) -> Callable[[], None]:
    try:
        return open_street(street, demo.street_port, demo.passwords[parts.STREET_KEY])
    except OSError as error:
        raise CannotStart(
            f"port {demo.street_port} (TCP) cannot be used: {error.strerror}. Choose another with --street-port."
        ) from error


def _listen(demo: Demo, selector: selectors.BaseSelector) -> None:
    """Read the news of every process that is not read yet."""
    for process in demo.phones.processes:
        if process.stdout is not None and process.stdout not in selector.get_map():
            selector.register(process.stdout, selectors.EVENT_READ, Lines())


def _night(demo: Demo, selector: selectors.BaseSelector, night: NightDesk | None) -> NightDesk | None:
    """The night desk's next orders; its phones come when it begins and go when it is over."""
    if night is None:
        return None
    if OPERATOR not in demo.phones.of_user:
        start_night_desk(demo)
        _listen(demo, selector)
    for user, verb, what in night.due(time.monotonic()):
        demo.phones.order(user, verb, what)
    if not night.over:
        return night
    for process in {id(each): each for each in map(demo.phones.of_user.__getitem__, night.users)}.values():
        process.kill()
    return None


def _until_registered(demo: Demo, selector: selectors.BaseSelector) -> None:
    deadline = time.monotonic() + REGISTERED_WITHIN_S
    while set(demo.simulated) - demo.registered and time.monotonic() < deadline:
        for _, line in _read(selector, 0.2):
            user, _, news = line.partition(" ")
            if demo.street is not None:
                demo.street.told(user, news)
            if news == "registered":
                demo.registered.add(user)


def _read(selector: selectors.BaseSelector, within_s: float) -> Iterator[tuple[Lines, str]]:
    for key, _ in selector.select(within_s):
        whole = key.data.of(key.fd)
        if whole is None:
            selector.unregister(key.fileobj)
        for line in whole or ():
            yield key.data, line


def _tell(demo: Demo, line: str, night: NightDesk | None) -> None:
    user, _, news = line.partition(" ")
    if demo.street is not None:
        demo.street.told(user, news)
    if night is not None:
        night.heard(user, news, time.monotonic())
    if user in (*demo.simulated, POLICE) and not news.startswith(UNPRINTED):
        number = f"{demo.simulated.index(user) + 1:2}  " if user in demo.simulated else "    "
        print(f"   {number}{user}: {news}", flush=True)


def _order(demo: Demo, user: str, verb: str) -> bool:
    """Carry out what the street or the terminal orders; False where the phone's process has died."""
    if verb in ("cut", "mend"):
        demo.phones.cut(user, verb == "cut")
        return True
    return demo.phones.order(user, verb)


def _obey(demo: Demo, words: list[str]) -> None:
    assert demo.street is not None
    verb = "hangup" if words[:1] == ["h"] else "press"
    which = words[-1] if words else ""
    if words == ["?"]:
        print(what_can_be_typed(demo), flush=True)
        return
    if verb == "hangup" and which in ("p", POLICE):
        user = POLICE
    elif which.isdecimal() and 1 <= int(which) <= len(demo.simulated):
        user = demo.simulated[int(which) - 1]
    else:
        print(f"   type 1 to {len(demo.simulated)} to press, h 1 or h p to hang up, ? for more", flush=True)
        return
    if not demo.street.ordered(user, verb):
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
