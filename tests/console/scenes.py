"""Every state that the console can be in, each with what brings it there."""

from collections.abc import Callable, Mapping
from typing import Any

from playwright.sync_api import Page, expect

from tests.console import boards
from tests.console.stage import Stage

Scene = Callable[[Stage, Callable[..., Page]], Page]

AUDITOR = {"user": "ann", "role": "auditor", "operator": None, "name": "Ann Lister"}


def at_seat(stage: Stage, open_page: Callable[..., Page], items: dict[str, Any], **options: Any) -> Page:
    """An operator's page with sound and this board."""
    stage.items = items
    page = open_page(**options)
    expect(page.get_by_text("Sound ready")).to_be_visible(timeout=15_000)
    return page


def _sign_in(stage: Stage, open_page: Callable[..., Page], fault: bool = False, **options: Any) -> Page:
    stage.signed_in = False
    page = open_page(**options)
    page.get_by_label("User").fill("mary")
    if fault:
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").filter(has_text="do not fit")).to_be_visible()
    return page


def _checking(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = open_page(checked=False, **options)
    expect(page.get_by_role("heading", name="Sound check")).to_be_visible()
    expect(page.get_by_label("Microphone", exact=True).locator("option").nth(1)).to_be_attached(timeout=15_000)
    return page


def _denied(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    stage.fit = False
    stage.items = boards.town(boards.operator("mary", "Mary Webb"))
    page = open_page(
        **options, before="navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    expect(page.get_by_text("The microphone is not allowed.")).to_be_visible(timeout=15_000)
    return page


def _ringing(
    stage: Stage, open_page: Callable[..., Page], place: str = boards.MARKET, seconds: float = 7, **options: Any
) -> Page:
    page = at_seat(stage, open_page, boards.ringing(place, seconds), **options)
    stage.tell(boards.ring(place=place))
    expect(page.get_by_role("button", name="Answer")).to_be_visible()
    return page


def _pressed(key: str, items: dict[str, Any]) -> Scene:
    def scene(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
        page = at_seat(stage, open_page, items, **options)
        page.keyboard.press(key)
        return page

    return scene


def _then(first: str, second: str, items: dict[str, Any], *more: str) -> Scene:
    """A dialog that another one leads to."""

    def scene(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
        page = at_seat(stage, open_page, items, **options)
        for key in (first, second, *more):
            page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        return page

    return scene


def _talking(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    return at_seat(stage, open_page, boards.talking(), **options)


def _busy_talk(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    items = boards.busy() | boards.keyed("call", _call_with_police())
    items["incident/i1"]["place"] = boards.LONG_PLACE
    page = at_seat(stage, open_page, items, **options)
    page.keyboard.press("m")
    stage.change(boards.keyed("call", _call_with_police() | {"worker_replaced": 1}))
    expect(page.get_by_role("list", name="News").get_by_text("was rebuilt")).to_be_visible()
    return page


def _call_with_police() -> dict[str, Any]:
    point = boards.leg("l1", "point", "", "up", 192, sounding=False)
    operator = boards.leg("l2", "operator", "Mary Webb", "up", 192, party="mary")
    return boards.call("c-i1", "i1", "talking", 192, [point, operator, boards.police()], operator="mary", held=False)


def _wrap_up(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = at_seat(stage, open_page, boards.wrap_up(), **options)
    page.keyboard.press("2")
    page.get_by_label("Note").fill("Two men followed her from Bondgate. Police arrived 03:01, she is with them.")
    return page


def _old(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = at_seat(stage, open_page, boards.talking(), **options)
    stage.beating = False
    expect(page.get_by_text("No connection to the service.")).to_be_visible(timeout=8000)
    return page


def _switchboard_gone(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = at_seat(stage, open_page, boards.town(), **options)
    stage.live = False
    expect(page.get_by_text("The switchboard does not answer.", exact=True)).to_be_visible(timeout=8000)
    return page


def _displaced(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = at_seat(stage, open_page, boards.town(), **options)
    stage.tell({"type": "displaced", "why": "opened at another page"})
    expect(page.get_by_text("Another page is your seat now.")).to_be_visible()
    return page


def _lost(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = at_seat(stage, open_page, boards.talking(), **options)
    stage.tell({"type": "fit", "fit": False, "why": "no sound comes from the page"})
    expect(page.get_by_text("Your seat has no sound.")).to_be_visible()
    return page


def _watching(items: dict[str, Any]) -> Scene:
    def scene(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
        stage.person, stage.items = AUDITOR, items
        page = open_page(**options)
        expect(page.get_by_role("region", name="The situation")).to_be_visible()
        return page

    return scene


def _quiet(items: dict[str, Any]) -> Scene:
    return lambda stage, open_page, **options: at_seat(stage, open_page, items, **options)


def _watched_ring(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    """A call that was interrupted before, at a point with cameras, while another waits."""
    page = at_seat(stage, open_page, boards.interrupted(), **options)
    stage.tell(boards.ring())
    expect(page.get_by_role("link", name="Market Square, from the clock")).to_be_visible()
    return page


def _question(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = at_seat(stage, open_page, boards.interrupted("talking"), **options)
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Go up the ladder now")).to_be_visible()
    return page


def _dropping(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
    page = at_seat(stage, open_page, boards.talking(legs=[boards.police("up", 30)]), **options)
    page.get_by_role("button", name="Drop Police control room").click()
    expect(page.get_by_role("button", name="Once more to drop Police control room")).to_be_visible()
    return page


SUPERVISOR = {"user": "mary", "role": "supervisor", "operator": "mary", "name": "Mary Webb"}


def _supervising(inside: bool) -> Scene:
    """Before, with the dialog open, or within a colleague's call."""

    def scene(stage: Stage, open_page: Callable[..., Page], **options: Any) -> Page:
        stage.person = SUPERVISOR
        page = at_seat(stage, open_page, boards.listening() if inside else boards.to_take(), **options)
        if inside:
            stage.tell({"type": "talking", "leg": "h3", "call": "c-a2"})
            expect(page.get_by_role("button", name="Whisper")).to_be_visible()
        else:
            page.get_by_role("button", name="Take part in High Row").click()
            expect(page.get_by_label("Why you listen")).to_be_focused()
        return page

    return scene


SCENES: Mapping[str, Scene] = {
    "sign-in": _sign_in,
    "sign-in-fault": lambda stage, open_page, **o: _sign_in(stage, open_page, fault=True, **o),
    "sound-check": _checking,
    "sound-denied": _denied,
    "off-duty": _quiet(boards.town(boards.operator("mary", "Mary Webb"))),
    "available": _quiet(boards.town()),
    "paused": _quiet(boards.town(boards.operator("mary", "Mary Webb", "paused", 300))),
    "to-close": _quiet(boards.to_close()),
    "ring": _ringing,
    "ring-long": lambda stage, open_page, **o: _ringing(stage, open_page, boards.LONG_PLACE, 41, **o),
    "talk": _talking,
    "talk-busy": _busy_talk,
    "talk-held": _quiet(boards.talking(held=True, legs=[boards.police("up", 30)])),
    "hang-up-armed": _pressed("x", boards.talking()),
    "ring-watched": _watched_ring,
    "class-and-ladder": _question,
    "parties": _pressed("o", boards.talking()),
    "talk-police": _quiet(boards.talking(legs=[boards.police("up", 30)])),
    "talk-asked": _quiet(boards.asked()),
    "talk-levels": _quiet(boards.heard()),
    "talk-dropping": _dropping,
    "give-away": _pressed("t", boards.talking()),
    "take-list": _pressed("w", boards.to_take()),
    "call-list": _pressed("d", boards.town()),
    "supervise": _supervising(inside=False),
    "supervising": _supervising(inside=True),
    "wrap-up": _wrap_up,
    "review": _pressed("u", boards.to_close()),
    "call-back-list": _pressed("g", boards.listed()),
    "call-back-item": _then("g", "1", boards.listed()),
    "call-back-give": _then("g", "3", boards.listed(), "3"),
    "call-back-pass": _then("b", "1", boards.listed()),
    "call-back-alone": _then("b", "1", boards.listed(alone=True)),
    "call-back-idle": _quiet(boards.listed()),
    "handover": _pressed("y", boards.listed()),
    "pause-list": _pressed("b", boards.town()),
    "pause-list-planned": _pressed("b", boards.town() | {"service": boards.service(pauses=boards.PAUSES)}),
    "keys": _pressed("?", boards.town()),
    "old": _old,
    "switchboard-gone": _switchboard_gone,
    "displaced": _displaced,
    "seat-lost": _lost,
    "watching": _watching(boards.town()),
    "watching-busy": _watching(boards.busy()),
    "crowd": _quiet(boards.crowd(200)),
}
