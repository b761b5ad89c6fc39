"""Five hundred readings of a lesson through forked kernels: none stalls, none takes five seconds. Stock Voilà beside it, as the
control: how many of its readings never end is counted, not asserted. What was counted is kept in `bench/results/voila-soak.txt`.
"""

from __future__ import annotations

import asyncio
import statistics
from datetime import datetime

import pytest

from bench.sides import measured_place, our_server, stock_server
from tests.installation import ROOT
from tests.lesson import Reading, read_again_and_again

pytestmark = [pytest.mark.soak, pytest.mark.hub]

READINGS, CONTROL, AT_ONCE = 500, 100, 3
LONGEST_S = 5.0
RESULT = ROOT / "bench" / "results" / "voila-soak.txt"


def test_five_hundred_readings_of_a_lesson() -> None:
    with measured_place() as place:
        with our_server(place, "soak-voila") as server:
            assert server.log
            ours, stalled = asyncio.run(read_again_and_again(server, READINGS, AT_ONCE, patience_s=30))
            log = server.log.read_text(errors="replace")
        with stock_server(place) as server:
            stock, stock_stalled = asyncio.run(read_again_and_again(server, CONTROL, AT_ONCE, patience_s=30))
    RESULT.write_text(
        f"{datetime.now():%Y-%m-%d %H:%M}, {AT_ONCE} readers at once\n"
        + describe("ours", ours, stalled)
        + describe("stock", stock, stock_stalled),
        encoding="utf-8",
    )
    assert (len(ours), stalled) == (READINGS, 0)
    assert max(reading.done_s for reading in ours) < LONGEST_S
    assert "died" not in log


def describe(whose: str, readings: list[Reading], stalled: int) -> str:
    times = [reading.done_s for reading in readings]
    return (
        f"{whose}: {len(times)} readings ended, {stalled} did not within 30 s; "
        f"median {statistics.median(times):.2f} s, longest {max(times):.2f} s\n"
    )
