"""The shipped phrases: `manifest.toml` says what each says, `<language>/<name>.flac` is how it sounds, `make.py` made them.

Any phrase can be replaced by a recording: put the file in place and its SHA-256 into the manifest.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Phrase:
    """One prompt in one language; `sha256` is that of its file."""

    name: str
    language: str
    text: str
    sha256: str

    def path(self, below: Path = HERE) -> Path:
        """Its file: 16 kHz, mono, 16-bit FLAC."""
        return below / self.language / f"{self.name}.flac"

    def whole(self, below: Path = HERE) -> bool:
        """Whether the file is the one that the manifest means."""
        path = self.path(below)
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


def made_by(below: Path = HERE) -> str:
    """The program and version that spoke the files."""
    return str(tomllib.loads((below / "manifest.toml").read_text("utf-8"))["made_by"])


def phrases(below: Path = HERE) -> tuple[Phrase, ...]:
    """All phrases of the manifest, in its order."""
    rows = tomllib.loads((below / "manifest.toml").read_text("utf-8"))["phrases"]
    return tuple(Phrase(row["name"], row["language"], row["text"], row.get("sha256", "")) for row in rows)
