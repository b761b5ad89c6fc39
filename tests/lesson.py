"""Reading a lesson of a real server as Voilà's page does: the page, then its cells run one after the other."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import nbformat.v4
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.conversation import Server

LESSON = "lecon-essai.ipynb"
MARKER = "Une courbe mobile"
CELLS = (
    "import numpy as np\nimport matplotlib.pyplot as plt\nfrom ipywidgets import interact",
    "t = np.linspace(0, 1, 200)\nplt.plot(t, np.sin(t))\nplt.show()",
    "@interact(f=(1, 5))\ndef draw(f=2):\n    plt.plot(t, np.sin(f * t))\n    plt.show()",
    "print('fin')",
)


def make_lesson() -> dict[str, Any]:
    """A lesson whose widget talks to its kernel while a cell runs, as `interact` and every simulation of the course do."""
    cells = [nbformat.v4.new_markdown_cell(f"# {MARKER}")]  # type: ignore[no-untyped-call]
    cells += [nbformat.v4.new_code_cell(source) for source in CELLS]  # type: ignore[no-untyped-call]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})  # type: ignore[no-untyped-call]
    return dict(notebook)


async def write_lesson(client: httpx.AsyncClient) -> None:
    body = {"type": "notebook", "format": "json", "content": make_lesson()}
    answer = await client.put(f"api/contents/{LESSON}", json=body)
    assert answer.status_code in (200, 201), answer.text


@dataclass
class Reading:
    """One reading; times are seconds since it was asked for."""

    kernel: str = ""
    page: str = ""
    first_text_s: float = 0.0
    page_s: float = 0.0
    done_s: float = 0.0
    cells: list[dict[str, Any]] = field(default_factory=list)
    """Output cells, when the page is rendered progressively."""


async def read_lesson(
    server: Server, client: httpx.AsyncClient, path: str = LESSON, marker: str = MARKER, patience_s: float = 60.0
) -> Reading:
    """Ask for a lesson and run its cells; `marker` is a text of its first cell. Its kernel is left running."""
    reading, began = Reading(), time.monotonic()
    async with asyncio.timeout(patience_s):
        async with client.stream("GET", f"voila/render/{path}") as answer:
            assert answer.status_code == 200, await answer.aread()
            async for part in answer.aiter_text():
                reading.page += part
                if not reading.first_text_s and marker in reading.page:
                    reading.first_text_s = time.monotonic() - began
        reading.page_s = time.monotonic() - began
        found = re.search(r'"kernelId": "([0-9a-f-]+)"', reading.page)
        assert found, reading.page[-3000:]
        reading.kernel = found[1]
        if '"progressiveRendering": true' in reading.page:
            await _run_cells(server, reading)
    reading.done_s = time.monotonic() - began
    return reading


async def read_again_and_again(
    server: Server, count: int, at_once: int, patience_s: float = 60.0
) -> tuple[list[Reading], int]:
    """Read the lesson `count` times, `at_once` readers together, each ending its kernel as a page that is left does.

    Returns the readings that ended, and how many took longer than `patience_s`.
    """
    readings: list[Reading] = []
    stalled = 0
    todo = iter(range(count))
    async with server.client() as client:
        await write_lesson(client)

        async def read() -> None:
            nonlocal stalled
            for _number in todo:
                try:
                    reading = await read_lesson(server, client, patience_s=patience_s)
                except TimeoutError:
                    stalled += 1
                    continue
                check_reading(reading)
                readings.append(reading)
                assert (await client.delete(f"api/kernels/{reading.kernel}")).status_code == 204

        await asyncio.gather(*(read() for _ in range(at_once)))
        for kernel in (await client.get("api/kernels")).json():
            await client.delete(f"api/kernels/{kernel['id']}")
    return readings, stalled


def check_reading(reading: Reading) -> None:
    """Its text, its picture, its slider and its last line are there."""
    assert MARKER in reading.page
    outputs = [output for cell in reading.cells for output in cell.get("outputs", [])]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    if reading.cells:
        assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= kinds, outputs
        assert any(output.get("text") == "fin\n" for output in outputs), outputs
    else:
        assert "image/png" in reading.page
        assert "application/vnd.jupyter.widget-view+json" in reading.page
        assert "fin" in reading.page


async def _run_cells(server: Server, reading: Reading) -> None:
    address = f"{server.url.replace('http', 'ws', 1)}voila/execution/{reading.kernel}"
    connection = await websocket_connect(HTTPRequest(address, headers=server.headers))
    try:
        while True:
            raw = await connection.read_message()
            assert raw is not None, "the server closed the connection"
            said = json.loads(raw)
            if said["action"] == "initialized":
                order = {"action": "execute", "payload": {"kernel_id": reading.kernel}}
                await connection.write_message(json.dumps(order))
            else:
                assert said["action"] == "execution_result", said
                reading.cells.append(said["payload"]["output_cell"])
                if len(reading.cells) == said["payload"]["total_cell"]:
                    return
    finally:
        connection.close()
        # Until the other side has closed too, or the loop ends with an open socket.
        while await asyncio.wait_for(connection.read_message(), 10) is not None:
            pass
