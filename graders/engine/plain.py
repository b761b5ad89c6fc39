"""The isolated process's program in a process that is *not* isolated: for an author's own command, and for tests.

Law: a learner's work never comes here. Marking asks forkd (sandbox/client.py).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_HOME = Path(__file__).resolve().parents[2]  # where this package is imported from
_START = "import socket, sys; from graders.engine.child import main; main(socket.socket(fileno=int(sys.argv[1])))"


@dataclass
class PlainProcess:
    """As `sandbox.client.Sandbox`, without a sandbox."""

    process: subprocess.Popen[bytes]
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


class PlainStarter:
    """As `sandbox.client.Forkd`, without isolation: the cells run as whoever calls."""

    def start(self, request: object) -> PlainProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", _START, str(theirs.fileno())]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=_HOME)
        return PlainProcess(process, ours, os.pidfd_open(process.pid))
