"""`callserver demo`: the whole service on loopback with the Darlington plan, points that a person can press, and a police desk.

Everything is real: the service runs as `callserver serve` would run it, the simulated points and the police desk are SIP
user agents in processes of their own. Passwords are drawn at the first start and kept in DIR/demo/passwords.json.
"""

import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from callserver.config import ConfigError, load
from callserver.runtime.first import hand_over, prepare_store
from dialplans.parse import parse

SIMULATED = ("dl-blackwellgate", "dl-market-square", "dl-northgate", "dl-bondgate")
SOFTPHONES = ("operator1", "operator2", "operator3", "operator4")
WEB_ACCOUNTS = ("supervisor", "auditor", "administrator")
READY_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0


@dataclass(slots=True)
class Demo:
    """What runs, by name."""

    directory: Path
    sip_port: int
    web_port: int
    rtp_ports: str
    passwords: dict[str, str] = field(default_factory=dict)
    phones: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    service: subprocess.Popen[bytes] | None = None

    @property
    def police_port(self) -> int:
        """The simulated police desk's SIP port."""
        return self.sip_port + 939

    @property
    def web(self) -> str:
        """The web service's address."""
        return f"http://127.0.0.1:{self.web_port}"


def run(directory: Path, sip_port: int, web_port: int, rtp_ports: str) -> int:
    """Run until Ctrl-C or SIGTERM; the exit status."""
    demo = Demo(directory, sip_port, web_port, rtp_ports)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _start_service(demo)
        if not _ready(demo):
            return 1
        _start_phones(demo)
        _write_description(demo)
        _explain(demo)
        _obey(demo)
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(demo)
    return 0


def _start_service(demo: Demo) -> None:
    home = demo.directory / "demo"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    plan = resources.files("dialplans").joinpath("darlington.toml").read_text("utf-8")
    plan = plan.replace("127.0.0.1:25999", f"127.0.0.1:{demo.police_port}")
    known = parse(plan, "darlington.toml")
    (home / "plan.toml").write_text(plan)
    demo.passwords = _passwords(home / "passwords.json", (*known.points, *known.operators, *WEB_ACCOUNTS))
    lines = []
    for user in (*known.points, *known.operators):
        lines.append(f'[[sip]]\nuser = "{user}"\npassword = "{demo.passwords[user]}"\n')
    for role in WEB_ACCOUNTS:
        lines.append(f'[[web]]\nuser = "{role}"\nrole = "{role}"\npassword = "{demo.passwords[role]}"\n')
    seed = home / "seed.toml"
    seed.touch(mode=0o600)
    seed.write_text("\n".join(lines))
    (home / "callserver.toml").write_text(
        f'[sip]\nudp_port = {demo.sip_port}\ntcp_port = {demo.sip_port}\nrtp_ports = "{demo.rtp_ports}"\n'
        f"[web]\nport = {demo.web_port}\n"
        '[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n'
        '[plan]\nfile = "plan.toml"\n[directory]\nseed = "seed.toml"\n[log]\nlevel = "warning"\n'
    )
    try:
        config = load(home / "callserver.toml")
    except ConfigError as error:
        sys.exit(f"callserver: {error}\nChoose other ports with --sip-port, --web-port or --rtp-ports.")
    prepared = hand_over(config)
    prepare_store(config)
    command = [sys.executable, "-m", "callserver.runtime.supervisor", str(prepared)]
    demo.service = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def _passwords(path: Path, users: tuple[str, ...]) -> dict[str, str]:
    known: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    passwords = {user: known.get(user) or secrets.token_urlsafe(9) for user in users}
    path.touch(mode=0o600)
    path.write_text(json.dumps(passwords))
    return passwords


def _ready(demo: Demo) -> bool:
    assert demo.service is not None
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if demo.service.poll() is not None:
            print("The service did not start; see above. Other ports: --sip-port, --web-port, --rtp-ports.", file=sys.stderr)
            return False
        try:
            with urllib.request.urlopen(f"{demo.web}/readyz", timeout=1.0) as reply:
                if reply.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    print(f"The service is not ready after {READY_WITHIN_S:.0f} s; see above.", file=sys.stderr)
    return False


def _start_phones(demo: Demo) -> None:
    caller = _voice(demo, "caller", "Hello? I am on my own here and somebody is following me. Can you see me?")
    desk = _voice(demo, "police", "Police control room, go ahead please.")
    for user in SIMULATED:
        demo.phones[user] = _phone(demo, user, 0, ["--password", demo.passwords[user]], caller)
    demo.phones["police"] = _phone(demo, "police", demo.police_port, ["--auto-answer"], desk)


