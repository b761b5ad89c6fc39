"""From asking the Hub for a server to the server ready, then to its first page; beside a stock JupyterHub with
SimpleLocalProcessSpawner on the same machine, in the same run. Ours is isolated; stock is not.
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
from pathlib import Path

import httpx

from bench.results import Row
from tests.installation import ROOT, free_port, make_courses, running_installation
from tests.person import sign_up

STARTS = 8
PATIENCE_S = 120
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
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "services": ["bench"],
  "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


def measure() -> tuple[list[Row], dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        for folder in ("courses", "state", "stock"):
            (place / folder).mkdir()
        courses = make_courses(place / "courses")
        with running_installation(place / "state", courses, "bench-start", PUPITRE_SIGNUP="open") as installation:
            person = sign_up(installation, "Mesure", "mesure@exemple.fr")
            ours = start_again_and_again(person.jupyter, person.hub_name)
            person.close()
        with stock_hub(place / "stock") as client:
            assert client.post("/hub/api/users/mesure").status_code == 201
            stock = start_again_and_again(client, "mesure")
    return [
        Row("server ready", tuple(ready for ready, _ in ours), tuple(ready for ready, _ in stock)),
        Row(
            "server ready and JupyterLab's page served",
            tuple(page for _, page in ours),
            tuple(page for _, page in stock),
        ),
    ], {}


def start_again_and_again(client: httpx.Client, name: str) -> list[tuple[float, float]]:
    """(seconds to ready, seconds to the first page) of each start; the server is stopped in between."""
    found = []
    for _number in range(STARTS):
        began = time.monotonic()
        answer = client.post(f"/hub/api/users/{name}/server")
        assert answer.status_code in (201, 202), answer.text
        while not find_server(client, name).get("ready"):
            assert time.monotonic() < began + PATIENCE_S
            time.sleep(0.02)
        ready = time.monotonic()
        page = client.get(f"/user/{name}/lab", follow_redirects=True)
        assert page.status_code == 200, page.text
        found.append((ready - began, time.monotonic() - began))
        assert client.delete(f"/hub/api/users/{name}/server").status_code in (202, 204)
        while find_server(client, name):
            time.sleep(0.1)
    return found


def find_server(client: httpx.Client, name: str) -> dict[str, object]:
    server: dict[str, object] = client.get(f"/hub/api/users/{name}").json().get("servers", {}).get("", {})
    return server


@contextlib.contextmanager
def stock_hub(place: Path) -> Iterator[httpx.Client]:
    port, token = free_port(), secrets.token_hex(16)
    proxy = ROOT / "node_modules" / ".bin" / "configurable-http-proxy"
    values = {"port": port, "hub_port": port + 1, "api_port": port + 2, "proxy": proxy, "token": token, "place": place}
    (place / "config.py").write_text(STOCK.format(**values))
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
