"""What pid 1 of a sandbox does once its child runs: reap, pass SIGTERM on, and end when the child ends.

Law: nothing here allocates a process or reads a learner's byte; whatever happens, the end of this process is the end of the
sandbox.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path


def handle_signals(child: int) -> int:
    """Pass SIGTERM on to `child`; returns a descriptor that is readable when a child has ended."""
    awake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: _signal(child, signal.SIGTERM))
    return awake


def watch(child: int, awake: int, channel: int | None) -> int:
    """Reap until `child` has ended, and return its exit code; end at once when the caller lets the channel go."""
    poller = select.poll()
    poller.register(awake, select.POLLIN)
    if channel is not None:
        poller.register(channel, select.POLLRDHUP | select.POLLHUP)
    # Reaped before waiting: the child may have ended before the handler was there.
    while (code := _reap_all(child)) is None:
        for descriptor, _events in poller.poll():
            if descriptor == channel:
                _signal(child, signal.SIGKILL)
                poller.unregister(descriptor)
            else:
                os.read(awake, 4096)
    return code


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap_all(child: int) -> int | None:
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            exit_code = os.waitstatus_to_exitcode(status)
            code = exit_code if exit_code >= 0 else 128 - exit_code


def kill_descendants() -> None:
    """Without a pid namespace: kill what is left, which came to us as orphans, until there is no child."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := children.read_text(encoding="ascii").split():
        for pid in pids:
            _signal(int(pid), signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(pid), 0)
