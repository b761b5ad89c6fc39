"""The local socket through which kernels and terminals reach the door without holding a token.

Laws: served by threads, since nbgrader's handlers are synchronous and hold the server's event loop while they wait
for us; only the calls of `ALLOWED` pass, for this person and with their rights (the portal checks them); the socket lies in
a folder of its owner alone.
"""

from __future__ import annotations

import json
import logging
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from hub.jupyter.bridge.door import Door
from hub.jupyter.bridge.errors import BridgeError

log = logging.getLogger("pupitre.bridge")

BODY_LIMIT_BYTES = 110_000_000  # the door's own largest call, a release, is 100 MB
NAME = r"[^/\\.%][^/\\%]{0,127}"
SHA = r"[0-9a-f]{64}"
UUID = r"[0-9a-fA-F-]{36}"
ALLOWED = [
    (("GET",), r"me"),
    (("GET",), rf"sessions/{NAME}/modules/{NAME}/files(/{SHA})?"),
    (("GET",), rf"sessions/{NAME}/assignments"),
    (("PUT", "DELETE"), rf"sessions/{NAME}/assignments/{NAME}"),
    (("GET",), rf"sessions/{NAME}/assignments/{NAME}/files(/{SHA})?"),
    (("GET", "POST"), rf"sessions/{NAME}/assignments/{NAME}/attempts"),
    (("GET",), rf"sessions/{NAME}/assignments/{NAME}/attempts/{UUID}/files(/{SHA})?"),
    (("GET", "PUT"), rf"sessions/{NAME}/assignments/{NAME}/attempts/{UUID}/feedback"),
    (("GET",), rf"sessions/{NAME}/assignments/{NAME}/attempts/{UUID}/feedback/{SHA}"),
]
PREFIX = "/api/v1/"


def is_allowed(method: str, target: str) -> bool:
    """Whether a kernel may make this call. `target` is the request's raw path and query."""
    raw, _, query = target.removeprefix(PREFIX).partition("?")
    path = unquote(raw)
    # What is checked here is what the portal reads: an escaped slash or a double escape would not be.
    if not target.startswith(PREFIX) or query not in ("", "all=1") or path.count("/") != raw.count("/"):
        return False
    if ".." in path or not path.isprintable():
        return False
    return any(method in methods and re.fullmatch(pattern, path) for methods, pattern in ALLOWED)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60.0

    def address_string(self) -> str:
        return "local"

    def log_message(self, format: str, *args: object) -> None:
        log.debug("relay: " + format, *args)

    def _relay(self) -> None:
        if not is_allowed(self.command, self.path):
            log.warning("relay: refused %s %.200r", self.command, self.path)
            self.close_connection = True
            self._answer_error(403, "appel_interdit", "Cet appel n’est pas possible depuis un carnet ou un terminal.")
            return
        try:
            size_bytes = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            size_bytes = -1
        if size_bytes < 0 or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._answer_error(411, "longueur_inconnue", "La longueur de l’envoi est inconnue.")
            return
        if size_bytes > BODY_LIMIT_BYTES:
            self.close_connection = True
            self._answer_error(
                413,
                "trop_gros",
                "L’envoi est trop gros (100 Mo au plus). Effacez les sorties du carnet, puis réessayez.",
            )
            return
        headers = {"Content-Type": self.headers["Content-Type"]} if "Content-Type" in self.headers else {}
        try:
            answer = self._door.forward(
                self.command, self.path.removeprefix(PREFIX), content=self.rfile.read(size_bytes), headers=headers
            )
        except BridgeError as error:
            self._answer_error(error.status, error.code, error.message)
            return
        self._answer(answer.status, answer.content_type, answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = _relay  # noqa: N815 - names of http.server

    @property
    def _door(self) -> Door:
        return cast(_Server, self.server).door

    def _answer_error(self, status: int, code: str, message: str) -> None:
        body = json.dumps({"code": code, "message": message}, ensure_ascii=False).encode()
        self._answer(status, "application/json; charset=utf-8", body)

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type or "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, path: str, door: Door) -> None:
        self.door = door
        super().__init__(path, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        log.warning("relay: a connection failed", exc_info=True)


class Relay:
    """The socket, from `start` to `stop`."""

    def __init__(self, path: Path, door: Door) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # left by a server that was killed
        self._server = _Server(str(path), door)
        path.chmod(0o600)
        self._thread = threading.Thread(target=self._server.serve_forever, name="pupitre-relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink(missing_ok=True)
