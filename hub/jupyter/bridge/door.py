"""The portal, seen from a learner's server: the calls of `docs/reference/interfaces.md` §6.

Laws: the token lives here, in the server's process, and goes to the portal alone; every wait has an end; a portal
that is away for a moment is asked again, and only calls that may be made twice are; an answer is data, never trusted
to be a path or HTML. Synchronous on purpose: pages call it in a thread, and the relay is a thread of its own.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hub.jupyter.bridge.errors import DoorError
from hub.jupyter.language import get_language, gettext_noop

log = logging.getLogger("pupitre.bridge")

RETRY_DELAYS_S = (0.2, 0.6, 1.2, 2.0)
TIMEOUT = httpx.Timeout(30.0, connect=3.0)
AWAY = gettext_noop(
    "Le portail ne répond pas pour le moment. Votre travail est enregistré dans votre espace : réessayez dans une minute."
)
UNCLEAR = gettext_noop(
    "Le portail a donné une réponse inattendue. Réessayez dans une minute ; si cela continue, prévenez votre formateur."
)
EXPIRED = gettext_noop("Votre session de travail a expiré. Revenez à la page du module et ouvrez-le de nouveau.")
AWAY_STATUSES = (502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """A raw answer, for the relay."""

    status: int
    content_type: str
    body: bytes


class Door:
    """Calls to the portal as the person this server belongs to."""

    def __init__(self, socket: Path, token: str, *, retry_delays_s: Sequence[float] = RETRY_DELAYS_S) -> None:
        self._retry_delays_s = retry_delays_s
        self._client = httpx.Client(
            # A context without authorities: there is no TLS on a unix socket, and reading them costs each server 8 MiB.
            transport=httpx.HTTPTransport(uds=str(socket), verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
            base_url="http://portal/api/v1/",
            headers={"Authorization": f"token {token}", "Accept": "application/json"},
            timeout=TIMEOUT,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def forward(
        self, method: str, path: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One call, retried while the portal is away; the portal answers in the language of the page being made.

        Every call of the door may be made twice: readings, and writings that carry their own id or content.
        """
        headers = {"Accept-Language": get_language(), **(headers or {})}
        for delay_s in (*self._retry_delays_s, None):
            try:
                response = self._client.request(method, path, content=content, headers=headers)
            except httpx.TransportError as error:
                log.warning("door: %s %s: %s", method, path, error)
            else:
                if response.status_code not in AWAY_STATUSES:
                    return Answer(response.status_code, response.headers.get("content-type", ""), response.content)
                log.warning("door: %s %s: %d", method, path, response.status_code)
            if delay_s is None:
                break
            time.sleep(delay_s)
        raise DoorError("portail_absent", AWAY, 503)

    def get_json(self, path: str) -> Any:
        return self._parse(self.forward("GET", path))

    def get_bytes(self, path: str) -> bytes:
        answer = self.forward("GET", path)
        if answer.status != 200:
            self._parse(answer)
            raise DoorError("portail_illisible", UNCLEAR, 502)
        return answer.body

    def send_files(
        self, method: str, path: str, files: Mapping[str, bytes], fields: Mapping[str, str] | None = None
    ) -> Any:
        """A multipart call: each file is sent as `files` with its relative path as its name."""
        parts = [("files", (name, data, "application/octet-stream")) for name, data in files.items()]
        request = self._client.build_request(method, path, data=dict(fields or {}), files=parts)
        body = request.read()
        headers = {"Content-Type": request.headers["Content-Type"]}
        return self._parse(self.forward(method, path, content=body, headers=headers))

    def send_json(self, method: str, path: str, value: Any) -> Any:
        request = self._client.build_request(method, path, json=value)
        return self._parse(
            self.forward(method, path, content=request.read(), headers={"Content-Type": "application/json"})
        )

    @staticmethod
    def _parse(answer: Answer) -> Any:
        try:
            value = httpx.Response(answer.status, content=answer.body).json() if answer.body else None
        except ValueError:
            value = None
        if answer.status in (200, 201, 204):
            if value is None and answer.status != 204:
                raise DoorError("portail_illisible", UNCLEAR, 502)
            return value
        if answer.status == 401:
            raise DoorError("jeton_refuse", EXPIRED, 401)
        if isinstance(value, dict) and isinstance(value.get("message"), str):
            raise DoorError(str(value.get("code", "refus")), value["message"], answer.status)
        log.error("door: status %d without a message", answer.status)
        raise DoorError("portail_illisible", UNCLEAR, 502)
