"""The page's scripts: their own tests in node, their types, and words for every kind of fact."""

import json
import re
import subprocess

import pytest

from callserver.core.facts import KINDS
from tests import sources

ROOM = "callserver/web/console"
SCRIPTS = [name for name in sources.files() if re.fullmatch(rf"{ROOM}/replay[a-z-]*\.js", name)]
STYLES = [name for name in sources.files() if re.fullmatch(rf"{ROOM}/replay[a-z-]*\.(css|html)", name)]
MOST_LINES = 400


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A tool, in the checkout."""
    return subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("name", ["words", "desk", "looks", "hearing", "sample"])
def test_the_pure_parts_do_what_they_should(name: str) -> None:
    """See words.test.mjs, and those beside it."""
    done = run("node", "--test", f"tests/replay/{name}.test.mjs")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_types_fit() -> None:
    """As the comments say them."""
    done = run("tsc", "-p", "tests/replay/tsconfig.json")
    assert (done.returncode, done.stdout) == (0, "")


def test_every_kind_of_fact_has_its_words_and_no_other() -> None:
    """An auditor reads no kind's raw name."""
    script = f"import('./{ROOM}/replay-words.js').then((words) => console.log(JSON.stringify(Object.keys(words.WORDS))))"
    done = run("node", "--input-type=module", "-e", script)
    assert sorted(KINDS) == sorted(json.loads(done.stdout)), done.stderr


@pytest.mark.parametrize("name", [*SCRIPTS, *STYLES])
def test_no_file_of_the_page_is_long_or_writes_markup(name: str) -> None:
    """A file that does not fit has two subjects; data never becomes markup."""
    text = sources.text(name)
    assert text.count("\n") <= MOST_LINES
    assert [
        word for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "style=", "onclick=") if word in text
    ] == []
