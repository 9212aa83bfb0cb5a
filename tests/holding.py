"""What an object holds, for tests that what is over leaves nothing: each container below it with its length, and all words."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping

_CONTAINERS = (dict, list, set, frozenset, tuple, deque)
_OURS = "callserver."


def held(root: object, *, apart: tuple[str, ...] = ()) -> Counter[str]:
    """Path -> entries of all containers that have this path, from `root` on through objects of ours; empty ones are left out.

    An element has its container's path with `[]`, so that entries of the same kind are counted together. Paths that have a word
    of `apart` are left out with all that lies below. What two paths lead to is counted at the first.
    """
    found: Counter[str] = Counter()
    for path, one in _walk(root, apart):
        if isinstance(one, _CONTAINERS) and one:
            found[path] += len(one)
    return found


def words(root: object, *, apart: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(path, text) of every text below `root`, keys too; see `held`."""
    return ((path, one) for path, one in _walk(root, apart) if isinstance(one, str))


def grown(before: Counter[str], after: Counter[str]) -> dict[str, tuple[int, int]]:
    """The paths below which more is held than before, with both lengths."""
    return {path: (before[path], after[path]) for path in sorted(after) if after[path] > before[path]}


def _walk(root: object, apart: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    seen: set[int] = set()
    waiting: deque[tuple[str, object]] = deque([("", root)])
    while waiting:
        path, one = waiting.popleft()
        if any(word in path for word in apart):
            continue
        if isinstance(one, str):
            yield path, one
        elif id(one) not in seen:
            seen.add(id(one))
            yield path, one
            waiting.extend(_below(path, one))


def _below(path: str, one: object) -> Iterator[tuple[str, object]]:
    if isinstance(one, _CONTAINERS):
        yield from ((f"{path}[]", each) for each in one)
    if isinstance(one, dict):
        yield from ((f"{path}[]", each) for each in one.values())
    if type(one).__module__.startswith(_OURS):
        yield from ((f"{path}.{name}", value) for name, value in _parts(one))


def _parts(one: object) -> Iterator[tuple[str, object]]:
    own: Mapping[str, object] = getattr(one, "__dict__", {})
    yield from own.items()
    for kind in type(one).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(one, name):
                yield name, getattr(one, name)
