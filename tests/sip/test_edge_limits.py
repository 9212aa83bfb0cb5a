"""The limits by themselves, with time as an argument."""

from callserver.sip.limits import Bucket, Limits, LimitSettings, Verdict
from callserver.sip.outbound import best_status

S = 1_000_000_000


def test_a_bucket_is_refilled_by_time_up_to_its_burst_and_not_by_time_that_runs_backwards() -> None:
    bucket = Bucket(per_s=2, burst=3, tokens=3, at_ns=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(S // 2)
    assert not bucket.take(S // 4)
    assert [bucket.take(100 * S) for _ in range(4)] == [True, True, True, False]


def test_a_stranger_runs_out_and_another_address_does_not_notice() -> None:
    limits = Limits(LimitSettings(stranger_burst=5, stranger_per_s=1))
    assert [limits.stranger("10.0.0.1", 0) for _ in range(6)] == [Verdict.SERVE] * 5 + [Verdict.DROP]
    assert limits.stranger("10.0.0.2", 0) is Verdict.SERVE


def test_who_authenticates_gets_its_tokens_back() -> None:
    limits = Limits(LimitSettings(stranger_burst=5, stranger_per_s=0.001))
    for number in range(100):  # as many devices behind one address, each challenged once
        assert limits.stranger("10.0.0.1", number) is Verdict.SERVE
        assert limits.stranger("10.0.0.1", number) is Verdict.SERVE
        limits.proven("10.0.0.1", f"hp{number}", number)


def test_a_known_pair_has_its_own_budget_and_is_asked_to_come_later() -> None:
    limits = Limits(LimitSettings(known_burst=2, known_per_s=1))
    limits.proven("10.0.0.1", "hp1", 0)
    assert limits.known("10.0.0.1", "hp1") and not limits.known("10.0.0.2", "hp1") and not limits.known("10.0.0.1", "")
    told = [limits.acquaintance("10.0.0.1", "hp1", 0) for _ in range(3)]
    assert told == [Verdict.SERVE, Verdict.SERVE, Verdict.LATER]
    assert limits.acquaintance("10.0.0.1", "hp2", 0) is Verdict.SERVE


def test_only_the_last_good_source_is_known() -> None:
    limits = Limits()
    limits.proven("10.0.0.1", "hp1", 0)
    limits.proven("10.0.0.2", "hp1", 1)
    assert not limits.known("10.0.0.1", "hp1") and limits.known("10.0.0.2", "hp1")


def test_handshakes_have_their_own_bounds_and_a_known_address_does_not_depend_on_all() -> None:
    limits = Limits(LimitSettings(handshakes_burst=3, handshakes_per_s=1.0, all_handshakes_burst=4, all_handshakes_per_s=0.001))
    limits.proven("10.0.0.9", "hp1", 0)
    assert [limits.handshake("10.0.0.1", 0) for _ in range(4)] == [True, True, True, False]
    assert [limits.handshake("10.0.0.2", 0) for _ in range(2)] == [True, False]
    assert [limits.handshake("10.0.0.9", 0) for _ in range(4)] == [True, True, True, False]
    assert limits.handshake("10.0.0.9", 2_000_000_000)
    assert limits.stranger("10.0.0.1", 0) is Verdict.SERVE


def test_failures_lock_the_pair_for_a_while_and_nobody_else() -> None:
    limits = Limits(LimitSettings(failures_before_lock=3, failure_window_s=60, lock_s=60))
    for _ in range(4):
        assert not limits.locked("10.0.0.1", "op1", 0)
        limits.failed("10.0.0.1", "op1", 0)
    assert limits.locked("10.0.0.1", "op1", 59 * S)
    assert not limits.locked("10.0.0.1", "op1", 60 * S)
    assert not limits.locked("10.0.0.2", "op1", 0) and not limits.locked("10.0.0.1", "op2", 0)


def test_all_strangers_together_have_a_bound() -> None:
    limits = Limits(LimitSettings(all_strangers_burst=10, all_strangers_per_s=1))
    told = [limits.stranger(f"10.0.{number}.1", 0) for number in range(12)]
    assert told == [Verdict.SERVE] * 10 + [Verdict.DROP] * 2


def test_memory_is_bounded() -> None:
    limits = Limits(LimitSettings(remembered=10))
    for number in range(1000):
        limits.stranger(f"h{number}", 0)
        limits.proven(f"h{number}", f"u{number}", 0)
    assert len(limits._strangers._buckets) == 10 and len(limits._known) == 10


def test_the_failure_that_says_most_wins() -> None:
    assert best_status([408, 486]) == 486
    assert best_status([480, 603]) == 603
    assert best_status([503, 408]) == 408
    assert best_status([]) == 480


def test_many_pending_calls_of_one_account_are_refused_and_presses_much_later() -> None:
    limits = Limits()
    assert [limits.invite_allowed(number, press=False) for number in (3, 4)] == [True, False]
    assert [limits.invite_allowed(number, press=True) for number in (31, 32)] == [True, False]
