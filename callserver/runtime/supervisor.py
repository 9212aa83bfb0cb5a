"""The first process: binds the listeners, keeps every socket that must outlive its reader, starts and restarts the others.

It decides nothing about calls and imports nothing heavy, so that nothing can make it die or wait: one thread, one selector.
It must never block on a child. What it keeps: SIP and web listeners, accepted SIP TCP connections, outside RTP sockets,
the clock anchor, the pools of call and seat workers. Run as `python -m callserver.runtime.supervisor CONFIG.json`.
"""

import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from callserver.media.pool import Worker
from callserver.media.urgency import FIRST, rank
from callserver.runtime import clock, supervision
from callserver.runtime.children import MAX_PAUSE_NS, Child
from callserver.runtime.heartbeat import Heartbeat, Verdict
from callserver.runtime.notify import Notifier
from callserver.runtime.pools import Pools
from callserver.runtime.pulse import PATIENCE, Pulses
from callserver.runtime.rtp_sockets import RtpSockets
from callserver.runtime.switchboard_link import SwitchboardLink

STOP_LIMIT_NS = 5_000_000_000  # after SIGTERM; then what is left is killed
TICK_NS = 1_000_000_000
WRITE_AFTER_NS = 20_000_000
SEAL_LIMIT_NS = 1_000_000_000  # for all workers, at the end
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NAME = 15


