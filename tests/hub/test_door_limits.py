"""Bodies refused before they are read, and a portal that cannot store."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from graders.models import Attempt
from hub.portal.door.bodylimit import BodyLimit, limit_bytes
from tests.graders.attempt_fixtures import answer, released, source
from tests.hub.door_fixtures import calling

__all__ = ["answer", "calling", "released", "source"]
ATTEMPTS = "/api/v1/sessions/essai/assignments/m1/attempts"


def ask(path: str, headers: list[tuple[bytes, bytes]], kind: str = "http") -> tuple[list[Any], bool]:
    """What came back, and whether the application was reached; nothing may be read from the body."""
    sent: list[Any] = []
    reached: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append(True)

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": kind, "method": "POST", "path": path, "headers": headers}
    asyncio.run(BodyLimit(application)(scope, receive, send))
    return sent, bool(reached)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (ATTEMPTS, [(b"content-length", b"104857600")], 413),
        (ATTEMPTS, [(b"Content-Length", str(limit_bytes(ATTEMPTS) + 1).encode())], 413),
        ("/compte/login/", [(b"content-length", b"9" * 30)], 413),
        ("/", [(b"content-length", b"-1")], 413),
        ("/", [(b"content-length", b"0x10")], 413),
        (ATTEMPTS, [(b"transfer-encoding", b"chunked")], 411),
    ],
)
def test_refused_unread(path: str, headers: list[tuple[bytes, bytes]], status: int) -> None:
    sent, reached = ask(path, headers)
    assert not reached
    assert sent[0]["status"] == status
    assert set(json.loads(sent[1]["body"])) == {"code", "message"}


def test_a_page_that_says_it_itself_is_asked_with_an_empty_body() -> None:
    received: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        received.append(await receive())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(receive(), 0.01)

    async def refuse(*_message: Any) -> Any:
        raise AssertionError("the body was read, or an answer sent")

    headers = [(b"content-length", b"104857600")]
    scope = {"type": "http", "method": "POST", "path": "/verifier/", "headers": headers}
    asyncio.run(BodyLimit(application)(scope, refuse, refuse))
    assert received == [{"type": "http.request", "body": b"", "more_body": False}]
    assert ask("/verifier/", [(b"content-length", b"0x10")])[0][0]["status"] == 413


def test_ordinary_requests_pass() -> None:
    for headers in ([], [(b"content-length", b"12")], [(b"content-length", str(limit_bytes(ATTEMPTS)).encode())]):
        assert ask(ATTEMPTS, headers) == ([], True)
    assert ask("/", [(b"content-length", b"9" * 30)], kind="websocket") == ([], True)


def test_the_portal_stands_behind_it() -> None:
    from hub.portal.asgi import application

    assert isinstance(application, BodyLimit)


@pytest.mark.django_db
def test_a_full_disk_is_a_sentence_and_keeps_nothing(
    calling: Any, alice: Any, released: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any, content: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("graders.blobs.BlobStore.put", full)
    response = calling(alice).submit({"exercices.ipynb": answer()})
    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"
    assert Attempt.objects.count() == 0
