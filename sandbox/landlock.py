"""Landlock: a second wall that says again what the file tree says, and keeps it even for a path that leads out of the tree.

Everything beneath the sandbox's own root may be read and executed, its home and its memory folders written; a file of the
machine reached by a forgotten descriptor lies beneath nothing and is refused. Signals and abstract sockets stay inside.
Laws: rights are never added, only taken; a kernel without Landlock is silently one wall less (forkd's log says which ABI).
Source: Linux Documentation/userspace-api/landlock.rst, linux/landlock.h; the system calls have these numbers everywhere.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from sandbox.namespaces import call_kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files an ABI knows: the first n bits."""
_SCOPED_ABSTRACT_SOCKETS, _SCOPED_SIGNALS = 1 << 0, 1 << 1
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts", "/proc")


def find_abi() -> int:
    """The version of this kernel's Landlock; 0: none, or switched off."""
    try:
        return call_kernel(_CREATE_RULESET, "landlock", None, ctypes.c_size_t(0), _VERSION_FLAG)
    except OSError:
        return 0


def restrict(writable: tuple[str, ...]) -> None:
    """Confine this process and its descendants to the tree beneath `/`, writing in the folders `writable` alone.

    Needs no_new_privs. Nothing happens where there is no Landlock.
    """
    abi = find_abi()
    if abi == 0:
        return
    every_right = (1 << _RIGHTS_BY_ABI[min(abi, max(_RIGHTS_BY_ABI))]) - 1
    attributes = struct.pack("QQQ", every_right, 0, _SCOPED_ABSTRACT_SOCKETS | _SCOPED_SIGNALS if abi >= 6 else 0)
    size = 24 if abi >= 6 else 8  # an older kernel knows the first field alone
    ruleset = call_kernel(_CREATE_RULESET, "landlock_create_ruleset", attributes, ctypes.c_size_t(size), 0)
    try:
        _allow(ruleset, "/", _READ & every_right)
        for path in writable:
            _allow(ruleset, path, every_right)
        for path in _DEVICES:
            if os.path.lexists(path):
                _allow(ruleset, path, (_READ | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV) & every_right)
        call_kernel(_RESTRICT_SELF, "landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_A_FILE
        rule = struct.pack("=Qi", rights, place)
        call_kernel(_ADD_RULE, f"landlock_add_rule {path}", ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
