"""From asking for a lesson to its last cell, by Voilà in a learner's server; beside stock Voilà in a stock JupyterHub's server,
in the same run.

The lesson imports numpy and matplotlib, draws, and has a slider that draws again. Ours is sent as text first and filled in
after, stock's is sent once it is whole; both end when every output is there. Stock readings that never end are counted.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bench.results import Notes, Row
from bench.spawn import Someone, start, stock_hub, stop
from tests.conversation import Server
from tests.installation import make_courses, running_installation
from tests.lesson import Reading, read_again_and_again
from tests.person import sign_up

READINGS, PATIENCE_S = 15, 30.0


def measure() -> tuple[list[Row], Notes]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        for folder in ("courses", "state", "stock"):
            (place / folder).mkdir()
        courses = make_courses(place / "courses")
        with running_installation(place / "state", courses, "bench-voila", PUPITRE_SIGNUP="open") as installation:
            person = sign_up(installation, "Mesure", "mesure@exemple.fr")
            installation.wait_for_forkd_log("rehearsed hub.jupyter.kernel")
            person.start_server()
            ours, ours_stalled = read(Server(f"{installation.jupyter_url}/user/{person.hub_name}/", person.token))
            person.stop_server()
            person.close()
        with stock_hub(place / "stock") as client:
            assert client.post("/hub/api/users/mesure").status_code == 201
            someone = Someone(client, "mesure")
            start(someone)
            token = client.headers["Authorization"].removeprefix("token ")
            stock, stock_stalled = read(Server(f"{client.base_url}/user/mesure/", token))
            stop(someone)
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
