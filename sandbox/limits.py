"""What one sandbox may use. Laws: every field carries its unit; what the kernel cannot count for a whole sandbox
(no writable cgroup) is counted per process with rlimits."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import asdict, dataclass

_NO_LIMIT = resource.RLIM_INFINITY


@dataclass(frozen=True)
class Limits:
    """Limits of one sandbox; `cpu_s` None: no limit on processor time."""

    memory_bytes: int
    processes: int
    """Processes and threads together: that is what the kernel counts."""
    cpu_s: int | None
    """Processor time of one process, seconds."""
    file_bytes: int
    """Size of one file."""
    open_files: int

    def as_dict(self) -> dict[str, int | None]:
        return asdict(self)


def load_limits(given: object) -> Limits:
    """Read limits from a request.

    Raises
    ------
    ValueError
        A field is missing, unknown, or is not a positive whole number.
    """
    if not isinstance(given, Mapping) or set(given) != set(Limits.__dataclass_fields__):
        raise ValueError("limits: expected exactly " + ", ".join(Limits.__dataclass_fields__))
    for name, value in given.items():
        if name == "cpu_s" and value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 50:
            raise ValueError(f"limits: {name} must be a positive whole number")
    return Limits(**given)


def apply_limits(limits: Limits, *, memory_is_counted: bool) -> None:
    """Set this process's rlimits; its children inherit them.

    `memory_is_counted`: a cgroup already counts memory for the whole sandbox. Otherwise RLIMIT_DATA bounds each process
    (RLIMIT_AS would count address space that numpy and threads reserve without using).
    """
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_CPU: limits.cpu_s or _NO_LIMIT,
        resource.RLIMIT_DATA: _NO_LIMIT if memory_is_counted else limits.memory_bytes,
    }
    for which, value in wanted.items():
        _, hard = resource.getrlimit(which)
        if hard != _NO_LIMIT and (value == _NO_LIMIT or value > hard):
            value = hard  # an ordinary user cannot raise its own hard limit
        resource.setrlimit(which, (value, value))
