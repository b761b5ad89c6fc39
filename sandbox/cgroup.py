"""Memory, processes and processor time of one sandbox, counted together: cgroup v1 or v2, where this process may write;
otherwise nothing, and rlimits are what remains.

Laws: groups lie beneath forkd's own group, so that what limits forkd limits everybody; a group is removed once empty; an
error here is never fatal to a birth (it falls back to rlimits, and the log says so once at start).
Source: Linux Documentation/admin-guide/cgroup-v1/{memory,pids}.rst, cgroup-v2.rst, scheduler/sched-design-CFS.rst,
scheduler/sched-bwc.rst.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from sandbox.limits import Limits
from sandbox.profile import CpuShare

ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("memory", "pids", "cpu")
_PERIOD_US = 100_000  # the kernel's default
_V1_SHARES = 1024  # of a weight of 100, the default of both versions
_EVERYBODY = CpuShare(weight=1000, cores=None)
"""All sandboxes together, beside each single process of the Hub, the portal and the machine."""


def _files(version: int, limits: Limits) -> dict[str, dict[str, str]]:
    """What is written to bound memory and processes, by controller; swap's file may be absent."""
    memory = str(limits.memory_bytes)
    if version == 1:
        return {
            "memory": {"memory.limit_in_bytes": memory, "memory.memsw.limit_in_bytes": memory},
            "pids": {"pids.max": str(limits.processes)},
        }
    return {"memory": {"memory.max": memory, "memory.swap.max": "0"}, "pids": {"pids.max": str(limits.processes)}}


def _cpu_files(version: int, share: CpuShare) -> dict[str, str]:
    quota = None if share.cores is None else int(share.cores * _PERIOD_US)
    if version == 1:
        shares = {"cpu.shares": str(share.weight * _V1_SHARES // 100)}
        return shares | {"cpu.cfs_quota_us": str(-1 if quota is None else quota)}
    return {"cpu.weight": str(share.weight), "cpu.max": f"{'max' if quota is None else quota} {_PERIOD_US}"}


@dataclass(frozen=True)
class Cgroups:
    """Where groups are made; no base: nothing is counted."""

    bases: dict[str, Path]
    """Controller to folder; with v2 both controllers share one."""
    version: int

    @property
    def counts_memory(self) -> bool:
        return "memory" in self.bases

    def make(self, name: str, limits: Limits, share: CpuShare) -> tuple[Path, ...]:
        """Make the groups of one sandbox and return the files a process writes itself into."""
        values = _files(self.version, limits) | {"cpu": _cpu_files(self.version, share)}
        procs: dict[Path, None] = {}
        for controller, base in self.bases.items():
            folder = base / name
            folder.mkdir(exist_ok=True)
            _write(folder, values[controller])
            procs[folder / "cgroup.procs"] = None
        return tuple(procs)

    def remove(self, name: str) -> None:
        """Remove the groups of one sandbox; one that still holds a process stays."""
        for base in set(self.bases.values()):
            with contextlib.suppress(OSError):
                (base / name).rmdir()

    def close(self) -> None:
        """Remove the folder of all groups, if no sandbox lives in it."""
        for base in set(self.bases.values()):
            with contextlib.suppress(OSError):
                base.rmdir()

    def sweep(self) -> None:
        """Remove every empty group left by an earlier forkd."""
        for base in set(self.bases.values()):
            for folder in [f for f in base.iterdir() if f.is_dir()]:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _write(folder: Path, values: dict[str, str]) -> None:
    """Write what exists: swap, or a cap on processor time, is not counted by every kernel."""
    for name, value in values.items():
        if (folder / name).exists():
            (folder / name).write_text(value, encoding="ascii")


def find_cgroups(name: str, root: Path = ROOT) -> Cgroups:
    """Find where this process may make groups called `name`, and prepare it."""
    own = {
        line.split(":", 2)[1]: line.split(":", 2)[2]
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    }
    bases: dict[str, Path] = {}
    for controller in _CONTROLLERS:
        # With v1 several controllers may share a hierarchy ("cpu,cpuacct"), under a link for each.
        group = next((path for names, path in own.items() if controller in names.split(",")), None)
        if group is not None:
            base = root / controller / group.lstrip("/") / name
            with contextlib.suppress(OSError):
                base.mkdir(exist_ok=True)
                bases[controller] = base
    if bases:
        if "cpu" in bases:
            _write(bases["cpu"], _cpu_files(1, _EVERYBODY))
        return Cgroups(bases, 1)
    with contextlib.suppress(OSError):
        return _prepare_v2(root / own.get("", "").lstrip("/"), name)
    return Cgroups({}, 0)


def _prepare_v2(own: Path, name: str) -> Cgroups:
    """v2: a group that hands out controllers may hold no process, so forkd moves into a leaf of its own group."""
    offered = (own / "cgroup.controllers").read_text(encoding="ascii").split()
    handed = [controller for controller in _CONTROLLERS if controller in offered]
    if not {"memory", "pids"} <= set(handed):
        raise OSError("the memory and pids controllers are not handed to this group")
    leaf = own / f"{name}-forkd"
    leaf.mkdir(exist_ok=True)
    (leaf / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
    base = own / name
    for folder in (own, base):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{c}" for c in handed), encoding="ascii")
    if "cpu" in handed:
        _write(base, _cpu_files(2, _EVERYBODY))
    return Cgroups(dict.fromkeys(handed, base), 2)
