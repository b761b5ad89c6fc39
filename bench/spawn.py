"""From asking the Hub for servers to the last one ready: one person alone, ten at once, thirty at once; then the first page,
and the stop. Beside a stock JupyterHub with SimpleLocalProcessSpawner on the same machine, in the same run. Ours are
isolated; stock's are not.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.results import Notes, Row
from tests.installation import ROOT, free_port, make_courses, running_installation
from tests.person import sign_up

ALONE, CROWDS = 8, {10: 2, 30: 1}
"""Starts of one person alone; how many people at once, and how many times."""
PATIENCE_S = 240
POLL_S = 0.05
STOCK = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.JupyterHub.db_url = "sqlite:///{place}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{place}/cookie"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{place}/home/{{username}}"
c.SimpleLocalProcessSpawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience_s}
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "services": ["bench"],
  "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


@dataclass(frozen=True)
class Someone:
    """A person who may start and stop their server."""

    client: httpx.Client
    name: str


@dataclass
class Times:
    """Seconds; a crowd's is from the first request to the last server ready, or gone."""

    ready: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    stop: list[float] = field(default_factory=list)
    crowds: dict[int, list[float]] = field(default_factory=dict)
    crowd_stops: dict[int, list[float]] = field(default_factory=dict)


def measure() -> tuple[list[Row], Notes]:
    many = max(CROWDS)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        for folder in ("courses", "state", "stock"):
            (place / folder).mkdir()
        courses = make_courses(place / "courses")
        with running_installation(place / "state", courses, "bench-spawn", PUPITRE_SIGNUP="open") as installation:
            people = [sign_up(installation, f"Mesure {n}", f"mesure{n}@exemple.fr") for n in range(many)]
            installation.wait_for_forkd_log("rehearsed hub.jupyter.singleuser")
            ours = start_again_and_again([Someone(person.jupyter, person.hub_name) for person in people])
            for person in people:
                person.close()
        with stock_hub(place / "stock") as client:
            names = [f"mesure{n}" for n in range(many)]
            for each in names:
                assert client.post(f"/hub/api/users/{each}").status_code == 201
            stock = start_again_and_again([Someone(client, each) for each in names])
    rows = [
        Row("server ready, alone", tuple(ours.ready), tuple(stock.ready)),
        Row("server ready and JupyterLab's page served, alone", tuple(ours.page), tuple(stock.page)),
        *(Row(f"last of {n} servers ready", tuple(ours.crowds[n]), tuple(stock.crowds[n])) for n in CROWDS),
        Row("server stopped, alone", tuple(ours.stop), tuple(stock.stop)),
        *(Row(f"last of {n} servers stopped", tuple(ours.crowd_stops[n]), tuple(stock.crowd_stops[n])) for n in CROWDS),
    ]
    return rows, {}


def start_again_and_again(people: list[Someone]) -> Times:
    times = Times()
    someone = people[0]
    for _number in range(ALONE):
        began = time.monotonic()
        start(someone)
        times.ready.append(time.monotonic() - began)
        page = someone.client.get(f"/user/{someone.name}/lab", follow_redirects=True)
        assert page.status_code == 200, page.text
        times.page.append(time.monotonic() - began)
        began = time.monotonic()
        stop(someone)
        times.stop.append(time.monotonic() - began)
    with ThreadPoolExecutor(max(CROWDS)) as pool:
        for count, repeats in CROWDS.items():
            for _number in range(repeats):
                for job, kept in ((start, times.crowds), (stop, times.crowd_stops)):
                    began = time.monotonic()
                    list(pool.map(job, people[:count]))
                    kept.setdefault(count, []).append(time.monotonic() - began)
    return times


def start(someone: Someone) -> None:
    """Ask, and wait until the server is ready."""
    deadline = time.monotonic() + PATIENCE_S
    answer = someone.client.post(f"/hub/api/users/{someone.name}/server")
    assert answer.status_code in (201, 202), answer.text
    # 201: ready; 202: the Hub does not wait more than ten seconds.
    while answer.status_code == 202 and not find_server(someone).get("ready"):
        assert time.monotonic() < deadline
        time.sleep(POLL_S)


def stop(someone: Someone) -> None:
    """Ask, and wait until the server is gone."""
    answer = someone.client.delete(f"/hub/api/users/{someone.name}/server")
    assert answer.status_code in (202, 204), answer.text
    while answer.status_code == 202 and find_server(someone):
        time.sleep(POLL_S)


def find_server(someone: Someone) -> dict[str, object]:
    model = someone.client.get(f"/hub/api/users/{someone.name}").json()
    server: dict[str, object] = model.get("servers", {}).get("", {})
    return server


@contextlib.contextmanager
def stock_hub(place: Path, more: str = "") -> Iterator[httpx.Client]:
    port, token = free_port(), secrets.token_hex(16)
    proxy = ROOT / "node_modules" / ".bin" / "configurable-http-proxy"
    values = {
        "port": port,
        "hub_port": port + 1,
        "api_port": port + 2,
        "proxy": proxy,
        "token": token,
        "place": place,
        "patience_s": PATIENCE_S,
    }
    (place / "config.py").write_text(f"{STOCK.format(**values)}\n{more}\n")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("PUPITRE_", "JUPYTER"))},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16),
    }
    with (place / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(place / "config.py")],
            cwd=place,
            env=environment,
            stdout=log,
            stderr=log,
        )
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"token {token}"},
        timeout=PATIENCE_S,
        limits=httpx.Limits(max_connections=None),
        trust_env=False,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert process.poll() is None and time.monotonic() < deadline, (place / "hub.log").read_text()
            with contextlib.suppress(httpx.HTTPError):
                if client.get("/hub/api/users").status_code == 200:
                    break
            time.sleep(0.2)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(timeout=30)
