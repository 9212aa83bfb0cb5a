"""Listening closer, in Chromium: spans again and again, silence skipped, sides levelled, one party's track, what was heard."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from callserver.config import Config
from tests.eventually import eventually_sync
from tests.replay import night
from tests.replay.conftest import SCREENS, Open, Served, served
from tests.replay.night import APART, CALL, HEARD_HZ, POINT_HZ, POLICE_HZ
from tests.replay.test_page import EAR, at_second, click_at, hears, listen
from tests.web.desk import config_in

pytestmark = pytest.mark.real

WHISPER, SHOUT = 1 / 30, 2.5  # of the night's voice: -40 dBFS, and what nearly clips
UNRECORDED_S = (94.0, 98.0)  # neither side has a record there
SILENT_S = ((3.0, 9.5), (34.0, 46.0), (82.0, 84.0), UNRECORDED_S)  # nobody speaks for longer than a second; and from 150 on
EDGE_S = 0.2
LATE_S = 0.1

JUMPS = """
// Every place that the page puts the sound to: [from, to], seconds. And how loud each ear is.
const place = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "currentTime");
window.jumps = [];
Object.defineProperty(HTMLMediaElement.prototype, "currentTime", { ...place, set(to) {
  window.jumps.push([place.get.call(this), to]);
  place.set.call(this, to);
} });
window.loudest = async (side) => {
  await new Promise((done) => setTimeout(done, 300)); // what an analyser looks back to is over
  const until = performance.now() + 1500;
  const samples = new Float32Array(4096);
  let loudest = 0;
  while (performance.now() < until) {
    window.ears[side].getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples.map(Math.abs));
    await new Promise((done) => setTimeout(done, 40));
  }
  return loudest;
};
"""


@pytest.fixture(scope="module")
def night_config() -> Iterator[Config]:
    """The night, but its point whispers and is shouted at, on lines with their own noise; for four seconds there is no record."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        rng = np.random.default_rng(7)
        sides = []
        for loud, hz, says in ((WHISPER, POINT_HZ, night.POINT_SAYS), (SHOUT, HEARD_HZ, night.POINT_HEARS)):
            side = night.voice(hz, says, night.SOUND_S) * loud + rng.choice((-3, 3), round(night.SOUND_S * night.RATE_HZ))
            side[round(UNRECORDED_S[0] * night.RATE_HZ) : round(UNRECORDED_S[1] * night.RATE_HZ)] = 0
            sides.append(np.round(side).astype(np.int16))
        night.record(config.storage.recordings, CALL, sides, night.NIGHT_NS + round(night.BEGAN_S * night.SECOND))
        yield config


@pytest.fixture
def service(night_config: Config, request: pytest.FixtureRequest) -> Iterator[Served]:
    """The service of one test; with four eyes where the test says so."""
    evidence = night_config.evidence.model_copy(update={"four_eyes": getattr(request, "param", False)})
    with served(night_config.model_copy(update={"evidence": evidence})) as it:
        yield it


def opened(open_page: Open) -> Page:
    """The page of the long call, listening to the loudspeaker and to jumps."""
    page = open_page(f"#call={CALL}", before=EAR + JUMPS)
    page.locator(".stage .mark").first.wait_for()
    return page


def playing(open_page: Open, second: float) -> Page:
    """The same, with the sound on its way from there."""
    page = opened(open_page)
    click_at(page, second)
    listen(page)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_function("() => window.first_ms")
    return page


def jumps_to(page: Page, second: float, times: int = 1) -> list[float]:
    """Until the sound was put there so often; from where it was."""
    script = """([to, times]) => {
        const all = jumps.filter((one) => Math.abs(one[1] - to) < 0.15);
        return all.length >= times && all;
    }"""
    found: list[list[float]] = page.wait_for_function(script, arg=[second, times], timeout=15_000).json_value()
    return [before for before, _after in found]


def passes(page: Page, clock: str) -> None:
    """Until the clock of the player has passed that."""
    page.wait_for_function("(clock) => document.querySelector('.where .offset').textContent > clock", arg=clock)


