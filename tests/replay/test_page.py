"""The page of one call in Chromium: reasons, the first sound, seeking, one side alone, keys; and the lists that lead to it."""

import pytest
from playwright.sync_api import Page, expect

from callserver.web import links
from tests.eventually import eventually_sync
from tests.replay.conftest import NOW_S, Open, Served
from tests.replay.night import CALL, HEARD_HZ, NOTE, OLDER, PLACE, POINT_HZ, UNRECORDED
from tests.web.desk import user_of

pytestmark = pytest.mark.real

EAR = """
// Listens at the loudspeaker: an analyser for each ear of whatever is connected to it.
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    const ears = this.context.createChannelSplitter(2);
    connect.call(this, ears);
    window.ears = [0, 1].map((side) => {
      const analyser = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
      connect.call(ears, analyser, side);
      return analyser;
    });
  }
  return connect.call(this, to, ...rest);
};
window.heard = (side) => {
  if (!window.ears) return 0;
  const bins = new Float32Array(2048);
  window.ears[side].getFloatFrequencyData(bins);
  const loudest = bins.indexOf(Math.max(...bins));
  return bins[loudest] > -60 ? (loudest * window.ears[side].context.sampleRate) / 4096 : 0;
};
// When the first sample that is not silent was there, since the last press on the page. While nothing plays an analyser keeps
// what it had last.
const wave = (ear) => {
  const samples = new Float32Array(256);
  ear.getFloatTimeDomainData(samples);
  return samples;
};
addEventListener("click", () => {
  const began = performance.now();
  const before = (window.ears ?? []).map(wave);
  window.first_ms = 0;
  const look = () => {
    const now = (window.ears ?? []).map(wave);
    const loud = now.some((ear, side) => ear.some((one, place) => Math.abs(one) > 0.005 && one !== before[side]?.[place]));
    if (loud) window.first_ms = performance.now() - began;
    else setTimeout(look, 1);
  };
  look();
}, true);
"""
NEAR_HZ = 25
FIRST_SOUND_MS = 1500


def opened(open_page: Open, call: str = CALL, role: str = "auditor") -> Page:
    """The page of a call with its timeline."""
    page = open_page(f"#call={call}", role, before=EAR)
    page.locator(".stage .mark").first.wait_for()
    return page


def click_at(page: Page, second: float) -> None:
    """On the waveform, where that second of the recording is."""
    share = page.evaluate(
        """(second) => {
            const ticks = [...document.querySelectorAll(".tick")].map((one) => [
                one.lastChild.textContent.split(":").reduce((sum, part) => sum * 60 + Number(part), 0),
                Number(one.style.getPropertyValue("--left"))]);
            const [a, b] = [ticks[0], ticks[ticks.length - 1]];
            return a[1] + ((second - a[0]) / (b[0] - a[0])) * (b[1] - a[1]);
        }""",
        second,
    )
    box = page.locator(".plot .wave").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def listen(page: Page, reason: str = "Complaint", more: str = "4711") -> None:
    """Answer the dialog."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(reason).check()
    dialog.get_by_label("More, a reference for instance").fill(more)
    dialog.get_by_role("button", name="Listen").click()


def hears(page: Page, left_hz: float, right_hz: float | None) -> None:
    """Until each ear hears its tone; 0 is silence, None is anything."""
    wanted = [[side, hz] for side, hz in enumerate((left_hz, right_hz)) if hz is not None]
    page.wait_for_function(
        f"(wanted) => wanted.every(([side, hz]) => Math.abs(window.heard(side) - hz) < {NEAR_HZ})", arg=wanted, timeout=8000
    )


def sound_after_ms(page: Page) -> float:
    """How long after the last press on the page the first sound was there."""
    return float(page.wait_for_function("() => window.first_ms").json_value())


def at_second(page: Page) -> float:
    """Where the playhead is, from the start."""
    text = page.locator(".where .offset").inner_text().replace("−", "-")
    minutes, seconds = text.split(":")
    return int(minutes) * 60 + float(seconds)


def test_nothing_is_played_without_a_reason_and_the_reason_is_journalled(open_page: Open, service: Served) -> None:
    """Cancelling asks the service for nothing; what was chosen and written is one line."""
    page = opened(open_page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/recording" in request.url else None)
    page.get_by_role("button", name="Listen").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Space")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Listen").click()
    expect(dialog.get_by_role("alert")).to_have_text("Choose a reason, or write one.")
    dialog.get_by_label("Another reason").check()
    dialog.get_by_role("button", name="Listen").click()
    expect(dialog.get_by_role("alert")).to_have_text("Write the reason in a few words.")
    assert (asked, service.reasons()) == ([], [])
    listen(page)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    eventually_sync(service.reasons, 5)  # the page wants it from here on
    assert service.reasons()[0] == "Complaint: 4711"
    assert len(set(service.reasons())) == 1


def test_a_click_on_the_waveform_is_heard_from_there(open_page: Open) -> None:
    """The point's tone on the left at its second, the other on the right at its own; the clock tells where."""
    page = opened(open_page)
    click_at(page, 100)
    listen(page)
    hears(page, POINT_HZ, 0)
    first_ms = sound_after_ms(page)
    assert first_ms < FIRST_SOUND_MS
    assert 100 <= at_second(page) < 106
    page.keyboard.press("Space")
    hears(page, 0, 0)
    click_at(page, 115)
    hears(page, 0, HEARD_HZ)
    again_ms = sound_after_ms(page)
    assert again_ms < FIRST_SOUND_MS
    print(f"first sound after {first_ms:.0f} ms, after another place {again_ms:.0f} ms")
    assert 115 <= at_second(page) < 121


