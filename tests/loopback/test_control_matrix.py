"""Every shape of a live call meets every fault: who hears whom afterwards, what was recorded, and what the journal tells.

What is expected stands in `tests/loopback/matrix.py`. One service serves the whole file; its data lie on a disk of their
own that can be made to stall.
"""

import contextlib
from collections.abc import Iterator

import pytest

from tests.eventually import eventually
from tests.loopback.disks import freezable_disk
from tests.loopback.matrix import AFTER, BEFORE, CELLS, FAULTS, VOICES, tells
from tests.loopback.matrix_faults import STRIKE
from tests.loopback.matrix_scene import MAKE, NOTICED_S, VANISHED_S, MatrixService, Scene, scene
from tests.peers.ports import Ports
from tests.sample import rotating

SLOW = tuple(cell for cell in CELLS if cell.endswith("seat gone"))
QUICK = tuple(cell for cell in CELLS if cell not in SLOW)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixService]:
    """One for all cells, without a disk of its own where the right to mount one is missing."""
    directory = tmp_path_factory.mktemp("matrix")
    with contextlib.ExitStack() as stack:
        ports = stack.enter_context(contextlib.closing(Ports()))
        service = MatrixService(directory, ports)
        with contextlib.suppress(pytest.skip.Exception):
            service.disk = stack.enter_context(freezable_disk(service.data, directory / "disk.img", 512))
        service.write_prompts()
        yield stack.enter_context(service.serving())


def test_every_shape_and_every_fault_has_a_cell_that_can_be_made() -> None:
    """The tables of what is expected and of how it is made name the same things."""
    assert set(MAKE) == set(BEFORE) == {shape for shape, _ in AFTER}
    assert set(STRIKE) == set(FAULTS)
    assert {shape for shape, heard in BEFORE.items() if "police" in heard} == {s for s, f in AFTER if f == "police hang up"}
    seats = {shape for shape, heard in BEFORE.items() if "operator" in heard}
    assert seats == {shape for shape, fault in AFTER if fault == "seat gone"}


@pytest.mark.real
@pytest.mark.parametrize("cell", [*rotating(QUICK, 40), *rotating(SLOW, 100)])
async def test_a_fault_in_a_live_call(service: MatrixService, cell: str) -> None:
    """Before and after it everybody hears exactly those that the table says, nobody is rung without need, all voices are kept."""
    shape, _, fault = cell.partition(" x ")
    if fault == "disk stalls" and service.disk is None:
        pytest.skip("needs the right to mount a file system")
    async with scene(service) as it:
        await MAKE[shape](it)
        await it.hear(BEFORE[shape])
        await _struck(it, shape, fault)
    spoke, stayed = ({role for role in heard if role in VOICES} for heard in (BEFORE[shape], AFTER[shape, fault].ears))
    await it.recorded(spoke, frozenset(spoke & stayed))


async def _struck(it: Scene, shape: str, fault: str) -> None:
    expected = AFTER[shape, fault]
    since, rang = it.service.journal()[-1]["number"], it.rang()
    await STRIKE[fault](it)
    await it.hear(expected.ears, VANISHED_S if fault == "seat gone" else NOTICED_S)
    if fault == "point silent":
        await eventually(lambda: "LineChanged point silent" in it.service.told(since), 5)
        it.phones["point"].rtp.muted = False
        await it.hear(BEFORE[shape])
    await eventually(lambda: tells(expected.story, it.service.told(since)), 15)
    assert expected.rings or it.rang() == rang, "somebody was rung"
