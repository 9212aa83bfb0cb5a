"""Who may ask how much, so that a flood harms its source and no help point.

Pure: time is an argument (nanoseconds). The rules, from the outside in:

- A request inside a dialog that we hold is never counted here; the caller does not ask.
- A *known* pair (an account and the host from which it last authenticated, or a trusted source) has a budget of its own.
  Its press is not asked about at all: points share addresses behind NAT, and in a mass incident all press at once.
  Its other requests above the budget get 503 with Retry-After, because a device behind it is real and can wait.
- Everything else takes a token from its source's bucket and one from the bucket of all strangers. When either is empty the
  request is dropped without a word: an answer would only help a scanner and turn us into a reflector.
  A request that then authenticates gives its tokens back, so only unauthenticated and failed ones are counted.
- A TLS handshake costs more than a request, so there are buckets for them as well, before anything is computed. Addresses from
  which somebody authenticated do not depend on the one of all: after a restart every device connects again at once.
- Failed digests lock the pair (source, account) for a while: it is challenged again without being looked at, which
  looks like any wrong password. A known pair is not locked for a press: otherwise one bad neighbour behind the
  same address would silence a point.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

SECOND_NS = 1_000_000_000


class Verdict(Enum):
    """What to do with a request."""

    SERVE = "serve"
    DROP = "drop"
    LATER = "later"  # 503 with Retry-After


@dataclass(slots=True)
class Bucket:
    """A token bucket: at most `burst` tokens, refilled at `per_s` a second."""

    per_s: float
    burst: float
    tokens: float
    at_ns: int

    def take(self, now: int) -> bool:
        """One token, if there is one."""
        self.refill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def give_back(self) -> None:
        """The token was not needed."""
        self.tokens = min(self.burst, self.tokens + 1)

    def refill(self, now: int) -> None:
        """Bring the tokens up to `now`; time that runs backwards adds nothing."""
        if now > self.at_ns:
            self.tokens = min(self.burst, self.tokens + (now - self.at_ns) * self.per_s / SECOND_NS)
            self.at_ns = now


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Budgets. The defaults let 300 devices behind one address register at once and a scanner get nowhere."""

    stranger_burst: int = 600
    stranger_per_s: float = 30.0
    all_strangers_burst: int = 5_000
    all_strangers_per_s: float = 500.0
    handshakes_burst: int = 600
    handshakes_per_s: float = 10.0
    all_handshakes_burst: int = 1_000
    all_handshakes_per_s: float = 100.0
    known_burst: int = 60
    known_per_s: float = 5.0
    failures_before_lock: int = 10
    failure_window_s: float = 60.0
    lock_s: float = 60.0
    pending_invites_each: int = 4
    pending_presses_each: int = 32  # so many of one point that wait at once are a fault of the point; they all are heard
    remembered: int = 20_000


class _Buckets:
    """Buckets by key; beyond `cap` the one that was used longest ago is forgotten."""

    def __init__(self, per_s: float, burst: float, cap: int) -> None:
        self._per_s, self._burst, self._cap = per_s, burst, cap
        self._buckets: OrderedDict[object, Bucket] = OrderedDict()

    def of(self, key: object, now: int) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._per_s, self._burst, self._burst, now)
            if len(self._buckets) > self._cap:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket


class Limits:
    """The buckets, the known pairs and the locks. See the header for the rules."""

    def __init__(self, settings: LimitSettings | None = None) -> None:
        self._settings = use = settings or LimitSettings()
        self._strangers = _Buckets(use.stranger_per_s, use.stranger_burst, use.remembered)
        self._budgets = _Buckets(use.known_per_s, use.known_burst, use.remembered)
        self._all = Bucket(use.all_strangers_per_s, use.all_strangers_burst, use.all_strangers_burst, 0)
        self._handshakes = _Buckets(use.handshakes_per_s, use.handshakes_burst, use.remembered)
        self._all_handshakes = Bucket(use.all_handshakes_per_s, use.all_handshakes_burst, use.all_handshakes_burst, 0)
        self._known: OrderedDict[str, str] = OrderedDict()
        self._failures = _Buckets(use.failures_before_lock / use.failure_window_s, use.failures_before_lock, use.remembered)
        self._locks: dict[tuple[str, str], int] = {}

    def known(self, source_host: str, user: str) -> bool:
        """Whether `user` last authenticated from this host."""
        return bool(user) and self._known.get(user) == source_host

    def stranger(self, source_host: str, now: int) -> Verdict:
        """Count a request of nobody we know (malformed ones too): SERVE or DROP."""
        if not self._strangers.of(source_host, now).take(now) or not self._all.take(now):
            return Verdict.DROP
        return Verdict.SERVE

    def handshake(self, source_host: str, now: int) -> bool:
        """Count a connection that wants TLS: whether a handshake may begin."""
        if not self._handshakes.of(source_host, now).take(now):
            return False
        return self._all_handshakes.take(now) or self.known_host(source_host)

    def known_host(self, source_host: str) -> bool:
        """Whether anybody last authenticated from this host."""
        return source_host in self._known.values()

    def acquaintance(self, source_host: str, user: str, now: int) -> Verdict:
        """Count a request, not a press, of a known pair: SERVE or LATER."""
        return Verdict.SERVE if self._budgets.of((source_host, user), now).take(now) else Verdict.LATER

    def proven(self, source_host: str, user: str, now: int) -> None:
        """`user` has authenticated from this host: it is known from now on and what it took as a stranger comes back."""
        if not self.known(source_host, user):
            for _ in range(2):  # the challenged request and the one with credentials
                self._strangers.of(source_host, now).give_back()
                self._all.give_back()
        self._known[user] = source_host
        self._known.move_to_end(user)
        if len(self._known) > self._settings.remembered:
            self._known.popitem(last=False)

    def failed(self, source_host: str, user: str, now: int) -> None:
        """A digest was wrong. Too many within the window lock the pair; a known pair's source pays as a stranger too."""
        pair = (source_host, user)
        self._strangers.of(source_host, now).take(now)
        if not self._failures.of(pair, now).take(now):
            self._locks[pair] = now + int(self._settings.lock_s * SECOND_NS)
            if len(self._locks) > self._settings.remembered:
                self._locks = {key: until for key, until in self._locks.items() if until > now}

    def locked(self, source_host: str, user: str, now: int) -> bool:
        """Whether credentials of this pair shall not even be looked at."""
        until = self._locks.get((source_host, user), 0)
        if until and until <= now:
            del self._locks[(source_host, user)]
        return until > now

    def invite_allowed(self, pending: int, press: bool) -> bool:
        """Whether an account with so many unanswered INVITEs may place another."""
        return pending < (self._settings.pending_presses_each if press else self._settings.pending_invites_each)
