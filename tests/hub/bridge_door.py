"""Actors of the bridge's tests: a portal's door on a unix socket, and a real Jupyter server with the bridge in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
SHARE = ROOT / "hub" / "jupyter" / "share"
HUB_TOKEN = "the-server-token"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Call:
    method: str
    path: str
    token: str
    body: bytes
    content_type: str
    language: str = ""

    def parts(self) -> dict[str, bytes]:
        """Multipart: file name (or field name) → bytes."""
        message = BytesParser(policy=HTTP).parsebytes(
            b"Content-Type: " + self.content_type.encode() + b"\r\n\r\n" + self.body
        )
        found = {}
        for part in message.iter_parts():  # type: ignore[attr-defined]
            name = part.get_filename() or part.get_param("name", header="content-disposition")
            found[str(name)] = part.get_payload(decode=True)
        return found


@dataclass
class Portal:
    """A door that knows one session `s` with module `m1`; every call is kept."""

    path: Path
    files: dict[str, bytes] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    attempts: dict[str, dict[str, Any]] = field(default_factory=dict)
    gradebook: dict[str, bytes] = field(default_factory=dict)
    marks: list[Any] = field(default_factory=list)
    drafts: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    """Answers that replace the usual ones."""
    away_calls: int = 0
    """How many calls are still answered 503."""

    def answer(self, call: Call) -> tuple[int, Any]:
        if self.away_calls > 0:
            self.away_calls -= 1
            return 503, {}
        if call.token != f"token {HUB_TOKEN}":
            return 401, {"code": "bad-token", "message": "Jeton inconnu."}
        if (call.method, call.path) in self.answers:
            return self.answers[call.method, call.path]
        for pattern, method in ROUTES:
            found = re.fullmatch(pattern, f"{call.method} {call.path}")
            if found:
                return method(self, call, *found.groups())
        return 404, {"code": "not-found", "message": "Cette session n’existe pas."}

    def give_me(self, call: Call) -> tuple[int, Any]:
        return 200, {
            "name": "u1",
            "display_name": "Alice",
            "sessions": [{"slug": "s", "title": "S", "roles": ["learner"]}],
        }

    def give_manifest(self, call: Call) -> tuple[int, Any]:
        return 200, {"version": "1", "files": manifest(self.files)}

    def give_file(self, call: Call, digest: str) -> tuple[int, Any]:
        found = {sha(data): data for data in self.files.values()}
        return (200, found[digest]) if digest in found else (404, {"code": "not-found", "message": "Absent."})

    def give_assignments(self, call: Call) -> tuple[int, Any]:
        return 200, [
            {"name": "m1", "title": "M1", "version": "1", "released_at": None, "notebooks": ["exercices.ipynb"]}
        ]

    def receive_attempt(self, call: Call) -> tuple[int, Any]:
        parts = call.parts()
        client_id = parts["client_id"].decode()
        status = 200 if client_id in self.attempts else 201
        self.attempts.setdefault(client_id, {"number": len(self.attempts) + 1, "client_id": client_id, "files": parts})
        return status, {key: value for key, value in self.attempts[client_id].items() if key != "files"}

    def give_gradebook(self, call: Call) -> tuple[int, Any]:
        return 200, {"version": "1", "files": manifest(self.gradebook)}

    def give_gradebook_file(self, call: Call, digest: str) -> tuple[int, Any]:
        return 200, {sha(data): data for data in self.gradebook.values()}[digest]

    def receive_marks(self, call: Call) -> tuple[int, Any]:
        self.marks.append(json.loads(call.body)["marks"])
        return 200, {"received": len(self.marks[-1])}

    def give_draft(self, call: Call, ticket: str) -> tuple[int, Any]:
        found = self.drafts.get(ticket)
        return (200, found) if found else (404, {"code": "not-found", "message": "Ce parcours n’est pas à vous."})

    def receive_course(self, call: Call, slug: str) -> tuple[int, Any]:
        return 201, {"slug": slug, "version": "0.1", "files": sorted(call.parts())}


def manifest(files: dict[str, bytes]) -> list[dict[str, object]]:
    return [{"path": path, "sha256": sha(data), "size": len(data)} for path, data in files.items()]


API = r"/api/v1/"
ROUTES: list[tuple[str, Callable[..., tuple[int, Any]]]] = [
    (rf"GET {API}me", Portal.give_me),
    (rf"GET {API}sessions/s/modules/m1/files", Portal.give_manifest),
    (rf"GET {API}sessions/s/modules/m1/files/([0-9a-f]+)", Portal.give_file),
    (rf"GET {API}sessions/s/assignments", Portal.give_assignments),
    (rf"POST {API}sessions/s/assignments/m1/attempts", Portal.receive_attempt),
    (rf"GET {API}sessions/s/gradebook", Portal.give_gradebook),
    (rf"GET {API}sessions/s/gradebook/([0-9a-f]+)", Portal.give_gradebook_file),
    (rf"POST {API}sessions/s/gradebook/marks", Portal.receive_marks),
    (rf"GET {API}drafts/([0-9a-f-]+)", Portal.give_draft),
    (rf"PUT {API}courses/([a-z0-9-]+)", Portal.receive_course),
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "local"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        portal: Portal = self.server.portal  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        content_type = self.headers.get("Content-Type", "")
        language = self.headers.get("Accept-Language", "")
        call = Call(self.command, self.path, self.headers.get("Authorization", ""), body, content_type, language)
        portal.calls.append(call)
        status, value = portal.answer(call)
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if isinstance(value, bytes) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - names of http.server


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 32


@contextmanager
def open_portal(folder: Path) -> Iterator[Portal]:
    portal = Portal(folder / "portal.sock")
    server = _Server(str(portal.path), _Handler)
    server.portal = portal  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


IDENTITY = """
from types import SimpleNamespace
from jupyter_server.auth.identity import IdentityProvider

