"""From forkd to a sandboxed child: the order in which a process loses everything before a learner's code may run.

nursery ── fork ──> stage ── new namespaces, fork ──> init (pid 1 of the sandbox) ── fork ──> child: its module's `main`

Nothing is executed: the child has what the nursery imported. The stage tells forkd the pid of init and ends; init becomes
forkd's child (forkd adopts orphans). Init sets up the sandbox, forks the child, then reaps, passes SIGTERM on, and ends when
the child ends: the kernel then kills whatever is left. Killing init kills the sandbox.

Laws: nothing raises out of a forked process (it reports and `_exit`s); descriptors that the child need not have are closed
by name of what is kept; no learner's byte is read here.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pickle
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sandbox import landlock, warm, zygote
from sandbox import namespaces as ns
from sandbox.errors import SandboxRefused
from sandbox.filesystem import WRITABLE, Tree, enter_tree
from sandbox.gateway import make_variables, offer_port
from sandbox.init import handle_signals, kill_descendants, watch
from sandbox.limits import Limits, apply_limits
from sandbox.process import close_all_but, find_start_time
from sandbox.profile import Profile
from sandbox.seccomp import make_program

_PLAN_LENGTH_BYTES = 4
_OUT_OF_MEMORY_SCORE = 500


@dataclass(frozen=True)
class Home:
    """Where a kept home is: a folder of one name under a root."""

    root: Path
    name: str

    def open(self, uid: int) -> int:
        """Open the folder without following a link, and check its owner.

        Raises
        ------
        SandboxRefused
            It is a link, no folder, or belongs to another uid.
        """
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            home = os.open(self.name, flags, dir_fd=root)
        except OSError as error:
            raise SandboxRefused(f"home {self.name}: {error.strerror}", "home_refused") from error
        finally:
            os.close(root)
        owner = os.fstat(home).st_uid
        if owner != uid:
            os.close(home)
            raise SandboxRefused(f"home {self.name} belongs to uid {owner}, not {uid}", "home_refused")
        return home


@dataclass(frozen=True)
class Plan:
    """Everything one birth needs; built by forkd from its command line and a checked request."""

    profile: Profile
    label: str
    uid: int
    gid: int
    limits: Limits
    module: str
    """What the child runs: `module.main(channel, listen)`, fixed on forkd's command line."""
    rehearses: bool
    """`module.rehearse()` instead, whose answer goes to the channel: the names of the modules that it used."""
    home: Home | None
    read_only: tuple[Path, ...]
    doors: Path | None
    isolation: str
    """"uid" (started as root), "user" (user namespace) or "none"."""
    zygote: str | None
    """What init forks for the child, `module.main()`, fixed on forkd's command line; None: nothing."""
    cgroup_procs: tuple[Path, ...]
    memory_is_counted: bool
    """A cgroup counts the memory of the whole sandbox."""
    gateway: Path | None = None
    """Where the gateway of the network listens; None: no network."""

    @property
    def inside_home(self) -> str:
        if self.isolation == "none":
            return str(self.home.root / self.home.name) if self.home else tempfile.gettempdir()
        return f"/home/{self.label}"

    def variables(self) -> dict[str, str]:
        """The child's whole environment: nothing of forkd's, and never a secret."""
        return {
            "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": self.inside_home,
            "USER": self.label,
            "LOGNAME": self.label,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            **(make_variables() if self.gateway else {}),
        }


def _report(status: socket.socket, **fields: object) -> None:
    with contextlib.suppress(OSError):
        status.sendall(json.dumps(fields).encode() + b"\n")


def _report_error(status: socket.socket, error: Exception) -> None:
    text = str(error) if isinstance(error, OSError | SandboxRefused) else repr(error)
    _report(status, error=text, code=getattr(error, "code", "not_isolated"))


def write_plan(plan: Plan) -> bytes:
    content = pickle.dumps(plan)
    return len(content).to_bytes(_PLAN_LENGTH_BYTES) + content


def _read_plan(status: socket.socket) -> Plan:
    """Written by forkd, which started this process."""
    length = int.from_bytes(status.recv(_PLAN_LENGTH_BYTES, socket.MSG_WAITALL))
    plan: Plan = pickle.loads(status.recv(length, socket.MSG_WAITALL))  # noqa: S301
    return plan


def run_stage(channel: int, listen: int | None, log: int, status: socket.socket) -> NoReturn:
    """In a fork of the nursery: become a sandbox."""
    try:
        plan = _read_plan(status)
        os.umask(0o022)
        os.setsid()
        warm.reset_signals()
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        kept = [channel, status.fileno()] + ([listen] if listen is not None else [])
        close_all_but(kept)
        for procs in plan.cgroup_procs:
            procs.write_text("0", encoding="ascii")
        _unshare(plan)
        init = os.fork()
        if init == 0:
            _run_init(plan, channel, listen, status)
        _report(status, pid=init)
        os._exit(0)
    except Exception as error:  # noqa: BLE001 - a forked process must not raise: the error goes to forkd, which logs it
        _report_error(status, error)
    finally:
        os._exit(1)


