"""The zygote: pid 1 of a sandbox forks further warm processes, kernels, for the sandbox's first child, a server.

    server ── one datagram: Order + the end of a socket pair ──> pid 1 ── fork ──> `module.main()`, behind the same walls
    server <── lines on that pair: {"pid"} or {"error", "code"}; {"listening"}; {"ended", "code", "out_of_memory"} ── pid 1

Only the server's process holds the socket for orders: nothing that it starts inherits it, and it has no path. What comes on
the pair may have been written by a learner's code, and is read as such.

Laws: pid 1 runs no learner's code and does not end because of an order; what a fork runs was decided on forkd's command line;
a fork gets nothing of pid 1 but its standard streams and its own end of the pair.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox import namespaces as ns
from sandbox import warm
from sandbox.errors import ForkRefused
from sandbox.process import close_all_but

MAX_ORDER_BYTES = 128 << 10
_MAX_ANSWER_BYTES = 4096
_FIRST_TO_DIE = 900  # oom_score_adj: memory that runs out ends a kernel, not the server

_orders: socket.socket | None = None
_told: int | None = None


# --- the server's side -----------------------------------------------------------------------------------------------------
def hand_over(orders: socket.socket) -> None:
    """In the first child, before its `main`: keep the socket for `get_orders`."""
    global _orders
    _orders = orders


def get_orders() -> socket.socket | None:
    """The socket for orders; None in a sandbox without a zygote."""
    return _orders


class Fork:
    """A process that the zygote forked, with the methods of `subprocess.Popen` that its owner needs.

    Belongs to no event loop: what is known of it waits in a socket.
    """

    stdin = stdout = stderr = None

    def __init__(self, answers: socket.socket) -> None:
        self._answers, self._heard = answers, b""
        self.pid = 0
        self.listens = False
        self.returncode: int | None = None
        self.out_of_memory = False

    def poll(self) -> int | None:
        """The exit code, or minus the signal's number; None while it lives."""
        while self.returncode is None and self._hear():
            pass
        return self.returncode

    def wait(self) -> int:
        """As `poll`, of one that has ended; releases its socket."""
        code = self.poll()
        if code is None:
            raise RuntimeError("still alive")
        self._answers.close()
        return code

    async def ended(self) -> None:
        """Wait, without polling, until it has ended."""
        while self.poll() is None:
            await wait_readable(self._answers.fileno())

    async def started(self, timeout_s: float) -> None:
        """Wait until it listens, has ended, or has had its time.

        Raises
        ------
        ForkRefused
            There is no process.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                # The fork itself says that it listens, and may say so before pid 1 has told its number.
                while self.poll() is None and not (self.listens and self.pid):
                    await wait_readable(self._answers.fileno())
        if not self.pid:
            self._answers.close()
            raise ForkRefused("the zygote did not answer", "system")

    def send_signal(self, number: int) -> None:
        """To it alone; nothing when it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _hear(self) -> bool:
        """Read one more part of what was said; false when there is none now."""
        try:
            part = self._answers.recv(_MAX_ANSWER_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            part = b""
        *lines, self._heard = (self._heard + part).split(b"\n")
        for line in lines:
            self._understand(line)
        if (not part or len(self._heard) > _MAX_ANSWER_BYTES) and self.returncode is None:
            self.returncode = -signal.SIGKILL  # the zygote itself is gone, and so is everything in the sandbox
        return True

    def _understand(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            if "error" in said:
                self.returncode = 1
                raise ForkRefused(str(said["error"]), str(said["code"]))
            if "pid" in said and not self.pid:
                self.pid = int(said["pid"])
            if "listening" in said:
                self.listens = True
            if "ended" in said:
                self.returncode, self.out_of_memory = int(said["code"]), said.get("out_of_memory") is True
        except (ValueError, KeyError, TypeError):
            return  # a kernel's code got hold of the socket before it was closed: it only deceives itself


async def order_fork(arguments: Sequence[str], environment: Mapping[str, str], folder: str, timeout_s: float) -> Fork:
    """Fork a process, and wait at most `timeout_s` until it listens.

    Raises
    ------
    ForkRefused
        There is no zygote, the order is too large, or the machine refuses another process.
    """
    if _orders is None:
        raise ForkRefused("this sandbox has no zygote", "system")
    order = json.dumps({"argv": list(arguments), "env": dict(environment), "cwd": folder}).encode()
    if len(order) > MAX_ORDER_BYTES:
        raise ForkRefused(f"an order of {len(order)} bytes", "bad_order")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        try:
            socket.send_fds(_orders, [order], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise ForkRefused(f"the zygote does not answer: {error}", "system") from error
    fork = Fork(ours)
    try:
        await fork.started(timeout_s)
    except ForkRefused:
        ours.close()
        raise
    return fork


async def wait_readable(descriptor: int) -> None:
    """Wait until there is something to read, in whichever event loop runs here."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    own = os.dup(descriptor)  # a loop takes one reader per descriptor, and several may wait
    loop.add_reader(own, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(own)
        os.close(own)


# --- the fork's side -------------------------------------------------------------------------------------------------------
def tell_listening() -> None:
    """In a fork: say once that it can be spoken to, and let go of the socket."""
    global _told
    if _told is not None:
        with contextlib.suppress(OSError):
            os.write(_told, b'{"listening": true}\n')
        os.close(_told)
        _told = None


# --- pid 1's side ----------------------------------------------------------------------------------------------------------
class Zygote:
    """What pid 1 knows of its forks."""

    def __init__(self, module: str, orders: socket.socket, memory_events: int | None) -> None:
        self.orders = orders
        self._module = module
        self._memory_events = memory_events
        self._killed = self._count_killed()
        self._answers: dict[int, int] = {}

    def serve(self) -> bool:
        """Fork as one order says; false when nobody orders any more."""
        try:
            message, descriptors, _flags, _ = socket.recv_fds(self.orders, MAX_ORDER_BYTES + 1, 1)
        except OSError as error:
            _log(f"order not read: {error}")
            return True
        if not message:
            return False
        if len(descriptors) != 1:
            return True
        answers = descriptors[0]
        os.set_blocking(answers, False)
        try:
            order = _check(message)
            pid = os.fork()
        except Exception as error:  # noqa: BLE001 - the end of pid 1 would be the end of the sandbox
            code = "too_many_processes" if isinstance(error, BlockingIOError) else "system"
            code = code if isinstance(error, OSError | MemoryError) else "bad_order"
            _log(f"no fork: {error!r}")
            _say(answers, error=str(error), code=code)
            os.close(answers)
            return True
        if pid == 0:
            warm.run_to_end(lambda: self._run(order, answers))
        self._answers[pid] = answers
        _say(answers, pid=pid)
        return True

    def end_group(self, pid: int) -> None:
        """Before it is reaped, while its number is surely its own: end what a fork has started and left."""
        if pid in self._answers:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    def bury(self, pid: int, code: int) -> None:
        """Tell who ordered it how it ended."""
        answers = self._answers.pop(pid, None)
        if answers is None:
            return
        killed = self._count_killed()
        _say(answers, ended=pid, code=code, out_of_memory=code == -signal.SIGKILL and killed > self._killed)
        self._killed = killed
        os.close(answers)

    def _count_killed(self) -> int:
        """How many processes of this sandbox were killed for want of memory.

        Source: Linux Documentation/admin-guide/cgroup-v1/memory.rst (memory.oom_control), cgroup-v2.rst (memory.events).
        """
        if self._memory_events is None:
            return 0
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = os.pread(self._memory_events, 4096, 0).decode("ascii")
            return int(text.split("oom_kill ")[1].split()[0])
        return 0

    def _run(self, order: dict[str, Any], answers: int) -> None:
        global _told
        warm.refresh()  # first: a signal must no longer mean what it means to pid 1
        self.orders.detach()
        os.setsid()
        close_all_but([answers])
        ns.set_dumpable(True)  # it holds no secret, and its owner may look at it
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_DIE), encoding="ascii")
        warm.set_environment(order["env"])
        os.chdir(order["cwd"])
        _told = answers
        ns.set_process_name(self._module.rpartition(".")[2])
        sys.argv = [self._module, *order["argv"]]
        importlib.import_module(self._module).main()


def _check(message: bytes) -> dict[str, Any]:
    """Raises ValueError when an order is not what the server would send."""
    order = json.loads(message)
    if not isinstance(order, dict) or set(order) != {"argv", "env", "cwd"}:
        raise ValueError("an order has argv, env and cwd")
    env, argv, folder = order["env"], order["argv"], order["cwd"]
    if not isinstance(env, dict) or not isinstance(argv, list) or not isinstance(folder, str):
        raise ValueError("argv is a list, env a dictionary, cwd a text")
    texts = [*env, *env.values(), *argv, folder]
    if not all(isinstance(text, str) and "\0" not in text for text in texts) or any("=" in name for name in env):
        raise ValueError("texts without NUL, and names without =")
    return order


def _say(answers: int, **fields: object) -> None:
    with contextlib.suppress(OSError):
        os.write(answers, json.dumps(fields).encode() + b"\n")


def _log(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"zygote: {text}\n".encode())


def open_memory_events(cgroup_procs: Sequence[Path]) -> int | None:
    """The file in which the kernel counts who was killed for want of memory; None where nothing is counted."""
    for procs in cgroup_procs:
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                return os.open(procs.with_name(name), os.O_RDONLY | os.O_CLOEXEC)
    return None
