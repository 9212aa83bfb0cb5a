"""The demo as a stranger meets it: a press on the street, a key at the console, the police by another, and the replay of all."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.async_api import Browser, Page

from tests.browser.console import CHOSEN, PEAK, SPY, STRENGTH
from tests.eventually import eventually
from tests.loopback.test_demo import Demo, running
from tests.peers.chromium import chromium
from tests.peers.ports import Ports
from tests.peers.tones import loudest

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

PICTURES = Path("var/pictures")  # `make pictures` makes it
TONE_DB = -40.0  # a tone of 0.25 has -26, words have less at any one frequency
OPERATOR_HZ, POINT_HZ, DESK_HZ = 700.0, 440.0, 1000.0  # the demo's `--tones` are the latter two


async def _open(browser: Browser, url: str, **options: Any) -> Page:
    room = await browser.new_context(
        permissions=["microphone", "notifications"], viewport={"width": 1366, "height": 768}, **options
    )
    await room.add_init_script(SPY)
    page = await room.new_page()
    page.set_default_timeout(20_000)
    await page.goto(url)
    return page


async def _hears(page: Page, hz: float) -> bool:
    found, level = await page.evaluate(PEAK)
    return abs(found - hz) < 30 and level > 0.02


async def _take_duty(page: Page) -> None:
    """As the page leads: the sound check, then available."""
    done = page.get_by_role("dialog").get_by_role("button", name="Done")
    await done.or_(page.get_by_role("button", name="Go available")).first.wait_for()
    if await done.count():
        await done.click()
    await page.get_by_role("button", name="Go available").click()
    await page.get_by_role("button", name="Pause").wait_for()


async def test_from_the_press_to_the_replay(tmp_path: Path, ports: Ports) -> None:
    """Tones prove each direction; everything is done by links, buttons and keys that a person finds."""
    seat_ports = ports.take(20, even=True)
    options = ("--no-history", "--tones", "--only-loopback", "--seat-ports", f"{seat_ports}-{seat_ports + 19}")
    with running(tmp_path / "var", ports, subprocess.DEVNULL, *options) as demo:
        described = demo.described()
        async with chromium(tmp_path, OPERATOR_HZ) as browser:
            seat = await _open(browser, described["links"]["operator"].replace("/#", "/?raw=1#"))
            await _take_duty(seat)
            street = await _open(browser, described["street"])
            await _conversation(street, seat)
            await _end_and_close(seat)
            await _replay(browser, described, demo)


@pytest.mark.long
async def test_pictures_for_the_readme(tmp_path: Path, ports: Ports) -> None:
    """Console and replay as they look with people at both ends; `make pictures` keeps them."""
    seat_ports = ports.take(20, even=True)
    options = ("--no-history", "--only-loopback", "--seat-ports", f"{seat_ports}-{seat_ports + 19}")
    with running(tmp_path / "var", ports, subprocess.DEVNULL, *options) as demo:
        described = demo.described()
        async with chromium(tmp_path) as browser:
            seat = await _open(browser, described["links"]["operator"])
            await _take_duty(seat)
            street = await _open(browser, described["street"])
            await street.get_by_role("button", name="Market Square").first.click()
            await seat.get_by_role("button", name="Answer").wait_for()
            await seat.wait_for_timeout(2_500)
            await seat.screenshot(path=tmp_path / "console.png")
            await seat.keyboard.press("Space")
            await seat.wait_for_timeout(15_000)
            await seat.keyboard.press("p")
            await seat.wait_for_timeout(8_000)
            await street.screenshot(path=tmp_path / "street.png")
            await _end_and_close(seat)
            page = await _at_the_replay(browser, described)
            await page.get_by_role("button", name="Listen").wait_for(timeout=60_000)
            await page.screenshot(path=tmp_path / "replay.png")
    _keep(tmp_path)


def _keep(directory: Path) -> None:
    for name in ("console", "street", "replay"):
        picture = directory / f"{name}.png"
        assert picture.stat().st_size > 20_000, f"{name}: an empty picture"
        if PICTURES.is_dir():
            shutil.copy(picture, PICTURES)


async def _conversation(street: Page, seat: Page) -> None:
    press = street.get_by_role("button", name="Market Square").first
    await press.click()
    await seat.get_by_role("button", name="Answer").wait_for(timeout=2_000)
    await seat.keyboard.press("Space")
    await eventually(lambda: _hears(seat, POINT_HZ), 8)
    await seat.keyboard.press("p")
    await seat.get_by_text("Police control room").first.wait_for()
    await eventually(lambda: _has(seat, DESK_HZ), 10)


async def _has(page: Page, hz: float) -> bool:
    """Whether a tone is in what is heard, whatever else is: loudness would take a prompt over the point's tone for the desk."""
    return float(await page.evaluate(STRENGTH, hz)) > TONE_DB


async def _end_and_close(seat: Page) -> None:
    await seat.keyboard.press("x")
    await seat.get_by_role("button", name="Once more to hang up").wait_for()
    await seat.wait_for_timeout(500)
    await seat.keyboard.press("x")
    await seat.get_by_text("What was it?").wait_for()
    await seat.keyboard.press("1")
    await seat.locator(CHOSEN).first.wait_for(state="attached")
    await seat.keyboard.press("Enter")
    await seat.get_by_role("heading", name="Nobody is waiting").wait_for()


async def _at_the_replay(browser: Browser, described: dict[str, Any]) -> Page:
    """The auditor's page of the call, by the link and a click on its row."""
    page = await _open(browser, described["links"]["auditor"])
    await page.get_by_role("button", name="Sign out").wait_for()
    await page.locator("tbody tr", has_text="Market Square").first.get_by_role("link").click()
    await page.locator(".plot .wave").wait_for()
    return page


async def _replay(browser: Browser, described: dict[str, Any], demo: Demo) -> None:
    """The auditor finds the call, sees both voices and what happened, gives a reason, and hears it."""
    page = await _at_the_replay(browser, described)
    for fact in ("The button was pressed", "Conversation began"):
        await page.locator("button.fact", has_text=fact).first.wait_for()
    await page.get_by_role("button", name="Listen").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radio").first.check()
    await dialog.get_by_role("button", name="Listen").click()
    await page.get_by_role("button", name="Pause").wait_for()
    (path,) = (demo.directory / "demo" / "data" / "recordings").glob("*/call.flac")
    samples, rate = soundfile.read(path, dtype="float64")
    for side, hz, other in ((0, POINT_HZ, OPERATOR_HZ), (1, OPERATOR_HZ, POINT_HZ), (1, DESK_HZ, POINT_HZ)):
        found, stray = loudest(samples[:, side], hz, rate), loudest(samples[:, side], other, rate)
        assert found > 0.03 and stray < found / 3, (side, hz, found, stray)  # spoken prompts have a little of every tone
