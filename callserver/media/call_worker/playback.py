"""Prompts: files and tones as ports of the bridge, with their times. Engine's thread only.

No callbacks at a file's end: its length is known, and the engine's loop looks at the time. A prompt whose file is missing
or unreadable is told once and becomes two quiet beeps, so that nobody waits in silence. Of a prompt of several pieces only
what is missing is left out.
"""

import os
import wave
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pjsua2 as pj

from callserver.media.call_worker.phrases import JOINT, LANGUAGE, file_of, joined, language_of, length_ms, pieces_of
from callserver.media.protocol import ShapeOrder

MS = 1_000_000
RINGBACK = "ringback"
RINGBACK_HZ, RINGBACK_ON_MS, RINGBACK_OFF_MS = 425, 1_000, 4_000  # ITU-T E.180
BEEP_HZ, BEEP_ON_MS, BEEP_OFF_MS, BEEPS = 660, 150, 150, 2
QUIET, VERY_QUIET = 6_000, 3_000  # of 32,767


class PromptKey(NamedTuple):
    """What makes two wishes the same playing prompt."""

    name: str
    to: tuple[str, ...]
    every_ms: int


def keys_of(order: ShapeOrder) -> list[PromptKey]:
    """A shape's prompts, each once."""
    return list(dict.fromkeys(PromptKey(prompt.name, prompt.to, prompt.every_ms) for prompt in order.prompts))


@dataclass(slots=True)
class _Playing:
    port: pj.AudioMedia
    again: Callable[[], None]
    length_ms: int  # 0: for ever
    began_ns: int


class Playback:
    """`missing` is told the name of a prompt, or of a piece of one, that has no file; once."""

    def __init__(self, directory: Path, rate_hz: int, missing: Callable[[str], None]) -> None:
        self._directory, self._rate_hz, self._missing = directory, rate_hz, missing
        self._playing: dict[PromptKey, _Playing] = {}
        self._over: set[PromptKey] = set()
        self._told: set[str] = set()

    @property
    def playing(self) -> Set[PromptKey]:
        """Prompts that are to be heard now."""
        return self._playing.keys() - self._over

    def port(self, key: PromptKey) -> pj.AudioMedia:
        """The port of a playing prompt."""
        return self._playing[key].port

    def begin(self, keys: Iterable[PromptKey], now_ns: int) -> None:
        """Start those that neither play nor have been played."""
        for key in keys:
            if key not in self._playing and key not in self._over:
                self._playing[key] = self._make(key, now_ns)

    def keep_only(self, keys: list[PromptKey]) -> None:
        """Forget what is wished no longer; its links must be gone."""
        for key in [key for key in self._playing if key not in keys or key in self._over]:
            del self._playing[key]
        self._over.intersection_update(keys)

    def tick(self, now_ns: int) -> bool:
        """Repeat what is due. True when a prompt is over, so that its links can go."""
        over = False
        for key, playing in self._playing.items():
            age_ms = (now_ns - playing.began_ns) // MS
            if not playing.length_ms or age_ms < playing.length_ms or age_ms < key.every_ms:
                continue
            if key.every_ms:
                playing.again()
                playing.began_ns = now_ns
            else:
                self._over.add(key)
                over = True
        return over

    def _make(self, key: PromptKey, now_ns: int) -> _Playing:
        if key.name == RINGBACK:
            return self._tone(_tone(RINGBACK_HZ, RINGBACK_ON_MS, RINGBACK_OFF_MS, VERY_QUIET, 1), 0, now_ns)
        name, language = language_of(key.name)
        pieces, spoken = pieces_of(name), self._spoken_in(language)
        made = self._one(spoken, pieces[0], now_ns) if len(pieces) == 1 else self._several(spoken, pieces, now_ns)
        if made is not None:
            return made
        beeps = _tone(BEEP_HZ, BEEP_ON_MS, BEEP_OFF_MS, QUIET, BEEPS)
        return self._tone(beeps, BEEPS * (BEEP_ON_MS + BEEP_OFF_MS), now_ns)

    def _spoken_in(self, language: str) -> Path:
        """Where the words of a language lie; "": the call's."""
        return self._directory.parent / language if language else self._directory

    def _one(self, spoken: Path, name: str, now_ns: int) -> _Playing | None:
        file = file_of(spoken, name)
        try:
            if file is None or not file.is_file():
                raise FileNotFoundError(name)
            return _player(file, now_ns)
        except (pj.Error, OSError, EOFError, wave.Error):
            self._lacks(spoken, name)
            return None

    def _several(self, spoken: Path, pieces: tuple[str, ...], now_ns: int) -> _Playing | None:
        """As one file that has no name: nothing to clean up, and no disk to wait for."""
        files = [file_of(spoken, piece) for piece in pieces]
        sound, unread = joined([file for file in files if file is not None])
        for piece, file in zip(pieces, files, strict=True):
            if file is None or file in unread:
                self._lacks(spoken, piece)
        if not sound:
            return None
        try:
            with open(os.memfd_create("phrase"), "wb") as memory:
                memory.write(sound)
                memory.flush()
                return _player(Path(f"/proc/self/fd/{memory.fileno()}"), now_ns)
        except (pj.Error, OSError):
            self._lacks(spoken, pieces[0])
            return None

    def _lacks(self, spoken: Path, piece: str) -> None:
        name = piece if spoken == self._directory else f"{piece}{JOINT}{LANGUAGE}{spoken.name}"
        if name not in self._told:
            self._told.add(name)
            self._missing(name)

    def _tone(self, tones: pj.ToneDescVector, length_ms: int, now_ns: int) -> _Playing:
        generator = pj.ToneGenerator()
        generator.createToneGenerator(self._rate_hz, 1)

        def again() -> None:
            generator.stop()
            generator.play(tones, length_ms == 0)

        generator.play(tones, length_ms == 0)
        return _Playing(generator, again, length_ms, now_ns)


def _player(file: Path, now_ns: int) -> _Playing:
    """Plays a file once, from its beginning. Raises pj.Error, OSError, EOFError or wave.Error."""
    lasts_ms = length_ms(file)
    player = pj.AudioMediaPlayer()
    player.createPlayer(str(file), pj.PJMEDIA_FILE_NO_LOOP)
    return _Playing(player, lambda: player.setPos(0), lasts_ms, now_ns)


def _tone(hz: int, on_ms: int, off_ms: int, volume: int, count: int) -> pj.ToneDescVector:
    tones = pj.ToneDescVector()
    for _ in range(count):
        tone = pj.ToneDesc()
        tone.freq1, tone.freq2, tone.on_msec, tone.off_msec, tone.volume = hz, 0, on_ms, off_ms, volume
        tones.append(tone)
    return tones
