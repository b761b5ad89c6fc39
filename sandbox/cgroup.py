"""Memory and processes of one sandbox, counted together: cgroup v1 or v2, where this process may write; otherwise nothing,
and rlimits are what remains.

Laws: groups lie beneath forkd's own group, so that what limits forkd limits everybody; a group is removed once empty; an
error here is never fatal to a birth (it falls back to rlimits, and the log says so once at start).
Source: Linux Documentation/admin-guide/cgroup-v1/{memory,pids}.rst, cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from sandbox.limits import Limits

ROOT = Path("/sys/fs/cgroup")
_V1 = {"memory": "memory.limit_in_bytes", "pids": "pids.max"}
_V2 = {"memory": "memory.max", "pids": "pids.max"}


@dataclass(frozen=True)
class Cgroups:
    """Where groups are made; no base: nothing is counted."""

    bases: dict[str, Path]
    """Controller to folder; with v2 both controllers share one."""
    version: int

    @property
    def counts_memory(self) -> bool:
        return "memory" in self.bases

    def make(self, name: str, limits: Limits) -> tuple[Path, ...]:
        """Make the groups of one sandbox and return the files a process writes itself into."""
        files = _V1 if self.version == 1 else _V2
        values = {"memory": limits.memory_bytes, "pids": limits.processes}
        procs: dict[Path, None] = {}
        for controller, base in self.bases.items():
            folder = base / name
            folder.mkdir(exist_ok=True)
            (folder / files[controller]).write_text(str(values[controller]), encoding="ascii")
            if controller == "memory":
                # No swap beyond the limit; absent where swap is not accounted.
                swap = folder / ("memory.memsw.limit_in_bytes" if self.version == 1 else "memory.swap.max")
                if swap.exists():
                    swap.write_text(str(limits.memory_bytes if self.version == 1 else 0), encoding="ascii")
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


def find_cgroups(name: str) -> Cgroups:
    """Find where this process may make groups called `name`, and prepare it."""
    own = {
        line.split(":", 2)[1]: line.split(":", 2)[2]
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    }
    bases: dict[str, Path] = {}
    for controller in _V1:
        if controller in own:
            base = ROOT / controller / own[controller].lstrip("/") / name
            with contextlib.suppress(OSError):
                base.mkdir(exist_ok=True)
                bases[controller] = base
    if bases:
        return Cgroups(bases, 1)
    with contextlib.suppress(OSError):
        base = _prepare_v2(ROOT / own.get("", "").lstrip("/"), name)
        return Cgroups(dict.fromkeys(_V2, base), 2)
    return Cgroups({}, 0)


def _prepare_v2(own: Path, name: str) -> Path:
    """v2: a group that hands out controllers may hold no process, so forkd moves into a leaf of its own group."""
    if not {"memory", "pids"} <= set((own / "cgroup.controllers").read_text(encoding="ascii").split()):
        raise OSError("the memory and pids controllers are not handed to this group")
    leaf = own / f"{name}-forkd"
    leaf.mkdir(exist_ok=True)
    (leaf / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
    for folder in (own, own / name):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text("+memory +pids", encoding="ascii")
    return own / name
