"""What the console does in Chromium: signing in, ringing, a reload, lost connections, keys alone."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console import boards
from tests.console.conftest import Open
from tests.console.scenes import at_seat
from tests.console.stage import LINK, PASSWORD, Stage
from tests.eventually import eventually_sync

pytestmark = pytest.mark.real


def test_signing_in_and_out(stage: Stage, open_page: Open) -> None:
    """A wrong password is told, a right one leads to the board, signing out leads back and keeps nothing."""
    stage.signed_in = False
    page = open_page()
    expect(page.get_by_label("User")).to_be_focused()
    page.get_by_label("User").fill("mary")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="do not fit")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('callserver.tab')").count("s-1") == 0


def test_a_link_signs_in_and_leaves_the_address(stage: Stage, open_page: Open) -> None:
    """The token is nowhere to be read afterwards, also where the page was open before."""
    stage.signed_in = False
    page = open_page()
    page.goto(f"{stage.url}#link={LINK}")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert LINK not in page.url


def test_a_call_rings_on_every_sense_and_is_answered_by_one_key(stage: Stage, open_page: Open) -> None:
    """Sound, title, icon, alert for screen readers; the service hears of it within the two seconds it allows."""
    page = at_seat(stage, open_page, boards.ringing(), before=_COUNT_OSCILLATORS)
    stage.tell(boards.ring())
    eventually_sync(lambda: stage.told_by_page("ringing"), 2)
    expect(page.locator("#alert")).to_have_text(re.compile("A call rings. Emergency. Market Square.*Space answers.*Tom"))
    expect(page).to_have_title(re.compile("Market Square"))
    assert "ringing" in (page.locator("link[rel=icon]").get_attribute("href") or "")
    page.wait_for_function("window.notes > 10")
    page.keyboard.press("Space")
    eventually_sync(lambda: stage.told_by_page("accept") == [{"type": "accept", "leg": "l2"}], 2)
    stage.change(boards.talking())
    stage.tell({"type": "talking", "leg": "l2", "call": "c-i1"})
    expect(page.get_by_text("In conversation").first).to_be_visible()
    expect(page).to_have_title("Console")
    expect(page.locator("#alert")).to_have_text("")


_COUNT_OSCILLATORS = """
window.notes = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.notes += 1; return start.apply(this, at); };
"""


def test_a_reload_rejoins_the_seat_and_the_call(stage: Stage, open_page: Open) -> None:
    """The page names its seat again, and a call that it was in is answered by itself when it comes again."""
    page = at_seat(stage, open_page, boards.ringing())
    stage.tell(boards.ring())
    expect(page.get_by_role("button", name="Answer")).to_be_visible()
    page.keyboard.press("Space")
    stage.change(boards.talking())
    stage.tell({"type": "talking", "leg": "l2", "call": "c-i1"})
    page.get_by_label("Note").fill("Two men.")
    page.reload()
    eventually_sync(lambda: [one["seat"] for one in stage.told_by_page("open")] == ["", "s-1"], 5)
    expect(page.get_by_text("Sound ready")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("Two men.")
    stage.tell(boards.ring(leg="l9", again=True))
    eventually_sync(lambda: {"type": "accept", "leg": "l9"} in stage.said, 2)


def test_the_board_comes_back_by_itself_and_says_where_it_was(stage: Stage, open_page: Open) -> None:
    """After a lost connection `watch` names epoch and number; the banner comes and goes."""
    page = at_seat(stage, open_page, boards.town())
    stage.change({"operator/tom": boards.operator("tom", "Tom Ashworth", "paused", 3)})
    stage.drop(seat=False)
    eventually_sync(lambda: stage.watches[1:] == [{"type": "watch", "epoch": "e1", "number": 2}], 5)
    stage.beating = False
    expect(page.get_by_text("No connection to the service.")).to_be_visible(timeout=6000)
    expect(page.locator("#status")).to_have_text(re.compile("old"))
    stage.beating = True
    expect(page.get_by_text("No connection to the service.")).to_be_hidden(timeout=6000)


def test_a_call_can_be_answered_while_the_board_is_old(stage: Stage, open_page: Open) -> None:
    """The seat has a connection of its own."""
    page = at_seat(stage, open_page, boards.town())
    stage.beating = False
    expect(page.get_by_text("No connection to the service.")).to_be_visible(timeout=6000)
    stage.tell(boards.ring())
    expect(page.get_by_role("heading", name=boards.MARKET)).to_be_visible()
    page.keyboard.press("Space")
    eventually_sync(lambda: stage.told_by_page("accept"), 2)


def test_a_lost_seat_is_opened_again_and_told(stage: Stage, open_page: Open) -> None:
    """With the id that it had; the operator reads that it was away."""
    page = at_seat(stage, open_page, boards.talking())
    stage.tell({"type": "fit", "fit": False, "why": "no sound comes from the page"})
    expect(page.get_by_text("Your seat has no sound.")).to_be_visible()
    stage.drop(board=False)
    eventually_sync(lambda: len(stage.told_by_page("open")) == 2, 5)
    assert stage.told_by_page("open")[1]["seat"] == "s-1"
    expect(page.get_by_text("Your seat has no sound.")).to_be_hidden()


def test_the_seat_offers_g722_alone_and_beats(stage: Stage, open_page: Open) -> None:
    """One audio line, its addresses in it, nothing but G.722; a beat about every half second, its audio clock moving."""
    at_seat(stage, open_page, boards.town())
    offer = eventually_sync(lambda: stage.told_by_page("sdp_offer"), 6)
    assert isinstance(offer, list)
    sdp = offer[0]["sdp"]
    media = re.findall(r"^m=.*", sdp, re.MULTILINE)
    assert [line.split()[0] for line in media] == ["m=audio"] and media[0].split()[3:] == ["9"]
    assert "a=candidate" in sdp and "a=sendrecv" in sdp and offer[0]["number"] == 1
    beats = eventually_sync(lambda: len(stage.told_by_page("beat")) >= 5 and stage.told_by_page("beat"), 8)
    assert isinstance(beats, list)
    clocks = [beat["audio_ms"] for beat in beats]
    assert clocks == sorted(clocks) and 1200 < clocks[4] - clocks[0] < 4000
    assert beats[0].keys() >= {"number", "audio_ms", "muted", "hidden"}


def test_renewing_makes_a_new_offer(stage: Stage, open_page: Open) -> None:
    """Each numbered."""
    at_seat(stage, open_page, boards.town())
    eventually_sync(lambda: stage.told_by_page("sdp_offer"), 6)
    stage.tell({"type": "renew", "why": "its process died"})
    eventually_sync(lambda: [one["number"] for one in stage.told_by_page("sdp_offer")] == [1, 2], 6)


def test_a_microphone_that_ends_is_trouble_at_once(stage: Stage, open_page: Open) -> None:
    """Told to the service and to the operator; cured when another is chosen."""
    page = at_seat(stage, open_page, boards.town(), before=_KEEP_TRACKS)
    page.evaluate("window.kept.forEach((track) => { track.stop(); track.dispatchEvent(new Event('ended')); })")
    eventually_sync(lambda: [one["what"] for one in stage.told_by_page("trouble")] == ["microphone"], 3)
    expect(page.get_by_text("The microphone is gone.")).to_be_visible()
    page.get_by_role("button", name="Sound check").first.click()
    page.get_by_label("Microphone", exact=True).select_option(index=1)
    eventually_sync(lambda: [bool(one["text"]) for one in stage.told_by_page("trouble")] == [True, False], 5)


_KEEP_TRACKS = """
window.kept = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  const stream = await open(wish);
  window.kept.push(...stream.getAudioTracks());
  return stream;
};
"""


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("Object.defineProperty(window, 'isSecureContext', {value: false})", "This address gives no microphone."),
        (
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'))",
            "There is no microphone.",
        ),
        (
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'))",
            "cannot be opened",
        ),
    ],
)
def test_what_is_wrong_with_the_sound_is_said(before: str, words: str, stage: Stage, open_page: Open) -> None:
    """In plain words, with what to do."""
    stage.fit = False
    page = open_page(before=before)
    expect(page.get_by_role("region", name="What is wrong").get_by_text(words)).to_be_visible(timeout=10_000)


def test_sound_that_the_browser_holds_back_comes_with_any_key(stage: Stage, open_page: Open) -> None:
    """After a reload a browser may want a sign of life before it plays; the page asks for it, and calls wait for it."""
    stage.fit = False
    page = open_page(before=_HELD_BACK)
    expect(page.get_by_text("The browser holds the sound back.")).to_be_visible(timeout=10_000)
    assert stage.told_by_page("beat") == []
    page.keyboard.press("Shift")
    expect(page.get_by_text("The browser holds the sound back.")).to_be_hidden()
    eventually_sync(lambda: stage.told_by_page("beat"), 4)


_HELD_BACK = """
const resume = AudioContext.prototype.resume;
let free = false;
addEventListener("keydown", () => { free = true; }, true);
AudioContext.prototype.resume = function () { return free ? resume.call(this) : this.suspend(); };
"""


def test_muting_keeps_the_track_and_silences_it(stage: Stage, open_page: Open) -> None:
    """Silence is sent, so that the connection stays warm; the next beat says so."""
    page = at_seat(stage, open_page, boards.talking(), before=_KEEP_TRACKS)
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Speak again")).to_be_visible()
    assert page.evaluate("window.kept.at(-1).enabled === false && window.kept.at(-1).readyState === 'live'")
    eventually_sync(lambda: any(one["muted"] for one in stage.told_by_page("beat")), 6)


def _asked(stage: Stage) -> list[tuple[str, Any]]:
    return [(path.removeprefix("/api/"), body) for path, body in stage.asked]


def test_a_whole_shift_by_keyboard_alone(stage: Stage, open_page: Open) -> None:
    """Available, answer, hold, police, note, hang up, outcome, pause: no mouse, and every request as the service wants it."""
    page = at_seat(stage, open_page, boards.town(boards.operator("mary", "Mary Webb")))
    page.keyboard.press("a")
    eventually_sync(lambda: _asked(stage) == [("operators/mary/available", {})], 3)
    _call_by_keys(stage, page)
    eventually_sync(lambda: len(stage.asked) == 5, 3)
    stage.put(boards.wrap_up())
    expect(page.get_by_text("What was it?")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("hold mxp?")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    eventually_sync(lambda: len(stage.asked) == 6, 3)
    stage.put(boards.town())
    expect(page.get_by_text("Nobody is waiting").first).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("1")
    eventually_sync(lambda: len(stage.asked) == 7, 3)
    assert _asked(stage)[1:] == [
        ("calls/c-i1/hold", {"on": True}),
        ("calls/c-i1/escalate", {"party": "police"}),
        ("calls/c-i1/escalate", {"party": "civic"}),
        ("calls/c-i1/hangup", {}),
        ("incidents/i1/close", {"outcome": "police", "note": "hold mxp?"}),
        ("operators/mary/pause", {"reason": "Break"}),
    ]


def _call_by_keys(stage: Stage, page: Page) -> None:
    stage.put(boards.ringing())
    stage.tell(boards.ring())
    expect(page.get_by_role("button", name="Answer")).to_be_visible()
    page.keyboard.press("Space")
    stage.put(boards.talking())
    stage.tell({"type": "talking", "leg": "l2", "call": "c-i1"})
    expect(page.get_by_role("button", name="Hang up")).to_be_visible()
    page.keyboard.press("h")
    page.keyboard.press("p")
    page.keyboard.press("o")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("n")
    page.keyboard.type("hold mxp?")
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Once more to hang up")).to_be_visible()
    page.wait_for_timeout(450)
    page.keyboard.press("x")


def test_tab_reaches_everything_and_the_focus_is_seen(stage: Stage, open_page: Open) -> None:
    """In a call: every control once, in order, with a ring around it."""
    page = at_seat(stage, open_page, boards.talking())
    found: list[str] = []
    for _ in range(30):
        page.keyboard.press("Tab")
        found.append(page.evaluate(_FOCUSED))
    controls = ["Pause", "Mute", "Hold", "Park", "Transfer…", "Other party…", "Call Police control room", "Hang up", "note"]
    assert list(dict.fromkeys(name for name in found if name in controls)) == controls
    assert "no ring" not in " ".join(found)


_FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return "";
  const name = one.querySelector(".label")?.textContent ?? (one.id || one.textContent.slice(0, 30));
  return getComputedStyle(one).outlineStyle === "none" ? `${name} no ring` : name;
}"""


