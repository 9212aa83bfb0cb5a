"""Word to the service supervisor of the operating system: sd_notify(3), a datagram to a socket it names."""

import socket


class Notifier:
    """Tells systemd READY, WATCHDOG and STOPPING; does nothing where no socket is named."""

    def __init__(self, path: str) -> None:
        self.address = "\0" + path[1:] if path.startswith("@") else path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if path else None
        if self.sock is not None:
            self.sock.setblocking(False)

    def tell(self, state: str) -> None:
        """Send one state; a listener that is gone is none of our business."""
        if self.sock is None:
            return
        try:
            self.sock.sendto(state.encode(), self.address)
        except OSError:
            return