def test_a_click_on_a_fact_is_heard_from_there(open_page: Open) -> None:
    """In the list and on the scale."""
    page = opened(open_page)
    page.locator("button.fact", has_text="The caller is off hold").click()
    listen(page)
    hears(page, POINT_HZ, 0)
    assert 45.1 <= at_second(page) < 50
    page.locator(".mark span", has_text="The call’s sound process was replaced").click()
    hears(page, 0, HEARD_HZ)
    assert 74.8 <= at_second(page) < 80


def test_one_side_alone_is_in_both_ears(open_page: Open) -> None:
    """1 the point, 2 what it heard, 0 both; said to screen readers and shown on the buttons."""
    page = opened(open_page)
    click_at(page, 99)
    listen(page)
    hears(page, POINT_HZ, 0)
    page.keyboard.press("1")
    hears(page, POINT_HZ, POINT_HZ)
    expect(page.get_by_role("button", name="Point said")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#said")).to_have_text("Only what the point said")
    page.keyboard.press("2")
    hears(page, 0, 0)
    click_at(page, 114)
    hears(page, HEARD_HZ, HEARD_HZ)
    page.keyboard.press("0")
    hears(page, 0, HEARD_HZ)


def test_faster_keeps_the_pitch(open_page: Open) -> None:
    """Twice the speed, the same tone."""
    page = opened(open_page)
    click_at(page, 98.5)
    listen(page)
    hears(page, POINT_HZ, 0)
    for _ in range(4):
        page.keyboard.press("]")
    expect(page.locator("output.rate")).to_have_text("2 ×")
    began_ms, began_s = page.evaluate("performance.now()"), at_second(page)
    hears(page, POINT_HZ, 0)
    page.wait_for_function("(from) => performance.now() - from > 1500", arg=began_ms)
    passed_ms, passed_s = page.evaluate("performance.now()") - began_ms, at_second(page) - began_s
    assert passed_s / (passed_ms / 1000) == pytest.approx(2, abs=0.35)
    hears(page, POINT_HZ, 0)
    for _ in range(9):
        page.keyboard.press("[")
    expect(page.locator("output.rate")).to_have_text("0.5 ×")


def test_keys_go_through_the_call(open_page: Open) -> None:
    """Arrows, facts, ends, zoom; without sound too, for looking needs no reason."""
    page = opened(open_page)
    steps = (
        ("ArrowRight", 5.0),
        ("ArrowRight", 10.0),
        ("ArrowLeft", 5.0),
        ("Shift+ArrowRight", 6.0),
        ("End", 152.0),
        ("Home", 0.0),
    )
    for key, second in steps:
        page.keyboard.press(key)
        assert at_second(page) == pytest.approx(second, abs=0.1), key
    page.keyboard.press("ArrowDown")
    assert at_second(page) == pytest.approx(8.9, abs=0.11)
    expect(page.locator("button.fact[aria-current=true]")).to_contain_text("Conversation began")
    for _ in range(3):
        page.keyboard.press("+")
    assert page.locator(".tick").first.inner_text() != "02:43:00\n0:00"
    page.keyboard.press("f")
    expect(page.locator(".tick").first).to_contain_text("0:00")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".found table").wait_for()


