"""A door that answers what a test says, on a local socket as the bridge's: for answers that a right portal never gives."""

from __future__ import annotations

import hashlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Answer = tuple[int, Any] | Callable[[bytes], tuple[int, Any]]


class ScriptedDoor:
    """`answers["GET sessions/s/assignments"] = (200, […])`; bytes are sent as they are, the rest as JSON."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, Answer] = {}
        self.calls: list[tuple[str, bytes]] = []

    def serve_files(self, address: str, files: dict[str, bytes], **more: object) -> None:
        """A listing and its contents; `more` overrides fields of every row."""
        rows = [{"path": p, "sha256": hashlib.sha256(c).hexdigest(), "size": len(c), **more} for p, c in files.items()]
        self.answers[f"GET {address}"] = (200, {"version": "1", "files": rows})
        for content in files.values():
            self.answers[f"GET {address}/{hashlib.sha256(content).hexdigest()}"] = (200, content)


@contextmanager
def running_door(path: Path) -> Iterator[ScriptedDoor]:
    door = ScriptedDoor(path)

    class Handler(BaseHTTPRequestHandler):
        def address_string(self) -> str:
            return "local"

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            call = f"{self.command} {unquote(self.path.removeprefix('/api/v1/'))}"
            door.calls.append((call, body))
            answer = door.answers.get(call, (404, {"code": "absent", "message": "Cette page n’existe pas."}))
            status, content = answer(body) if callable(answer) else answer
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    server = Server(str(path), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