def _unshare(plan: Plan) -> None:
    if plan.isolation == "none":
        return
    flags = ns.CLONE_NEWNS | ns.CLONE_NEWPID | ns.CLONE_NEWIPC | ns.CLONE_NEWNET | ns.CLONE_NEWUTS
    if plan.isolation == "user":
        uid, gid = os.getuid(), os.getgid()
        ns.set_dumpable(True)  # or /proc/self/uid_map belongs to root
        ns.unshare(flags | ns.CLONE_NEWUSER)
        ns.map_own_ids(uid, gid)
    else:
        ns.unshare(flags)


def _enter_sandbox(plan: Plan) -> None:
    """Everything is decided here: after this, the process can only lose."""
    Path("/proc/self/oom_score_adj").write_text(str(_OUT_OF_MEMORY_SCORE), encoding="ascii")
    if plan.isolation != "none":
        home = plan.home.open(plan.uid) if plan.home else None
        ns.set_hostname("pupitre")
        ns.bring_loopback_up()
        if plan.gateway:
            offer_port(plan.gateway, plan.label)
        enter_tree(
            Tree(
                read_only=plan.read_only,
                home=plan.inside_home,
                home_source=home,
                doors=plan.doors if plan.profile.sees_doors else None,
                user_name=plan.label,
                uid=plan.uid,
                gid=plan.gid,
                tmp_bytes=plan.profile.tmp_bytes,
                shm_bytes=plan.profile.shm_bytes,
            )
        )
        if home is not None:
            os.close(home)
        ns.drop_bounding_capabilities()
    apply_limits(plan.limits, memory_is_counted=plan.memory_is_counted)
    os.umask(0o077)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(plan.gid, plan.gid, plan.gid)
        os.setresuid(plan.uid, plan.uid, plan.uid)
    ns.drop_capabilities()
    ns.forbid_new_privileges()
    if plan.isolation != "none":
        landlock.restrict((plan.inside_home, *WRITABLE))
        ns.install_seccomp(make_program())


def _run_init(plan: Plan, channel: int, listen: int | None, status: socket.socket) -> NoReturn:
    try:
        ns.set_process_name("sandbox-init")
        memory_events = zygote.open_memory_events(plan.cgroup_procs)  # inside the sandbox there is no such file
        _enter_sandbox(plan)
        ns.set_dumpable(False)
        if plan.isolation == "none":
            ns.adopt_orphans()
        for_child, orders = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) if plan.zygote else (None, None)
        child = os.fork()
        if child == 0:
            status.close()
            if for_child and orders:
                orders.close()
                zygote.hand_over(for_child)
            if memory_events is not None:
                os.close(memory_events)
            warm.run_to_end(lambda: _run_child(plan, channel, listen))
        if for_child:
            for_child.close()
        forks = zygote.Zygote(plan.zygote, orders, memory_events) if plan.zygote and orders else None
        awake = handle_signals(child)
        _report(status, ready=True)
        status.close()
        if listen is not None:
            os.close(listen)
        if not plan.profile.ends_with_channel:
            os.close(channel)
        code = watch(child, awake, channel if plan.profile.ends_with_channel else None, forks)
        if plan.isolation == "none":
            kill_descendants()
        os._exit(code)
    except Exception as error:  # noqa: BLE001 - a forked process must not raise: the error goes to forkd, which logs it
        _report_error(status, error)
    finally:
        os._exit(1)


def _run_child(plan: Plan, channel: int, listen: int | None) -> None:
    if plan.isolation == "none":
        ns.set_parent_death_signal(signal.SIGKILL)
    os.setsid()
    ns.set_dumpable(True)  # as after exec; a child that holds a secret undoes it
    # A server works from the read-only root, or programs would read configuration and templates in the home.
    os.chdir("/" if plan.profile.listens else plan.inside_home)
    warm.set_environment(plan.variables())
    warm.refresh()
    sys.argv = [plan.module]
    module: Any = importlib.import_module(plan.module)
    caller = _take_socket(channel)
    _kept.append(caller)
    if plan.rehearses:
        rehearse = getattr(module, "rehearse", list)
        caller.sendall(json.dumps(sorted(rehearse())).encode())
    else:
        module.main(caller, None if listen is None else _take_socket(listen))


_kept: list[socket.socket] = []
"""The child's channel: closed by the end of the process and not before, so that what went wrong is in the log by then."""


def _take_socket(descriptor: int) -> socket.socket:
    """The inherited socket, which this process's own children do not inherit."""
    taken = socket.socket(fileno=descriptor)
    taken.set_inheritable(False)
    return taken


def get_start_time(pid: int) -> int:
    """Raises SandboxRefused when the process has already ended."""
    start_time = find_start_time(pid)
    if start_time is None:
        raise SandboxRefused("the sandbox ended at once", "not_isolated")
    return start_time
