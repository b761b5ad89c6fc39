"""Refuses bodies that are too large before a byte of them is read.

Django's ASGI handler writes a whole body to disk before any view or middleware runs: without this, anyone could fill
the disk. Stands around the application (`hub/portal/asgi.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from badges.verify import MAX_FILE_BYTES
from hub.portal.door.limits import ATTEMPT_LIMITS, COURSE_LIMITS, FORM_BYTES

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Before Django: no translation here, the two sentences are French as everything is by default.
TOO_LARGE = "L’envoi est trop volumineux. Effacez les sorties volumineuses, puis recommencez."
NO_LENGTH = "L’envoi n’annonce pas sa taille : recommencez."

SAY_IT_THEMSELVES = {"/verifier/": MAX_FILE_BYTES + FORM_BYTES}
"""Pages that anyone drops files on: they read the size that was announced and answer 413 with a sentence of their own."""


def limit_bytes(path: str) -> int:
    """The largest body that an address takes; views have smaller limits of their own."""
    if path in SAY_IT_THEMSELVES:
        return SAY_IT_THEMSELVES[path]
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
        if scope["path"] in SAY_IT_THEMSELVES and code == "too-large":
            await self._application(scope, _empty_body(), send)
            return
        logger.warning("%s %s: %d %s", scope["method"], scope["path"], status, code)
        body = json.dumps({"code": code, "message": message}, ensure_ascii=False).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _empty_body() -> Receive:
    """What the application receives instead of the body: nothing, then silence; uvicorn throws away what still comes."""
    messages: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> MutableMapping[str, Any]:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()  # cancelled when the answer is sent
        raise asyncio.CancelledError

    return receive


def _find_refusal(scope: Scope) -> tuple[int, str, str] | None:
    headers = {name.lower(): value for name, value in scope["headers"]}
    if b"transfer-encoding" in headers and b"content-length" not in headers:
        return 411, "bad-upload", NO_LENGTH
    length = headers.get(b"content-length", b"0")
    if not length.isdigit():
        return 413, "bad-upload", NO_LENGTH
    if int(length[:20]) > limit_bytes(scope["path"]):
        return 413, "too-large", TOO_LARGE
    return None
