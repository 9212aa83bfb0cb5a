"""Which searches are told: each distinct one, at once, and once while it goes on."""

from callserver.web.looked import MOST, WINDOW_S, Looked, canonical


def test_a_page_that_asks_again_and_again_is_one_search_however_long_it_is_open() -> None:
    looked = Looked()
    told = [looked.should_tell("anna", "calls", "point=p1", float(now)) for now in range(0, 36_000, 300)]
    assert told == [True, *[False] * (len(told) - 1)]


def test_each_other_search_is_told_at_once_even_when_the_next_one_follows_within_the_second() -> None:
    looked = Looked()
    assert looked.should_tell("anna", "calls", "words=mu", 0)
    assert looked.should_tell("anna", "calls", "words=muller", 0.2)
    assert looked.should_tell("anna", "incidents", "words=muller", 0.3)
    assert looked.should_tell("otto", "calls", "words=muller", 0.4)
    assert not looked.should_tell("anna", "calls", "words=mu", 0.5)


def test_the_same_search_is_told_again_after_a_while_and_after_the_clock_was_set_back() -> None:
    looked = Looked()
    assert looked.should_tell("anna", "calls", "", 1000)
    assert looked.should_tell("anna", "calls", "", 1000 + WINDOW_S)
    assert looked.should_tell("anna", "calls", "", 10)


def test_what_is_forgotten_costs_another_fact_never_one_too_few() -> None:
    looked = Looked()
    assert all(looked.should_tell("anna", "calls", f"words={n}", 0) for n in range(MOST + 1))
    assert looked.should_tell("anna", "calls", "words=0", 1)
    assert not looked.should_tell("anna", "calls", f"words={MOST}", 1)


def test_equal_searches_are_equal_texts_and_pages_do_not_count() -> None:
    asked = {"words": "pier & sea", "point": "p1", "limit": 50, "before": 7, "operator": None, "open": False, "least": 0}
    assert canonical(asked) == "least=0&point=p1&words=pier+%26+sea" == canonical(dict(reversed(asked.items())))
