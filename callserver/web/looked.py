"""Which searches were journalled lately, so that a page that asks again and again is one search.

Told is each distinct search of an account, at once, and not again while it goes on. Nothing is held back to see whether
another one follows: what was asked was looked at, even if only for a second.
"""

from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import urlencode

Search = tuple[str, str, str]  # account, what of, filters

WINDOW_S = 600.0
MOST = 5_000
PAGING = frozenset({"limit", "before"})


class Looked:
    """In memory, bounded; forgetting one costs another fact, never one too few."""

    def __init__(self) -> None:
        self._at: OrderedDict[Search, float] = OrderedDict()

    def should_tell(self, by: str, of: str, what: str, now_s: float) -> bool:
        """Whether this search is another one than those of the last while; who asks tells it then."""
        search = (by, of, what)
        at = self._at.get(search)
        self._at[search] = now_s
        self._at.move_to_end(search)
        while len(self._at) > MOST:
            self._at.popitem(last=False)
        return at is None or not 0 <= now_s - at < WINDOW_S


def canonical(filters: Mapping[str, object]) -> str:
    """Filters as a query string: sorted by name, without what is empty or only pages, so that equal searches are equal texts."""
    given = {name: str(value) for name, value in filters.items() if name not in PAGING and value is not None}
    return urlencode(sorted((name, value) for name, value in given.items() if value not in ("", "False")))
