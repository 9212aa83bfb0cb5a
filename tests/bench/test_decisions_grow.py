"""What a decision costs does not grow with how many wait; figures in microseconds stand in docs/performance.md."""

from math import log

from tests.bench.decisions import measure

FEW, MANY = 200, 4_000


def test_twenty_times_as_many_waiting_cost_no_more_than_logarithms_say() -> None:
    """Measured in processor time of this process: 2.5 times what log(n) gives, where a walk over all would give 20."""
    few, many = measure(FEW, 480), measure(MANY, 480)
    assert few.decisions > 400 and many.decisions > 400
    assert many.median_us / few.median_us < 2.5 * log(MANY) / log(FEW)