def test_focus_and_a_half_written_note_survive_what_changes_around_them(stage: Stage, open_page: Open) -> None:
    """The board changes, nothing under the operator's hands does."""
    page = at_seat(stage, open_page, boards.talking())
    page.keyboard.press("n")
    page.keyboard.type("Two m")
    for number in range(20):
        stage.change(boards.keyed("incident", boards.incident(f"n{number}", "p", "Somewhere", "waiting", number)))
    page.keyboard.type("en.")
    expect(page.get_by_label("Note")).to_have_value("Two men.")
    expect(page.get_by_label("Note")).to_be_focused()


def test_a_call_that_takes_the_note_from_under_the_hands_is_not_answered_by_typing(stage: Stage, open_page: Open) -> None:
    """A space that was meant for the note answers nothing; a space 0.8 s after the last key does. By the page's own clock."""
    page = at_seat(stage, open_page, boards.to_close(), before=_COUNT_ANSWERS, clock=True)
    page.keyboard.press("u")
    expect(page.get_by_role("dialog").get_by_label("Note")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_role("dialog").get_by_label("Note")).to_be_focused()
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    page.keyboard.type("Two")
    stage.tell(boards.ring())
    expect(page.get_by_role("button", name="Answer")).to_be_visible()
    page.clock.run_for(_STILL_TYPING_MS - 1)
    page.keyboard.press("Space")
    assert page.evaluate("window.answers") == 0
    page.clock.run_for(1)
    page.keyboard.press("Space")
    assert page.evaluate("window.answers") == 1
    eventually_sync(lambda: stage.told_by_page("accept"), 2)


