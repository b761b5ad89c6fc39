"""What surrounds the bridge in one server: read once from the server's own environment, then passed on as a value.

These variables are set by the spawner for a learner's server (they are not settings of the installation, which
`hub.environment` alone reads). A server started by hand, without the portal's socket, still opens: the bridge then says
in its pages that there is no portal.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REVIEW_PREFIX = "relecture-"


def name_review_server(session: str) -> str:
    """The name of the server where a session is reviewed: JupyterHub takes 30 characters, a session has up to 63."""
    return REVIEW_PREFIX + hashlib.sha256(session.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Surroundings:
    public_url: str
    """Origin of the portal, for links back."""
    portal_socket: Path | None
    relay_socket: Path
    node_modules: Path | None
    home_bytes: int
    """What the home may hold before its owner is told; 0: no limit was given."""
    review_server: str
    """This server's name if it is a grader's (`relecture-…`), or "" in a learner's server."""


def load_surroundings(variables: MutableMapping[str, str] | None = None) -> Surroundings:
    """Read the variables; the relay's socket is put back among them, since kernels inherit it."""
    given = os.environ if variables is None else variables
    relay = given.get("PUPITRE_BRIDGE_SOCKET")
    if not relay:
        relay = str(Path(tempfile.mkdtemp(prefix="pupitre-bridge-")) / "bridge.sock")
        given["PUPITRE_BRIDGE_SOCKET"] = relay
    server_name = given.get("JUPYTERHUB_SERVER_NAME", "")
    is_review = given.get("PUPITRE_PROFILE") == "review" and server_name.startswith(REVIEW_PREFIX)
    return Surroundings(
        public_url=given.get("PUPITRE_PUBLIC_URL", "").rstrip("/"),
        portal_socket=Path(given["PUPITRE_PORTAL_SOCKET"]) if given.get("PUPITRE_PORTAL_SOCKET") else None,
        relay_socket=Path(relay),
        node_modules=Path(given["PUPITRE_NODE_MODULES"]) if given.get("PUPITRE_NODE_MODULES") else None,
        home_bytes=int(given.get("PUPITRE_HOME_BYTES") or 0),
        review_server=server_name if is_review else "",
    )


def find_token(app: Any) -> str:
    """The server's Hub token, from JupyterHub's own extension, which holds it in this process only."""
    hub_auth = getattr(app.identity_provider, "hub_auth", None)
    return str(getattr(hub_auth, "api_token", "") or "")
