"""The schema for editors: it is what the keys say, it takes every good plan, and refuses what the language refuses key by key."""

import json
import tomllib
from typing import Any

import jsonschema_rs
import pytest

from dialplans import keys, schema
from dialplans.load import SHIPPED
from tests import sources
from tests.dialplans.whole import RICH, changed

SCHEMA: dict[str, Any] = json.loads(schema.FILE.read_text("utf-8"))
VALID = jsonschema_rs.validator_for(SCHEMA)
PLANS = sorted(name for name in sources.files() if name.startswith("dialplans/") and name.endswith(".toml"))


def wrong(text: str) -> list[str]:
    return [error.message for error in VALID.iter_errors(tomllib.loads(text))]


def test_the_schema_is_up_to_date() -> None:
    """After a changed key or a changed word of the reference: python -m dialplans.schema."""
    assert schema.text(schema.DOCUMENT.read_text("utf-8")) == schema.FILE.read_text("utf-8")


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("name", PLANS)
def test_each_shipped_file_fits_the_schema_and_names_it(name: str) -> None:
    assert wrong(sources.text(name)) == []
    assert sources.text(name).splitlines()[0] == "#:schema ./schema.json"


def test_the_shipped_plans_are_all_there() -> None:
    assert {f"dialplans/{name}.toml" for name in SHIPPED} <= set(PLANS)


def test_a_plan_with_a_little_of_everything_fits() -> None:
    assert wrong(RICH) == []


def test_each_key_is_described_to_the_editor() -> None:
    undescribed = []
    for table, known in keys.TABLES.items():
        words = schema.described(schema.DOCUMENT.read_text("utf-8")).get(table, {})
        undescribed += [f"{table}.{key}" for key in known if not words.get(key)]
    assert undescribed == []
    assert SCHEMA["properties"]["queues"]["patternProperties"][f"^(?:{schema.v.ID})$"]["properties"]["strategy"]["description"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("wrap_up_cut = false", "wrap_up_cat = false"),
        ("wrap_up_cut = false", 'wrap_up_cut = "no"'),
        ('ageing = "5m"', "ageing = 5"),
        ('queue_limit = "20s"', 'queue_limit = "20 seconds"'),
        ('auto_answer = "call-info"', 'auto_answer = "yes"'),
        ('digit = "9"', 'digit = "9"\nuser = "x"'),
        ('digit = "9"', ""),
        ('"mon-fri"', '"weekdays"'),
        ('"08:00"', '"8"'),
        ('"digits:55"', '"digits:x"'),
        ('place = "Pier"\n', ""),
        ("auto_pause_after = 3", "auto_pause_after = -1"),
        ('en = "Please wait"\n', ""),
        ('"*8" = "ladder"', '"8" = "ladder"'),
        ('"*8" = "ladder"', '"*8" = "lunch"'),
        ("[nuisance.pranks]", "[mischief.pranks]"),
        ('uri = "sip:police@192.0.2.7"', 'uri = "police"'),
        ("[notices.system]\n", '[notices.system]\nmail = "a@b.example"\n'),
        ('misuse = "Misuse"', "misuse = {}"),
    ],
)
def test_what_is_wrong_with_one_key_an_editor_shows_at_once(old: str, new: str) -> None:
    assert wrong(changed(old, new)) != []
