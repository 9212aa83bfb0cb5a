"""Searches go into the journal. None is refused because the journal is slow: they are told as soon as it takes them."""

from collections.abc import Mapping

from starlette.requests import HTTPConnection

from callserver.core.facts import Searched
from callserver.web.gate import signed_in
from callserver.web.looked import canonical
from callserver.web.service import service


def tell_search(request: HTTPConnection, of: str, filters: Mapping[str, object], found: int) -> None:
    """Somebody searched `of` (calls, incidents, looks) by these filters, and the first page held `found`.

    Later pages are part of it: they differ in `limit` and `before` alone, which do not count.
    """
    the, by, what = service(request), signed_in(request).user, canonical(filters)
    if the.looked.should_tell(by, of, what, the.now_s()):
        the.notes.soon(Searched(by, of, what, found))
