"""Where the engine's tests run cells: a real forkd as root; otherwise the same child in a plain subprocess."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = "import socket, sys; from graders.engine.child import main; main(socket.socket(fileno=int(sys.argv[1])))"


@dataclass
class PlainProcess:
    """`sandbox.client.Sandbox` without a sandbox."""

    process: subprocess.Popen
    channel: socket.socket
    pidfd: int

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.kill()

    def wait(self, timeout_s: float) -> bool:
        self.process.wait(timeout_s)
        return True

    def close(self) -> None:
        self.channel.close()
        os.close(self.pidfd)


@dataclass
class PlainForkd:
    """`sandbox.client.Forkd` without isolation."""

    path: Path

    def start(self, request: object) -> PlainProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", START, str(theirs.fileno())]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT)
        return PlainProcess(process, ours, os.pidfd_open(process.pid))
