"""Memory of a live learner: server, kernel, one plot that was executed; beside a stock server and kernel, in the same run.

Both sides by the same measure: what their cgroup holds (anonymous pages, shared memory, the kernel's own), without files that
the machine keeps because it has room. Then a hundred learners really live at once, and five minutes without a word from them.
Needs root and a writable memory cgroup (v1).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.results import Notes, Row
from bench.sides import PATIENCE_S, Someone, measured_place, our_installation, start, stock_hub, stop
from tests.conversation import Server
from tests.person import Person, sign_up

LIVE, PER_PERSON, STOCK_LIVE = 100, 20, 3
IDLE_S = 300
PLOT = "import numpy as np, matplotlib.pyplot as plt\nplt.plot(np.linspace(0, 1, 200) ** 2)\nplt.show()"
MIB = 1 << 20
CGROUP = Path("/sys/fs/cgroup/memory")
WRAPPER = """#!/bin/sh
echo $$ > {group}/$JUPYTERHUB_USER/cgroup.procs
exec {python} -m jupyterhub.singleuser "$@"
"""


def measure() -> tuple[list[Row], Notes]:
    with measured_place() as place:
        with our_installation(place, "bench-memory") as installation:
            people = [sign_up(installation, f"Mesure {n}", f"mesure{n}@exemple.fr") for n in range(LIVE // PER_PERSON)]
            installation.wait_for_forkd_log("rehearsed hub.jupyter.kernel")
            before = read_available()
            live = [(person, f"poste{n}") for person in people for n in range(PER_PERSON)]
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda one: make_live(*one), live))
            groups = find_groups(place / "state")
            assert len(groups) == LIVE, groups
            ours = [read_group(group) for group in groups]
            machine = (before - read_available()) / LIVE
            time.sleep(IDLE_S)
            later = [read_group(group) for group in find_groups(place / "state")]
            assert len(later) == LIVE, "all are still there"
            for person in people:
                person.close()
        stock = measure_stock(place / "stock")
    notes = {
        f"{LIVE} live: what the machine has less per learner (MemAvailable)": f"{machine:.1f} MiB",
        f"{LIVE} live: per learner by their cgroups, mean": f"{sum(ours) / LIVE:.1f} MiB",
        f"{LIVE} live: the same after {IDLE_S} s without a word": f"{sum(later) / LIVE:.1f} MiB",
    }
    return [Row("memory of a live learner: server, kernel, one plot", tuple(ours), tuple(stock), "MiB")], notes


def make_live(person: Person, server: str) -> None:
    """Start one more server of this person, with a kernel that has drawn."""
    answer = person.jupyter.post(f"/hub/api/users/{person.hub_name}/servers/{server}")
    assert answer.status_code in (201, 202), answer.text
    deadline = time.monotonic() + PATIENCE_S
    while not (person.jupyter.get(f"/hub/api/users/{person.hub_name}").json()["servers"].get(server, {}).get("ready")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    origin = person.installation.jupyter_url
    asyncio.run(draw(Server(f"{origin}/user/{person.hub_name}/{server}/", person.token)))


async def draw(server: Server) -> None:
    """A new kernel, and one plot in it; the kernel stays."""
    async with server.client() as client:
        conversation = await server.connect(await server.start_kernel(client))
        answer = await conversation.run(PLOT, PATIENCE_S)
        assert answer.pictures, answer.error or "no picture came"
        await conversation.close()


def find_groups(state: Path) -> list[Path]:
    """The cgroups of the servers that live, from forkd's own log."""
    pids = {}
    for line in (state / "log" / "forkd.log").read_text().splitlines():
        words = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
        if " start " in line and words.get("profile") == "server":
            pids[words["label"]] = words["pid"]
    groups = []
    for pid in pids.values():
        with contextlib.suppress(OSError):
            groups.append(find_group(Path(f"/proc/{pid}/cgroup").read_text()))
    return groups


def find_group(lines: str) -> Path:
    line = next(line for line in lines.splitlines() if line.split(":")[1] == "memory")
    return CGROUP / line.split(":", 2)[2].lstrip("/")


def read_group(group: Path) -> float:
    """MiB."""
    used = int((group / "memory.usage_in_bytes").read_text())
    stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return (used - int(stat["total_active_file"]) - int(stat["total_inactive_file"])) / MIB


def read_available() -> float:
    """MiB that the machine could still give."""
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) / 1024


def measure_stock(place: Path) -> list[float]:
    names = [f"mesure{n}" for n in range(STOCK_LIVE)]
    with own_groups(names) as group:
        wrapper = place / "server"
        wrapper.write_text(WRAPPER.format(group=group, python=sys.executable))
        wrapper.chmod(0o755)
        with stock_hub(place, f'c.Spawner.cmd = ["{wrapper}"]') as client:
            token = client.headers["Authorization"].removeprefix("token ")
            for name in names:
                assert client.post(f"/hub/api/users/{name}").status_code == 201
                start(Someone(client, name))
                asyncio.run(draw(Server(f"{client.base_url}/user/{name}/", token)))
            found = [read_group(group / name) for name in names]
            for name in names:
                stop(Someone(client, name))
    return found


@contextlib.contextmanager
def own_groups(names: list[str]) -> Iterator[Path]:
    group = find_group(Path("/proc/self/cgroup").read_text()) / f"bench-{secrets.token_hex(4)}"
    for folder in (group, *(group / name for name in names)):
        folder.mkdir()
    try:
        yield group
    finally:
        deadline = time.monotonic() + 20
        for folder in (*(group / name for name in names), group):
            while time.monotonic() < deadline:
                try:
                    folder.rmdir()
                    break
                except OSError:
                    time.sleep(0.2)
