"""From asking for a lesson to its last cell, by Voilà in a learner's server; beside stock Voilà in a stock JupyterHub's server,
in the same run.

The lesson imports numpy and matplotlib, draws, and has a slider that draws again. Ours is sent as text first and filled in
after, stock's is sent once it is whole; both end when every output is there. Stock readings that never end are counted.
"""

from __future__ import annotations

import asyncio

from bench.results import Notes, Row
from bench.sides import measured_place, our_server, stock_server
from tests.conversation import Server
from tests.lesson import Reading, read_again_and_again

READINGS, PATIENCE_S = 15, 30.0


def measure() -> tuple[list[Row], Notes]:
    with measured_place() as place:
        with our_server(place, "bench-voila") as server:
            ours, ours_stalled = read(server)
        with stock_server(place) as server:
            stock, stock_stalled = read(server)
    rows = [
        Row("lesson complete (Voilà: numpy, two plots, a slider)", times(ours, "done_s"), times(stock, "done_s")),
        Row("lesson's first text", times(ours, "first_text_s"), times(stock, "first_text_s")),
    ]
    return rows, {
        "readings that never ended, ours": f"{ours_stalled} of {READINGS + 1}",
        "readings that never ended, stock": f"{stock_stalled} of {READINGS + 1}",
    }


def read(server: Server) -> tuple[list[Reading], int]:
    readings, stalled = asyncio.run(read_again_and_again(server, READINGS + 1, at_once=1, patience_s=PATIENCE_S))
    return readings[1:], stalled  # the first imports what the server has not used yet, ours and stock's


def times(readings: list[Reading], what: str) -> tuple[float, ...]:
    return tuple(getattr(reading, what) for reading in readings)
