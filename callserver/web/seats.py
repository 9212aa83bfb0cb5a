"""The pages that are seats (`/api/seat`): which socket speaks for which seat, and what passes between page and switchboard.

A seat's id is made here and bound to its operator by a key that outlives the web process: a page keeps it over a reload or a lost
connection and nobody else can use it. Which of an operator's seats counts is the switchboard's to say (`displaced`); here only
one socket at a time speaks for one seat, the newest.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from callserver.feed import Item, Message, SeatClosed, SeatOpened, SeatSaid
from callserver.web.outlet import Outlet

_KEY_BYTES = 32
_ENCODER = msgspec.json.Encoder()


class SeatIds:
    """Makes ids `s-` and 24 letters and digits, and knows its own again."""

    def __init__(self, file: Path) -> None:
        self._key = _kept_key(file)

    def new(self, operator: str) -> str:
        """An id that nobody had before."""
        return self._signed(_letters(secrets.token_bytes(5)), operator)

    def knows(self, seat: str, operator: str) -> bool:
        """Whether this id was made for this operator."""
        return hmac.compare_digest(seat.encode(), self._signed(seat[2:10], operator).encode())

    def _signed(self, start: str, operator: str) -> str:
        mark = hmac.digest(self._key, f"{start} {operator}".encode(), hashlib.sha256)
        return f"s-{start}{_letters(mark[:10])}"


@dataclass(eq=False, slots=True)
class SeatPage:
    """One socket and the seat that it speaks for."""

    seat: str
    operator: str
    outlet: Outlet


class Seats:
    """See the module. `say` gives a message to the switchboard and tells whether it could."""

    def __init__(self, say: Callable[[Message], bool]) -> None:
        self._say = say
        self._pages: dict[str, SeatPage] = {}

    def __len__(self) -> int:
        return len(self._pages)

    def opened(self, page: SeatPage) -> None:
        """The page speaks for its seat from now on; an older one of the same seat does not any more."""
        older = self._pages.get(page.seat)
        if older is not None:
            tell(older, {"type": "displaced", "why": "this seat is open in another page"})
            older.outlet.close(1000, "displaced")
        self._pages[page.seat] = page
        self._say(SeatOpened(page.seat, page.operator))

    def said(self, page: SeatPage, message: Item) -> bool:
        """Pass on what the page said; False while the switchboard is away. A displaced page is not heard."""
        return self._pages.get(page.seat) is not page or self._say(SeatSaid(page.seat, message))

    def closed(self, page: SeatPage) -> None:
        """The page's socket is gone."""
        if self._pages.get(page.seat) is page:
            del self._pages[page.seat]
            self._say(SeatClosed(page.seat))

    def told(self, seat: str, message: Item) -> None:
        """The switchboard tells a seat something."""
        page = self._pages.get(seat)
        if page is not None:
            tell(page, message)

    def reopen(self) -> None:
        """The switchboard is there anew: say again who is here."""
        for page in self._pages.values():
            self._say(SeatOpened(page.seat, page.operator))


def tell(page: SeatPage, message: Item) -> None:
    """Send the page a message."""
    page.outlet.put(_ENCODER.encode(message).decode())


def _letters(some: bytes) -> str:
    return base64.b32encode(some).decode().lower()


def _kept_key(file: Path) -> bytes:
    """The key of a predecessor, else a new one, kept where possible: without it seats do not outlive the web process."""
    try:
        key = file.read_bytes()
    except OSError:
        key = b""
    if len(key) == _KEY_BYTES:
        return key
    key = secrets.token_bytes(_KEY_BYTES)
    aside = file.with_suffix(".new")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as out:
            out.write(key)
        aside.replace(file)
    except OSError:
        return key
    return key
