"""What is known of the console's scripts and colours without a browser: the model's tests, the types, sizes, contrast."""

import re
import subprocess
from itertools import product
from pathlib import Path

import pytest

from tests import sources

CONSOLE = sources.ROOT / "callserver" / "web" / "console"
HERE = Path(__file__).parent
SCRIPTS = sorted(path for path in CONSOLE.glob("*.js") if not path.name.startswith("replay"))
SHEETS = sorted(path for path in CONSOLE.glob("*.css") if not path.name.startswith(("replay", "tokens")))
MOST_LINES = 400
TYPES = ("--allowJs", "--checkJs", "--strict", "--noEmit", "--noUnusedLocals", "--noUnusedParameters", "--noImplicitReturns")
TARGET = ("--target", "ES2022", "--module", "ES2022", "--moduleResolution", "node", "--lib", "ES2022,DOM,DOM.Iterable")

# Markup from text, code from text, requests to elsewhere, addresses of elsewhere.
UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?!\s|www\.w3\.org/2000/svg)"
)
TEXTS = ("text", "text-quiet", "text-faint", "red", "amber", "green", "blue")
GROUNDS = ("ground", "surface", "raised")
PAIRS = [
    *product(TEXTS, GROUNDS),
    *product(("text", "text-quiet"), ("pressed", "red-ground", "amber-ground", "green-ground", "blue-ground")),
    *(("red", "red-ground"), ("amber", "amber-ground"), ("green", "green-ground"), ("blue", "blue-ground")),
    *product(
        ("on-fill",),
        ("red-fill", "amber-fill", "green-fill", "blue-fill", "red-fill-strong", "green-fill-strong", "blue-fill-strong"),
    ),
]


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, timeout=110, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_the_pure_parts_keep_their_rules(name: str) -> None:
    """`node --test`: the model, the keys, the words."""
    assert _run("node", "--test", HERE / name) == ""


def test_types_fit() -> None:
    """`tsc --checkJs --strict` over every script of the console."""
    assert _run("tsc", *TYPES, *TARGET, HERE / "browser.d.ts", *SCRIPTS) == ""


def test_files_are_short_and_take_no_markup_from_data() -> None:
    """Nothing that a name of a place could break out of, nothing loaded from elsewhere."""
    texts = {path.name: path.read_text() for path in [*SCRIPTS, *SHEETS, CONSOLE / "index.html"]}
    assert {name: text.count("\n") for name, text in texts.items() if text.count("\n") > MOST_LINES} == {}
    faults = {name: UNSAFE.findall(text) for name, text in texts.items()}
    assert {name: found for name, found in faults.items() if found} == {}
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", texts["index.html"])


def test_the_model_has_no_clock_and_no_page() -> None:
    """What decides is pure: no time, no chance, no document, no network."""
    impure = re.compile(
        r"\b(Date\.now|performance|Math\.random|document|window|localStorage|sessionStorage|fetch|setTimeout|navigator)\b"
    )
    pure = [
        path
        for path in SCRIPTS
        if path.name.startswith("model") or path.name in ("select.js", "select-call.js", "keys.js", "words.js", "view-map.js")
    ]
    assert len(pure) > 7
    code = {path.name: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL) for path in pure}
    assert {name: impure.findall(text) for name, text in code.items() if impure.search(text)} == {}


def _light(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _tokens() -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", (CONSOLE / "tokens.css").read_text()))


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(text: str, ground: str) -> None:
    """WCAG AA: 4.5 to 1 for every colour of text on every ground it stands on."""
    tokens = _tokens()
    assert _contrast(tokens[text], tokens[ground]) >= 4.5


def test_borders_of_what_is_pressed_can_be_seen() -> None:
    """WCAG AA: 3 to 1."""
    tokens = _tokens()
    assert min(_contrast(tokens["line-strong"], tokens[ground]) for ground in GROUNDS) >= 3
