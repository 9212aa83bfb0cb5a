"""Capture files: what is written is read, and a file that was cut anywhere gives all that was whole."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.media.capture_format import MAGIC, Header, Kind, encode_header, encode_note, encode_record, read
from callserver.media.protocol import Codec

HEADER = Header(
    call="i1.1",
    leg="i1.1.1",
    role="point",
    segment=2,
    codec=Codec("PCMA", 8),
    boot_id="b",
    anchor_number=3,
    anchor_boottime_ns=5,
    anchor_utc_ns=7,
)
records = st.lists(
    st.tuples(st.integers(0, 2**63), st.sampled_from([Kind.IN, Kind.OUT]), st.binary(max_size=300), st.integers(0, 255)),
    max_size=6,
)


@given(records)
def test_what_is_written_is_read(wanted: list[tuple[int, Kind, bytes, int]]) -> None:
    data = encode_header(HEADER, 1) + b"".join(encode_record(at, kind, octets, flags) for at, kind, octets, flags in wanted)
    reading = read(io.BytesIO(data))
    assert reading.header == HEADER
    assert [(record.at_ns, record.kind, record.data, record.flags) for record in reading] == wanted
    assert (reading.cut, reading.good_bytes) == (None, len(data))


@given(records.filter(bool), st.data())
def test_a_cut_tail_is_told_and_all_before_it_is_read(wanted: list[tuple[int, Kind, bytes, int]], data: st.DataObject) -> None:
    head = encode_header(HEADER, 1)
    whole = [encode_record(at, kind, octets, flags) for at, kind, octets, flags in wanted]
    missing = data.draw(st.integers(1, len(whole[-1]) - 1))
    reading = read(io.BytesIO(head + b"".join(whole)[:-missing]))
    assert len(list(reading)) == len(wanted) - 1
    assert reading.cut is not None and reading.cut.endswith(f"at byte {reading.good_bytes}")
    assert reading.good_bytes == len(head) + sum(map(len, whole[:-1]))


@given(st.data())
def test_one_changed_byte_of_a_record_ends_the_reading_there(data: st.DataObject) -> None:
    head, first, second = encode_header(HEADER, 1), encode_record(1, Kind.IN, b"one"), encode_record(2, Kind.IN, b"two")
    at = data.draw(st.integers(0, len(second) - 1))
    broken = bytearray(second)
    broken[at] ^= data.draw(st.integers(1, 255))
    reading = read(io.BytesIO(head + first + bytes(broken)))
    assert [record.data for record in reading] == [b"one"]
    assert reading.cut is not None


def test_a_stream_that_gives_little_at_a_time_is_read_whole() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    reading = read(Slow(encode_header(HEADER, 1) + encode_record(2, Kind.OUT, b"sound")))
    assert [record.data for record in reading] == [b"sound"]


def test_notes_are_objects_and_nothing_else_is() -> None:
    reading = read(
        io.BytesIO(encode_header(HEADER, 1) + encode_note(2, {"note": "dropped", "count": 4}) + encode_record(3, Kind.IN, b"{}"))
    )
    note, sound = reading
    assert note.note() == {"note": "dropped", "count": 4}
    with pytest.raises(ValueError, match="only a note"):
        sound.note()


@pytest.mark.parametrize("data", [b"", b"RIFF" + bytes(40), MAGIC, MAGIC + b"\0" * 5, MAGIC + encode_record(1, Kind.IN, b"x")])
def test_what_is_no_capture_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="capture"):
        read(io.BytesIO(data))


def test_a_record_too_long_for_its_length_field_is_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        encode_record(1, Kind.IN, bytes(65_536))
