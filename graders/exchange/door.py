"""The portal's door (docs/reference/interfaces.md §6), seen from nbgrader.

In a learner's server, kernel or terminal: the bridge's local socket `PUPITRE_BRIDGE_SOCKET`, which adds the token.
Elsewhere (a trainer's script, tests): `PUPITRE_DOOR_URL` and the file `PUPITRE_DOOR_TOKEN_FILE`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from graders.engine.wire import check_path

# nbgrader waits inside the server's event loop: better to fail soon than to hold everything.
TIMEOUT = httpx.Timeout(20.0, connect=3.0)
FILE_BYTES_MAX = 100_000_000
AWAY = "Le portail ne répond pas pour le moment. Votre travail reste enregistré ici : réessayez dans une minute."
UNCLEAR = "Le portail a donné une réponse inattendue. Réessayez ; si cela continue, prévenez votre formateur."
NO_DOOR = "Le portail n’est pas joignable d’ici : ouvrez ce carnet depuis la page du module."


class DoorError(Exception):
    """The door did not do what was asked; `message` is a French sentence."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{message} [{code}]")
        self.code, self.message, self.status = code, message, status


class Door:
    """The calls that nbgrader's operations need."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, *parts: str, all_learners: bool = False) -> Any:
        response = self._send("GET", parts, params={"all": "1"} if all_learners else None)
        try:
            return response.json()
        except ValueError as error:
            raise DoorError("portail_illisible", UNCLEAR) from error

    def get_list(self, *parts: str, all_learners: bool = False) -> list[dict[str, Any]]:
        rows = self.get(*parts, all_learners=all_learners)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DoorError("portail_illisible", UNCLEAR)
        return rows

    def get_files(self, *parts: str) -> dict[str, str]:
        """Files of a listing: safe relative path → sha256."""
        listing = self.get(*parts)
        rows = listing.get("files") if isinstance(listing, dict) else None
        if not isinstance(rows, list):
            raise DoorError("portail_illisible", UNCLEAR)
        try:
            return {check_path(row["path"]): check_digest(row["sha256"]) for row in rows}
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise DoorError("chemin_refuse", UNCLEAR) from error

    def get_bytes(self, digest: str, *parts: str) -> bytes:
        """The file of that hash, checked against it."""
        content = self._send("GET", (*parts, digest)).content
        if len(content) > FILE_BYTES_MAX or hashlib.sha256(content).hexdigest() != digest:
            raise DoorError("fichier_altere", "Un fichier est arrivé incomplet : réessayez.")
        return content

    def send_files(
        self,
        method: str,
        *parts: str,
        groups: Mapping[str, Mapping[str, bytes]],
        fields: Mapping[str, str] | None = None,
    ) -> Any:
        """A multipart call: each file under its group's name, with its relative path as file name."""
        files = [
            (group, (path, content, "application/octet-stream"))
            for group, held in groups.items()
            for path, content in held.items()
        ]
        response = self._send(method, parts, data=dict(fields or {}), files=files)
        try:
            return response.json()
        except ValueError as error:
            raise DoorError("portail_illisible", UNCLEAR) from error

    def delete(self, *parts: str) -> None:
        self._send("DELETE", parts)

    def close(self) -> None:
        self._client.close()

    def _send(self, method: str, parts: tuple[str, ...], **options: Any) -> httpx.Response:
        try:
            response = self._client.request(method, "/".join(quote(part, safe="+") for part in parts), **options)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise DoorError("portail_absent", AWAY) from error
        if response.status_code < 300:
            return response
        try:
            told = response.json()
            raise DoorError(str(told["code"]), str(told["message"]), response.status_code)
        except (ValueError, KeyError, TypeError) as error:
            raise DoorError("portail_illisible", UNCLEAR, response.status_code) from error


def open_door(variables: Mapping[str, str] | None = None) -> Door:
    """The door, as this process reaches it.

    Raises
    ------
    DoorError
        Neither the bridge's socket nor an address with its token is known here.
    """
    given = os.environ if variables is None else variables
    url, socket = given.get("PUPITRE_DOOR_URL", ""), given.get("PUPITRE_BRIDGE_SOCKET", "")
    options: dict[str, Any] = {"timeout": TIMEOUT, "trust_env": False, "headers": {"Accept": "application/json"}}
    if url:
        try:
            token = Path(given["PUPITRE_DOOR_TOKEN_FILE"]).read_text(encoding="ascii").strip()
        except (KeyError, OSError, ValueError) as error:
            raise DoorError(
                "sans_jeton", "PUPITRE_DOOR_TOKEN_FILE doit nommer un fichier lisible qui contient le jeton."
            ) from error
        options["headers"]["Authorization"] = f"token {token}"
        return Door(httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", **options))
    if socket:
        if not Path(socket).exists():
            raise DoorError("portail_absent", AWAY)
        return Door(
            httpx.Client(base_url="http://bridge/api/v1/", transport=httpx.HTTPTransport(uds=socket), **options)
        )
    raise DoorError("sans_portail", NO_DOOR)


def check_digest(digest: str) -> str:
    """A sha256 in hexadecimal.

    Raises
    ------
    ValueError
        It is something else.
    """
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(digest)
    return digest
