"""One operator's console in a real browser, used as a person would: by what is on the screen, and by keys."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, CDPSession, Page

from tests.eventually import eventually
from tests.loopback.desk import Desk
from tests.loopback.phone import Phone
from tests.loopback.service import Service
from tests.peers.chromium import chromium

CHOSEN = ".outcome[aria-pressed=true]"
"""The outcome that is chosen, on the console's page."""

SPY = """
(() => {
  const Native = window.RTCPeerConnection;
  window.spied = { peers: [], ears: null, tracks: [] };
  const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  if (open) {
    navigator.mediaDevices.getUserMedia = async (wish) => {
      const stream = await open(wish);
      window.spied.tracks.push(...stream.getAudioTracks());
      return stream;
    };
  }
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      window.spied.peers.push(this);
      this.addEventListener("track", (event) => {
        const audio = new AudioContext();
        const ear = new AnalyserNode(audio, { fftSize: 4096, smoothingTimeConstant: 0 });
        audio.createMediaStreamSource(new MediaStream([event.track])).connect(ear);
        window.spied.ears?.audio.close();
        window.spied.ears = { audio, ear };
      });
    }
  };
})();
"""
"""Listens to what the page is given to play, beside the page itself."""

PEAK = """
() => {
  const { audio, ear } = window.spied.ears ?? {};
  if (!ear) return [0, 0];
  const wave = new Float32Array(ear.fftSize);
  ear.getFloatTimeDomainData(wave);
  const bins = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(bins);
  const top = bins.indexOf(Math.max(...bins));
  const power = wave.reduce((sum, one) => sum + one * one, 0) / wave.length;
  return [top * audio.sampleRate / ear.fftSize, Math.sqrt(power)];
}
"""

STRENGTH = """
(hz) => {
  const { audio, ear } = window.spied.ears ?? {};
  if (!ear) return -200;
  const bins = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(bins);
  const at = Math.round(hz * ear.fftSize / audio.sampleRate);
  return Math.max(...bins.slice(at - 2, at + 3));
}
"""
"""How strong a frequency is in what is played, in dB of full scale."""


@dataclass
class Console:
    """The page. `hz` is what its microphone plays."""

    service: Service
    browser: Browser
    page: Page
    user: str
    hz: float
    faults: list[str]
    process: int  # Chromium's first

    async def sign_in(self) -> "Console":
        """By user and password, on the sign-in page; the page then becomes the seat by itself or on a click."""
        await self.page.goto(f"{self.service.web}/?raw=1")
        await self.page.get_by_label("User").fill(self.user)
        await self.page.get_by_label("Password").fill(f"a-{self.user}-password")
        await self.page.get_by_role("button", name="Sign in").click()
        return self

    async def on_duty(self) -> "Console":
        """Signed in, its sound proven, available for calls."""
        await self.sign_in()
        await self.take_seat()
        await eventually(lambda: self._moves()[-1:] == ["available"], 10)
        return self

    def _moves(self) -> list[str]:
        return [fact["new"] for fact in self.service.journal("OperatorMoved") if fact["operator"] == self.user]

    async def take_seat(self) -> None:
        """Through the sound check, then go available."""
        await (
            self.page.get_by_role("button", name="Go available")
            .or_(self.page.get_by_role("button", name="Take a seat here"))
            .first.wait_for()
        )
        seat = self.page.get_by_role("button", name="Take a seat here")
        done = self.page.get_by_role("dialog").get_by_role("button", name="Done")
        if await seat.count():
            await seat.click()
            await done.wait_for()  # taking a seat opens the sound check, which covers the rest
        if await done.count():
            await done.click()
        await self.page.get_by_role("button", name="Go available").click()

    async def hears(self) -> tuple[float, float]:
        """The strongest frequency in what it is given to play (Hz), and the level (RMS, 1 is full scale)."""
        hz, level = await self.page.evaluate(PEAK)
        return float(hz), float(level)

    async def hears_tone(self, hz: float) -> bool:
        """Whether that tone, and little else, is heard now."""
        found, level = await self.hears()
        return abs(found - hz) < 30 and level > 0.03

    async def hears_among(self, hz: float) -> bool:
        """Whether that tone is among what is heard now, whatever else is."""
        return float(await self.page.evaluate(STRENGTH, hz)) > -45

    async def hears_nothing(self) -> bool:
        """Whether it is quiet now."""
        return (await self.hears())[1] < 0.01

    async def hang_up(self) -> None:
        """By its key, twice, as a person does: the second press is meant."""
        await self.press("x")
        await self.page.get_by_role("button", name="Once more to hang up").wait_for()
        await self.page.wait_for_timeout(500)
        await self.press("x")
        await self.page.get_by_text("What was it?").wait_for()

    async def close_with(self, digit: str) -> None:
        """The outcome by its digit, then Enter."""
        await self.press(digit)
        await self.page.locator(CHOSEN).first.wait_for(state="attached")
        await self.press("Enter")

    def kill(self) -> None:
        """End the browser's processes as a crash would: all of them, at once."""
        mine = _descendants(self.process)
        for pid in mine:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def press(self, key: str) -> None:
        """A key, wherever the focus is."""
        await self.page.keyboard.press(key)

    async def devtools(self) -> CDPSession:
        """Chromium's own protocol, to freeze a tab."""
        return await self.page.context.new_cdp_session(self.page)


async def both_hear(point: Phone, seat: Console, within_s: float) -> None:
    """Until each hears the other's tone."""
    await eventually(lambda: point.hears(seat.hz), within_s)
    await eventually(lambda: seat.hears_tone(point.hz), within_s)


async def answered(people: Desk, seat: Console, hz: float, within_s: float) -> Phone:
    """A point `p1` with this tone that pressed: the operator, on duty from now on, answered by key, and each hears the other."""
    await seat.on_duty()
    point = await people.phone("p1", hz)
    pressing = point.pressing()
    await seat.page.get_by_role("button", name="Answer").wait_for()
    await seat.press("Space")
    await both_hear(point, seat, within_s)
    await pressing
    return point


def _descendants(pid: int) -> list[int]:
    """A process and all that it started, itself first."""
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in path.read_text().split()]
    return found


def _browsers() -> set[int]:
    """Chromium's first processes: those that Playwright's driver started."""
    return {pid for pid in _descendants(os.getpid()) if _is_browser(pid)}


def _is_browser(pid: int) -> bool:
    with suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"--headless=new" in line and b"--type=" not in line
    return False


@asynccontextmanager
async def console(service: Service, directory: Path, user: str, hz: float, bypass_csp: bool = False) -> AsyncIterator[Console]:
    """A browser with one console page, not signed in yet. Faults of its scripts fail the test at the end."""
    async with chromium(directory, hz) as browser:
        room = await browser.new_context(
            permissions=["microphone", "notifications"],
            viewport={"width": 1366, "height": 768},
            bypass_csp=bypass_csp,
        )
        await room.add_init_script(SPY)
        page = await room.new_page()
        page.set_default_timeout(15_000)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield Console(service, browser, page, user, hz, faults, min(_browsers()))
        assert faults == []
