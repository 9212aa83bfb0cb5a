"""Times as the API writes them: RFC 3339 in UTC, to the millisecond."""

from datetime import UTC, datetime


def rfc3339(utc_ns: int | None) -> str | None:
    """`2026-03-01T12:00:00.250Z` for nanoseconds since 1970 UTC; None stays None."""
    if utc_ns is None:
        return None
    whole_s, rest_ns = divmod(utc_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole_s, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03d}Z"
