"""The two sides of a measure, each real and driven from outside: an installation of ours, and a stock JupyterHub."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conversation import Server
from tests.installation import ROOT, Installation, free_port, make_courses, running_installation
from tests.person import sign_up

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


@contextlib.contextmanager
def measured_place() -> Iterator[Path]:
    """A folder with room for both sides, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        for folder in ("courses", "state", "stock"):
            (place / folder).mkdir()
        yield place


@contextlib.contextmanager
def our_installation(place: Path, name: str) -> Iterator[Installation]:
    """Ours, where anybody may sign up; `name` is its logs'."""
    courses = make_courses(place / "courses")
    with running_installation(place / "state", courses, name, PUPITRE_SIGNUP="open") as installation:
        yield installation


@contextlib.contextmanager
def our_server(place: Path, name: str) -> Iterator[Server]:
    """One learner's server of ours, once the nursery has rehearsed; `log` is where it writes."""
    with our_installation(place, name) as installation:
        person = sign_up(installation, "Mesure", "mesure@exemple.fr")
        installation.wait_for_forkd_log("rehearsed hub.jupyter.kernel")
        person.start_server()
        log = installation.state_dir / "log" / f"{person.hub_name}.log"
        yield Server(f"{installation.jupyter_url}/user/{person.hub_name}/", person.token, log)
        person.stop_server()
        person.close()


@contextlib.contextmanager
def stock_server(place: Path) -> Iterator[Server]:
    """One learner's server of a stock Hub."""
    with stock_hub(place / "stock") as client:
        assert client.post("/hub/api/users/mesure").status_code == 201
        someone = Someone(client, "mesure")
        start(someone)
        token = client.headers["Authorization"].removeprefix("token ")
        yield Server(f"{client.base_url}/user/mesure/", token)
        stop(someone)


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
