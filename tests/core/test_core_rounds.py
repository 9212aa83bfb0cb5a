"""A round through a party and its fallbacks leaves nobody out, whatever turns while somebody rings."""

from dataclasses import replace

from callserver.core import events as ev
from callserver.core.facts import ClockAnchored, RouteAwaited, RouteTried
from callserver.core.ids import PartyId
from callserver.core.instant import SECOND
from dialplans.model import Hours, Ladder, Party, Plan, Route, Span, Step, Trunk
from tests.core.driver import BUSY, Driver
from tests.core.plans import plan

NOON_NS = 1_781_870_400 * SECOND  # a Friday in June, 13:00 in London
CLOSES_13 = Hours("shift", (Span((0, 1, 2, 3, 4, 5, 6), 0, 13 * 60 + 1),))  # at 13:01


def place() -> Plan:
    """Civic closes at 13:01; county, by another trunk, stands in."""
    parties = {
        "civic": Party("civic", "Civic", (Route("sip:v@a", "trunk-a", 20_000),), hours="shift", fallback="county"),
        "county": Party("county", "County", (Route("sip:c@c", "trunk-c", 20_000),)),
    }
    made = replace(plan(), parties=parties, hours={"shift": CLOSES_13})
    ladder = Ladder("ladder", (Step(0, call_party="civic"),), retry_ms=5_000)
    return replace(made, ladders={"ladder": ladder, "short": ladder}, trunks={**made.trunks, "trunk-c": Trunk("trunk-c", "c")})


def ringing_civic() -> Driver:
    """Civic rings, ten seconds before it closes."""
    driver = Driver(place())
    driver.do(ev.Noted(ClockAnchored(1, "boot", NOON_NS + 50 * SECOND, driver.now, 0)))
    driver.press()
    assert driver.rung() == {"civic"}
    return driver


def test_a_party_that_closes_while_it_rings_is_followed_by_its_fallback() -> None:
    driver = ringing_civic()
    driver.after(20_000)
    assert driver.rung() == {"county"} and not driver.ever(RouteAwaited)


def test_a_party_whose_trunk_is_lost_while_it_rings_is_followed_by_its_fallback() -> None:
    """It would come last now, but it has had its turn."""
    driver = ringing_civic()
    driver.do(ev.TrunkLost("trunk-a", "no reply"))
    driver.end("civic", BUSY)
    assert driver.rung() == {"county"}
    driver.end("county", BUSY)
    assert driver.rung() == set() and len(driver.ever(RouteAwaited)) == 1


def test_the_next_round_asks_everybody_again() -> None:
    """Who was asked in one round is not left out of the next."""
    driver = ringing_civic()
    for _ in range(2):
        driver.end("civic", BUSY)
        driver.end("county", BUSY)
        driver.after(5_000)
    tried = [(fact.cycle, fact.party) for fact in driver.ever(RouteTried)]
    assert tried == [(1, "civic"), (1, "county"), (2, "civic"), (2, "county"), (3, "county")]


def test_a_person_s_wish_is_a_round_of_its_own() -> None:
    """The fallback that the ladder has just tried is tried for it as well."""
    driver = Driver(place(), "ann")
    driver.do(ev.Noted(ClockAnchored(1, "boot", NOON_NS, driver.now, 0)))
    incident = driver.press()
    driver.end("civic", BUSY)
    driver.answer("ann")
    driver.gone()
    driver.do(ev.Escalate(driver.call(incident).id, PartyId("civic"), "ann"))
    driver.end("civic", BUSY)
    assert driver.rung() == {"county"}
