"""The nursery: a warm process that forks every sandbox, and forkd's hold on it.

forkd keeps the list of who lives and decides; the nursery has everything imported, knows nobody, and forks what it is told.
The plan of a birth is read by the fork, not by the nursery. So a child inherits the memory of a process in which no other
person was ever named, an import that goes wrong ends the nursery and not forkd, and a nursery that died is started again.

    forkd ── descriptors ──> nursery ── fork ──> stage, which reads its Plan (`sandbox.birth`)

Laws: it obeys one socket, forkd's, and ends when that closes; it is started with an empty environment; it holds no secret.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence

from sandbox import warm
from sandbox.birth import Plan, run_stage, write_plan
from sandbox.errors import SandboxRefused
from sandbox.namespaces import set_process_name

log = logging.getLogger("nursery")
_MAX_ORDER_BYTES = 256 << 10
_MAX_DESCRIPTORS = 8
_BIRTH = b"birth"
_START_AGAIN_S = 5.0
_WARM = b"warm"
_REPORT_TIMEOUT_S = 20.0
_WARM_TIMEOUT_S = 55.0  # less than a caller waits for its answer
_END_S = 0.5


class NurseryDied(SandboxRefused):
    """Nothing was started, and with another nursery it may be."""


class Nursery:
    """forkd's end."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = tuple(dict.fromkeys(modules))
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.close()
        self._started = 0.0
        self._has_borne = False
        self.is_warm = False

    @property
    def socket(self) -> socket.socket:
        """Readable when there is something to `hear`; a closed one when there is no nursery."""
        return self._socket

    def hear(self) -> bool:
        """Take what it says; true once it is warm, false when it has ended."""
        self.is_warm = self._socket.recv(len(_WARM)) == _WARM
        return self.is_warm

    def ensure(self) -> bool:
        """Start it if it does not run; true when it was started.

        Raises
        ------
        SandboxRefused
            It has died again just after it was started.
        """
        if self._process is not None and self._process.poll() is None:
            return False
        if self._process is not None:
            log.error("the nursery ended with %s", self._process.returncode)
            if not self._has_borne and time.monotonic() - self._started < _START_AGAIN_S:
                raise SandboxRefused("the nursery dies at its start", "system")
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            theirs.set_inheritable(True)
            # -I: nothing of a working directory, a home or an environment is imported.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "sandbox.nursery", str(theirs.fileno()), *self.modules],
                env=_make_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_ORDER_BYTES)
        self._socket, self._started, self._has_borne, self.is_warm = ours, time.monotonic(), False, False
        return True

    def give_birth(self, plan: Plan, channel: int, listen: int | None, log_file: int) -> int:
        """Start a sandbox and return the pid of its init, as forkd sees it.

        Raises
        ------
        SandboxRefused
            The kernel refused something, or the nursery is gone (`NurseryDied`): nothing is left running.
        """
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                descriptors = [theirs.fileno(), channel, log_file] + ([listen] if listen is not None else [])
                self._send(_BIRTH, descriptors)
            # Before it is warm it reads no order: who comes first waits.
            ours.settimeout(_REPORT_TIMEOUT_S if self.is_warm else _WARM_TIMEOUT_S)
            try:
                ours.sendall(write_plan(plan))
                init = _await_init(ours)
            except (SandboxRefused, ConnectionError) as error:
                if self.has_died():
                    raise NurseryDied(f"the nursery died during a birth: {error}", "system") from error
                raise
        self._has_borne = True
        return init

    def has_died(self) -> bool:
        """A killed process may take a moment to end."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
        return self._process is None or self._process.poll() is not None

    def preload(self, names: Iterable[str]) -> None:
        """Let it import these too."""
        self._send(json.dumps(list(names)).encode(), [])

    def close(self) -> None:
        """Let it end."""
        self._socket.close()
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _send(self, order: bytes, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self._socket, [order], descriptors)
        except OSError as error:
            raise NurseryDied(f"the nursery does not answer: {error}", "system") from error


def _await_init(status: socket.socket) -> int:
    """Read the reports of a birth until its child runs."""
    init = None
    try:
        with status.makefile("r", encoding="utf-8") as reports:
            for line in reports:
                report = json.loads(line)
                if "pid" in report:
                    init = int(report["pid"])
                elif "ready" in report and init is not None:
                    return init
                else:
                    raise SandboxRefused(report["error"], report["code"])
        raise SandboxRefused("the sandbox ended while it was being set up", "not_isolated")
    except (SandboxRefused, TimeoutError) as error:
        if init is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(init, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(init, 0)
        if isinstance(error, TimeoutError):
            raise SandboxRefused("the sandbox did not get ready", "not_isolated") from error
        raise


def _make_environment() -> dict[str, str]:
    """What libraries read while they are imported; each child gets its own afterwards."""
    kept = {name: os.environ[name] for name in ("OPENBLAS_CORETYPE",) if name in os.environ}
    return kept | {
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        "PATH": "/usr/bin:/bin",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        # Fixed, or glibc raises them after the first large buffer, and keeps for good what a plot has used.
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "131072",
    }


def main(arguments: list[str]) -> int:
    """`python -I -m sandbox.nursery SOCKET_FD MODULE…`"""
    set_process_name("sandbox-nursery")
    logging.basicConfig(format="%(asctime)s %(levelname)s nursery %(message)s", level=logging.INFO, stream=sys.stderr)
    orders = socket.socket(fileno=int(arguments[0]))
    orders.set_inheritable(False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # forkd decides when it ends, by closing the socket
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nursery-") as scratch:
        # Where matplotlib keeps the list of fonts it makes while it is imported.
        os.environ["MPLCONFIGDIR"] = scratch
        warm.warm_up(arguments[1:])
    log.info("warm modules=%d in %.1f s", len(sys.modules), time.monotonic() - began)
    orders.send(_WARM)
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _MAX_ORDER_BYTES, _MAX_DESCRIPTORS)
        if not message:
            return 0
        if message == _BIRTH:
            _fork(descriptors)
        else:
            began = time.monotonic()
            added = warm.preload(json.loads(message))
            log.info("preloaded modules=%d in %.1f s", added, time.monotonic() - began)


def _fork(descriptors: list[int]) -> None:
    status, channel, log_file, *rest = descriptors
    try:
        stage = os.fork()
        if stage == 0:
            run_stage(channel, rest[0] if rest else None, log_file, socket.socket(fileno=status))
        os.waitpid(stage, 0)
    except OSError as error:
        log.error("fork: %s", error)  # the caller sees its status socket close
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
