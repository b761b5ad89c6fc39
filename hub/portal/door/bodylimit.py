"""Refuses bodies that are too large before a byte of them is read.

Django's ASGI handler writes a whole body to disk before any view or middleware runs: without this, anyone could fill
the disk. Stands around the application (`hub/portal/asgi.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hub.portal.door.limits import ATTEMPT_LIMITS, COURSE_LIMITS, FORM_BYTES

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Before Django: no translation here, the two sentences are French as everything is by default.
TOO_LARGE = "L’envoi est trop volumineux. Effacez les sorties volumineuses, puis recommencez."
NO_LENGTH = "L’envoi n’annonce pas sa taille : recommencez."


def limit_bytes(path: str) -> int:
    """The largest body that an address takes; views have smaller limits of their own."""
    limits = ATTEMPT_LIMITS if path.startswith("/api/v1/") and path.endswith("/attempts") else COURSE_LIMITS
    return limits.total_bytes + FORM_BYTES


class BodyLimit:
    """An ASGI application that answers 413 (or 411) instead of handing over a body that is too large (or of no said size)."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _find_refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._application(scope, receive, send)
            return
        status, code, message = refusal
        logger.warning("%s %s: %d %s", scope["method"], scope["path"], status, code)
        body = json.dumps({"code": code, "message": message}, ensure_ascii=False).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _find_refusal(scope: Scope) -> tuple[int, str, str] | None:
    headers = {name.lower(): value for name, value in scope["headers"]}
    if b"transfer-encoding" in headers and b"content-length" not in headers:
        return 411, "bad-upload", NO_LENGTH
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:20]) > limit_bytes(scope["path"]):
        return 413, "too-large", TOO_LARGE
    return None
