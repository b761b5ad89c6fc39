"""Signing in with an outside OpenID Connect provider, for real: a second portal, on another host name, is the provider."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from hub.environment import ROOT

PASSWORD = "bureau-noir-ardoise"
PROVIDER_CLIENT = """
from allauth.idp.oidc.models import Client
client = Client(id="pupitre", name="Pupitre", type=Client.Type.CONFIDENTIAL, skip_consent=True)
client.set_scopes(["openid", "profile", "email"])
client.set_redirect_uris(["{callback}"])
client.set_grant_types([Client.GrantType.AUTHORIZATION_CODE])
client.set_response_types([Client.ResponseType.CODE])
client.set_secret("secret-{callback}")
client.save()
"""


def manage(variables: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def variables_of(state: Path, host: str, other_host: str, port: int, **more: str) -> dict[str, str]:
    """A portal alone, without proxy: its public address is its own port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")}
    return kept | {
        "PUPITRE_STATE_DIR": str(state),
        "PUPITRE_RUN_DIR": str(state / "run"),
        "PUPITRE_PORT": str(port - 1),
        "PUPITRE_PUBLIC_URL": f"http://{host}:{port}",
        "PUPITRE_JUPYTER_URL": f"http://{other_host}:{port}",
        "PUPITRE_SIGNUP": "open",
        "PUPITRE_COURSES_DIR": str(state / "no-courses"),
        "PYTHONPATH": str(ROOT),
        **more,
    }


@contextmanager
def portal(variables: dict[str, str], folder: Path) -> Iterator[str]:
    url = variables["PUPITRE_PUBLIC_URL"]
    (folder / "run" / "doors").mkdir(parents=True)
    manage(variables, "prepare")
    log = folder / "portal.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.portal.serve"], cwd=ROOT, env=variables, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            try:
                if httpx.get(f"{url}/health", timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def submit(client: httpx.Client, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
    """Send the form of the page as a browser does."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token, page.text[:2000]
    headers = {"Referer": str(page.url)}
    return client.post(
        urljoin(str(page.url), action), data={"csrfmiddlewaretoken": token[1], **fields}, headers=headers
    )


@pytest.mark.hub
def test_a_person_of_the_outside_provider_signs_in(tmp_path: Path) -> None:
    provider_port, port = free_port(), free_port()
    callback = f"http://127.0.0.1:{port}/compte/oidc/externe/login/callback/"
    outside = variables_of(tmp_path / "outside", "localhost", "127.0.0.1", provider_port)
    ours = variables_of(
        tmp_path / "ours",
        "127.0.0.1",
        "localhost",
        port,
        PUPITRE_OIDC_ISSUER=f"http://localhost:{provider_port}",
        PUPITRE_OIDC_CLIENT_ID="pupitre",
        PUPITRE_OIDC_CLIENT_SECRET=f"secret-{callback}",
    )
    with portal(outside, tmp_path / "outside") as provider, portal(ours, tmp_path / "ours") as here:
        manage(outside, "shell", "-c", PROVIDER_CLIENT.format(callback=callback))
        with httpx.Client(follow_redirects=True, timeout=20) as browser:
            # a person of the outside provider
            page = browser.get(manage(outside, "onetimeadmin").strip())
            person = {"display_name": "Zoé L'Étang", "email": "zoe@exemple.fr"}
            page = submit(browser, page, str(page.url), password1=PASSWORD, password2=PASSWORD, **person)
            assert page.url.host == "localhost" and page.status_code == 200

            # chooses it on our sign-in page, and is signed in here without a password of ours
            page = browser.get(f"{here}/compte/login/")
            assert "localhost" in page.text, "the provider is offered by name"
            page = submit(browser, page, "/compte/oidc/externe/login/")
            assert str(page.url).startswith(here), page.url
            if "/signup" in str(page.url):
                page = submit(browser, page, str(page.url), **person, terms="on")
            profile = browser.get(f"{here}/compte/profil/")
            assert "Zoé L&#x27;Étang" in profile.text or "Zoé L'Étang" in profile.text
        with httpx.Client(follow_redirects=True, timeout=20) as stranger:
            forged = stranger.get(callback, params={"code": "x", "state": "y"})
            assert forged.status_code in (200, 400, 401, 403)
            assert "Traceback" not in forged.text
            assert "/compte/login" in str(stranger.get(f"{here}/compte/profil/").url)
        assert provider
