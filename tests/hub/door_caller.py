"""The door as the bridge calls it: a token the (stand-in) Hub knows, JSON back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.test import Client


class Part:
    """One file of a multipart call; its name may be a path, which Django's test client would cut."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path, self.content = path, content


def encode(parts: list[tuple[str, Part | str]]) -> tuple[bytes, str]:
    """A multipart body as httpx writes it, and its content type."""
    boundary = uuid4().hex
    lines: list[bytes] = []
    for name, value in parts:
        lines.append(f"--{boundary}".encode())
        if isinstance(value, Part):
            lines.append(f'Content-Disposition: form-data; name="{name}"; filename="{value.path}"'.encode())
            lines.append(b"Content-Type: application/octet-stream\r\n\r\n" + value.content)
        else:
            lines.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
    lines.append(f"--{boundary}--\r\n".encode())
    return b"\r\n".join(lines), f"multipart/form-data; boundary={boundary}"


class Caller:
    """Calls as one person; `caller.get("me")`."""

    def __init__(self, user: Any) -> None:
        # With CSRF checks, as a real client: the door takes tokens, never cookies.
        self._client = Client(
            enforce_csrf_checks=True, headers={"Authorization": f"token of-{user.hub_name}"} if user else None
        )

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v1/{path}")

    def delete(self, path: str) -> Any:
        return self._client.delete(f"/api/v1/{path}")

    def post_json(self, path: str, body: str) -> Any:
        return self._client.post(f"/api/v1/{path}", body, content_type="application/json")

    def send(self, method: str, path: str, parts: list[tuple[str, Part | str]]) -> Any:
        body, content_type = encode(parts)
        return self._client.generic(method, f"/api/v1/{path}", body, content_type=content_type)

    def submit(
        self,
        files: dict[str, bytes],
        client_id: Any = None,
        where: str = "sessions/essai/assignments/m1",
        ticket: Any = None,
    ) -> Any:
        parts: list[tuple[str, Part | str]] = [("client_id", str(ticket or client_id or uuid4()))]
        if ticket:
            parts.append(("ticket", str(ticket)))
        return self.send(
            "POST", f"{where}/attempts", parts + [("files", Part(path, data)) for path, data in files.items()]
        )
