"""G.711 against the values of the recommendation and against another implementation."""

import av
import numpy as np
import pytest

from audio import g711
from audio.tones import tone

LAWS = {
    "pcm_mulaw": (g711.decode_ulaw, g711.encode_ulaw),
    "pcm_alaw": (g711.decode_alaw, g711.encode_alaw),
}


def test_the_ends_and_the_middle_are_the_recommendations() -> None:
    assert g711.decode_ulaw(bytes([0xFF, 0x7F, 0x80, 0x00, 0xFE])).tolist() == [0, 0, 32_124, -32_124, 8]
    assert g711.decode_alaw(bytes([0xD5, 0x55, 0xAA, 0x2A, 0xD4])).tolist() == [8, -8, 32_256, -32_256, 24]


@pytest.mark.parametrize("law", LAWS)
def test_every_code_means_what_another_decoder_says(law: str) -> None:
    decoder = av.CodecContext.create(law, "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    (frame,) = decoder.decode(av.Packet(bytes(range(256))))
    assert LAWS[law][0](bytes(range(256))).tolist() == frame.to_ndarray().reshape(-1).tolist()


@pytest.mark.parametrize("law", LAWS)
def test_every_value_is_coded_to_the_nearest(law: str) -> None:
    decode, encode = LAWS[law]
    every = np.arange(-32_768, 32_768).astype(np.int16)
    back = decode(encode(every)).astype(np.int32)
    levels = np.unique(decode(bytes(range(256)))).astype(np.int32)
    nearest = np.abs(every.astype(np.int32)[:, None] - levels[None, :]).min(axis=1)
    assert np.array_equal(np.abs(back - every), nearest)


@pytest.mark.parametrize("law", LAWS)
def test_a_second_passage_changes_nothing(law: str) -> None:
    decode, encode = LAWS[law]
    once = decode(encode(tone(440, 0.2, 8000)))
    assert np.array_equal(decode(encode(once)), once)