def draw(page: Page, begin: float, end: float) -> None:
    """With the mouse over the waveform, from one second of the recording to another."""
    places = page.evaluate(
        """(seconds) => {
            const ticks = [...document.querySelectorAll(".tick")].map((one) => [
                one.lastChild.textContent.split(":").reduce((sum, part) => sum * 60 + Number(part), 0),
                Number(one.style.getPropertyValue("--left"))]);
            const [a, b] = [ticks[0], ticks[ticks.length - 1]];
            return seconds.map((second) => a[1] + ((second - a[0]) / (b[0] - a[0])) * (b[1] - a[1]));
        }""",
        [begin, end],
    )
    box = page.locator(".plot .wave").bounding_box()
    assert box is not None
    first, last = (box["x"] + share * box["width"] for share in places)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(first, middle)
    page.mouse.down()
    page.mouse.move((first + last) / 2, middle, steps=3)
    page.mouse.move(last, middle, steps=3)
    page.mouse.up()


def span_of(page: Page) -> tuple[float, float]:
    """The chosen span as the page says it, seconds."""
    words = page.locator(".closer-words").inner_text().split("  ·  ")[0].split()
    begin, end = (sum(float(part) * factor for part, factor in zip(one.split(":"), (60, 1), strict=True)) for one in words[1::2])
    return begin, end


def test_a_drawn_span_is_looped_until_it_is_cleared(open_page: Open) -> None:
    """Back to its beginning within a tenth of a second of its end, again and again; Esc clears it before it leaves the call."""
    page = opened(open_page)
    draw(page, 100, 103)
    begin, end = span_of(page)
    assert (begin, end) == (pytest.approx(100, abs=0.3), pytest.approx(103, abs=0.3))
    expect(page.locator("#said")).to_contain_text("Span chosen: 1:")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Loop the span")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#said")).to_contain_text("Loop on")
    page.evaluate("jumps.length = 0")
    page.keyboard.press("Space")
    listen(page)
    page.keyboard.press("1")
    hears(page, POINT_HZ, POINT_HZ)
    before = [at for at in jumps_to(page, begin, 3) if at > begin + 1]
    assert len(before) >= 2
    assert all(end - 0.05 <= at <= end + LATE_S for at in before), before
    hears(page, POINT_HZ, POINT_HZ)
    page.keyboard.press("Escape")
    expect(page.locator(".chosen")).to_have_count(0)
    passes(page, f"1:{end - 60 + 1:04.1f}")
    page.keyboard.press("Escape")
    page.locator(".found table").wait_for()


def test_keys_set_the_span_where_the_sound_is(open_page: Open) -> None:
    """I and O, before anything is played; too short is none, X clears, L without one says what to do."""
    page = opened(open_page)
    page.keyboard.press("l")
    expect(page.locator("#said")).to_contain_text("Choose a span first")
    for key in ("ArrowRight", "ArrowRight", "i", "ArrowRight", "o", "l"):
        page.keyboard.press(key)
    expect(page.locator(".closer-words")).to_contain_text("Loops 0:10.0 to 0:15.0")
    assert at_second(page) == pytest.approx(10, abs=0.1)
    page.keyboard.press("x")
    expect(page.locator(".closer-words")).to_have_text("Sound as recorded")
    expect(page.get_by_role("button", name="Loop the span")).to_have_attribute("aria-pressed", "false")


def test_silence_is_hopped_when_wanted_and_the_clock_stays_the_recordings(open_page: Open) -> None:
    """Never by itself; then to a fifth of a second before the next sound; what was never recorded is told apart."""
    page = playing(open_page, 93)
    expect(page.get_by_role("button", name="Skip silence")).to_have_attribute("aria-pressed", "false")
    passes(page, "1:35.0")
    page.evaluate("jumps.length = 0")
    page.keyboard.press("s")
    before = jumps_to(page, UNRECORDED_S[1] - EDGE_S)
    assert 95 <= before[0] < 97
    expect(page.locator("#said")).to_contain_text("in which nothing came from one side or both")
    hears(page, POINT_HZ, 0)
    assert 98 <= at_second(page) < 103
    whole_s = sum(end - begin - 2 * EDGE_S for begin, end in SILENT_S) + 2 - EDGE_S
    missing_s = UNRECORDED_S[1] - UNRECORDED_S[0] - 2 * EDGE_S
    words = f"Skips 0:{whole_s:04.1f} in {len(SILENT_S) + 1} places, in 0:{missing_s:04.1f} of it nothing came"
    expect(page.locator(".closer-words")).to_contain_text(words)
    click_at(page, 81.5)
    (left,) = jumps_to(page, 84 - EDGE_S)
    assert 82 + EDGE_S - 0.01 <= left <= 82 + EDGE_S + LATE_S
    expect(page.locator("#said")).to_contain_text("of silence")


