"""The log of one sandbox: a file that its owner reads and to which the child only holds an appending descriptor.

Law: the folder is another account's, so a file already there is never opened: it is removed, and a new one made.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_TAIL_BYTES = 2000


def open_log(path: Path, owner: int) -> contextlib.closing[Descriptor]:
    """A new log, readable by forkd's owner; the child only holds a descriptor to append to."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    if os.geteuid() == 0:
        os.fchown(descriptor, owner, -1)
    return contextlib.closing(Descriptor(descriptor))


@dataclass(frozen=True)
class Descriptor:
    number: int

    def fileno(self) -> int:
        return self.number

    def close(self) -> None:
        os.close(self.number)


def read_tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
