"""How a learner's kernel starts: `TokenlessProvisioner`, the default one in a learner's server.

A Python kernel is forked by the sandbox's zygote (`sandbox.zygote`); any other language's starts cold, behind the same walls.

Laws: no token of the Hub is in a kernel's environment, even if something put one back into the server's; the working
directory is last on a Python kernel's `sys.path`, so that a learner's `pupitre.py` hides nothing of ours; a kernel that
dies without being told to is a line of the log that says how.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from sandbox import zygote

# Ask a kernel nothing about the Hub but who and where it is.
_KEPT = ("JUPYTERHUB_USER", "JUPYTERHUB_SERVER_NAME", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_BASE_URL")
_OF_THE_SERVER = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "PUPITRE_PORTAL_SOCKET")
_FIRST_TO_DIE = 900  # oom_score_adj: memory that runs out ends a kernel, not the server
_OUR_LAUNCHER = "hub.jupyter.kernel"
# A kernel listens within a tenth of a second; one whose owner's configuration dawdles is waited for by its clients instead.
_LISTENING_TIMEOUT_S = 10.0
_STREAMS = ("stdin", "stdout", "stderr")


def make_kernel_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The server's environment without what is the server's alone."""
    return {
        name: value
        for name, value in env.items()
        if name not in _OF_THE_SERVER
        and "TOKEN" not in name.upper()
        and (not name.startswith(("JUPYTERHUB_", "JPY_API")) or name in _KEPT)
    }


def make_kernel_command(command: list[str]) -> list[str]:
    """Our launcher in place of ipykernel's; any other kernel's command is left as it is."""
    if "ipykernel_launcher" not in command or Path(command[0]).name not in (
        "python",
        "python3",
        Path(sys.executable).name,
    ):
        return command
    module = command.index("ipykernel_launcher")
    # -P: Python itself does not put the working directory first.
    return [sys.executable, "-P", *command[1:module], _OUR_LAUNCHER, *command[module + 1 :]]


def find_warm_arguments(command: list[str]) -> list[str] | None:
    """What follows our launcher in a command that asks Python for nothing else; None: this kernel starts cold."""
    ours = [sys.executable, "-P", "-m", _OUR_LAUNCHER]
    plain = [part for part in command if part != "-Xfrozen_modules=off"]  # only for a debugger of Python's own library
    return plain[len(ours) :] if plain[: len(ours)] == ours else None


class TokenlessProvisioner(LocalProvisioner):
    """A local kernel that holds no token, forked where possible."""

    _is_told_to_end = False
    _is_death_told = False

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        kwargs["env"] = make_kernel_environment(kwargs.get("env") or os.environ)
        if not kwargs.get("cwd"):
            kwargs["cwd"] = str(Path.home())  # the server's own is the read-only root
        ready: dict[str, Any] = await super().pre_launch(**kwargs)
        ready["cmd"] = make_kernel_command(ready["cmd"])
        return ready

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        self._is_told_to_end = self._is_death_told = False
        arguments = find_warm_arguments(cmd)
        if arguments is None or zygote.get_orders() is None or any(kwargs.get(name) for name in _STREAMS):
            connection = await super().launch_kernel(cmd, **kwargs)
            self._make_first_to_die()
            return connection
        self.cwd = kwargs["cwd"]
        self.process: Any = await zygote.order_fork(arguments, kwargs["env"], str(self.cwd), _LISTENING_TIMEOUT_S)
        self.pid = self.pgid = self.process.pid
        return self.connection_info

    def _make_first_to_die(self) -> None:
        try:
            Path(f"/proc/{self.pid}/oom_score_adj").write_text(str(_FIRST_TO_DIE), encoding="ascii")
        except OSError as error:
            self.log.debug("oom_score_adj of kernel %s: %s", self.kernel_id, error)

    async def poll(self) -> int | None:
        code: int | None = await super().poll()
        if self.process is not None and code is not None and not self._is_told_to_end and not self._is_death_told:
            self._is_death_told = True
            self.log.warning("kernel %s died: %s", self.kernel_id, describe_death(code, self.is_out_of_memory))
        return code

    async def wait(self) -> int | None:
        if isinstance(self.process, zygote.Fork):
            await self.process.ended()
        elif self.process is not None and self.process.poll() is None:
            pidfd = os.pidfd_open(self.process.pid)
            try:
                await zygote.wait_readable(pidfd)
            finally:
                os.close(pidfd)
        code: int | None = await super().wait()
        return code

    async def send_signal(self, signum: int) -> None:
        if await self.poll() is None:  # the number of one that has ended may be another's
            await super().send_signal(signum)

    @property
    def is_out_of_memory(self) -> bool:
        """The last kernel was ended by the machine for want of memory."""
        return isinstance(self.process, zygote.Fork) and self.process.out_of_memory

    async def kill(self, restart: bool = False) -> None:
        self._is_told_to_end = True
        await super().kill(restart=restart)

    async def terminate(self, restart: bool = False) -> None:
        self._is_told_to_end = True
        await super().terminate(restart=restart)

    async def shutdown_requested(self, restart: bool = False) -> None:
        self._is_told_to_end = True
        await super().shutdown_requested(restart=restart)


def describe_death(code: int, out_of_memory: bool = False) -> str:
    """Why a kernel ended, from its exit code."""
    if out_of_memory:
        return "out of memory"
    if code >= 0:
        return f"it ended by itself with code {code}"
    name = signal.Signals(-code).name
    why = {"SIGKILL": ", most often for want of memory", "SIGXCPU": ", its processor time was used up"}.get(name, "")
    return f"killed by {name}{why}"