def test_a_whisper_is_brought_up_beside_a_shout_and_nothing_clips(open_page: Open) -> None:
    """As much as the page says, and by hand; V again is the sound as it was recorded."""
    page = playing(open_page, 99)
    page.keyboard.press("1")
    hears(page, POINT_HZ, POINT_HZ)
    as_recorded = page.evaluate("loudest(0)")
    page.keyboard.press("v")
    expect(page.locator(".closer-words")).to_contain_text("dB heard; the recording itself is not changed")
    expect(page.locator("#said")).to_contain_text("Levelled: +24 dB point, −")
    click_at(page, 99)
    hears(page, POINT_HZ, POINT_HZ)
    levelled = page.evaluate("loudest(0)")
    assert 20 * np.log10(levelled / as_recorded) == pytest.approx(24, abs=2)
    page.keyboard.press("v")
    expect(page.locator(".closer-words")).to_have_text("Sound as recorded")
    click_at(page, 99)
    assert 20 * np.log10(page.evaluate("loudest(0)") / as_recorded) == pytest.approx(0, abs=1)
    page.keyboard.press("2")
    page.get_by_role("slider", name="Heard").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("slider", name="Heard")).to_have_attribute("aria-valuetext", "+24 dB")
    expect(page.get_by_role("button", name="Level the sides")).to_have_attribute("aria-pressed", "true")
    click_at(page, 115)
    hears(page, HEARD_HZ, HEARD_HZ)
    assert 0.3 < page.evaluate("loudest(0)") <= 1


def test_one_partys_track_is_heard_at_its_own_time_and_nobody_else(open_page: Open, service: Served) -> None:
    """The police at their second; the operator speaking apart, which the point never heard and which is no silence then."""
    page = playing(open_page, 99)
    hears(page, POINT_HZ, 0)
    page.get_by_label("Track").select_option("Police control room alone")
    page.wait_for_load_state("networkidle")
    click_at(page, 100.3)
    hears(page, POLICE_HZ, POLICE_HZ)
    assert 100 <= at_second(page) < 104.5
    click_at(page, 67.3)
    hears(page, POLICE_HZ, POLICE_HZ)
    assert 67 <= at_second(page) < 71.5
    click_at(page, 86)
    hears(page, 0, 0)
    page.locator("h1").click()
    page.keyboard.press("s")
    page.keyboard.press("Shift+T")
    expect(page.locator(".gutter .alone")).not_to_have_text("Police control room")
    click_at(page, APART[0] + 0.3)
    hears(page, HEARD_HZ, HEARD_HZ)
    assert APART[0] <= at_second(page) < APART[1] + 0.5
    assert set(service.reasons()) == {"Complaint: 4711"}


@pytest.mark.parametrize("service", [True], indirect=True)
def test_with_four_eyes_the_page_says_what_to_do_for_a_track(open_page: Open) -> None:
    """The service refuses it; the whole call is still there to be heard."""
    page = playing(open_page, 99)
    page.keyboard.press("t")
    expect(page.get_by_role("alert")).to_contain_text("Ask for it with E")
    expect(page.get_by_label("Track")).to_have_value("")
    click_at(page, 99)
    listen(page)
    hears(page, POINT_HZ, 0)


@pytest.mark.parametrize("key", ["t", " "], ids=["another-track", "pause"])
def test_who_is_signed_out_elsewhere_hears_no_more(open_page: Open, service: Served, key: str) -> None:
    """At the next thing that the service is asked or told."""
    page = playing(open_page, 99)
    assert page.request.delete(f"http://127.0.0.1:{service.port}/api/session").ok
    page.keyboard.press(key)
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)


