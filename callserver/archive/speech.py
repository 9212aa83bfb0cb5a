"""Spoken files for the call workers: `<prompts>/<language>/<name>.wav`, 16 kHz, 16 bits, mono.

Phrases come from the shipped FLAC files, place names and the plan's own texts from espeak-ng. Each is made once and again only
when its source changes. A file that somebody else put there is a recording of theirs and stays. A language that lacks a phrase,
a text or a voice has the English one.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import soundfile

from audio.prompts import HERE, RATE_HZ, Phrase, phrases
from audio.resample import resample
from audio.speech import NoSpeech, say, voice_of
from audio.tones import Samples
from audio.tracks import read_sound, write_aside
from dialplans.model import Plan, Point

INDEX = ".made.json"
_REMEMBERED = 4  # sums of our own earlier files, so that a crash between index and file leaves nobody's recording


FALLBACK = "en"


class Missing(list[str]):
    """Names (`<language>/<name>`) that are not there in their language and why; English plays instead, or else a tone."""


@dataclass(slots=True)
class _Index:
    """What we made in one language's directory: name -> its source's sum, and the sums of the files that were ours."""

    path: Path
    made: dict[str, tuple[str, list[str]]]

    @classmethod
    def of(cls, folder: Path) -> "_Index":
        path = folder / INDEX
        try:
            rows = json.loads(path.read_text("utf-8"))
            return cls(path, {name: (str(row["source"]), [str(each) for each in row["ours"]]) for name, row in rows.items()})
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return cls(path, {})  # without it everything is made anew, but files that are there are taken for recordings

    def note(self, name: str, source: str, made: str) -> None:
        ours = [each for each in self.made.get(name, ("", []))[1] if each != made]
        self.made[name] = (source, [*ours, made][-_REMEMBERED:])
        rows = {each: {"source": row[0], "ours": row[1]} for each, row in sorted(self.made.items())}
        write_aside(self.path, json.dumps(rows, indent=1).encode())


def materialise(plan: Plan, prompts_dir: Path) -> Missing:
    """Make what the plan's calls may play: all phrases and texts in all of its languages, and the name of every point's place in
    the point's language and in those in which outside parties are told of it.

    Returns what is missing. Raises OSError when `prompts_dir` cannot be written.
    """
    languages = {point.language for point in plan.points.values()} | {FALLBACK}
    told = {party.language for party in plan.parties.values()}
    missing = phrases_for(languages | told, prompts_dir)
    missing.extend(texts_for(plan.texts, languages, prompts_dir))
    missing.extend(places_for(plan.points.values(), prompts_dir, told))
    return missing


def phrases_for(languages: Iterable[str], prompts_dir: Path, shipped: Path = HERE) -> Missing:
    """Lay out the shipped phrases. A phrase that a language lacks is told as missing, and the English one takes its place."""
    missing = Missing()
    known = {(phrase.language, phrase.name): phrase for phrase in phrases(shipped)}
    names = dict.fromkeys(phrase.name for phrase in known.values())
    for language in sorted(set(languages)):
        index = _Index.of(prompts_dir / language)
        for name in names:
            phrase = known.get((language, name)) or known.get((FALLBACK, name))
            if phrase is None or phrase.language != language:
                _unless_recorded(index, name, "no phrase of this language is shipped", missing)
            if phrase is not None:
                _make(index, name, phrase.sha256, partial(_shipped, phrase, shipped), missing)
    return missing


def places_for(points: Iterable[Point], prompts_dir: Path, told: Iterable[str] = ()) -> Missing:
    """Speak the points' places, as they are written: `place-<point>.wav`, in the point's language and in those of `told`. Where a
    language has no voice the English one reads them."""
    missing = Missing()
    indexes: dict[str, _Index] = {}
    for point in points:
        for language in sorted({point.language, *told}):
            index = indexes.setdefault(language, _Index.of(prompts_dir / language))
            source = hashlib.sha256(f"{language}\n{point.place}".encode()).hexdigest()
            _make(index, f"place-{point.id}", source, partial(_spoken, point.place, language), missing)
    return missing


def texts_for(texts: Mapping[str, Mapping[str, str]], languages: Iterable[str], prompts_dir: Path) -> Missing:
    """Speak the plan's texts: `text-<id>.wav`. A language that a text lacks is told, and hears the English words."""
    missing = Missing()
    for language in sorted(set(languages)):
        index = _Index.of(prompts_dir / language)
        for id, words in texts.items():
            spoken = language if language in words else FALLBACK
            if spoken != language:
                _unless_recorded(index, f"text-{id}", "the plan has no words for it in this language", missing)
            if spoken in words:
                source = hashlib.sha256(f"{spoken}\n{words[spoken]}".encode()).hexdigest()
                _make(index, f"text-{id}", source, partial(_spoken, words[spoken], spoken), missing)
    return missing


def _spoken(words: str, language: str) -> Samples:
    """By the language's voice, or by the English one where there is none."""
    try:
        return say(words, voice_of(language), RATE_HZ)
    except NoSpeech:
        if language == FALLBACK:
            raise
        return say(words, voice_of(FALLBACK), RATE_HZ)


def _make(index: _Index, name: str, source: str, sound: Callable[[], Samples], missing: Missing) -> None:
    """Bring one file up to date with its source."""
    folder = index.path.parent
    file = folder / f"{name}.wav"
    known, ours = index.made.get(name, ("", []))
    if file.exists():
        lies_there = hashlib.sha256(file.read_bytes()).hexdigest()
        if lies_there not in ours or (known == source and lies_there == ours[-1]):
            return
    try:
        content = _wav(sound())
    except (NoSpeech, OSError) as error:
        if not file.exists():
            missing.append(f"{folder.name}/{name}: {error}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    index.note(name, source, hashlib.sha256(content).hexdigest())
    write_aside(file, content)


def _unless_recorded(index: _Index, name: str, why: str, missing: Missing) -> None:
    """Tell what is missing, unless somebody's recording lies there: a file that is none of ours."""
    file = index.path.parent / f"{name}.wav"
    ours = index.made.get(name, ("", []))[1]
    if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() in ours:
        missing.append(f"{file.parent.name}/{name}: {why}")


def _shipped(phrase: Phrase, shipped: Path) -> Samples:
    samples, rate_hz = read_sound(phrase.path(shipped))
    return resample(samples[:, 0], rate_hz, RATE_HZ)


def _wav(samples: Samples) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, RATE_HZ, subtype="PCM_16", format="WAV")
    return out.getvalue()
