"""A pool's forkserver: everything its workers need is imported here once, so that a worker is a fork away.

    python -m callserver.media.template --control-fd N --run-dir DIR [--kind call|seat] [--addresses A,B] [--ports LOW-HIGH]

Over the control descriptor (SOCK_SEQPACKET): `spawn <worker id>` is answered by `<worker id> <pid>`, at which moment the
worker listens on `DIR/workers/<worker id>.sock`; a refusal by
`<worker id> 0`, with the reason on standard error. End of file ends the template, its
workers live on. Libraries are imported but never initialised here, and no thread is ever started: both would not survive a fork.
"""

import argparse
import contextlib
import ctypes
import gc
import os
import re
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from callserver.media.urgency import ORDINARY, rank

_PR_SET_DUMPABLE, _PR_SET_NAME = 4, 15
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BACKLOG = 4
FAILED = 70
_libc = ctypes.CDLL(None, use_errno=True)

Body = Callable[[str, socket.socket], None]
"""What a worker does for all its life, given its id and its listening socket."""


def spawn(worker_id: str, run_dir: Path, kind: str, body: Body) -> int:
    """Fork a worker that listens already; its pid. `ValueError` or OSError when it cannot be."""
    if not _ID.fullmatch(worker_id):
        raise ValueError("a worker's id has 1 to 64 letters, digits, - and _")
    path = run_dir / "workers" / f"{worker_id}.sock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
        pid = os.fork()
        if pid == 0:
            _child(worker_id, listener, kind, body)
    return pid


def _child(worker_id: str, listener: socket.socket, kind: str, body: Body) -> None:
    """Never returns. Descriptors of the template are closed: an inherited one would hide a sibling's death."""
    code = FAILED
    try:
        kept = os.dup2(listener.detach(), 3) if listener.fileno() != 3 else listener.detach()
        os.closerange(4, 1 << 20)
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # with the limit: a death is not delayed by a core dump
        _libc.prctl(_PR_SET_NAME, f"cs-{kind}-{worker_id}".encode(), 0, 0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        body(worker_id, socket.socket(fileno=kept))
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)  # no interpreter's end: pjsua2 does not outlive it


def serve(control: socket.socket, run_dir: Path, kind: str, body: Body) -> None:
    """Answer requests until end of file."""
    while request := control.recv(1_024):
        word, _, worker_id = request.decode("utf-8", "replace").partition(" ")
        try:
            if word != "spawn":
                raise ValueError("only `spawn` is known")
            answer = f"{worker_id} {spawn(worker_id, run_dir, kind, body)}"
        except (ValueError, OSError) as fault:
            with contextlib.suppress(OSError):  # a log on a full disk
                sys.stderr.write(f"{__name__}: {request!r} refused: {fault}\n")
            answer = f"{worker_id} 0"
        try:
            control.send(answer.encode())
        except ConnectionError:
            return  # who asked is gone; the worker waits for who comes


def call_body() -> Body:
    """A call worker's life; its engine is loaded now."""
    from callserver.media.call_worker import main as call_worker

    return call_worker.run


def seat_body(addresses: str, ports: str) -> Body:
    """A seat worker's life with these addresses of ours ("": all) and UDP ports ("": any); its libraries are loaded now."""
    from callserver.media.seat_worker import main as seat_worker

    low, _, high = ports.partition("-")
    known = tuple(one for one in addresses.split(",") if one) or seat_worker.own_addresses()
    usable = range(int(low), int(high) + 1) if ports else range(0)
    return lambda worker_id, listener: seat_worker.run(worker_id, listener, known, usable)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="callserver.media.template", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--control-fd", type=int, required=True, help="a SOCK_SEQPACKET socket")
    parser.add_argument("--run-dir", type=Path, required=True, help="where workers/ is made")
    parser.add_argument("--kind", choices=("call", "seat"), default="call", help="what its workers carry")
    parser.add_argument("--addresses", default="", help="seats: our addresses for browsers, with commas; all by default")
    parser.add_argument("--ports", default="", help="seats: UDP ports for browsers, LOW-HIGH; any by default")
    options = parser.parse_args()
    rank(ORDINARY)  # the supervisor's own is not the workers'
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps; the supervisor watches pidfds
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # pjsua2 greets on standard output
    body = call_body() if options.kind == "call" else seat_body(options.addresses, options.ports)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=options.control_fd) as control:
        serve(control, options.run_dir.absolute(), options.kind, body)


if __name__ == "__main__":
    main()
