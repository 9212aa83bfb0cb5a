"""The way of a message: by what, to or from where, over which connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a message came from or goes to. `connection` is 0 for UDP, and for TCP and TLS when any connection will do.

    `name` is who the other side of TLS must prove to be, by an authority of the file `ca` ("": the system's): it is there where
    we connect, and empty where a device has connected to us, which nobody can do in its place.
    """

    kind: str  # udp | tcp | tls
    host: str
    port: int
    connection: int = 0
    name: str = ""
    ca: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.host}:{self.port}"

    @property
    def stream(self) -> bool:
        """Whether it is a connection: reliable, in order, and its answers come back on it."""
        return self.kind != "udp"

    @property
    def far(self) -> tuple[str, str, int, str]:
        """The other side, by whichever connection."""
        return self.kind, self.host, self.port, self.name