class Supervisor:
    """See the module."""

    def __init__(self, config_path: Path) -> None:
        self.config_path = config_path
        config: dict[str, Any] = json.loads(config_path.read_text())
        self.data_dir, self.run_dir = Path(config["storage"]["data"]), Path(config["storage"]["run"])
        sip, web = config["sip"], config["web"]
        self.listeners = {
            "udp": _listen(socket.SOCK_DGRAM, sip["host"], sip["udp_port"], "[sip] udp_port"),
            "tcp": _listen(socket.SOCK_STREAM, sip["host"], sip["tcp_port"], "[sip] tcp_port"),
            "web": _listen(socket.SOCK_STREAM, web["host"], web["port"], "[web] port"),
        }
        if web.get("tls_cert"):
            host = web.get("https_host") or web["host"]
            self.listeners["https"] = _listen(socket.SOCK_STREAM, host, web["https_port"], "[web] https_port")
        if sip.get("tls_cert"):
            self.listeners["tls"] = _listen(socket.SOCK_STREAM, sip["host"], sip["tls_port"], "[sip] tls_port")
        low, _, high = str(sip["rtp_ports"]).partition("-")
        self.rtp = RtpSockets(sip.get("media_host") or sip["host"], int(low), int(high))
        self.connections: dict[int, socket.socket] = {}
        self.anchor = clock.first_anchor(clock.load(self.data_dir / "clock.json"))
        self.selector = selectors.DefaultSelector()
        self.link = SwitchboardLink(self)
        self.pools = Pools(self, config)
        self.children = {
            name: Child(name, module)
            for name, module in (
                ("switchboard", "callserver.runtime.switchboard"),
                ("web", "callserver.runtime.web_process"),
                ("archivist", "callserver.runtime.archivist_process"),
                ("watch", "callserver.runtime.watching"),
            )
        }
        self.heartbeat, self.pulses = Heartbeat(), Pulses()
        self.notifier = Notifier(config.get("notify_socket", ""))
        self.stopping_since_ns = 0
        self.next_tick_ns = 0
        self.write_at_ns = 0  # 0: processes.json is true
        self.wakeup = _signal_socket()
        self.at_terminal = _has_terminal()

    # ---- life -----------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; the exit status."""
        _become_subreaper()
        self._save_anchor()
        self.selector.register(self.wakeup, selectors.EVENT_READ, self._signalled)
        self.pools.start()
        for child in self.children.values():
            self.start_child(child)
        self.notifier.tell("READY=1")
        while not self._stopped():
            for key, _ in self.selector.select(self._timeout_s()):
                key.data()
            self._on_time()
        self._clean_up()
        return 0

    def start_child(self, child: Child) -> None:
        """Start one of the long-lived processes and watch it; what the system refuses is tried again."""
        try:
            argv, fds = [str(self.config_path)], []
            if child.name == "switchboard":
                fds = [self.listeners["udp"].fileno(), self.listeners["tcp"].fileno(), *self.link.renew()]
                fds += [self.listeners["tls"].fileno()] if "tls" in self.listeners else []
            elif child.name == "web":
                fds = [self.listeners[name].fileno() for name in ("web", "https") if name in self.listeners]
            if child.name in PATIENCE:
                fds.insert(0, self.pulses.renew(child.name))
            child.start([*argv, *map(str, fds)], fds, clock.boottime_ns())
        except OSError as error:
            child.start_at_ns = clock.boottime_ns() + MAX_PAUSE_NS
            self._trouble(child, f"{child.name} cannot be started: {error}")
            return
        if child.name == "switchboard":
            self.link.started()
            self.heartbeat.begin(clock.boottime_ns())
        else:
            beats = self.pulses.started(child.name, clock.boottime_ns())
            self.selector.register(beats, selectors.EVENT_READ, lambda: self._beaten(child.name))
        self.selector.register(child.pidfd, selectors.EVENT_READ, lambda: self._child_died(child))
        self.note_processes()

    def _child_died(self, child: Child) -> None:
        self.selector.unregister(child.pidfd)
        code = child.died(clock.boottime_ns())
        hung = self._silent(child)
        if child.name == "switchboard":
            self.heartbeat.end()
        else:
            self._unheard(child.name)
            self.pulses.ended(child.name)
        if self.stopping_since_ns:
            return
        if code != 0:
            why = "did not answer" if hung else f"ended with {code}"
            self._trouble(child, f"{child.name} {why} and is started again")
        if child.start_at_ns <= clock.boottime_ns():
            self.start_child(child)

    def _trouble(self, child: Child, text: str) -> None:
        child.trouble = text
        self.say(text)
        self.link.tell(supervision.ChildTrouble(child.name, text))

    def troubles(self) -> list[supervision.ChildTrouble]:
        """The present trouble of every process, and which have none: a new switchboard's alarms may be its predecessor's."""
        found = [(child.name, child.trouble) for child in self.children.values()]
        return [supervision.ChildTrouble(name, text, cleared=not text) for name, text in found] + self.pools.troubles()

    # ---- time and signals -------------------------------------------------------------------------------------

    def _timeout_s(self) -> float:
        now_ns = clock.boottime_ns()
        due = [self.next_tick_ns, self.write_at_ns or None]
        if not self.stopping_since_ns:
            due += self.pools.next_ns()
            due += [self.heartbeat.next_ns or None, *self.pulses.next_ns()]
            due += [child.start_at_ns for child in self.children.values() if child.process is None]
        return max(0.0, (min(at for at in due if at is not None) - now_ns) / 1e9)

    def _on_time(self) -> None:
        now_ns = clock.boottime_ns()
        if self.write_at_ns and now_ns >= self.write_at_ns:
            self._write_processes()
        if not self.stopping_since_ns:
            self.pools.on_time(now_ns)
            self._beat(now_ns)
            self._look_at_pulses(now_ns)
            for child in self.children.values():
                if child.process is None and child.start_at_ns <= now_ns:
                    self.start_child(child)
        if now_ns >= self.next_tick_ns:
            self.next_tick_ns = now_ns + TICK_NS
            self._tick()

    def _beat(self, now_ns: int) -> None:
        """Ask the switchboard whether it is there, and replace one that is not: nobody else can."""
        verdict, child = self.heartbeat.on_time(now_ns), self.children["switchboard"]
        if verdict is Verdict.KILL:
            self.heartbeat.next_ns = 0
        elif verdict is not Verdict.NOTHING:
            self.link.tell(supervision.AreYouThere(self.heartbeat.number))
        self._follow(verdict, child)

    def _look_at_pulses(self, now_ns: int) -> None:
        """Replace whoever of the others does not go round."""
        for name, verdict in self.pulses.due(now_ns):
            self._follow(verdict, self.children[name])

    def _follow(self, verdict: Verdict, child: Child) -> None:
        if verdict is Verdict.KILL:
            self.say(f"{child.name} does not answer and is killed")
            child.signal(signal.SIGKILL)
        elif verdict is Verdict.ALARM:
            self._trouble(child, f"{child.name} does not answer")

    def _beaten(self, name: str) -> None:
        if not self.pulses.readable(name, clock.boottime_ns()):
            self._unheard(name)

    def _unheard(self, name: str) -> None:
        """Its pipe is not read any more."""
        ours = self.pulses.ours(name)
        if ours >= 0 and ours in self.selector.get_map():
            self.selector.unregister(ours)

    def _silent(self, child: Child) -> bool:
        """Whether it is there and does not answer."""
        return self.heartbeat.silent() if child.name == "switchboard" else self.pulses.silent(child.name)

    def _tick(self) -> None:
        self.notifier.tell("WATCHDOG=1")
        if abs(self.anchor.departure_ms()) > clock.STEP_MS:
            self.anchor = clock.next_anchor(self.anchor)
            self._save_anchor()
            self.link.tell(self.link.anchored())
        for child in self.children.values():
            if self._silent(child):
                continue
            if child.trouble and child.process is not None and clock.boottime_ns() - child.started_ns > 2 * TICK_NS:
                child.trouble = ""
                self.link.tell(supervision.ChildTrouble(child.name, f"{child.name} runs again", cleared=True))
        self.pools.tick(clock.boottime_ns())
        self._reap_strangers()

    def _reap_strangers(self) -> None:
        """Workers of a template that died before it had told of them came to us with its death; they end by themselves."""
        known = {child.process.pid for child in self.children.values() if child.process is not None}
        known |= self.pools.pids()
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None or ended.si_pid in known:
                return
            self.reap(ended.si_pid)

    def _signalled(self) -> None:
        numbers = self.wakeup.recv(64)
        hung_up = signal.SIGHUP in numbers and self.at_terminal and not _has_terminal()
        if signal.SIGHUP in numbers and not hung_up:
            self.link.tell(supervision.ReloadWanted())
        if (signal.SIGTERM in numbers or signal.SIGINT in numbers or hung_up) and not self.stopping_since_ns:
            self.stopping_since_ns = clock.boottime_ns()
            self.notifier.tell("STOPPING=1")
            for child in self.children.values():
                child.signal(signal.SIGTERM)

    def _stopped(self) -> bool:
        if not self.stopping_since_ns:
            return False
        alive = [child for child in self.children.values() if child.process is not None]
        return not alive or clock.boottime_ns() - self.stopping_since_ns > STOP_LIMIT_NS

    def _clean_up(self) -> None:
        """Nothing that we started outlives us: children that did not stop in time, workers, the template."""
        for child in self.children.values():
            child.signal(signal.SIGKILL)
        workers = list(self.pools.workers())
        for worker in workers:
            _strike(worker, signal.SIGTERM)
        self.pools.end()
        limit_ns = clock.boottime_ns() + SEAL_LIMIT_NS
        for worker in workers:
            if not _ends_within(worker.pidfd, max(0.0, (limit_ns - clock.boottime_ns()) / 1e9)):
                _strike(worker, signal.SIGKILL)
            Path(worker.path).unlink(missing_ok=True)
        (self.run_dir / "processes.json").unlink(missing_ok=True)

    # ---- what others look at ----------------------------------------------------------------------------------

    def _save_anchor(self) -> None:
        try:
            clock.save(self.data_dir / "clock.json", self.anchor)
        except OSError as error:
            self.say(f"the clock anchor cannot be kept: {error}")

    def reap(self, pid: int) -> None:
        """Take a dead worker's status, unless the template was its parent and has taken it."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)

    def say(self, text: str) -> None:
        """To standard error, which may be a file on a full disk: no log library is loaded here."""
        with contextlib.suppress(OSError):
            print(f"supervisor: {text}", file=sys.stderr, flush=True)

    def note_processes(self) -> None:
        """Who is who has changed; written soon, for not every change of many at once is worth a file."""
        if not self.write_at_ns:
            self.write_at_ns = clock.boottime_ns() + WRITE_AFTER_NS

    def _write_processes(self) -> None:
        """`processes.json` in the run directory: who is who, for operators, `doctor` and tests."""
        self.write_at_ns = 0
        rows = [{"name": "supervisor", "pid": os.getpid()}]
        rows += [{"name": c.name, "pid": c.process.pid} for c in self.children.values() if c.process is not None]
        rows += self.pools.rows()
        aside = self.run_dir / "processes.new"
        try:
            aside.write_text(json.dumps(rows))
            aside.rename(self.run_dir / "processes.json")
        except OSError as error:  # a disk without room; calls do not need the file
            self.say(f"processes.json cannot be written: {error}")
            self.write_at_ns = clock.boottime_ns() + TICK_NS


def _listen(kind: socket.SocketKind, host: str, port: int, option: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    try:
        sock.bind((host, port))
    except OSError as error:
        sys.exit(f"callserver: cannot bind {host}:{port} ({error.strerror}); choose another with {option}")
    if kind == socket.SOCK_STREAM:
        sock.listen(256)
    sock.setblocking(False)
    return sock


def _signal_socket() -> socket.socket:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.detach())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return ours


def _has_terminal() -> bool:
    """Whether a terminal controls us; one that hung up does not any more, and its SIGHUP is no wish for a plan."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _become_subreaper() -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_NAME, b"callserver", 0, 0, 0)


def _strike(worker: Worker, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(worker.pidfd, number)


def _allow_descriptors() -> None:
    """As many as we may have: every leg needs two here, every connection one. Children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _ends_within(pidfd: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pidfd, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def main() -> None:
    """Entry point."""
    rank(FIRST)
    _allow_descriptors()
    sys.exit(Supervisor(Path(sys.argv[1])).run())


if __name__ == "__main__":
    main()