def test_what_was_really_heard_is_told_and_what_does_not_arrive_is_told_with_the_next(open_page: Open, service: Served) -> None:
    """At a pause and at leaving: from where to where, without what was skipped; with the reason. A failure disturbs nothing."""
    page = opened(open_page)
    told: list[dict[str, Any]] = []
    page.on("request", lambda request: told.append(request.post_data_json) if request.url.endswith("/played") else None)
    page.route("**/played", lambda route: route.fulfill(status=503))
    page.keyboard.press("s")
    click_at(page, 93.5)
    listen(page)
    jumps_to(page, UNRECORDED_S[1] - EDGE_S)
    hears(page, POINT_HZ, 0)
    with page.expect_request("**/played"):
        page.keyboard.press("Space")
    first = told[-1]
    assert (first["reason"], first["leg"], len(first["spans"])) == ("Complaint: 4711", "", 2)
    (one, hop), (landed, paused) = first["spans"]
    assert (one, hop) == (pytest.approx(93_500, abs=400), pytest.approx(94_200, abs=150))
    assert landed == pytest.approx(97_800, abs=150)
    assert paused == pytest.approx(at_second(page) * 1000, abs=150)
    page.unroute("**/played")
    click_at(page, 115)
    passes(page, "1:55.6")
    with page.expect_request("**/played"):
        page.keyboard.press("Space")
    spans = told[-1]["spans"]
    assert spans[:2] == first["spans"]
    assert spans[2][0] == pytest.approx(115_000, abs=400)
    assert spans[2][1] > spans[2][0] + 200
    page.get_by_label("Track").select_option("Operator one alone")
    expect(page.locator(".gutter .alone")).to_be_visible()
    click_at(page, 119)
    passes(page, "1:59.6")
    page.goto("about:blank")
    eventually_sync(lambda: len(service.switchboard.noted("Played")) == 2, 5)
    whole, alone = service.switchboard.noted("Played")
    assert [list(one) for one in whole["spans"]] == spans
    assert (whole["by"], whole["reason"], whole["leg"]) == ("the-auditor", "Complaint: 4711", "")
    assert (alone["leg"], len(alone["spans"])) == (f"{CALL}.2", 1)
    assert alone["spans"][0] == [pytest.approx(119_000, abs=400), pytest.approx(119_700, abs=600)]


def test_who_goes_on_listening_is_told_of_each_half_minute(open_page: Open, service: Served) -> None:
    """Without any press: the page's clock goes on by so much, and the sound by a second."""
    page = opened(open_page)
    page.clock.install()
    click_at(page, 99)
    listen(page)
    passes(page, "1:40.5")
    assert service.switchboard.noted("Played") == []
    page.clock.fast_forward(31_000)
    eventually_sync(lambda: service.switchboard.noted("Played") != [], 10)
    ((begin, end),) = service.switchboard.noted("Played")[0]["spans"]
    assert begin == pytest.approx(99_000, abs=400)
    assert end > begin + 1_000
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


@pytest.mark.parametrize("size", SCREENS)
def test_everything_at_once_fits_and_has_a_name(open_page: Open, pictures: Path, size: str) -> None:
    """A picture, nothing wider than the page, nothing serious for axe; the place for a transcript says that there is none."""
    page = opened(open_page)
    page.set_viewport_size(SCREENS[size])  # type: ignore[arg-type]
    draw(page, 60, 92)
    for key in ("l", "s", "v"):
        page.keyboard.press(key)
    expect(page.locator(".closer-words")).to_contain_text("dB heard")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=pictures / f"hearing-{size}.png")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    expect(page.get_by_role("region", name="Transcript")).to_contain_text("There is none.")
    for _ in range(3):
        page.keyboard.press("t")
    expect(page.locator(".gutter .alone")).to_have_text("Police control room")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=pictures / f"hearing-track-{size}.png", full_page=True)
    violations = Axe().run(page).response["violations"]
    assert [one["id"] for one in violations if one["impact"] in ("serious", "critical")] == []