class Identity(IdentityProvider):
    hub_auth = SimpleNamespace(api_token="{token}")

c.ServerApp.identity_provider_class = Identity
"""


@dataclass
class LearnerServer:
    """A Jupyter server with the bridge, as the spawner starts it, but signed in by a token of its own."""

    url: str
    home: Path
    relay: Path
    client: httpx.Client
    log: Path

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.client.get(path, **kwargs)

    def post(self, path: str, fields: dict[str, str], page: str) -> httpx.Response:
        """POST a form as a browser does: with the `_xsrf` of the page that holds it."""
        found = re.search(r'name="_xsrf"[^>]* value="([^"]+)"', self.client.get(page).text)
        assert found, "the page holds no form"
        return self.client.post(path, data={"_xsrf": found[1], **fields})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_server(
    folder: Path, portal: Portal | None, variables: dict[str, str] | None = None
) -> Iterator[LearnerServer]:
    """Start a server in a subprocess; its log is printed if it stops early."""
    home, config = folder / "home", folder / "config"
    home.mkdir(exist_ok=True)
    config.mkdir()
    (config / "jupyter_server_config.py").write_text(IDENTITY.format(token=HUB_TOKEN))
    port, relay, log = free_port(), folder / "relay" / "bridge.sock", folder / "server.log"
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "JUPYTER_CONFIG_PATH": f"{config}:{SHARE / 'config'}",
        "JUPYTER_PATH": str(SHARE / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",  # a home with a `voila.py` must not shadow the library
        "PUPITRE_PUBLIC_URL": "http://127.0.0.1:1",
        "PUPITRE_BRIDGE_SOCKET": str(relay),
        "PUPITRE_NODE_MODULES": str(ROOT / "node_modules"),
        **({"PUPITRE_PORTAL_SOCKET": str(portal.path)} if portal else {}),
        **(variables or {}),
    }
    command = [
        sys.executable, "-m", "jupyter_server", f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--allow-root",
        "--ServerApp.base_url=/user/alice/", "--ServerApp.port_retries=0", "--IdentityProvider.token=door-of-the-test",
        f"--ServerApp.root_dir={home}",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=output, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/user/alice/"
    try:
        with httpx.Client(
            base_url=url, headers={"Authorization": "token door-of-the-test"}, timeout=30, trust_env=False
        ) as client:
            wait_for(client, process, log)
            with httpx.Client(base_url=url, timeout=30, trust_env=False, cookies={}) as browser:
                browser.get("api/status?token=door-of-the-test")
                browser.get("tree?token=door-of-the-test")
                yield LearnerServer(url, home, relay, browser, log)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            if client.get("api/status").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-6000:]}")


def short_folder() -> Path:
    """A unix socket's path is 107 bytes at most: pytest's own folders may be longer."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix="pb-", dir=os.environ.get("TMPDIR", "/tmp")))
