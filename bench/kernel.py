"""From asking for a kernel to its first answers, beside a stock JupyterHub's server and ipykernel, in the same run.

Both through their Hub's proxy, one kernel at a time: until the server has the kernel's own description (the websocket is then
accepted), until the browser has it through the websocket, and until a first plot with numpy and matplotlib is drawn.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.results import Notes, Row
from bench.spawn import Someone, start, stock_hub
from tests.conversation import Server
from tests.installation import make_courses, running_installation
from tests.person import sign_up

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
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        for folder in ("courses", "state", "stock"):
            (place / folder).mkdir()
        courses = make_courses(place / "courses")
        with running_installation(place / "state", courses, "bench-kernel", PUPITRE_SIGNUP="open") as installation:
            person = sign_up(installation, "Mesure", "mesure@exemple.fr")
            installation.wait_for_forkd_log("rehearsed hub.jupyter.kernel")
            person.start_server()
            url = f"{installation.jupyter_url}/user/{person.hub_name}/"
            ours = asyncio.run(time_kernels(Server(url, person.token)))
            person.stop_server()
            person.close()
        with stock_hub(place / "stock") as client:
            assert client.post("/hub/api/users/mesure").status_code == 201
            start(Someone(client, "mesure"))
            token = client.headers["Authorization"].removeprefix("token ")
            stock = asyncio.run(time_kernels(Server(f"{client.base_url}/user/mesure/", token)))
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
