"""Keys by INFO: one request for each key, in order, with the device's pause between, and an end where one is not taken."""

import time

from tests.eventually import eventually
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import Got, Peer
from tests.sip.test_edge_calls import answered, bench_up

LONG_MS, GAP_MS = 60, 60


async def info(peer: Peer) -> Got:
    """The next INFO that the device is sent."""
    return await peer.request("INFO")


async def test_each_key_is_an_info_of_its_own_and_waits_for_the_one_before() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await answered(bench, point)
        await bench_up(bench, "c.1")
        told: list[str] = []
        bench.edge.send_digits("c.1", "*7", LONG_MS, GAP_MS, told.append)
        bench.edge.send_digits("c.1", "#", LONG_MS, GAP_MS, told.append)
        numbers = []
        for key in "*7#":
            asked = await info(point)
            assert asked.one("Content-Type") == "application/dtmf-relay"
            assert asked.body == f"Signal={key}\r\nDuration={LONG_MS}\r\n"
            numbers.append(int(asked.one("CSeq").split()[0]))
            point.reply(asked, 200, "OK")
        await eventually(lambda: told == ["", ""], 2.0)
        assert numbers == sorted(set(numbers))


async def test_keys_are_apart_as_the_device_wants_them() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await answered(bench, point)
        await bench_up(bench, "c.1")
        bench.edge.send_digits("c.1", "12", LONG_MS, 500, lambda why: None)
        point.reply(await info(point), 200, "OK")
        began = time.monotonic()
        await info(point)
        assert 0.5 <= time.monotonic() - began < 2.0


async def test_a_key_that_is_refused_ends_the_row() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await answered(bench, point)
        await bench_up(bench, "c.1")
        told: list[str] = []
        bench.edge.send_digits("c.1", "12", LONG_MS, GAP_MS, told.append)
        point.reply(await info(point), 415, "Unsupported Media Type")
        await eventually(lambda: told == ["the device answered 415 Unsupported Media Type to INFO"], 2.0)


async def test_keys_wait_for_the_ack_of_the_answer() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await point.invite()
        bench.edge.adopt(await bench.dialog(), "c.1")
        bench.edge.answer("c.1", local())
        bench.edge.send_digits("c.1", "*", LONG_MS, GAP_MS, lambda why: None)
        ok = await point.final("INVITE")
        assert not any(got.start.startswith("INFO") for got in point.inbox)
        point.learn(call, ok)
        point.in_dialog(call, "ACK")
        assert "Signal=*" in (await info(point)).body


async def test_a_leg_that_is_not_there_is_told_at_once() -> None:
    async with Bench() as bench:
        told: list[str] = []
        bench.edge.send_digits("c.9", "1", LONG_MS, GAP_MS, told.append)
        assert told == ["the device's call is not there, or is ending"]
