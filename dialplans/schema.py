"""The keys of a plan as JSON Schema, for editors: `python -m dialplans.schema` writes schema.json from keys and docs/dialplan.md.

The schema tells less than `parse`: what the tables say of each other no schema can know. It holds for each file of a plan.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dialplans import keys as k
from dialplans import values as v
from dialplans.sections import CODES, CODES_FOR
from dialplans.sources import MOST_FILES

HERE = Path(__file__).parent
FILE = HERE / "schema.json"
DOCUMENT = HERE.parent / "docs" / "dialplan.md"

Words = Mapping[str, Mapping[str, str]]
"""Table -> key -> what it means; the key "" says what the table is for."""

_ID = v.whole(v.ID)
_LINE = {"type": "string", "minLength": 1}
_MEANING = f"^(?:{'|'.join(CODES)}|(?:{'|'.join(CODES_FOR)}):{v.ID})$"
_AS_IN = re.compile(r"As in `([a-zA-Z.]+)`")


def schema(words: Words) -> dict[str, Any]:
    """The schema of a plan's file, with what `words` says of each table and key."""
    tables = {name: _table(name, words) for name in k.TABLES}
    tops: dict[str, Any] = {name: _placed(name, tables[name]) for name in tables if "." not in name.removesuffix(".ID")}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A plan of callserver",
        "description": "Help points, who answers them, and what happens when nobody does. See docs/dialplan.md.",
        "type": "object",
        "additionalProperties": False,
        "properties": {name.removesuffix(".ID"): below for name, below in tops.items()},
        "definitions": {name: below for name, below in tables.items() if "." in name.removesuffix(".ID")},
    }


def _table(name: str, words: Words) -> dict[str, Any]:
    """One table, or what stands in its place."""
    said = {"description": words[name][""]} if words.get(name, {}).get("") else {}
    if name in _SPECIAL:
        return {**said, **_SPECIAL[name]}
    table: dict[str, Any] = {
        **said,
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _key(name, key, known, words) for key, known in k.TABLES[name].items()},
        "required": [key for key, known in k.TABLES[name].items() if known.required],
        **_ONE_OF.get(name, {}),
    }
    return {**said, "anyOf": [_LINE, table]} if name == "outcomes.ID" else table


def _key(table: str, name: str, key: k.Key, words: Words) -> dict[str, Any]:
    said = words.get(table, {}).get(name, "")
    if as_in := _AS_IN.match(said):
        said = words[as_in[1]][name]
    described = {"description": said} if said else {}
    return {**described, **(_placed(key.below, {"$ref": f"#/definitions/{key.below}"}) if key.below else key.reads.schema)}


def _placed(name: str, table: dict[str, Any]) -> dict[str, Any]:
    """A table where it stands: alone, as rows, below ids of the plan's own, or both."""
    placed = {"type": "array", "items": table} if name in k.ROWS else table
    if name.endswith(".ID"):
        return {"type": "object", "additionalProperties": False, "patternProperties": {_ID: placed}}
    return placed


def _one_of(*names: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [name]} for name in names]}


_ONE_OF: Mapping[str, dict[str, Any]] = {
    "points.ID.buttons.ID": _one_of("user", "header", "digit"),
    "notices.ID": _one_of("webhook", "mail"),
}
_SPECIAL: Mapping[str, dict[str, Any]] = {
    "include": {
        "type": "array",
        "items": {"type": "string", "pattern": r"^[^/\\][^\\]*\.toml$"},
        "maxItems": MOST_FILES - 1,
        "uniqueItems": True,
    },
    "texts.ID": {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {v.whole(v.LANGUAGE): _LINE},
        "required": ["en"],
    },
    "pauses": {"type": "object", "additionalProperties": False, "patternProperties": {_ID: _LINE}},
    "codes": {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {r"^\*[0-9*#]{1,8}$": {"type": "string", "pattern": _MEANING}},
    },
}
"""Tables whose keys a plan chooses."""


def described(document: str) -> Words:
    """What docs/dialplan.md says of each table and key, without its marks."""
    words: dict[str, dict[str, str]] = {}
    for section in re.split(r"(?m)^## ", document)[1:]:
        heading = re.match(r"`([^`]+)`\n\n([^|`\n#](?:[^\n]|\n(?!\n))*)?", section)
        if heading is not None:
            rows = re.findall(r"(?m)^\| `([a-z_]+)` \| (.+) \|$", section)
            words[heading[1]] = {"": _plain(heading[2] or ""), **{name: _plain(said) for name, said in rows}}
    return words


def _plain(said: str) -> str:
    """A sentence as an editor shows it; that a key is required it knows by itself."""
    joined = " ".join(said.split()).removesuffix(" Required.")
    return joined if _AS_IN.match(joined) else joined.replace("`", "")


def text(document: str) -> str:
    """What schema.json holds."""
    return json.dumps(schema(described(document)), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(DOCUMENT.read_text("utf-8")), "utf-8")
