"""A call worker's process: set-up that belongs to a process, then `Worker`."""

import gc
import os
import signal
import socket
import sys
import threading
import traceback

from callserver.media.call_worker.worker import Worker

SWITCH_INTERVAL_S = 0.0005  # one conference clock serves all legs; no Python thread may keep it waiting
FAILED = 70
MOST_DESCRIPTORS = 255


def run(worker_id: str, listener: socket.socket) -> None:
    """Serve one call on this listening SOCK_SEQPACKET socket; returns when the worker is over. Main thread only."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.disable()  # the engine's thread collects: no other may free what belongs to pjsua2
    _grow_descriptor_table(listener.fileno())
    threading.excepthook = _die
    worker = Worker(worker_id, listener)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


def _grow_descriptor_table(any_fd: int) -> None:
    """While there is one thread: with several, the kernel's growing the table takes some 10 ms, in the middle of a `Place`."""
    os.dup2(any_fd, MOST_DESCRIPTORS)
    os.close(MOST_DESCRIPTORS)


def _die(what: threading.ExceptHookArgs) -> None:
    """A thread that fails takes the process with it: a worker without one of them would only seem alive."""
    traceback.print_exception(what.exc_type, what.exc_value, what.exc_traceback)
    os._exit(FAILED)
