"""What names of hosts resolve to (RFC 3263 4.2: A records; neither SRV nor NAPTR are asked for).

Where no resolver answers, the last address counts: a name that was good an hour ago is better than no call.
"""

import asyncio
from collections.abc import Callable

import structlog

from callserver.sip.routes import is_address

log = structlog.get_logger(__name__)

PATIENCE_S = 4.0


class Addresses:
    """Names looked up in threads, each once at a time."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._asked: dict[str, asyncio.Task[str]] = {}
        self._told: set[asyncio.Task[None]] = set()

    def names(self, address: str) -> tuple[str, ...]:
        """The names that were found to be this address."""
        return tuple(name for name, known in self._known.items() if known == address)

    async def find(self, host: str) -> str:
        """The IPv4 address of a host. Raises OSError when there is none and never was."""
        if is_address(host):
            return host
        if host not in self._asked:
            self._asked[host] = asyncio.get_running_loop().create_task(self._look_up(host))
            self._asked[host].add_done_callback(lambda task: self._asked.pop(host, None))
        task = self._asked[host]
        await asyncio.wait({task}, timeout=PATIENCE_S)
        if task.done() and not task.cancelled() and task.exception() is None:
            return task.result()
        log.warning("name_not_resolved", host=host, known=self._known.get(host, ""))
        if host not in self._known:
            raise OSError(f"the name {host} cannot be resolved")
        return self._known[host]

    async def _look_up(self, host: str) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(host, 0, family=2)
        addresses = [str(entry[4][0]) for entry in found]
        if self._known.get(host) not in addresses:  # one of several stays the same: a connection may be there
            self._known[host] = addresses[0]
        return self._known[host]

    def then(self, host: str, use: Callable[[str], None]) -> None:
        """`use` its address, at once where it is one already; "" when it cannot be resolved."""
        if is_address(host):
            use(host)
            return
        task = asyncio.get_running_loop().create_task(self._find_and_use(host, use))
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    async def _find_and_use(self, host: str, use: Callable[[str], None]) -> None:
        try:
            address = await self.find(host)
        except OSError:
            address = ""
        use(address)

    def stop(self) -> None:
        """Nobody waits for an answer any more."""
        for task in (*self._told, *self._asked.values()):
            task.cancel()