_STILL_TYPING_MS = 800
_COUNT_ANSWERS = """
window.answers = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {
  window.answers += JSON.parse(text).type === "accept";
  return send.call(this, text);
};
"""


def test_nothing_is_read_aloud_each_second(stage: Stage, open_page: Open) -> None:
    """While a call waits and time passes, the live regions say their sentence once."""
    page = at_seat(stage, open_page, boards.ringing())
    page.evaluate(
        """() => { window.said = [];
        const all = {childList: true, characterData: true, subtree: true};
        for (const id of ["alert", "status"])
          new MutationObserver(() => window.said.push(id)).observe(document.getElementById(id), all);
        }"""
    )
    stage.tell(boards.ring())
    eventually_sync(lambda: stage.told_by_page("ringing"), 2)
    page.wait_for_timeout(2500)
    assert page.evaluate("window.said") == ["alert"]


def test_nothing_moves_for_those_who_do_not_want_it(stage: Stage, open_page: Open) -> None:
    """prefers-reduced-motion: the ringing frame does not breathe."""
    page = at_seat(stage, open_page, boards.ringing(), reduced_motion="reduce")
    stage.tell(boards.ring())
    expect(page.get_by_role("button", name="Answer")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.getElementById('stage')).animationIterationCount") == "1"


def test_a_page_that_is_displaced_stops_and_can_be_the_seat_again(stage: Stage, open_page: Open) -> None:
    """No new attempt by itself; one button takes the seat back."""
    page = at_seat(stage, open_page, boards.town())
    stage.tell({"type": "displaced", "why": ""})
    expect(page.get_by_text("Another page is your seat now.")).to_be_visible()
    page.wait_for_timeout(1500)
    assert len(stage.told_by_page("open")) == 1
    page.get_by_role("button", name="Be the seat here again").click()
    eventually_sync(lambda: len(stage.told_by_page("open")) == 2, 3)


def test_settings_stay_with_the_machine(stage: Stage, open_page: Open) -> None:
    """What was chosen in the sound check is there after a reload."""
    page = open_page(checked=False)
    page.get_by_label("Suppress noise").uncheck()
    page.get_by_role("button", name="Done").click()
    kept = json.loads(page.evaluate("localStorage['callserver.settings']"))
    assert kept["noise_suppression"] is False and kept["checked"] is True
    page.reload()
    expect(page.get_by_text("Sound ready")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()
