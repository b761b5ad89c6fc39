"""A rehearsal: one entry module's `rehearse()` in a sandbox of its own, to learn which modules it imports late.

Law: only our own code runs there, and what comes back is a list of names, which the nursery imports from the installation.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.birth import Plan
from sandbox.errors import SandboxRefused
from sandbox.limits import Limits
from sandbox.nursery import Nursery
from sandbox.profile import REHEARSAL

_MAX_HEARD_BYTES = 1 << 20
_LIMITS = Limits(memory_bytes=2 << 30, processes=256, cpu_s=60, file_bytes=64 << 20, open_files=1024)


@dataclass
class Rehearsal:
    """One that is going on; `channel` is readable when there is more to hear."""

    module: str
    channel: socket.socket
    pid: int
    heard: bytes = b""

    def is_over(self) -> bool:
        """Hear a part; true when nothing follows."""
        part = self.channel.recv(1 << 16)
        self.heard += part
        return not part or len(self.heard) > _MAX_HEARD_BYTES

    def end(self) -> list[str]:
        """The names of modules.

        Raises
        ------
        SandboxRefused
            It failed before it could tell.
        """
        self.channel.close()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        try:
            return [str(name) for name in json.loads(self.heard)]
        except ValueError as error:
            raise SandboxRefused(f"the rehearsal of {self.module} failed; see its log", "system") from error


def start_rehearsal(
    nursery: Nursery, module: str, uid: int, read_only: Sequence[Path], isolation: str, log_file: int
) -> Rehearsal:
    """Fork a sandbox like a grading run's, in which `module.rehearse()` runs."""
    ours, theirs = socket.socketpair()
    plan = Plan(
        profile=REHEARSAL,
        label="rehearsal",
        uid=uid,
        gid=uid if os.geteuid() == 0 else os.getegid(),
        limits=_LIMITS,
        module=module,
        rehearses=True,
        home=None,
        read_only=tuple(read_only),
        doors=None,
        isolation=isolation,
        zygote=None,
        cgroup_procs=(),
        memory_is_counted=False,
    )
    try:
        with theirs:
            pid = nursery.give_birth(plan, theirs.fileno(), None, log_file)
    except BaseException:
        ours.close()
        raise
    return Rehearsal(module, ours, pid)
