"""One process named for good: by pid and start time, since a pid alone may be given again."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable
from pathlib import Path


def find_start_time(pid: int) -> int | None:
    """Clock ticks since boot at which `pid` started; None when there is no such process or it is only a zombie.

    Source: proc_pid_stat(5), fields 3 (state) and 22 (starttime).
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def is_alive(pid: int, start_time: int) -> bool:
    return pid > 0 and find_start_time(pid) == start_time


def open_pidfd(pid: int, start_time: int) -> int | None:
    """A descriptor of that very process; None when it has ended. Readable once it ends."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    # Checked after opening: from here on the descriptor cannot mean another process.
    if not is_alive(pid, start_time):
        os.close(pidfd)
        return None
    return pidfd


def has_ended(pidfd: int, timeout_s: float = 0) -> bool:
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))


def close_all_but(kept: Iterable[int]) -> None:
    """Close every descriptor above stderr that is not kept."""
    edge = 3
    for descriptor in sorted(kept):
        if descriptor > edge:  # closerange(n, n) closes everything from n up on some versions of Python
            os.closerange(edge, descriptor)
        edge = descriptor + 1
    os.closerange(edge, 1 << 16)
