"""One long-running process of ours, known by pid and start time: a recycled pid is never taken for it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.process import find_start_time


@dataclass(frozen=True)
class Process:
    pid: int
    start_time: int
    """Field 22 of /proc/PID/stat, in clock ticks since boot. Source: proc(5)."""

    @classmethod
    def of(cls, pid: int) -> Process | None:
        start_time = find_start_time(pid)
        return cls(pid, start_time) if start_time else None

    def alive(self) -> bool:
        return find_start_time(self.pid) == self.start_time

    def write(self, file: Path) -> None:
        draft = file.with_suffix(".new")
        draft.write_text(f"{self.pid} {self.start_time}\n", encoding="ascii")
        draft.replace(file)

    def end(self, patience_s: float) -> bool:
        """SIGTERM, then SIGKILL when patience is over; False if it had to be killed."""
        self._signal(signal.SIGTERM)
        if self._gone_within(patience_s):
            return True
        self._signal(signal.SIGKILL)
        self._gone_within(5)
        return False

    def _signal(self, number: int) -> None:
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _gone_within(self, patience_s: float) -> bool:
        deadline = time.monotonic() + patience_s
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


def read_process(file: Path) -> Process | None:
    """The process named in `file` if it still runs."""
    try:
        pid, start_time = file.read_text(encoding="ascii").split()
        process = Process(int(pid), int(start_time))
    except (OSError, ValueError):
        return None
    return process if process.alive() else None
