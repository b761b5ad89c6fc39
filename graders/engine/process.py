"""The isolated process of one marking run: had from forkd, and ended."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from graders.engine.result import MarkingLimits
from graders.engine.runner import RunProcess
from graders.errors import SandboxUnavailable
from sandbox.client import Forkd, Request
from sandbox.errors import SandboxError
from sandbox.limits import Limits

log = logging.getLogger(__name__)
STOP_S = 2.0


class Process(RunProcess, Protocol):
    """What is used of `sandbox.client.Sandbox`."""

    @property
    def pid(self) -> int: ...
    def kill(self) -> None: ...
    def wait(self, timeout_s: float, /) -> bool: ...
    def close(self) -> None: ...


class Starter(Protocol):
    """What is used of `sandbox.client.Forkd`."""

    def start(self, request: Request, /) -> Process: ...


def start_process(forkd: Path | Starter, limits: MarkingLimits, label: str) -> Process:
    """Ask for a marking run's process.

    Raises
    ------
    SandboxUnavailable
        There is none to be had.
    """
    bounds = Limits(
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
        cpu_s=int(limits.run_s) + 30,
        file_bytes=limits.file_bytes,
        open_files=limits.open_files,
    )
    starter: Starter = Forkd(forkd) if isinstance(forkd, Path) else forkd
    try:
        return starter.start(Request(profile="grading", label=label, uid=None, limits=bounds))
    except SandboxError as error:
        raise SandboxUnavailable(f"forkd: {error.code}: {error.message}") from error


def end_process(process: Process) -> None:
    """Kill what is left of it, and let it go."""
    try:
        process.kill()
        if not process.wait(STOP_S):
            log.error("marking process %d does not end", process.pid)
    except SandboxError as error:
        log.error("marking process %d: %s", process.pid, error)
    finally:
        process.close()
