"""A call of an hour in Chromium, plain and encrypted: the page with its waveform, sound from its middle, other places of it."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from playwright.sync_api import expect

from callserver.archive.sealing import Sealing
from callserver.config import Config
from callserver.sealed import SiteKey, is_sealed
from tests.replay import night
from tests.replay.conftest import Open
from tests.replay.test_page import EAR, click_at, hears, listen, sound_after_ms
from tests.web.desk import config_in

pytestmark = [pytest.mark.real, pytest.mark.long]

HOUR_S = 3600
SAYS = ((600, 700), (1800, 1900), (3000, 3100))
DRAWN_MS = 2_000
SILENCE_MS = 4_000
SOUND_MS = 1_000
KEY = bytes(range(32))
FIRST_PIXEL_MS = """() => {
    const canvas = document.querySelector("canvas");
    const data = canvas?.width ? canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data : [];
    return data.some((value, place) => place % 4 === 3 && value) ? performance.now() : 0;
}"""


@pytest.fixture(scope="session", params=["plain", "encrypted"])
def night_config(request: pytest.FixtureRequest) -> Iterator[Config]:
    """The night, but its long call has an hour of noise, with the point's tone in three places; as it is, or encrypted."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name), **{"storage.site_key_file": Path(name) / "site.key"})
        night.fill(config)
        noise = (np.random.default_rng(1).standard_normal(HOUR_S * night.RATE_HZ) * 40).astype(np.int16)
        voice = night.voice(night.POINT_HZ, SAYS, HOUR_S)
        began = night.NIGHT_NS + round(night.BEGAN_S * night.SECOND)
        night.record(config.storage.recordings, night.CALL, [noise + voice, noise], began)
        if request.param == "encrypted":
            (Path(name) / "site.key").write_text(KEY.hex())
            for path in (config.storage.recordings / night.CALL).iterdir():
                Sealing(lambda: (SiteKey(KEY),)).seal(path)
                assert is_sealed(path)
        yield config


def test_an_hour_is_drawn_and_heard_at_once(open_page: Open, night_config: Config) -> None:
    """From the address to the waveform; from a click in the middle of fifty megabytes to the sound there, and elsewhere."""
    page = open_page(f"#call={night.CALL}", before=EAR)
    drawn_ms = float(page.wait_for_function(FIRST_PIXEL_MS).json_value())
    click_at(page, 1830)
    listen(page)
    hears(page, night.POINT_HZ, None)
    first_ms = sound_after_ms(page)
    seeks_ms = []
    for second in (630, 3030, 1860):
        page.keyboard.press("Space")
        hears(page, 0, 0)
        click_at(page, second)
        hears(page, night.POINT_HZ, None)
        seeks_ms.append(sound_after_ms(page))
    kind = "encrypted" if is_sealed(night_config.storage.recordings / night.CALL / "call.flac") else "plain"
    seeks = ", ".join(f"{ms:.0f}" for ms in seeks_ms)
    print(
        f"{kind}: drawn {drawn_ms:.0f} ms after the page was asked for, first sound {first_ms:.0f} ms after the press, "
        f"at other places {seeks} ms"
    )
    assert drawn_ms < DRAWN_MS
    assert max(first_ms, *seeks_ms) < SOUND_MS
    began_ms = page.evaluate("performance.now()")
    page.keyboard.press("s")
    expect(page.locator(".closer-words")).to_contain_text("No silence to skip")
    silence_ms = page.evaluate("performance.now()") - began_ms
    print(f"where nobody speaks in the hour was known {silence_ms:.0f} ms after it was asked for")
    assert silence_ms < SILENCE_MS
