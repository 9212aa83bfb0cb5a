"""Files that are taken away go into the journal before their first byte goes out; where it cannot be, they do not go out."""

import hashlib

from starlette.requests import HTTPConnection

from callserver.core.facts import Downloaded
from callserver.web.gate import signed_in
from callserver.web.service import service


async def tell_taken(request: HTTPConnection, what: str, content: str) -> None:
    """Whoever asks gets this text, as UTF-8. Raises `Unavailable` or `CommandRefused`."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    await service(request).notes.journalled(Downloaded(signed_in(request).user, what, digest))
