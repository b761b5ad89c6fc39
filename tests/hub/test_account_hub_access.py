"""`hub.portal.hubapi` against a real JupyterHub, with exactly the scopes its docstring asks for."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from hub.environment import ROOT
from hub.portal import hubapi

SCOPES = re.findall(r"^    ([a-z:]+) {2,}", hubapi.__doc__ or "", re.MULTILINE)
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = ["{chp}"]
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home"
c.SimpleLocalProcessSpawner.args = ["--allow-root"]
c.JupyterHub.services = [
    {{"name": "portal", "api_token": "portal-token-{hub}"}},
    {{"name": "setup", "api_token": "setup-token-{hub}"}},
]
c.JupyterHub.load_roles = [
    {{"name": "portal", "services": ["portal"], "scopes": {scopes}}},
    {{"name": "setup", "services": ["setup"], "scopes": ["admin:users", "admin:servers", "tokens", "access:services"]}},
    {{"name": "user", "scopes": ["self", "access:services!service=portal"]}},
]
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _number in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.fixture(scope="module")
def real_hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    proxy, hub, api = free_ports(3)
    chp = ROOT / "node_modules" / ".bin" / "configurable-http-proxy"
    config = folder / "config.py"
    config.write_text(CONFIG.format(proxy=proxy, hub=hub, api=api, chp=chp, folder=folder, scopes=SCOPES))
    log = folder / "hub.log"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CONFIGPROXY_AUTH_TOKEN": "x" * 32,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=folder,
            stdout=output,
            stderr=output,
            env=environment,
        )
    url = f"http://127.0.0.1:{hub}/hub/api"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            try:
                if httpx.get(url, timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        headers = {"Authorization": f"token setup-token-{hub}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            yield url, client, f"portal-token-{hub}", log
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def setup(real_hub, monkeypatch):
    url, client, token, _log = real_hub
    monkeypatch.setenv("JUPYTERHUB_API_URL", url)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", token)
    monkeypatch.setattr(hubapi, "_client", None)
    hubapi._owners.clear()
    yield client
    if hubapi._client:
        hubapi._client.close()


def make_token(setup: httpx.Client, name: str, **options) -> str:
    setup.post(f"/users/{name}")
    answer = setup.post(f"/users/{name}/tokens", json=options)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def test_the_docstring_names_the_scopes():
    assert SCOPES == ["read:users:name", "read:servers", "delete:servers", "tokens"]


@pytest.mark.hub
def test_the_owner_of_a_token_is_who_the_hub_says(setup):
    token = make_token(setup, "ualice", scopes=["access:services!service=portal"])
    owner = hubapi.get_token_owner(token)
    assert owner and owner.name == "ualice" and "access:services!service=portal" in owner.scopes


@pytest.mark.hub
def test_wrong_narrow_and_service_tokens_have_no_owner(setup, real_hub):
    narrow = make_token(setup, "ualice", scopes=["read:users:name!user"])
    for token in ("", "faux", narrow, real_hub[2], "é", "a\nb", "x" * 1000):
        assert hubapi.get_token_owner(token) is None


@pytest.mark.hub
def test_tokens_are_revoked_at_once_and_only_theirs(setup):
    mine, other = make_token(setup, "ualice"), make_token(setup, "ubob")
    assert hubapi.get_token_owner(mine) and hubapi.get_token_owner(other)
    assert hubapi.revoke_tokens("ualice") is True
    assert hubapi.get_token_owner(mine) is None
    assert hubapi.get_token_owner(other)


@pytest.mark.hub
def test_servers_are_listed_and_stopped(setup, real_hub):
    setup.post("/users/ucarla")
    assert hubapi.list_servers("ucarla") == []
    assert setup.post("/users/ucarla/server").status_code in (201, 202)
    deadline = time.monotonic() + 60
    while not any(server.ready for server in hubapi.list_servers("ucarla") or []):
        assert time.monotonic() < deadline, real_hub[3].read_text()
        time.sleep(0.2)
    assert hubapi.stop_servers("ucarla") is True
    while hubapi.list_servers("ucarla"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.hub
def test_a_person_the_hub_never_saw_has_nothing(setup):
    assert hubapi.list_servers("uinconnu") == []
    assert hubapi.stop_servers("uinconnu") and hubapi.revoke_tokens("uinconnu")
    assert hubapi.list_servers("../services/portal") == []


def test_without_a_hub_nobody_is_asked_and_it_is_said_once(monkeypatch, caplog):
    monkeypatch.delenv("JUPYTERHUB_API_URL", raising=False)
    monkeypatch.setattr(hubapi, "_said_absent", False)
    hubapi._owners.clear()
    assert hubapi.get_token_owner("x") is None and hubapi.list_servers("ualice") is None
    assert hubapi.stop_servers("ualice") is False and hubapi.revoke_tokens("ualice") is False
    assert len([record for record in caplog.records if record.name == "hub.portal.hubapi"]) == 1


def test_a_hub_that_does_not_answer_fails_no_page(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:9/hub/api")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "x")
    monkeypatch.setattr(hubapi, "_client", None)
    hubapi._owners.clear()
    assert hubapi.get_token_owner("y") is None and hubapi.stop_servers("ualice") is False
    hubapi._client.close()
