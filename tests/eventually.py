"""The one way in which tests wait: look again and again until it is so, or fail after a limit."""

import asyncio
import inspect
import time
from collections.abc import Callable


async def eventually(condition: Callable[[], object], within_s: float, every_s: float = 0.02) -> object:
    """Return the first truthy result of `condition()`; AssertionError after `within_s` seconds.

    An AssertionError raised inside counts as not yet. A result that can be awaited is awaited.
    """
    deadline = time.monotonic() + within_s
    while True:
        result = _look(condition)
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {getattr(condition, '__name__', condition)} (last: {result!r})")
        await asyncio.sleep(every_s)


def eventually_sync(condition: Callable[[], object], within_s: float, every_s: float = 0.02) -> object:
    """The same without an event loop."""
    deadline = time.monotonic() + within_s
    while True:
        result = _look(condition)
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {getattr(condition, '__name__', condition)} (last: {result!r})")
        time.sleep(every_s)


def _look(condition: Callable[[], object]) -> object:
    try:
        return condition()
    except AssertionError:
        return None
