"""Make the shipped phrases from the manifest's texts: `python -m audio.prompts.make`. Needs espeak-ng.

Rewrites `<language>/<name>.flac` and the sums in `manifest.toml`. The same espeak-ng gives the same files.
"""

import hashlib
import json
from pathlib import Path

from audio.prompts import HERE, RATE_HZ, Phrase, phrases
from audio.speech import say, version, voice_of
from audio.tracks import write_flac

_HEAD = "# What the prompts say. After a change of a text: python -m audio.prompts.make\n\nmade_by = {}\n"


def make(below: Path = HERE) -> tuple[Phrase, ...]:
    """Speak every phrase of the manifest in `below`, write its file and its sum. Raises `NoSpeech`."""
    made = tuple(_spoken(phrase, below) for phrase in phrases(below))
    (below / "manifest.toml").write_text(_HEAD.format(json.dumps(version())) + "".join(_row(phrase) for phrase in made), "utf-8")
    return made


def _spoken(phrase: Phrase, below: Path) -> Phrase:
    path = phrase.path(below)
    write_flac(path, [say(phrase.text, voice_of(phrase.language), RATE_HZ)], RATE_HZ)
    return Phrase(phrase.name, phrase.language, phrase.text, hashlib.sha256(path.read_bytes()).hexdigest())


def _row(phrase: Phrase) -> str:
    """JSON's quoting of a text is TOML's too."""
    keys = ("name", "language", "text", "sha256")
    return "\n[[phrases]]\n" + "".join(f"{key} = {json.dumps(getattr(phrase, key), ensure_ascii=False)}\n" for key in keys)


if __name__ == "__main__":
    make()
