"""Five hundred readings of a lesson through forked kernels: none stalls, none takes five seconds. Stock Voilà beside it, as the
control: how many of its readings never end is counted, not asserted. What was counted is kept in `bench/results/voila-soak.txt`.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from datetime import datetime
from pathlib import Path

import pytest

from bench.spawn import Someone, start, stock_hub, stop
from tests.conversation import Server
from tests.installation import ROOT, make_courses, running_installation
from tests.lesson import Reading, read_again_and_again
from tests.person import sign_up

pytestmark = [pytest.mark.soak, pytest.mark.hub]

READINGS, CONTROL, AT_ONCE = 500, 100, 3
LONGEST_S = 5.0
RESULT = ROOT / "bench" / "results" / "voila-soak.txt"


def test_five_hundred_readings_of_a_lesson() -> None:
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        place = Path(name)
        place.chmod(0o755)
        for folder in ("courses", "state", "stock"):
            (place / folder).mkdir()
        courses = make_courses(place / "courses")
        with running_installation(place / "state", courses, "soak-voila", PUPITRE_SIGNUP="open") as installation:
            person = sign_up(installation, "Endurance", "endurance@exemple.fr")
            installation.wait_for_forkd_log("rehearsed hub.jupyter.kernel")
            person.start_server()
            server = Server(f"{installation.jupyter_url}/user/{person.hub_name}/", person.token)
            ours, stalled = asyncio.run(read_again_and_again(server, READINGS, AT_ONCE, patience_s=30))
            log = (installation.state_dir / "log" / f"{person.hub_name}.log").read_text(errors="replace")
            person.close()
        with stock_hub(place / "stock") as client:
            assert client.post("/hub/api/users/temoin").status_code == 201
            someone = Someone(client, "temoin")
            start(someone)
            token = client.headers["Authorization"].removeprefix("token ")
            control = Server(f"{client.base_url}/user/temoin/", token)
            stock, stock_stalled = asyncio.run(read_again_and_again(control, CONTROL, AT_ONCE, patience_s=30))
            stop(someone)
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
