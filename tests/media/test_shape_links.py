"""From a shape to the bridge's links, and a prompt's name to its file."""

from pathlib import Path

import msgspec
import pytest

from callserver.core.ids import LegId
from callserver.core.shape import Shape
from callserver.media.call_worker.bridge import links_of
from callserver.media.call_worker.phrases import file_of
from callserver.media.call_worker.placing import unfit
from callserver.media.call_worker.playback import PromptKey, keys_of
from callserver.media.call_worker.sip_leg import sdp_offer
from callserver.media.protocol import Codec, Continuity, Place, PromptOrder, ShapeOrder, decode, encode
from callserver.runtime.worker_orders import shape_order

WAIT = PromptKey("wait", ("a", "b"), 5_000)


def test_all_in_talk_hear_each_other_and_nobody_himself() -> None:
    assert links_of(ShapeOrder(("a", "b", "c", "a"), ()), {"a", "b", "c"}, set()) == {
        ("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "b"),
    }  # fmt: skip


def test_legs_that_are_not_placed_and_prompts_that_do_not_play_are_left_out() -> None:
    order = ShapeOrder(("a", "b", "c"), (PromptOrder("wait", ("a", "b"), 5_000), PromptOrder("over", ("a",))))
    assert links_of(order, {"a", "c"}, {WAIT}) == {("a", "c"), ("c", "a"), (WAIT, "a")}


def test_one_way_links_are_besides_the_talk_and_never_to_oneself() -> None:
    order = ShapeOrder(("a", "b"), (), (("a", "c"), ("b", "c"), ("c", "a"), ("a", "b"), ("a", "a"), ("a", "gone"), ("gone", "a")))
    assert links_of(order, {"a", "b", "c"}, set()) == {("a", "b"), ("b", "a"), ("a", "c"), ("b", "c"), ("c", "a")}


def test_a_shape_of_a_switchboard_without_one_way_links_has_none() -> None:
    """And one that says nothing of them looks as it always did on the wire."""
    plain = msgspec.msgpack.encode([7, {"type": "ShapeOrder", "talk": ["a", "b"], "prompts": []}])
    assert decode(plain).message == ShapeOrder(("a", "b"), ())
    assert encode(7, ShapeOrder(("a", "b"), ())) == plain
    also = ShapeOrder(("a", "b"), (), (("a", "c"),))
    assert decode(encode(8, also)).message == also


def test_a_worker_is_told_the_one_way_links_of_a_shape() -> None:
    one, other = LegId("i1.1.1"), LegId("i1.1.2")
    assert shape_order(Shape(also=((one, other),))) == ShapeOrder((), (), (("i1.1.1", "i1.1.2"),))


def test_a_prompt_wished_twice_is_one() -> None:
    assert keys_of(ShapeOrder((), (PromptOrder("wait", ("a", "b"), 5_000),) * 2)) == [WAIT]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("please-wait", "please-wait.wav"),
        ("place:hp1", "place-hp1.wav"),
        ("text:soon", "text-soon.wav"),
        ("text:../x", None),
        ("../x", None),
        (".x", None),
        ("a/b", None),
        ("", None),
    ],
)
def test_prompt_files_stay_in_their_directory(name: str, file: str | None) -> None:
    assert file_of(Path("/p"), name) == (None if file is None else Path("/p") / file)


def place(**changes: object) -> Place:
    fields: dict[str, object] = {
        "leg": "c1.1",
        "role": "point",
        "codec": Codec("PCMU", 0),
        "remote_host": "192.0.2.1",
        "remote_port": 4_000,
        "source": "sdp-host",
        "source_host": "",
        "continuity": Continuity(1, 1, 1, 1),
    }
    return Place(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"remote_port": 0, "remote_host": "0.0.0.0"}, ""),
        ({"codec": Codec("opus", 96)}, "codec opus is not carried"),
        ({"codec": Codec("PCMU", 0, ptime_ms=25)}, "packets of 25 ms are not carried"),
        ({"source": "any"}, "no rule of source is called any"),
        ({"leg": "../x"}, "a leg's name is part of a file's"),
        ({"remote_host": "phone.example.org"}, "phone.example.org is no IPv4 address"),
        ({"source_host": "::1"}, "::1 is no IPv4 address"),
        ({"remote_port": 65_535}, "port 65535 does not exist, or its RTCP port does not"),
    ],
)
def test_what_cannot_be_placed_is_told(changes: dict[str, object], why: str) -> None:
    assert unfit(place(**changes)) == why


def test_inner_offer_has_one_codec_under_its_static_number() -> None:
    offer = sdp_offer(Codec("G722", 107, ptime_ms=30), 40_000)
    assert "m=audio 40000 RTP/AVP 9\r\na=rtpmap:9 G722/8000\r\na=ptime:30\r\na=rtcp:40000\r\n" in offer
