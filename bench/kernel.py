"""From asking for a kernel to its first answers, beside a stock JupyterHub's server and ipykernel, in the same run.

Both through their Hub's proxy, one kernel at a time: until the server has the kernel's own description (the websocket is then
accepted), until the browser has it through the websocket, and until a first plot with numpy and matplotlib is drawn.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from bench.results import Notes, Row
from bench.sides import measured_place, our_server, stock_server
from tests.conversation import Server

KERNELS = 20
PLOT = "import numpy as np, matplotlib.pyplot as plt\nplt.plot(np.linspace(0, 1, 200) ** 2)\nplt.show()"


@dataclass
class Times:
    """Seconds from the request for a kernel; `plot` is from sending the cell, `first_plot` from the request for the kernel."""

    server: list[float] = field(default_factory=list)
    websocket: list[float] = field(default_factory=list)
    plot: list[float] = field(default_factory=list)
    first_plot: list[float] = field(default_factory=list)
    end: list[float] = field(default_factory=list)


def measure() -> tuple[list[Row], Notes]:
    with measured_place() as place:
        with our_server(place, "bench-kernel") as server:
            ours = asyncio.run(time_kernels(server))
        with stock_server(place) as server:
            stock = asyncio.run(time_kernels(server))
    rows = [
        Row("kernel ready, measured in the server", tuple(ours.server), tuple(stock.server)),
        Row("kernel ready, through the websocket", tuple(ours.websocket), tuple(stock.websocket)),
        Row("first plot (numpy, matplotlib) in a ready kernel", tuple(ours.plot), tuple(stock.plot)),
        Row("from asking for a kernel to its first plot", tuple(ours.first_plot), tuple(stock.first_plot)),
        Row("kernel ended", tuple(ours.end), tuple(stock.end)),
    ]
    return rows, {}


async def time_kernels(server: Server) -> Times:
    times = Times()
    async with server.client() as client:
        for number in range(KERNELS + 1):
            began = time.monotonic()
            kernel = await server.start_kernel(client)
            conversation = await server.connect(kernel)
            in_server = time.monotonic() - began
            await conversation.ask("kernel_info_request", {})
            through_websocket = time.monotonic() - began
            sent = time.monotonic()
            answer = await conversation.run(PLOT)
            drawn = time.monotonic()
            assert answer.pictures, answer.messages
            await conversation.close()
            left = time.monotonic()
            assert (await client.delete(f"api/kernels/{kernel}")).status_code == 204
            if number == 0:
                continue  # the server's own first imports, ours and stock's
            times.server.append(in_server)
            times.websocket.append(through_websocket)
            times.plot.append(drawn - sent)
            times.first_plot.append(drawn - began)
            times.end.append(time.monotonic() - left)
    return times
