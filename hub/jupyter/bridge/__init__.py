"""The bridge: a Jupyter server extension, the learner's server's only way to the portal (docs/reference/bridge.md).

It delivers a module's files into the home, sends attempts, gives kernels and terminals a token-less local socket, and
serves an author's workshop and a grader's gradebook. Loaded by `share/config/jupyter_server_config.json`.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hub.jupyter.bridge"}]


def _load_jupyter_server_extension(app: Any) -> None:
    from hub.jupyter.bridge.extension import load_bridge  # late: kernels import this package without a server

    load_bridge(app)
