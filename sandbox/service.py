"""The *service* profile: Hub, proxy, portal and worker as an ordinary system user, even where Python or the clone lie
under a private /root.

Law: what is private stays so. Nothing is ever opened with chmod: the service gets its own mount namespace, in which an empty
folder covers the topmost folder it may not cross, and only what was named is bound back, at its own path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from sandbox import namespaces as ns


def find_hidden_ancestor(path: Path, uid: int, gid: int) -> Path | None:
    """The topmost folder on the way to `path` that `uid` may not cross; None when the way is free."""
    for folder in reversed(path.resolve().parents):
        status = folder.stat()
        if status.st_uid == uid:
            crossable = status.st_mode & stat.S_IXUSR
        elif status.st_gid == gid:
            crossable = status.st_mode & stat.S_IXGRP
        else:
            crossable = status.st_mode & stat.S_IXOTH
        if not crossable:
            return folder
    return None


def enter_service(uid: int, gid: int, *, visible: Sequence[Path], writable: Sequence[Path]) -> None:
    """Become `uid` for good, in this process and whatever it executes. Called by root in a forked child, before exec.

    `visible` (read-only) and `writable` stay at their own paths even under a private folder; elsewhere their permissions
    are what counts, as usual.

    Raises
    ------
    OSError
        Not root, or the kernel refused.
    """
    reachable = {path.resolve(): True for path in visible} | {path.resolve(): False for path in writable}
    hidden = {path: find_hidden_ancestor(path, uid, gid) for path in reachable}
    covered = {ancestor for ancestor in hidden.values() if ancestor is not None}
    if covered:
        ns.unshare(ns.CLONE_NEWNS)
        ns.make_mounts_private()
        # Opened before they are covered; outer folders first, so that a writable one inside a visible one stays so.
        sources = {
            path: os.open(path, os.O_PATH | os.O_CLOEXEC)
            for path in sorted(reachable, key=lambda p: len(p.parts))
            if hidden[path] is not None
        }
        for ancestor in covered:
            ns.mount("tmpfs", str(ancestor), "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=755,size=1m")
        for path, source in sources.items():
            _bind_back(path, source, read_only=reachable[path])
        for ancestor in covered:
            ns.set_mount_attributes(str(ancestor), read_only=True, recursive=False)
    ns.drop_bounding_capabilities()
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    ns.drop_capabilities()
    ns.forbid_new_privileges()


def _bind_back(path: Path, source: int, *, read_only: bool) -> None:
    try:
        if stat.S_ISDIR(os.fstat(source).st_mode):
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        elif not path.exists():
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            path.touch(mode=0o444)
        ns.mount(f"/proc/self/fd/{source}", str(path), "", ns.MS_BIND | ns.MS_REC)
        ns.set_mount_attributes(str(path), read_only=read_only, nosuid=True, nodev=True)
    finally:
        os.close(source)
