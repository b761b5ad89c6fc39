"""Talking to a kernel of a real server as a page of Jupyter does: over the REST interface and the websocket, by a Hub token."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

PATIENCE_S = 60.0


class ServerLost(Exception):
    """The websocket was closed by the other side."""


@dataclass
class Answer:
    """What came of one request, up to the kernel's being idle again."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message["content"] for message in self.messages if message["msg_type"] == kind]

    @property
    def text(self) -> str:
        return "".join(content["text"] for content in self.of_type("stream"))

    @property
    def error(self) -> str:
        return "".join(f"{content['ename']}: {content['evalue']}" for content in self.of_type("error"))

    @property
    def pictures(self) -> list[str]:
        shown = self.of_type("display_data") + self.of_type("execute_result")
        return [content["data"]["image/png"] for content in shown if "image/png" in content["data"]]


@dataclass
class Conversation:
    """One open websocket to one kernel."""

    connection: WebSocketClientConnection
    kernel: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    """Every message, whatever it answers."""

    async def send(self, kind: str, content: dict[str, Any], channel: str = "shell") -> str:
        message = uuid.uuid4().hex
        header = {"msg_id": message, "msg_type": kind, "username": "", "session": self.kernel, "version": "5.3"}
        whole = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": channel}
        await self.connection.write_message(json.dumps(whole))
        return message

    async def hear(self, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        raw = await asyncio.wait_for(self.connection.read_message(), patience_s)
        if raw is None:
            raise ServerLost(self.kernel)
        message: dict[str, Any] = json.loads(raw)
        self.heard.append(message)
        return message

    async def ask(self, kind: str, content: dict[str, Any], patience_s: float = PATIENCE_S) -> Answer:
        """Send, and hear until the kernel has answered and is idle."""
        sent, answer, replied, idle = await self.send(kind, content), Answer(), False, False
        while not (replied and idle):
            message = await self.hear(patience_s)
            if message["parent_header"].get("msg_id") == sent:
                answer.messages.append(message)
                replied |= message["msg_type"].endswith("_reply")
                idle |= message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
        return answer

    async def run(self, code: str, patience_s: float = PATIENCE_S) -> Answer:
        return await self.ask("execute_request", execution(code), patience_s)

    async def find_again(self) -> None:
        """Ask, as pages do, until the kernel answers: what was sent while it restarted may be lost."""
        for _ in range(int(PATIENCE_S)):
            with contextlib.suppress(TimeoutError):
                await self.ask("kernel_info_request", {}, 1)
                return
        raise TimeoutError("the kernel does not answer")

    async def close(self) -> None:
        self.connection.close()
        while await asyncio.wait_for(self.connection.read_message(), 10) is not None:
            pass


def execution(code: str) -> dict[str, Any]:
    return {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}


@dataclass
class Server:
    """A person's server: `url` ends in `/user/<name>/`."""

    url: str
    token: str
    log: Path | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=PATIENCE_S, trust_env=False)

    async def start_kernel(self, client: httpx.AsyncClient, name: str = "python3") -> str:
        answer = await client.post("api/kernels", json={"name": name})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def connect(self, kernel: str) -> Conversation:
        address = f"{self.url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
        return Conversation(await websocket_connect(HTTPRequest(address, headers=self.headers)), kernel)
