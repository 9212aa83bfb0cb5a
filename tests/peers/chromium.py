"""Chromium with a fake microphone that plays a tone: a browser for one test, driven by Playwright, on loopback alone."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from playwright import sync_api
from playwright.async_api import Browser, async_playwright

from tests.peers.tones import make_tone

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
QUIET_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SEAT_FLAGS = (
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
)
IGNORED = ("--mute-audio", "--hide-scrollbars")  # of Playwright's own


@asynccontextmanager
async def chromium(directory: Path, hz: float = 0.0, *flags: str) -> AsyncIterator[Browser]:
    """A running browser; with `hz` its microphone plays that tone for ever, else Chromium's own beeps."""
    arguments = [*QUIET_FLAGS, *SEAT_FLAGS, *flags]
    if hz:
        wav = make_tone(directory / f"microphone-{hz:g}.wav", hz, 30.0, 48000)
        arguments.append(f"--use-file-for-fake-audio-capture={wav}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=PROGRAM, headless=False, ignore_default_args=list(IGNORED), args=arguments
        )
        try:
            yield browser
        finally:
            await browser.close()


@contextmanager
def plain_chromium(*flags: str) -> Iterator[sync_api.Browser]:
    """The same without an event loop, for tests that only look at pages; a seat needs `SEAT_FLAGS`."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM, headless=False, ignore_default_args=list(IGNORED), args=[*QUIET_FLAGS, *flags]
        )
        yield browser
        browser.close()
