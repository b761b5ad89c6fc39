"""The system calls that a sandbox may make: an allow-list by family, in `sandbox.syscalls`.

Laws: a refused call fails with EPERM, and the program goes on; one that is newer than our table, and clone3, whose flags lie
behind a pointer, fail with ENOSYS, at which glibc falls back; a foreign architecture kills the process, since its numbers
would mean other calls. This is a second wall: most refused calls already fail without capabilities.
Source: linux/filter.h, linux/seccomp.h; filters of arguments: clone(2), socket(2), ioctl_tty(2).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sandbox import syscalls

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_NEW_NAMESPACE_FLAGS = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET} and CLONE_NEWTIME
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # would type into another program's terminal

_LD, _JEQ, _JGT, _JGE, _JSET, _RET = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050000 | 1, 0x00050000 | 38
_NR, _ARCH, _ARG0, _ARG1, _ARG2 = 0, 4, 16, 24, 32  # offsets in struct seccomp_data (low halves, little endian)


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, k)


def _if_call(number: int, body: Sequence[bytes]) -> list[bytes]:
    return [_op(_JEQ, number, 0, len(body)), *body]


def _find_ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    ordered = sorted(numbers)
    starts = [ordered[0], *(b for a, b in pairwise(ordered) if b != a + 1)]
    ends = [*(a for a, b in pairwise(ordered) if b != a + 1), ordered[-1]]
    return zip(starts, ends, strict=True)


def make_program(machine: str | None = None) -> bytes:
    """Build the BPF program for this machine's architecture.

    Raises
    ------
    OSError
        The architecture is not known here.
    """
    machine = machine or os.uname().machine
    if machine not in _AUDIT_ARCH:
        raise OSError(f"no system call table for the architecture {machine}")
    column = syscalls.ARCHITECTURES.index(machine)
    program = [
        _op(_LD, _ARCH),
        _op(_JEQ, _AUDIT_ARCH[machine], 1, 0),
        _op(_RET, _KILL),
        _op(_LD, _NR),
    ]
    if machine == "x86_64":
        program += [_op(_JGE, _X32_BIT, 0, 1), _op(_RET, _EPERM)]
    allowed = (numbers[column] for family in syscalls.ALLOWED for numbers in family.calls.values())
    for first, last in _find_ranges(number for number in allowed if number is not None):
        program += [_op(_JGE, first, 0, 2), _op(_JGT, last, 1, 0), _op(_RET, _ALLOW)]
    program += _if_call(
        syscalls.CLONE[column],
        [_op(_LD, _ARG0), _op(_JSET, _NEW_NAMESPACE_FLAGS, 0, 1), _op(_RET, _EPERM), _op(_RET, _ALLOW)],
    )
    program += _if_call(
        syscalls.SOCKET[column],
        [
            _op(_LD, _ARG0),
            _op(_JEQ, _AF_UNIX, 6, 0),
            _op(_JEQ, _AF_INET, 5, 0),
            _op(_JEQ, _AF_INET6, 4, 0),
            _op(_JEQ, _AF_NETLINK, 0, 2),
            _op(_LD, _ARG2),
            _op(_JEQ, 0, 1, 0),  # NETLINK_ROUTE: listing one's own interfaces, no other family
            _op(_RET, _EPERM),
            _op(_RET, _ALLOW),
        ],
    )
    program += _if_call(
        syscalls.SOCKETPAIR[column],
        [_op(_LD, _ARG0), _op(_JEQ, _AF_UNIX, 1, 0), _op(_RET, _EPERM), _op(_RET, _ALLOW)],
    )
    program += _if_call(
        syscalls.IOCTL[column],
        [
            _op(_LD, _ARG1),
            _op(_JEQ, _TIOCSTI, 1, 0),
            _op(_JEQ, _TIOCLINUX, 0, 1),
            _op(_RET, _EPERM),
            _op(_RET, _ALLOW),
        ],
    )
    program += _if_call(syscalls.CLONE3[column], [_op(_RET, _ENOSYS)])
    program += [_op(_JGT, syscalls.NEWEST, 0, 1), _op(_RET, _ENOSYS), _op(_RET, _EPERM)]
    return b"".join(program)
