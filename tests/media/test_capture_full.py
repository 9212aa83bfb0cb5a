"""The captures' disk is full at every byte: that is told, nothing is lost, and the file is whole when there is room."""

import io
from pathlib import Path

from callserver.media.call_worker.capture import CaptureWriter
from callserver.media.capture_format import Header, Kind, encode_record, read
from callserver.media.protocol import CaptureTrouble, Codec
from tests.full_disk import files_end_at

RECORDS = [bytes([number]) * 172 for number in range(4)]


def header(leg: str) -> Header:
    return Header(
        call="c1", leg=leg, role="point", segment=1, codec=Codec("PCMU", 0), boot_id="b",
        anchor_number=1, anchor_boottime_ns=1, anchor_utc_ns=1,
    )  # fmt: skip


def test_a_disk_that_is_full_at_any_byte_cuts_no_capture_for_good(tmp_path: Path) -> None:
    length = 400 + len(RECORDS) * len(encode_record(1, Kind.IN, RECORDS[0]))
    refused = 0
    for room in range(0, length, 7):
        told: list[CaptureTrouble] = []
        writer = CaptureWriter(told.append)
        tape = writer.new_tape(tmp_path / str(room), header("c1.1"))
        with files_end_at(room):
            for number, data in enumerate(RECORDS):
                tape.put(number, Kind.IN, data)
                writer.turn()
        refused += bool(told)
        writer.turn()
        writer.seal(tape, lambda: None)
        writer.turn()
        reading = read(io.BytesIO((tmp_path / str(room) / tape.name).read_bytes()))
        assert ([record.data for record in reading], reading.cut) == (RECORDS, None), room
        assert [trouble.cleared for trouble in told] in ([], [False, True]), room
        assert tape.dropped == 0
    assert refused > length // 7 // 2, "the disk was never full"
