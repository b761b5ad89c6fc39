"""The worker's end of the channel: sends a cell, waits for its reply within limits, checks the reply's shape.

Whatever goes wrong on the other side is a `Stopped` with a code, never another exception.
"""

from __future__ import annotations

import base64
import json
import secrets
import select
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graders.engine.result import MarkingLimits
from graders.engine.wire import FILES_BYTES_MAX, LINES_MAX, MESSAGE_CHARS_MAX, REPLY_BYTES_MAX, check_path

START_S = 20.0
Name = Annotated[str, Field(max_length=100)]
Text = Annotated[str, Field(max_length=MESSAGE_CHARS_MAX)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Stream(_Strict):
    output_type: Literal["stream"]
    name: Literal["stdout", "stderr"]
    text: str


class Display(_Strict):
    output_type: Literal["display_data", "execute_result"]
    data: dict[Name, str]
    metadata: dict[Name, str]
    execution_count: None = None


class ErrorOutput(_Strict):
    output_type: Literal["error"]
    ename: Name
    evalue: Annotated[str, Field(max_length=1000)]
    traceback: list[str]


class Failure(_Strict):
    """Why a cell failed, without the text of the cell."""

    ename: Name
    evalue: Text
    ancestors: Annotated[list[Name], Field(max_length=20)]
    lines: Annotated[list[int], Field(max_length=LINES_MAX)]
    own: bool
    """Raised by a line of the cell itself, not by something it called."""
    code: Annotated[str, Field(max_length=20)]
    message: Text
    hidden: bool
    """The library says that the case it checked is one the learner does not see."""


class Reply(_Strict):
    nonce: str
    outputs: list[Annotated[Stream | Display | ErrorOutput, Field(discriminator="output_type")]]
    error: Failure | None


class Stopped(Exception):
    """The run cannot go on; `code` is a key of `sentences.STOPS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RunProcess(Protocol):
    """What is used of `sandbox.client.Sandbox`."""

    channel: Any
    pidfd: int


class Runner:
    """One notebook's run in one isolated process."""

    def __init__(self, process: RunProcess, limits: MarkingLimits) -> None:
        self._process, self._limits = process, limits
        self._until = time.monotonic() + limits.run_s + START_S
        self._buffer = bytearray()
        process.channel.setblocking(False)

    def start(
        self, files: Mapping[str, bytes], sources: Mapping[str, str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Send what the run needs and wait until it is ready; the run's own time counts from here."""
        first = {
            "files": encode_files(files),
            "sources": dict(sources),
            "environment": dict(environment or {}),
            "limits": {"output_bytes": self._limits.output_bytes, "rich_bytes": self._limits.rich_bytes},
        }
        deadline = time.monotonic() + START_S
        self._send(first, deadline, "timeout")
        if self._receive(deadline, "timeout").get("nonce") != "ready":
            raise Stopped("garbled")
        self._until = time.monotonic() + self._limits.run_s

    def run(self, source: str, kind: Literal["answer", "test"]) -> Reply:
        """Run one cell.

        Raises
        ------
        Stopped
            The process died, resisted its interruption, or answered something else; nothing more can run.
        """
        left = self._until - time.monotonic()
        if left <= 0.05:
            raise Stopped("run-timeout")
        timeout_s = min(self._limits.cell_s, left)
        nonce = secrets.token_hex(16)
        deadline = time.monotonic() + timeout_s + self._limits.grace_s
        late = "timeout" if timeout_s == self._limits.cell_s else "run-timeout"
        self._send({"nonce": nonce, "kind": kind, "source": source, "timeout_s": timeout_s}, deadline, late)
        try:
            reply = Reply.model_validate(self._receive(deadline, late))
        except ValidationError as error:
            raise Stopped("garbled") from error
        if not secrets.compare_digest(reply.nonce.encode(), nonce.encode()):
            raise Stopped("garbled")  # a reply written before the cell was sent
        return reply

    def _send(self, message: dict[str, Any], deadline: float, late: str) -> None:
        data = memoryview(json.dumps(message).encode() + b"\n")
        while data:
            self._wait(deadline, late, writing=True)
            try:
                data = data[self._process.channel.send(data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Stopped("died") from error

    def _receive(self, deadline: float, late: str) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            if len(self._buffer) > REPLY_BYTES_MAX:
                raise Stopped("garbled")
            self._wait(deadline, late, writing=False)
            try:
                data = self._process.channel.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError as error:
                raise Stopped("died") from error
            if not data:
                raise Stopped("died")
            self._buffer += data
        line, _, rest = self._buffer.partition(b"\n")
        self._buffer = bytearray(rest)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Stopped("garbled") from error
        if not isinstance(message, dict):
            raise Stopped("garbled")
        return message

    def _wait(self, deadline: float, late: str, *, writing: bool) -> None:
        """Until the channel is ready. The process's death is watched too: what it forked may keep the channel open."""
        poll = select.poll()
        channel = self._process.channel.fileno()
        poll.register(channel, select.POLLOUT if writing else select.POLLIN)
        poll.register(self._process.pidfd, select.POLLIN)
        left = deadline - time.monotonic()
        ready = dict(poll.poll(max(0, left) * 1000))
        if not ready:
            raise Stopped(late)
        if channel not in ready:
            raise Stopped("died")


def encode_files(files: Mapping[str, bytes]) -> dict[str, str]:
    """Files for the run's folder; a path that would leave it, and what exceeds the total size, is left out."""
    encoded: dict[str, str] = {}
    room = FILES_BYTES_MAX
    for path, content in files.items():
        try:
            check_path(path)
        except ValueError:
            continue
        if len(content) > room or any(parent in encoded for parent in _parents(path)):
            continue
        room -= len(content)
        encoded[path] = base64.b64encode(content).decode("ascii")
    return encoded


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:number]) for number in range(1, len(parts))]
