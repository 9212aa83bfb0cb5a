"""A call of an hour in Chromium: the page with its waveform, sound from its middle, a nearer view."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from callserver.config import Config
from tests.replay import night
from tests.replay.conftest import Open
from tests.replay.test_page import EAR, click_at, hears, listen, sound_after_ms
from tests.web.desk import config_in

pytestmark = [pytest.mark.real, pytest.mark.long]

HOUR_S = 3600
DRAWN_MS = 2_000
SOUND_MS = 2_500
FIRST_PIXEL_MS = """() => {
    const canvas = document.querySelector("canvas");
    const data = canvas?.width ? canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data : [];
    return data.some((value, place) => place % 4 === 3 && value) ? performance.now() : 0;
}"""


@pytest.fixture(scope="session")
def night_config() -> Iterator[Config]:
    """The night, but its long call has an hour of noise, with the point's tone from half past on."""
    with TemporaryDirectory(prefix="cs") as name:
        config = config_in(Path(name))
        night.fill(config)
        noise = (np.random.default_rng(1).standard_normal(HOUR_S * night.RATE_HZ) * 40).astype(np.int16)
        voice = night.voice(night.POINT_HZ, [(1800, 1900)], HOUR_S)
        began = night.NIGHT_NS + round(night.BEGAN_S * night.SECOND)
        night.record(config.storage.recordings, night.CALL, [noise + voice, noise], began)
        yield config


def test_an_hour_is_drawn_and_heard_at_once(open_page: Open) -> None:
    """From the address to the waveform; from a click in the middle of fifty megabytes to the sound there."""
    page = open_page(f"#call={night.CALL}", before=EAR)
    drawn_ms = float(page.wait_for_function(FIRST_PIXEL_MS).json_value())
    click_at(page, 1830)
    listen(page)
    hears(page, night.POINT_HZ, None)
    first_ms = sound_after_ms(page)
    print(f"drawn {drawn_ms:.0f} ms after the page was asked for, first sound {first_ms:.0f} ms after the press")
    assert drawn_ms < DRAWN_MS
    assert first_ms < SOUND_MS
