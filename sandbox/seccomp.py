"""The system calls refused inside a sandbox, each family with its reason.

Laws: a refused call fails with EPERM, and the program goes on; a foreign architecture kills the process, since its
numbers would mean other calls. This is a second wall: most of these calls already fail without capabilities.
Source: Linux syscall tables (asm/unistd_64.h, asm-generic/unistd.h); linux/filter.h, linux/seccomp.h.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

# name: (x86_64, aarch64); None: the architecture has no such call.
_TRACING = {  # other processes' memory: a kernel must not read its server's token
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
}
_MOUNTING = {  # the file tree was decided before the first line of a learner's code
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "fanotify_init": (300, 262),
}
_NAMESPACES = {"unshare": (272, 97), "setns": (308, 268)}  # a new user namespace gives back capabilities
_KERNEL_SURFACE = {  # large, little audited by use from unprivileged programs, needed by no course
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "modify_ldt": (154, None),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "uselib": (134, None),
}
_MACHINE = {  # belongs to the machine, never to one learner
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
}
DENIED = _TRACING | _MOUNTING | _NAMESPACES | _KERNEL_SURFACE | _MACHINE
_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH_*
_X32_BIT = 0x40000000
_NEW_NAMESPACE_FLAGS = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET} and CLONE_NEWTIME
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # would type into another program's terminal

_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050000 | 1, 0x00050000 | 38
_NR, _ARCH, _ARG0, _ARG1, _ARG2 = 0, 4, 16, 24, 32  # offsets in struct seccomp_data (low halves, little endian)


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, k)


def _if_call(number: int, body: Sequence[bytes]) -> list[bytes]:
    return [_op(_JEQ, number, 0, len(body)), *body]


def make_program(machine: str | None = None) -> bytes:
    """Build the BPF program for this machine's architecture.

    Raises
    ------
    OSError
        The architecture is not known here.
    """
    machine = machine or os.uname().machine
    if machine not in _ARCHITECTURES:
        raise OSError(f"no system call table for the architecture {machine}")
    column, audit_arch = _ARCHITECTURES[machine]
    program = [
        _op(_LD, _ARCH),
        _op(_JEQ, audit_arch, 1, 0),
        _op(_RET, _KILL),
        _op(_LD, _NR),
    ]
    if machine == "x86_64":
        program += [_op(_JGE, _X32_BIT, 0, 1), _op(_RET, _EPERM)]
    for numbers in DENIED.values():
        number = numbers[column]
        if number is not None:
            program += _if_call(number, [_op(_RET, _EPERM)])
    # clone3 hides its flags behind a pointer; glibc falls back to clone when it is absent.
    program += _if_call(_CLONE3[column], [_op(_RET, _ENOSYS)])
    program += _if_call(
        _CLONE[column],
        [_op(_LD, _ARG0), _op(_JSET, _NEW_NAMESPACE_FLAGS, 0, 1), _op(_RET, _EPERM), _op(_RET, _ALLOW)],
    )
    program += _if_call(
        _SOCKET[column],
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
        _IOCTL[column],
        [
            _op(_LD, _ARG1),
            _op(_JEQ, _TIOCSTI, 1, 0),
            _op(_JEQ, _TIOCLINUX, 0, 1),
            _op(_RET, _EPERM),
            _op(_RET, _ALLOW),
        ],
    )
    program.append(_op(_RET, _ALLOW))
    return b"".join(program)
