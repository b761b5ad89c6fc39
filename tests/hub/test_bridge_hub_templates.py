"""The Hub's pages, from our Hub with a sign-in and a spawner of its own: one language at a time, our look."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.hub.bridge_door import ROOT, SHARE, free_port, short_folder

pytestmark = pytest.mark.hub

CONFIG = """
from jupyterhub.spawner import SimpleLocalProcessSpawner
from tornado.web import HTTPError

class BadSpawner(SimpleLocalProcessSpawner):
    async def start(self):
        error = HTTPError(503, "no")
        error.jupyterhub_message = "Il n’y a plus de place sur la machine."
        raise error

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = BadSpawner
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.command = ["{node}/.bin/configurable-http-proxy"]
c.JupyterHub.cookie_secret_file = "{folder}/secret"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.template_paths = ["{templates}"]
c.JupyterHub.template_vars = {{"portal_url": "http://127.0.0.1:1"}}
c.JupyterHub.allow_named_servers = True
c.Hub.door = "{folder}/hub.sock"
"""


@dataclass
class RunningHub:
    url: str
    client: httpx.Client

    def get(self, path: str, language: str = "") -> httpx.Response:
        headers = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html", "Accept-Language": language}
        return self.client.get(path, headers=headers, follow_redirects=True)


@pytest.fixture(scope="module")
def jupyterhub() -> Iterator[RunningHub]:
    folder = short_folder()
    port = free_port()
    config = folder / "jupyterhub_config.py"
    config.write_text(
        CONFIG.format(
            port=port,
            hub_port=free_port(),
            proxy_port=free_port(),
            folder=folder,
            node=ROOT / "node_modules",
            templates=SHARE / "hub-templates",
        )
    )
    log = folder / "hub.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.jupyter.app", "-f", str(config)],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            for _ in range(300):
                try:
                    if client.get("/hub/health").status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                if process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                raise AssertionError(log.read_text()[-5000:])
            page = client.get("/hub/login")
            assert page.status_code == 200, log.read_text()[-5000:]
            xsrf = client.cookies["_xsrf"]
            client.post("/hub/login", data={"username": "alice", "password": "x", "_xsrf": xsrf})
            yield RunningHub(url, client)
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def visible_text(page: str) -> str:
    """What a person reads: without scripts, styles, and what is declared to be in English."""
    page = re.sub(r"(?s)<(script|style|details)\b.*?</\1>|<[^>]*>", " ", page)
    return re.sub(r"\s+", " ", page)


ENGLISH = re.compile(
    r"\b(the|your|server|start|stop|home|token|logout|login|error|page not|you are|running|launch|please|never|day|week)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/hub/home", "Votre espace de travail"),
        ("/hub/token", "Jetons d’accès"),
        ("/hub/nulle-part", "Page introuvable"),
        ("/hub/spawn", "Une erreur s’est produite"),
        ("/hub/user/bob/lab", "Cette page n’existe pas"),
        ("/hub/spawn/alice/Not%20Valid", "L’adresse est incomplète"),
    ],
)
def test_pages_are_in_french(jupyterhub: RunningHub, path: str, says: str) -> None:
    page = jupyterhub.get(path)
    text = visible_text(page.text)
    assert says in text
    assert '<html lang="fr">' in page.text
    assert not ENGLISH.search(text), ENGLISH.search(text)
    assert 'href="http://127.0.0.1:1/mes-parcours/"' in page.text


def test_colours_are_the_portals(jupyterhub: RunningHub) -> None:
    variables = (ROOT / "hub" / "portal" / "static" / "portal" / "variables.css").read_text()
    assert variables.strip() in jupyterhub.get("/hub/home").text


def test_a_failed_start_says_the_spawners_sentence(jupyterhub: RunningHub) -> None:
    page = jupyterhub.get("/hub/spawn")
    assert "Il n’y a plus de place sur la machine." in visible_text(page.text)


FRENCH = re.compile(r"[éèêàçù’«»]|\b(le|la|les|un|une|des|votre|vos|vous|est|dans|du)\b", re.IGNORECASE)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/hub/home", "Your workspace"),
        ("/hub/token", "Access tokens"),
        ("/hub/nulle-part", "Page not found"),
        ("/hub/user/bob/lab", "This page does not exist"),
        ("/hub/spawn/alice/Not%20Valid", "The address is incomplete"),
    ],
)
def test_pages_are_in_english_for_who_reads_english(jupyterhub: RunningHub, path: str, says: str) -> None:
    page = jupyterhub.get(path, "en-US,en;q=0.9")
    text = visible_text(page.text)
    assert says in text
    assert '<html lang="en">' in page.text
    assert not FRENCH.search(text), FRENCH.search(text)
    assert '<html lang="fr">' in jupyterhub.get(path, "fr-FR,fr;q=0.9,en;q=0.8").text
