"""Documentation that matters: every fact, verb, option, key and word is described, and nothing that is not there."""

import dataclasses
import re
from collections.abc import Iterator

import pytest
import typer.main

import callserver.config
from callserver.core import facts
from tests import sources

WORDS = (
    *("help point", "press", "incident", "call", "leg", "bridge", "seat", "offer", "queue", "ladder", "step", "wrap-up", "trunk"),
    *("binding", "registrar", "address-of-record", "dialog", "transaction", "plan", "dialplan", "directory", "journal", "fact"),
    *("CDR", "termination", "capture", "recording", "track", "segment"),
)

FACTS, VERBS, KEYS, WHAT_IT_IS = "docs/facts.md", "docs/cli.md", "docs/configuration.md", "README.md"


def sections(document: str, marks: str) -> dict[str, str]:
    """Heading -> text below it, for headings with these marks ("##"); code marks around a heading are left out."""
    pieces = re.split(rf"^{marks} (.+)$", document, flags=re.MULTILINE)[1:]
    return {heading.strip().strip("`"): body for heading, body in zip(pieces[::2], pieces[1::2], strict=True)}


def rows(body: str) -> list[str]:
    """The first cell of each table row that is code, in order."""
    return re.findall(r"^\| `([^`]+)` \|", body, flags=re.MULTILINE)


def test_every_fact_is_described_and_no_other() -> None:
    """docs/facts.md has the kinds of the journal, neither more nor less."""
    assert sorted(facts.KINDS) == sorted(sections(sources.text(FACTS), "###"))


@pytest.mark.parametrize("kind", sorted(facts.KINDS))
def test_every_field_of_a_fact_is_described(kind: str) -> None:
    """In the order in which they are written; erasable ones are marked."""
    fields = dataclasses.fields(facts.KINDS[kind])
    body = sections(sources.text(FACTS), "###").get(kind, "")
    assert [field.name for field in fields] == rows(body)
    marked = [line for line in body.splitlines() if "erasable" in line and line.startswith("| `")]
    assert [f.name for f in fields if f.metadata.get("erasable")] == [line.split("`")[1] for line in marked]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every verb as it is typed, with its options."""
    from callserver.cli import app

    def walk(command: object, path: str) -> Iterator[tuple[str, list[str]]]:
        options = [name for parameter in getattr(command, "params", []) for name in parameter.opts if name.startswith("--")]
        if path:
            yield path, [name for name in options if name != "--help"]
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, f"{path} {name}".strip())

    yield from walk(typer.main.get_command(app), "")


def test_every_verb_and_option_is_described() -> None:
    """By `callserver VERB` and the option's own name below it."""
    described, missing = sources.text(WHAT_IT_IS) + sources.text(VERBS), []
    for path, options in commands():
        missing += [f"callserver {path}"] if f"callserver {path}" not in described else []
        missing += [f"{path} {option}" for option in options if not re.search(rf"[` \[]{option}\b", described)]
    assert missing == []


def test_no_verb_is_described_that_does_not_exist() -> None:
    """What docs/cli.md gives a heading is a verb."""
    known = tuple(f"callserver {path} " for path, _ in commands())
    assert [heading for heading in sections(sources.text(VERBS), "##") if not f"{heading} ".startswith(known)] == []


def test_every_key_is_described_in_its_section() -> None:
    """docs/configuration.md names each key of callserver.toml below its section."""
    found = {heading.strip("[]"): body for heading, body in sections(sources.text(KEYS), "##").items()}
    missing = [
        f"[{key.section}] {key.name}" for key in callserver.config.describe() if key.name not in rows(found.get(key.section, ""))
    ]
    assert missing == []


def test_no_key_is_described_that_does_not_exist() -> None:
    """A key that is gone is gone from the text."""
    known = {(key.section, key.name) for key in callserver.config.describe()}
    found = {(heading.strip("[]"), name) for heading, body in sections(sources.text(KEYS), "##").items() for name in rows(body)}
    assert sorted(found - known) == []


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_in_the_glossary(word: str) -> None:
    """One meaning per word."""
    assert f"**{word}**" in sources.text("GLOSSARY.md")


def test_links_lead_somewhere() -> None:
    """Each relative link of each document."""
    broken = []
    for name in sources.files():
        if name.endswith(".md") and not name.startswith(sources.FOREIGN):
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", sources.text(name)):
                if not (sources.ROOT / name).parent.joinpath(target).exists():
                    broken.append(f"{name}: {target}")
    assert broken == []
