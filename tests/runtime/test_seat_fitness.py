"""When a browser seat is one, and when a conversation at it is given up: by signs and the time alone."""

import pytest

from callserver.core.instant import SECOND
from callserver.runtime.seat_fitness import (
    BEAT_IDLE_NS,
    BEAT_TALKING_NS,
    GIVE_UP_NS,
    PAGE_AWAY_NS,
    RETURN_NS,
    Signs,
    given_up,
    unfit,
)

NOW = 1_000 * SECOND


def proven(**changes: object) -> Signs:
    """A seat in the best of health."""
    signs = Signs(page=True, page_ns=NOW - 60 * SECOND, beat_ns=NOW, heard=True)
    for name, value in changes.items():
        setattr(signs, name, value)
    return signs


def test_a_seat_is_fit_only_when_everything_is_proven() -> None:
    """Packets, page, beats, no trouble."""
    assert unfit(proven(), True, NOW) == ""
    assert unfit(Signs(page=True, page_ns=NOW, beat_ns=NOW), False, NOW) == "its sound is not proven yet"
    assert "unplugged" in unfit(proven(troubles={"microphone": "unplugged"}), False, NOW)


@pytest.mark.parametrize(("busy", "limit_ns"), [(True, BEAT_TALKING_NS), (False, BEAT_IDLE_NS)])
def test_a_frozen_page_is_known_sooner_in_a_call(busy: bool, limit_ns: int) -> None:
    """Though its sound engine goes on sending packets."""
    assert unfit(proven(beat_ns=NOW - limit_ns), busy, NOW) == ""
    assert "frozen" in unfit(proven(beat_ns=NOW - limit_ns - 1), busy, NOW)


def test_the_limits_hold_the_promise() -> None:
    """Known and given up within 2 s of silence in a call (packets: 1.2 s at most), within 10 s idle."""
    assert 1_200_000_000 + GIVE_UP_NS <= 2 * SECOND
    assert BEAT_IDLE_NS <= 10 * SECOND


def test_a_page_whose_connection_is_away_is_fit_for_a_while() -> None:
    """As when the web process is replaced: no beat can come, packets do."""
    signs = proven(page=False, page_ns=NOW, beat_ns=NOW - BEAT_IDLE_NS)
    assert unfit(signs, True, NOW + PAGE_AWAY_NS) == ""
    assert "lost" in unfit(signs, True, NOW + PAGE_AWAY_NS + 1)


def test_a_conversation_is_given_up_soon_unless_the_page_comes_back() -> None:
    """A page that lives and connects anew gets longer; one with a broken microphone does not."""
    assert not given_up(proven(), NOW)
    gone = proven(page=False, page_ns=NOW, heard=False, unfit_ns=NOW)
    assert not given_up(gone, NOW + GIVE_UP_NS - 1) and given_up(gone, NOW + GIVE_UP_NS)
    back = proven(heard=False, unfit_ns=NOW, beat_ns=NOW + RETURN_NS)
    assert not given_up(back, NOW + RETURN_NS - 1) and given_up(back, NOW + RETURN_NS)
    deaf = proven(troubles={"microphone": "gone"}, unfit_ns=NOW, beat_ns=NOW + GIVE_UP_NS)
    assert given_up(deaf, NOW + GIVE_UP_NS)
    frozen = proven(unfit_ns=NOW, beat_ns=NOW - BEAT_TALKING_NS)
    assert given_up(frozen, NOW + GIVE_UP_NS)
