"""Digest: right credentials pass once, and each way of cheating has its own word."""

from dataclasses import replace

import pytest

from callserver.sip.protocol import digest
from callserver.sip.protocol.digest import ALGORITHMS, Claim, Credentials, Guard, NonceCounts, Refusal, Verdict
from callserver.sip.protocol.message import SipError, parse_uri

NOW = 10**15
SECOND = 10**9
GUARD = Guard(b"0123456789abcdef", "help.test", frozenset({"help.test", "127.0.0.1"}))
CLAIM = Claim("hp1", "INVITE", parse_uri("sip:help@help.test"), "192.0.2.7")


def account(algorithm: str = "MD5", user: str = "hp1", password: str = "pw") -> tuple[str, str]:
    return algorithm, digest.ha1(algorithm, user, "help.test", password)


def credentials(
    algorithm: str = "MD5", uri: str = "sip:help@help.test", password: str = "pw", nc: int = 1, method: str = "INVITE",
    user: str = "hp1", made_ns: int = NOW,
) -> Credentials:  # fmt: skip
    challenge = GUARD.challenge(algorithm, "192.0.2.7", made_ns)
    return digest.parse_credentials(digest.authorize(str(challenge), method, uri, user, password, "c0", nc))


def check(given: Credentials | None, claim: Claim = CLAIM, known: tuple[str, str] | None = None, now_ns: int = NOW) -> Verdict:
    return digest.verify(GUARD, claim, given, known or account(given.algorithm if given else "MD5"), now_ns, NonceCounts())


def sealed(given: Credentials, password: str = "pw") -> Credentials:
    """The same credentials with the response that fits them."""
    return replace(given, response=digest.response_value(given, "INVITE", account(given.algorithm, password=password)[1]))


def test_the_example_of_rfc_7616() -> None:
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    for algorithm, expected in {
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }.items():
        given = Credentials("Mufasa", "", nonce, "/dir/index.html", "", algorithm, cnonce, 1, "auth")
        known = digest.ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
        assert expected == digest.response_value(given, "GET", known)