def _voice(demo: Demo, name: str, text: str) -> Path | None:
    """What a simulated party says, by espeak-ng; without it the party is silent."""
    path = demo.directory / "demo" / f"{name}.wav"
    try:
        subprocess.run(["espeak-ng", "-v", "en-gb", "-w", str(path), text + " " * 40], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return path


def _phone(demo: Demo, user: str, port: int, more: list[str], voice: Path | None) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "callserver.runtime.simulated_phone", "--user", user, "--port", str(port)]
    argv += ["--server", f"127.0.0.1:{demo.sip_port}", "--help-uri", _help(demo), *more]
    if voice is not None:
        argv += ["--play", str(voice)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _help(demo: Demo) -> str:
    return f"sip:help@127.0.0.1:{demo.sip_port}"


def _write_description(demo: Demo) -> None:
    plan = parse((demo.directory / "demo" / "plan.toml").read_text(), "plan.toml")
    points = [
        {"id": p.id, "user": p.id, "password": demo.passwords[p.id], "place": p.place, "simulated": p.id in SIMULATED}
        for p in plan.points.values()
    ]
    description: dict[str, Any] = {
        "web": demo.web,
        "sip": {"host": "127.0.0.1", "udp": demo.sip_port, "tcp": demo.sip_port, "domain": "127.0.0.1"},
        "help": _help(demo),
        "points": points,
        "seats": [{"kind": "softphone", "user": user, "password": demo.passwords[user]} for user in SOFTPHONES],
        **{role: {"user": role, "password": demo.passwords[role]} for role in WEB_ACCOUNTS},
        "police": f"sip:police@127.0.0.1:{demo.police_port}",
    }
    path = demo.directory / "demo.json"
    aside = path.with_suffix(".new")
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(description, indent=1))
    aside.replace(path)


def _explain(demo: Demo) -> None:
    say = print
    say(f"\ncallserver demo: Darlington town centre, on this machine only.   Web: {demo.web}   SIP: 127.0.0.1:{demo.sip_port}\n")
    say("1. Register a softphone as an operator (UDP or TCP, no proxy, no STUN):")
    say(f"     user operator1   password {demo.passwords['operator1']}   domain 127.0.0.1:{demo.sip_port}")
    say("   A registered softphone is available at once; dial *2 to pause, *1 to be available again.")
    say("2. Press: type the number of a point and Enter. Without an operator the police desk answers at once.")
    for number, user in enumerate(SIMULATED, 1):
        say(f"     {number}  {user}")
    say(f"   Or with a second softphone: user dl-spare-1, password {demo.passwords['dl-spare-1']}, call {_help(demo)}")
    say('3. In the conversation *9 brings in the police. Afterwards a digit says the outcome (1 is "caller safe").')
    say(f"4. Look: callserver incidents list --config {demo.directory / 'demo' / 'callserver.toml'}")
    say(f"   Everything a script needs, all passwords included, is in {demo.directory / 'demo.json'}")
    say("\nh NUMBER hangs a point up. Ctrl-C ends the demo.\n", flush=True)


def _obey(demo: Demo) -> None:
    """Lines of the terminal go to the phones, the phones' news to the terminal."""
    assert demo.service is not None
    with selectors.DefaultSelector() as selector:
        for user, phone in demo.phones.items():
            assert phone.stdout is not None
            selector.register(phone.stdout, selectors.EVENT_READ, user)
        if sys.stdin is not None and not sys.stdin.closed and _selectable(sys.stdin.fileno()):
            selector.register(sys.stdin, selectors.EVENT_READ, "")
        while demo.service.poll() is None:
            for key, _ in selector.select(1.0):
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if not line:
                    selector.unregister(key.fileobj)
                elif key.data:
                    print(f"   {key.data}: {line.decode().strip()}", flush=True)
                else:
                    _order(demo, str(line).split())


def _selectable(descriptor: int) -> bool:
    """Standard input may be a file or /dev/null, which epoll refuses."""
    try:
        return (not os.fstat(descriptor).st_mode & 0o100000 and os.isatty(descriptor)) or _is_pipe(descriptor)
    except OSError:
        return False


def _is_pipe(descriptor: int) -> bool:
    return os.fstat(descriptor).st_mode & 0o170000 == 0o010000


def _order(demo: Demo, words: list[str]) -> None:
    order = "hangup" if words[:1] == ["h"] else "press"
    number = words[-1] if words else ""
    if not number.isdigit() or not 1 <= int(number) <= len(SIMULATED):
        print(f"   type 1 to {len(SIMULATED)} to press, h 1 to hang up", flush=True)
        return
    pipe = demo.phones[SIMULATED[int(number) - 1]].stdin
    assert pipe is not None
    pipe.write(f"{order}\n".encode())
    pipe.flush()


def _stop(demo: Demo) -> None:
    for phone in demo.phones.values():
        phone.terminate()
    if demo.service is not None and demo.service.poll() is None:
        demo.service.terminate()
        try:
            demo.service.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            demo.service.kill()
    for phone in demo.phones.values():
        phone.wait()
