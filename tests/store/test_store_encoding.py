"""Every kind of fact goes to bytes and comes back equal."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callserver.core.facts import KINDS, AlarmRaised, Fact, IncidentOpened, LegMoved, Listened, OfferMade, OutcomeRecorded
from callserver.core.ids import CallId, IncidentId, LegId, OfferId, PointId
from callserver.core.termination import By, Class, Termination
from callserver.store.encoding import ERASABLE_FIELDS, UnknownKind, about, decode_fact, encode_fact, salted_hash
from dialplans.model import Point

_DEGREES = st.none() | st.floats(-180, 180)
st.register_type_strategy(Point, st.builds(Point, latitude=_DEGREES, longitude=_DEGREES))  # JSON has no NaN, the earth neither


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_kind_of_fact_comes_back_equal(kind: str, data: st.DataObject) -> None:
    fact: Any = data.draw(st.from_type(KINDS[kind]))
    name, body, erasable = encode_fact(fact)
    again = decode_fact(name, body, erasable)
    assert kind == name
    assert fact == again
    assert _types(fact) == _types(again)


def _types(value: Any) -> Any:
    """The types of a value's parts: StrEnum and IntEnum equal plain values, so equality alone says too little."""
    if dataclasses.is_dataclass(value):
        return type(value), [_types(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return Mapping, {key: _types(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple, [_types(item) for item in value]
    return type(value)


def test_a_mapping_keeps_its_order() -> None:
    """A plan's order may carry meaning: live state and folded state must walk through it alike."""
    made = KINDS["RecordingMade"](CallId("i.1"), {"z": "1", "a": "2"}, {}, 1, 0)
    again: Any = decode_fact(*encode_fact(made))
    assert list(again.files) == ["z", "a"]


def test_erasable_text_is_not_in_the_body_but_its_salted_hash_is() -> None:
    fact = OutcomeRecorded(IncidentId("i"), "false-alarm", "anna", "He said his name was Arthur.")
    kind, body, erasable = encode_fact(fact)
    assert b"Arthur" not in body
    assert salted_hash(erasable["note"].salt, fact.note) == msgspec.json.decode(body)["note"]
    assert dataclasses.replace(fact, note="") == decode_fact(kind, body)


def test_the_same_text_is_hashed_with_another_salt_each_time() -> None:
    fact = Listened(CallId("i.1"), "anna", "training")
    assert encode_fact(fact)[1] != encode_fact(fact)[1]


def test_erasable_fields_are_texts() -> None:
    for kind, names in ERASABLE_FIELDS.items():
        for field in dataclasses.fields(KINDS[kind]):
            assert field.name not in names or field.type is str


def test_bytes_that_were_no_utf_8_do_not_lose_the_fact() -> None:
    kind, body, _ = encode_fact(AlarmRaised("k", "bad \udc80 letter"))
    assert AlarmRaised("k", "bad ? letter") == decode_fact(kind, body)
    note = OutcomeRecorded(IncidentId("i"), "o", "b", "x\udcff")
    kind, body, erasable = encode_fact(note)
    assert erasable["note"].value == "x?"


def test_a_kind_of_a_newer_version_is_named() -> None:
    with pytest.raises(UnknownKind, match="FromTheFuture"):
        decode_fact("FromTheFuture", b"{}")


@pytest.mark.parametrize(
    ("fact", "incident", "call"),
    [
        (IncidentOpened(IncidentId("i7"), PointId("p"), "q", 0, 1), "i7", None),
        (LegMoved(LegId("i7.2.3"), "up", "ended", "", Termination(Class.NORMAL, By.PARTY, "")), "i7", "i7.2"),
        (OfferMade(OfferId("i7.2.o1"), CallId("i7.2"), (), (), 0, ""), "i7", "i7.2"),
        (KINDS["OfferEnded"](OfferId("i7.2.o1"), "withdrawn", ""), "i7", "i7.2"),
        (KINDS["RouteTried"](IncidentId("i7"), "police", 0, 1, LegId("i7.2.4"), ""), "i7", "i7.2"),
        (AlarmRaised("k", "t"), None, None),
    ],
)
def test_a_fact_is_found_by_its_incident_and_call(fact: Fact, incident: str | None, call: str | None) -> None:
    assert (incident, call) == about(fact)
