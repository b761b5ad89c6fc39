"""A person who uses a real installation over HTTP, as their browser would: no shortcut into the product.

They sign up, confirm their address, sign in, enrol, start their server through the Hub, write files in it, run code in its
kernels, submit with « Soumettre », and read their attempts through the door with a token that the Hub gave them.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.installation import Installation

PASSWORD = "bureau-noir-ardoise"
SPAWN_PATIENCE_S = 120
MARK_PATIENCE_S = 120
ENDED = ("marked", "refused", "failed")


class ServerLost(Exception):
    """The connection to a kernel was closed by the other side."""


@dataclass
class Person:
    """`portal` is signed in on the portal's host; `jupyter` holds the person's Hub token, on the other host."""

    installation: Installation
    portal: httpx.Client
    jupyter: httpx.Client
    hub_name: str
    token: str

    def close(self) -> None:
        self.portal.close()
        self.jupyter.close()

    # --- portal -------------------------------------------------------------------------------------------------------

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the portal, with its CSRF token."""
        return post_form(self.portal, self.installation.public_url, path, fields)

    def enrol(self, session: str) -> None:
        answer = self.post(f"/session/{session}/inscription/")
        assert answer.status_code == 200, answer.text

    def module_page(self, module: str, session: str = "essai") -> str:
        answer = self.portal.get(f"{self.installation.public_url}/session/{session}/module/{module}/")
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    # --- the learner's server ---------------------------------------------------------------------------------------

    def start_server(self) -> float:
        """Start the server through the Hub; seconds until it is ready."""
        began = time.monotonic()
        answer = self.jupyter.post(f"/hub/api/users/{self.hub_name}/server")
        assert answer.status_code in (201, 202) or "already running" in answer.text, answer.text
        while True:
            model = self.jupyter.get(f"/hub/api/users/{self.hub_name}").json()
            if model.get("servers", {}).get("", {}).get("ready"):
                return time.monotonic() - began
            assert time.monotonic() < began + SPAWN_PATIENCE_S, model
            time.sleep(0.02)

    def stop_server(self) -> None:
        """Stop the server through the Hub, and wait until it is gone."""
        self.jupyter.delete(f"/hub/api/users/{self.hub_name}/server")
        deadline = time.monotonic() + SPAWN_PATIENCE_S
        while self.jupyter.get(f"/hub/api/users/{self.hub_name}").json().get("servers"):
            assert time.monotonic() < deadline, "the server does not stop"
            time.sleep(0.1)

    def open_module(self, module: str, session: str = "essai", view: str = "carnet") -> httpx.Response:
        """« Ouvrir le carnet »: the portal, the Hub and the bridge, following their redirects."""
        return self.portal.get(f"{self.installation.public_url}/session/{session}/module/{module}/ouvrir/{view}/")

    def read_notebook(self, module: str, session: str = "essai") -> dict[str, Any]:
        answer = self.jupyter.get(f"/user/{self.hub_name}/api/contents/{session}/{module}/exercices.ipynb")
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()["content"]
        return content

    def write_notebook(self, module: str, content: dict[str, Any], session: str = "essai") -> None:
        """Save as JupyterLab does."""
        body = {"type": "notebook", "format": "json", "content": content}
        path = f"/user/{self.hub_name}/api/contents/{session}/{module}/exercices.ipynb"
        answer = self.jupyter.put(path, json=body)
        assert answer.status_code in (200, 201), answer.text

    def run_code(self, code: str) -> str:
        """What `code` prints in a new kernel of the person's server."""
        return asyncio.run(self._run_code(code))

    async def _run_code(self, code: str) -> str:
        answer = self.jupyter.post(f"/user/{self.hub_name}/api/kernels", json={"name": "python3"})
        assert answer.status_code == 201, answer.text
        kernel = answer.json()["id"]
        address = f"{self.installation.jupyter_url}/user/{self.hub_name}/api/kernels/{kernel}/channels"
        request = HTTPRequest(address.replace("http", "ws", 1), headers={"Authorization": f"token {self.token}"})
        connection = await websocket_connect(request)
        message = uuid.uuid4().hex
        header = {
            "msg_id": message,
            "msg_type": "execute_request",
            "username": "",
            "session": message,
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        sent = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await connection.write_message(json.dumps(sent))
        printed, failed = "", ""
        while True:
            raw = await asyncio.wait_for(connection.read_message(), 90)
            if raw is None:
                raise ServerLost(kernel)
            reply = json.loads(raw)
            if reply["parent_header"].get("msg_id") != message:
                continue
            if reply["msg_type"] == "stream":
                printed += reply["content"]["text"]
            if reply["msg_type"] == "error":
                failed = "\n".join(reply["content"]["traceback"])
            if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                break
        connection.close()
        while await asyncio.wait_for(connection.read_message(), 10) is not None:
            pass
        self.jupyter.delete(f"/user/{self.hub_name}/api/kernels/{kernel}")
        assert not failed, failed
        return printed

    def submit(self, module: str, session: str = "essai") -> httpx.Response:
        """« Soumettre » on the module page, up to where the browser ends: the module page, or the bridge's sentence."""
        return self.post(f"/session/{session}/module/{module}/soumettre/")

    # --- the door -----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"token {self.token}"}
        return self.portal.request(method, f"{self.installation.public_url}/api/v1/{path}", headers=headers, **options)

    def send(
        self,
        module: str,
        content: bytes,
        *,
        session: str = "essai",
        client_id: str = "",
        name: str = "exercices.ipynb",
    ) -> httpx.Response:
        """A submission as the bridge makes it."""
        return self.call(
            "POST",
            f"sessions/{session}/assignments/{module}/attempts",
            data={"client_id": client_id or str(uuid.uuid4())},
            files={"files": (quote(name), content)},
        )

    def attempts(self, module: str, session: str = "essai") -> list[dict[str, Any]]:
        answer = self.call("GET", f"sessions/{session}/assignments/{module}/attempts")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def wait_for_mark(self, module: str, client_id: str = "", *, patience_s: float = MARK_PATIENCE_S) -> dict[str, Any]:
        """The attempt `client_id`, or the last one, once its marking has ended."""
        deadline = time.monotonic() + patience_s
        while True:
            found = self.attempts(module)
            mine = [each for each in found if not client_id or each["client_id"] == client_id]
            if mine and mine[-1]["state"] in ENDED:
                return mine[-1]
            assert time.monotonic() < deadline, found
            time.sleep(0.1)


def post_form(client: httpx.Client, origin: str, path: str, fields: dict[str, str]) -> httpx.Response:
    token = client.cookies.get("csrftoken", domain="127.0.0.1") or ""
    return client.post(
        f"{origin}{path}",
        data={**fields, "csrfmiddlewaretoken": token},
        headers={"Referer": f"{origin}{path}"},
    )


def sign_up(installation: Installation, name: str, address: str) -> Person:
    """A new person, up to their Hub token. The installation must open accounts by itself (`PUPITRE_SIGNUP=open`)."""
    origin = installation.public_url
    client = httpx.Client(follow_redirects=True, timeout=120, trust_env=False)
    assert client.get(f"{origin}/compte/signup/").status_code == 200
    fields = {"display_name": name, "email": address, "password1": PASSWORD, "password2": PASSWORD, "terms": "on"}
    answer = post_form(client, origin, "/compte/signup/", fields)
    assert answer.status_code == 200 and "/signup" not in answer.url.path, answer.text
    link = installation.link_in_message(address, rf"{re.escape(origin)}/compte/confirm-email/\S+")
    confirmation = link.removeprefix(origin)
    assert client.get(link).status_code == 200
    answer = post_form(client, origin, confirmation, {})
    assert answer.status_code == 200, answer.text
    answer = client.get(f"{origin}/mes-parcours/")
    if "/compte/login" in answer.url.path:
        answer = post_form(client, origin, "/compte/login/", {"login": address, "password": PASSWORD})
    assert client.get(f"{origin}/mes-parcours/").url.path == "/mes-parcours/", answer.text
    return enter_hub(installation, client)


def sign_in_first_admin(installation: Installation, address: str) -> Person:
    """The administrator, from the installation's one-time link."""
    client = httpx.Client(follow_redirects=True, timeout=120, trust_env=False)
    assert client.get(installation.admin_link).status_code == 200
    fields = {"display_name": "Racine", "email": address, "password1": PASSWORD, "password2": PASSWORD}
    path = installation.admin_link.removeprefix(installation.public_url)
    answer = post_form(client, installation.public_url, path, fields)
    assert answer.url.path == "/gestion/comptes/", answer.text
    return enter_hub(installation, client)


def enter_hub(installation: Installation, client: httpx.Client) -> Person:
    """The person signed in with `client`, and their Hub token."""
    hub_name, token = make_token(installation, client)
    jupyter = httpx.Client(
        base_url=installation.jupyter_url,
        headers={"Authorization": f"token {token}"},
        timeout=120,
        trust_env=False,
    )
    return Person(installation, client, jupyter, hub_name, token)


def make_token(installation: Installation, client: httpx.Client) -> tuple[str, str]:
    """The Hub's name of the person, and a token asked for as the Hub's token page does."""
    client.get(f"{installation.jupyter_url}/hub/token")
    # Browsers send a cookie of the domain "localhost" to localhost; Python's cookie jar does not.
    session = client.cookies.get("jupyterhub-session-id", domain=".localhost")
    assert session, client.cookies
    client.cookies.set("jupyterhub-session-id", session, domain="localhost.local", path="/")
    page = client.get(f"{installation.jupyter_url}/hub/token")
    assert page.status_code == 200, page.text
    user, xsrf = ((re.search(rf'{key}: "([^"]+)"', page.text) or ["", ""])[1] for key in ("user", "xsrf_token"))
    assert user and xsrf, page.text
    answer = client.post(
        f"{installation.jupyter_url}/hub/api/users/{user}/tokens?_xsrf={quote(xsrf)}",
        json={"note": "essai"},
        headers={"Referer": f"{installation.jupyter_url}/hub/token"},
    )
    assert answer.status_code == 201, answer.text
    return user, str(answer.json()["token"])
