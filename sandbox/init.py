"""What pid 1 of a sandbox does once its child runs: reap, fork kernels (`sandbox.zygote`), pass SIGTERM on, and end when
the child ends.

Law: whatever happens, the end of this process is the end of the sandbox; so no order, signal or end of another ends it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

from sandbox.zygote import Zygote


def handle_signals(child: int) -> int:
    """Pass SIGTERM on to `child`; returns a descriptor that is readable when a child has ended."""
    awake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: _signal(child, signal.SIGTERM))
    return awake


def watch(child: int, awake: int, channel: int | None, zygote: Zygote | None = None) -> int:
    """Reap until `child` has ended, and return its exit code; end at once when the caller lets the channel go."""
    poller = select.poll()
    poller.register(awake, select.POLLIN)
    if channel is not None:
        poller.register(channel, select.POLLRDHUP | select.POLLHUP)
    if zygote is not None:
        poller.register(zygote.orders, select.POLLIN)
    # Reaped before waiting: the child may have ended before the handler was there.
    while (code := _reap_all(child, zygote)) is None:
        for descriptor, _events in poller.poll():
            if descriptor == channel:
                _signal(child, signal.SIGKILL)
                poller.unregister(descriptor)
            elif zygote is not None and descriptor == zygote.orders.fileno():
                if not zygote.serve():
                    poller.unregister(descriptor)
            else:
                os.read(awake, 4096)
    return code


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap_all(child: int, zygote: Zygote | None) -> int | None:
    code = None
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return code
            if zygote is not None:
                zygote.end_group(ended.si_pid)
            pid, status = os.waitpid(ended.si_pid, 0)
        except ChildProcessError:
            return code
        exit_code = os.waitstatus_to_exitcode(status)
        if pid == child:
            code = exit_code if exit_code >= 0 else 128 - exit_code
        elif zygote is not None:
            zygote.bury(pid, exit_code)


def kill_descendants() -> None:
    """Without a pid namespace: kill what is left, which came to us as orphans, until there is no child."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := children.read_text(encoding="ascii").split():
        for pid in pids:
            _signal(int(pid), signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(pid), 0)