def test_all_facts_are_there_when_wanted(open_page: Open) -> None:
    """And those that matter at first; what came after the call stands apart."""
    page = opened(open_page)
    few = page.locator("button.fact").count()
    page.keyboard.press("a")
    expect(page.locator("button.fact", has_text="A call began")).to_be_visible()
    assert page.locator("button.fact").count() > few
    expect(page.locator(".head-of-call .noted dd")).to_have_text(NOTE)


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_who_may_not_listen_is_told_so(open_page: Open, role: str, service: Served) -> None:
    """The timeline is there, a player is not; clicking asks for nothing."""
    page = opened(open_page, role=role)
    expect(page.get_by_text("You can see this call, not listen to it.")).to_be_visible()
    expect(page.get_by_role("button", name="Listen")).to_have_count(0)
    click_at(page, 60)
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("button.fact[aria-current=true]")).to_contain_text("Police control room")
    assert service.reasons() == []


def test_a_recording_without_stored_peaks_has_its_shape_all_the_same(open_page: Open) -> None:
    """And is heard from where it is clicked, on the side that it is on."""
    page = opened(open_page, OLDER)
    drawn = page.evaluate(
        """() => {
            const canvas = document.querySelector("canvas");
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height / 2).data;
            return data.some((value, place) => place % 4 === 3 && value);
        }"""
    )
    assert drawn
    click_at(page, 5.3)
    listen(page, "Training", "")
    hears(page, 0, HEARD_HZ)


def test_what_cannot_be_played_is_said_in_words(open_page: Open, service: Served) -> None:
    """The switchboard refuses to journal: no sound, the service's own words, and another try asks anew."""
    service.switchboard.refuse["note_fact"] = "not now"
    page = opened(open_page)
    page.keyboard.press("Space")
    listen(page)
    expect(page.get_by_role("alert")).to_contain_text("not now")
    service.switchboard.refuse.clear()
    page.keyboard.press("Space")
    listen(page)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".trouble")).to_be_hidden()


def test_a_search_is_typed_narrowed_and_opened_by_keys(open_page: Open) -> None:
    """The address keeps the search; going back finds it again."""
    page = open_page()
    page.locator(".found table").wait_for()
    assert page.locator(".found tbody tr").count() == 4
    page.keyboard.press("/")
    page.keyboard.type("ambulance taxi")
    expect(page.locator(".found tbody tr")).to_have_count(1)
    page.get_by_label("Outcome", exact=True).select_option("medical")
    assert page.url.endswith("#q=ambulance+taxi&outcome=medical")
    page.locator("body").click(position={"x": 5, "y": 700})
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=PLACE)).to_be_visible()
    assert page.url.endswith(f"#call={CALL}")
    page.keyboard.press("Escape")
    expect(page.locator(".found tbody tr")).to_have_count(1)
    expect(page.get_by_label("Words: place")).to_have_value("ambulance taxi")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".found tbody tr")).to_have_count(4)
    page.get_by_label("Words: place").fill("elephant")
    expect(page.get_by_role("heading", name="No incidents fit this search")).to_be_visible()


def test_days_are_those_of_the_plan(open_page: Open) -> None:
    """From and to are whole days."""
    page = open_page("#what=calls&from=2026-11-22&to=2026-11-22")
    expect(page.locator(".found tbody tr")).to_have_count(3)
    page.get_by_label("To", exact=True).fill("2026-11-21")
    page.get_by_label("From", exact=True).fill("")
    expect(page.locator(".found tbody tr")).to_have_count(1)


def test_a_call_without_a_recording_says_why(open_page: Open) -> None:
    """The archivist has not come to it."""
    page = opened(open_page, UNRECORDED)
    expect(page.get_by_text("The recording is being made.")).to_be_visible()
    expect(page.locator(".head-of-call")).to_contain_text("not answered")


def test_a_dialog_that_is_opened_again_at_once_is_whole(open_page: Open) -> None:
    """Before the browser has told of the end of the one before."""
    page = opened(open_page)
    page.keyboard.press("Space")
    page.evaluate(
        """() => {
            const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            for (let n = 0; n < 5; n += 1) {
                document.getElementById("dialog").close();
                press(" ");
            }
        }"""
    )
    page.wait_for_load_state("networkidle")
    listen(page)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def _link(service: Served) -> str:
    return links.make(service.config.storage.run, links.Link(user_of("auditor"), NOW_S + 300), NOW_S)


def test_a_link_signs_in_at_the_replay_and_leaves_the_address(service: Served, open_page: Open) -> None:
    """Once; the same link again is told to be void, also where a page of the replay is open already."""
    token = _link(service)
    page = open_page(f"#link={token}", role="")
    expect(page.locator(".found tbody tr").first).to_be_visible()
    expect(page.locator("#role")).to_have_text("auditor")
    assert page.url == service.url
    page.goto(f"{service.url}#link={token}")
    expect(page.get_by_role("heading", name="The link is not valid")).to_be_visible()
    assert page.url == service.url
