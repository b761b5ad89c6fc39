"""What a learner's server does in its first minute, done once by nobody, so that the nursery knows what it imports.

Runs in a sandbox of its own (`sandbox.rehearsal`), without a Hub, a person or a file of anybody; the process ends after it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

PREFIX = "/user/repetition/"
# Imported by a kernel alone: in a process without a shell, the first would make `plt.show()` silent for good.
_NOT_OURS = ("matplotlib_inline.backend_inline",)
_NOTEBOOK = """{"cells": [{"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": [], "execution_count": 1},
 {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "*b*"}],
 "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
 "nbformat": 4, "nbformat_minor": 5}"""
_PAGES = ("lab", "tree", "notebooks/repetition.ipynb", "lab/tree/repetition.ipynb", "api/contents/repetition.ipynb")
_MORE = (
    "api/contents", "api/kernelspecs", "api/kernels", "api/sessions", "api/terminals", "lab/api/settings",
    "lab/api/translations/fr_FR", "lab/api/workspaces/default", "assignment_list?", "pupitre/open",
)  # fmt: skip
_LATE = (
    "jupyter_client.asynchronous.client", "jupyter_client.manager", "jupyter_client.multikernelmanager",
    "jupyter_server.services.kernels.connection.channels", "nbconvert.exporters.html", "nbclient.client",
    "nbformat.validator", "terminado.management", "voila.handler", "voila.exporter", "voila.notebook_renderer",
    "voila.execute", "hub.jupyter.kernelclient", "hub.jupyter.provisioner", "tornado.simple_httpclient", "jinja2.ext", "jinja2.debug",
)  # fmt: skip


def rehearse() -> set[str]:
    """Start a server, ask it for its first pages, and return the names of all modules that are imported by then."""
    from hub.jupyter import singleuser

    home = Path(os.environ["HOME"])
    (home / "repetition.ipynb").write_text(_NOTEBOOK, encoding="utf-8")
    path = Path(tempfile.mkdtemp()) / "server.sock"
    listen = socket.socket(socket.AF_UNIX)
    listen.bind(str(path))
    listen.listen()
    ours, theirs = socket.socketpair()
    singleuser.set_environment(
        {
            "JUPYTERHUB_API_TOKEN": "repetition",
            "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",  # nobody: the sandbox has no network
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": "repetition",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:80" + PREFIX,
            "JUPYTERHUB_USER": "repetition",
            "PUPITRE_PORTAL_SOCKET": str(path.with_name("portal.sock")),  # nobody either
            "PUPITRE_PUBLIC_URL": "http://127.0.0.1",
        }
    )
    with ours:
        singleuser.run_server(listen, theirs, [], lambda app: _visit(app, path))
    for name in _LATE:
        __import__(name)
    return {name for name in sys.modules if not name.startswith(("__main__", *_NOT_OURS))}


async def _visit(app: Any, path: Path) -> None:
    """Ask for the first pages as somebody whom the server knows, then end the server."""
    from jupyter_server.auth import User

    async def get_user(_handler: Any) -> User:
        return User("repetition")

    app.identity_provider.get_user = get_user
    app.authorizer.is_authorized = lambda *_: True
    try:
        for page in (*_PAGES, *_MORE):
            await asyncio.wait_for(_get(path, PREFIX + page), 20)
    finally:
        app.stop()


async def _get(path: Path, url: str) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(f"GET {url} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
    status = await reader.readline()
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    await reader.readexactly(length)
    writer.close()
    sys.stderr.write(f"{url} {status.decode().strip()}\n")