def test_the_example_of_rfc_2617_without_qop() -> None:
    given = Credentials("Mufasa", "", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html", "")
    known = digest.ha1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    assert digest.response_value(given, "GET", known) == "670fd8c2df070c60b045671b8b24ff02"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_right_credentials_pass(algorithm: str) -> None:
    assert Verdict(True) == check(credentials(algorithm))
    for uri in ("sip:127.0.0.1:5060", "sip:help.test", "sip:help@127.0.0.1:25060;transport=tcp"):
        assert Verdict(True) == check(credentials(algorithm, uri))


def test_each_wrong_thing_has_its_own_word() -> None:
    good = credentials()
    foreign = digest.nonce(b"another secret..", NOW, "help.test", "192.0.2.7")
    elsewhere = digest.nonce(GUARD.secret, NOW, "help.test", "192.0.2.8")
    future = digest.nonce(GUARD.secret, NOW + 1, "help.test", "192.0.2.7")
    for expected, given in [
        (Refusal.NO_CREDENTIALS, None),
        (Refusal.NO_QOP, sealed(replace(good, qop=""))),
        (Refusal.NO_QOP, sealed(replace(good, qop="auth-int"))),
        (Refusal.NO_QOP, sealed(replace(good, nc=0))),
        (Refusal.NO_QOP, sealed(replace(good, cnonce=""))),
        (Refusal.OTHER_REALM, sealed(replace(good, realm="other.test"))),
        (Refusal.OTHER_USER, sealed(replace(good, user="hp2"))),
        (Refusal.OTHER_URI, credentials(uri="sip:help@evil.test")),
        (Refusal.OTHER_URI, credentials(uri="sip:police@help.test")),
        (Refusal.OTHER_URI, credentials(uri="tel:1")),
        (Refusal.OTHER_URI, credentials(uri="nothing")),
        (Refusal.OTHER_METHOD, credentials(method="REGISTER")),
        (Refusal.WRONG_RESPONSE, credentials(password="guess")),
        (Refusal.WRONG_RESPONSE, credentials(method="NO-SUCH")),
        (Refusal.WRONG_RESPONSE, replace(good, response="")),
        (Refusal.FORGED_NONCE, sealed(replace(good, nonce="x"))),
        (Refusal.FORGED_NONCE, sealed(replace(good, nonce="0" * 48))),
        (Refusal.FORGED_NONCE, sealed(replace(good, nonce=good.nonce.upper() + " "))),
        (Refusal.FORGED_NONCE, sealed(replace(good, nonce=foreign))),
        (Refusal.FORGED_NONCE, sealed(replace(good, nonce=elsewhere))),
        (Refusal.FORGED_NONCE, sealed(replace(good, nonce=future))),
        (Refusal.OLD_NONCE, credentials(made_ns=NOW - 301 * SECOND)),
    ]:
        verdict = check(given)
        assert (False, expected) == (verdict.ok, verdict.refusal), given
    assert check(credentials("MD5"), known=account("SHA-256")).refusal == Refusal.OTHER_ALGORITHM


def test_stale_is_said_only_to_who_knows_the_password() -> None:
    old = NOW - 301 * SECOND
    assert Verdict(False, Refusal.OLD_NONCE, stale=True) == check(credentials(made_ns=old))
    assert Verdict(False, Refusal.OLD_NONCE, stale=False) == check(credentials(made_ns=old, password="guess"))
    forged = digest.nonce(b"before the restart", NOW, "help.test", "192.0.2.7")
    assert check(sealed(replace(credentials(), nonce=forged))).stale
    assert not check(sealed(replace(credentials(), nonce=forged), "guess")).stale
    assert not check(credentials(method="REGISTER")).stale


def test_a_nonce_lives_as_long_as_it_should() -> None:
    given = credentials(made_ns=NOW)
    assert check(given, now_ns=NOW + 300 * SECOND).ok
    assert not check(given, now_ns=NOW + 300 * SECOND + 1).ok


def test_nc_must_grow() -> None:
    counts, known = NonceCounts(), account()
    seen = [digest.verify(GUARD, CLAIM, credentials(nc=nc), known, NOW, counts) for nc in (1, 1, 2, 5, 4, 6)]
    assert [verdict.ok for verdict in seen] == [True, False, True, True, False, True]
    assert Verdict(False, Refusal.REPLAYED, stale=True) == seen[1]


def test_a_wrong_response_does_not_use_up_the_count() -> None:
    counts = NonceCounts()
    assert not digest.verify(GUARD, CLAIM, credentials(password="guess", nc=9), account(), NOW, counts).ok
    assert digest.verify(GUARD, CLAIM, credentials(nc=1), account(), NOW, counts).ok


def test_counts_are_bounded_and_what_was_forgotten_cannot_be_replayed() -> None:
    counts = NonceCounts(limit=3)
    verdicts = [
        digest.verify(GUARD, CLAIM, credentials(made_ns=NOW + n), account(), NOW + 10, counts).ok for n in (0, 1, 2, 3, 0, 3, 4)
    ]
    assert verdicts == [True, True, True, True, False, False, True]
    assert len(counts.highest) == 3
    counts.expire(NOW + 1000 * SECOND)
    assert len(counts.highest) == 0


def test_nonces_that_are_too_old_to_be_used_are_forgotten_by_the_next_check() -> None:
    """Every registration and every press uses one: a service that runs for years keeps those of five minutes."""
    counts = NonceCounts()
    for minute in range(60):
        now = NOW + 60 * minute * SECOND
        assert digest.verify(GUARD, CLAIM, credentials(made_ns=now), account(), now, counts).ok
    assert len(counts.highest) == 6


def test_an_unknown_user_is_refused_like_a_known_one_with_a_wrong_password() -> None:
    for name in ("nobody", "hp9", "x" * 100):
        algorithm, _ = digest.unknown_account(GUARD.secret, name)
        claim = replace(CLAIM, user=name)
        given = credentials(algorithm, user=name)
        assert Verdict(False, Refusal.WRONG_RESPONSE) == digest.verify(GUARD, claim, given, ("", ""), NOW, NonceCounts())
        assert digest.unknown_account(GUARD.secret, name) == digest.unknown_account(GUARD.secret, name)
    assert set(ALGORITHMS) == {digest.unknown_account(GUARD.secret, f"u{n}")[0] for n in range(40)}


def test_even_the_dummy_secret_lets_nobody_in() -> None:
    algorithm, dummy = digest.unknown_account(GUARD.secret, "nobody")
    given = credentials(algorithm, user="nobody")
    given = replace(given, response=digest.response_value(given, "INVITE", dummy))
    assert not digest.verify(GUARD, replace(CLAIM, user="nobody"), given, ("", ""), NOW, NonceCounts()).ok


def test_a_challenge_is_read_as_it_was_written() -> None:
    for algorithm in ALGORITHMS:
        challenge = GUARD.challenge(algorithm, "192.0.2.7", NOW, stale=True)
        assert challenge == digest.parse_challenge(str(challenge))
    assert "algorithm=SHA-256" in str(GUARD.challenge("SHA-256", "h", NOW))
    assert GUARD.challenge("MD5", "a", NOW).nonce != GUARD.challenge("MD5", "b", NOW).nonce


@pytest.mark.parametrize(
    "value",
    [
        "Basic dXNlcjpwYXNz", "Digest", "Digest ", 'Digest username="a", username="b"', 'Digest username="a',
        'Digest realm="r", nonce="n", uri="u", response="r"', 'Digest username="a", realm="r", nonce="n", uri="u"',
        'Digest username="a", realm="r", nonce="n", uri="u", response="r", nc=1',
        'Digest username="a", realm="r", nonce="n", uri="u", response="r", nc=0000000g', 'Digest username="a" b, realm="r"',
        'Digest username*=UTF-8\'\'a, realm="r", nonce="n", uri="u", response="r"', "Digest ,,,", 'Digest ="a"',
    ],
)  # fmt: skip
def test_malformed_credentials_are_400(value: str) -> None:
    with pytest.raises(SipError) as caught:
        digest.parse_credentials(value)
    assert caught.value.status == 400


def test_odd_but_legal_credentials_are_read() -> None:
    given = digest.parse_credentials(
        'digest   USERNAME="a\\"b, c",realm = "r" , nonce="n",uri="sip:h?x=,y",response="AB",qop="auth",nc=0000000A,cnonce=""'
    )
    assert (
        given.user, given.realm, given.uri, given.response, given.qop, given.nc, given.algorithm,
    ) == ('a"b, c', "r", "sip:h?x=,y", "ab", "auth", 10, "MD5")  # fmt: skip


def test_the_credentials_of_our_realm_are_picked() -> None:
    mine, other = str(credentials().realm), "other.test"
    values = [f'Digest username="{realm}", realm="{realm}", nonce="n", uri="u", response="r"' for realm in (other, mine)]
    assert mine == getattr(digest.pick_credentials(values, "help.test"), "user", None)
    assert other == getattr(digest.pick_credentials(values[:1], "help.test"), "user", None)
    assert digest.pick_credentials([], "help.test") is None


def test_a_trunks_challenge_is_answered_also_in_the_old_way() -> None:
    old = digest.authorize('Digest realm="r", nonce="n"', "INVITE", "sip:1@t", "u", "p", "c")
    assert "qop" not in old and "cnonce" not in old
    new = digest.authorize('Digest realm="r", nonce="n", qop="auth-int,auth", opaque="o"', "INVITE", "sip:1@t", "u", "p", "c", 2)
    assert "qop=auth" in new and "nc=00000002" in new and 'opaque="o"' in new
    start = 'Digest realm="r", nonce="n", '
    for challenge in (start + "algorithm=MD5-sess", start + 'qop="auth-int"', "Basic x"):
        with pytest.raises(SipError):
            digest.authorize(challenge, "INVITE", "sip:1@t", "u", "p", "c")
