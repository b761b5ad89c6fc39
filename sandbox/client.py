"""Asking forkd for a sandbox, from the Hub or from a worker.

Laws: the answer and the child's channel are one connection, so what the caller writes next (environment, token) goes to the
child and to nobody else; a sandbox is named by pid and start time, and a lost forkd loses no sandbox.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxRefused, SandboxUnavailable
from sandbox.process import has_ended, open_pidfd
from sandbox.request import EndAll, Request, Signal

__all__ = ["Forkd", "Request", "Sandbox"]

_ANSWER_TIMEOUT_S = 60.0


@dataclass
class Sandbox:
    """A child of forkd. `pid` is its init: when that ends, nothing of the sandbox is left."""

    pid: int
    start_time: int
    channel: socket.socket | None
    """The child's first and only input; None when this sandbox was found again after a restart."""
    pidfd: int
    """Readable once the sandbox has ended."""
    forkd: Forkd = field(repr=False)
    socket: Path | None = None
    """Where the child listens; its directory also holds the same name followed by `:80`."""
    log: Path | None = None

    def alive(self) -> bool:
        return not has_ended(self.pidfd)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the sandbox has ended; False when it still runs after `timeout_s`."""
        return has_ended(self.pidfd, timeout_s)

    def end(self) -> None:
        """Ask the child to end (SIGTERM)."""
        self.forkd.signal(self, kill=False)

    def kill(self) -> None:
        """Kill everything in the sandbox."""
        self.forkd.signal(self, kill=True)

    def close(self) -> None:
        """Let the descriptors go; a server goes on, a grading run ends."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Forkd:
    """forkd's door."""

    path: Path

    def start(self, request: Request) -> Sandbox:
        """Start a child in a sandbox.

        Raises
        ------
        SandboxRefused
            Nothing was started.
        SandboxUnavailable
            forkd does not answer.
        """
        connection, answer = self._ask(request)
        try:
            pid, start_time = int(answer["pid"]), int(answer["start_time"])
            pidfd = open_pidfd(pid, start_time)
            if pidfd is None:
                raise SandboxRefused(f"the sandbox of {request.label} ended at once", "not_isolated")
        except BaseException:
            connection.close()
            raise
        connection.settimeout(None)
        paths = {name: Path(answer[name]) if answer.get(name) else None for name in ("socket", "log")}
        return Sandbox(pid, start_time, connection, pidfd, self, **paths)

    async def astart(self, request: Request) -> Sandbox:
        """`start` for a program with an event loop. If the caller gives up meanwhile, the child sees its channel closed."""
        return await asyncio.to_thread(self.start, request)

    def find(self, pid: int, start_time: int) -> Sandbox | None:
        """The sandbox that was started earlier; None when it has ended."""
        pidfd = open_pidfd(pid, start_time)
        return None if pidfd is None else Sandbox(pid, start_time, None, pidfd, self)

    def signal(self, sandbox: Sandbox, *, kill: bool) -> None:
        """Signal a sandbox; nothing happens when it has ended."""
        if has_ended(sandbox.pidfd):
            return
        try:
            signal.pidfd_send_signal(sandbox.pidfd, signal.SIGKILL if kill else signal.SIGTERM)
        except ProcessLookupError:
            return
        except PermissionError:
            # The caller is not the learner's uid, which is the usual case: forkd alone may.
            try:
                self._ask(Signal(sandbox.pid, sandbox.start_time, kill))[0].close()
            except SandboxRefused as error:
                if error.code != "no_such_process" or sandbox.alive():
                    raise

    def end_all(self) -> int:
        """Kill every sandbox; returns how many there were."""
        connection, answer = self._ask(EndAll())
        connection.close()
        return int(answer["ended"])

    def answers(self) -> bool:
        """Whether somebody listens at forkd's door."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.path))
            except OSError:
                return False
        return True

    def _ask(self, request: Request | Signal | EndAll) -> tuple[socket.socket, dict[str, Any]]:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_ANSWER_TIMEOUT_S)
            connection.connect(str(self.path))
            connection.sendall(request.as_line())
            answer = json.loads(_read_line(connection))
        except (OSError, ValueError) as error:
            connection.close()
            raise SandboxUnavailable(f"forkd at {self.path}: {error}") from error
        if "code" in answer:
            connection.close()
            raise SandboxRefused(answer["error"], answer["code"])
        return connection, answer


def _read_line(connection: socket.socket) -> bytes:
    """One line and not a byte more: what follows belongs to the child."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionResetError("closed before it answered")
        line += byte
    return bytes(line)
