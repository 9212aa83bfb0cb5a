"""Times as the API writes them, RFC 3339 in UTC to the millisecond; and as it takes them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NS = 2**63 - 1


def rfc3339(utc_ns: int | None) -> str | None:
    """`2026-03-01T12:00:00.250Z` for nanoseconds since 1970 UTC; None stays None."""
    if utc_ns is None:
        return None
    whole_s, rest_ns = divmod(utc_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole_s, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03d}Z"


def utc_ns(time: datetime | None) -> int | None:
    """A time as the store holds it: those of other centuries are its first or last moment. None stays None."""
    if time is None:
        return None
    return max(-_MOST_NS, min(_MOST_NS, (time - _EPOCH) // timedelta(microseconds=1) * 1000))
