"""What passes on the channel between the worker and the isolated process: one JSON object per line, each way.

Worker → process: first `{"files": {path: base64}, "sources": {exercise: text}, "environment": {…}, "limits": {…}}`, then per cell
`{"nonce", "kind": "answer" | "test", "source", "timeout_s"}`. Process → worker: first `{"nonce": "ready"}`, then per cell
`{"nonce", "outputs": […], "error": null | {…}}`. Never pickle; nothing that arrives from the process is trusted.
"""

from __future__ import annotations

REPLY_BYTES_MAX = 8 << 20
FILES_BYTES_MAX = 32 << 20
MESSAGE_CHARS_MAX = 600
LINES_MAX = 50


def check_path(path: str) -> str:
    """A relative path that stays inside its folder.

    Raises
    ------
    ValueError
        It is absolute, climbs, or holds a character that no file of ours has.
    """
    parts = path.split("/")
    if not path or len(path) > 400 or any(part in ("", ".", "..") for part in parts) or "\\" in path or "\x00" in path:
        raise ValueError(path)
    return path
