"""How much a folder holds, measured at a bounded cost.

A limit that the kernel keeps (project quotas) needs a file system made for it; where there is none, what remains is to
measure and to say. Laws: no link is followed and no other file system entered; a file with many names counts once; a tree
too large to walk gives what was counted so far, and says that it is incomplete.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 512  # stat(2): st_blocks, whatever the file system's own blocks


@dataclass(frozen=True)
class Usage:
    """What was counted beneath a folder."""

    size_bytes: int
    """As it lies on the disk: a file with holes counts what it occupies."""
    files: int
    complete: bool
    """False: the walk was stopped, and there is more."""


def measure_folder(folder: Path, *, max_files: int = 300_000, max_s: float = 5.0) -> Usage:
    """Count what lies in `folder`; stops after `max_files` names or `max_s` seconds. What vanishes meanwhile is not counted."""
    size_bytes = files = 0
    seen: set[int] = set()
    end = time.monotonic() + max_s
    device = folder.stat().st_dev
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            files += 1
            if status.st_dev != device or (
                status.st_nlink > 1 and not entry.is_dir(follow_symlinks=False) and status.st_ino in seen
            ):
                continue
            seen.add(status.st_ino)
            size_bytes += status.st_blocks * _BLOCK_BYTES
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
        if waiting and (files >= max_files or time.monotonic() > end):
            return Usage(size_bytes, files, False)
    return Usage(size_bytes, files, True)
