"""The file tree of one sandbox: an empty root in memory, onto which an allow-list is bound.

Laws: nothing is there unless it is listed here or on forkd's command line, so that a new mount or folder of the machine is
never seen by accident; all is read-only but the home, /tmp, /dev/shm and terminals; sources are reached without following
a learner's links. The old root is detached before any learner's code.
Runs in the child's own mount namespace, with the capabilities of its user namespace.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox import namespaces as ns

DOORS = "/run/pupitre"
"""Where the sandbox sees the doors of the Hub and of the portal."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# Public and needed by ordinary programs; names, passwords, hosts and keys of the machine stay out.
_ETC = (
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "debian_version",
    "fonts",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "manpath.config",
    "mime.types",
    "nanorc",
    "os-release",
    "pki",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
    "vim",
    "xattr.conf",
)
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_STAGE = "/tmp"  # noqa: S108 - any folder of the old root; uncovered again once the stage has become the root
_OLD, _NEW = "/old", "/new"
_TMP, _SHM = "/tmp", "/dev/shm"  # noqa: S108 - the sandbox's own
WRITABLE = (_TMP, _SHM)
"""What can be written beside the home."""


@dataclass(frozen=True)
class Tree:
    """What one sandbox sees."""

    read_only: tuple[Path, ...]
    """Bound at their own paths; real paths, without links."""
    home: str
    """The home's path inside."""
    home_source: int | None
    """The home's folder, opened in this mount namespace without following links; None: an empty one in memory."""
    doors: Path | None
    user_name: str
    uid: int
    gid: int
    tmp_bytes: int
    shm_bytes: int


def find_outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Drop the paths that lie beneath another one, or beneath what every sandbox sees anyway."""
    kept: list[Path] = [Path(p).resolve() for p in _SYSTEM]
    system = len(kept)
    for path in sorted({p.resolve() for p in paths}, key=lambda p: (len(p.parts), p)):
        if not any(path.is_relative_to(k) for k in kept):
            kept.append(path)
    return tuple(kept[system:])


def enter_tree(tree: Tree) -> None:
    """Replace this mount namespace's root by the tree. /proc must be mounted here: the pid namespace is already new."""
    ns.make_mounts_private()
    ns.mount("tmpfs", _STAGE, "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=755,size=64m")
    for folder in (_OLD, _NEW):
        Path(_STAGE + folder).mkdir(0o755)
    ns.pivot_root(_STAGE, _STAGE + _OLD)
    os.chdir("/")
    ns.mount("tmpfs", _NEW, "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=755,size=4m,nr_inodes=4096")
    _bind_system()
    _fill_devices(tree)
    _make_memory_folder(_TMP, tree.tmp_bytes)
    ns.mount("proc", _folder("/proc"), "proc", ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
    _fill_etc(tree)
    for path in tree.read_only:
        _bind(str(path), str(path))
    if tree.doors is not None:
        _bind(str(tree.doors), DOORS)
    _place_home(tree)
    ns.set_mount_attributes(_NEW, read_only=True, recursive=False)
    # The new root over the old one, which is then let go with everything in it.
    ns.pivot_root(_NEW, _NEW + _TMP)
    os.chdir("/")
    ns.detach(_TMP)


def _folder(path: str) -> str:
    """A mount point in the new root; every folder on the way may be crossed by anyone."""
    target = _NEW + path
    Path(target).mkdir(mode=0o755, parents=True, exist_ok=True)
    return target


def _bind(source: str, path: str, *, read_only: bool = True, nodev: bool = True) -> None:
    origin = source if source.startswith(_OLD) else _OLD + source
    target = _NEW + path
    if Path(origin).is_dir():
        _folder(path)
    else:
        _folder(str(Path(path).parent))
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    ns.mount(origin, target, "", ns.MS_BIND | ns.MS_REC)
    ns.set_mount_attributes(target, read_only=read_only, nodev=nodev)


def _bind_system() -> None:
    for path in _SYSTEM:
        origin = Path(_OLD + path)
        if origin.is_symlink():
            Path(_NEW + path).symlink_to(origin.readlink())
        elif origin.is_dir():
            _bind(path, path)


def _make_memory_folder(path: str, size_bytes: int) -> None:
    options = f"mode=1777,size={size_bytes},nr_inodes={max(1024, size_bytes >> 12)}"
    ns.mount("tmpfs", _folder(path), "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, options)


def _fill_devices(tree: Tree) -> None:
    for name in _DEVICES:
        if Path(f"{_OLD}/dev/{name}").exists():
            _bind(f"/dev/{name}", f"/dev/{name}", read_only=False, nodev=False)
    # Its own terminals: nobody else's can be opened, nor filled.
    ns.mount(
        "devpts",
        _folder("/dev/pts"),
        "devpts",
        ns.MS_NOSUID | ns.MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=0600,max=64",
    )
    _make_memory_folder(_SHM, tree.shm_bytes)
    for name, target in {
        "ptmx": "pts/ptmx",
        "fd": "/proc/self/fd",
        "stdin": "/proc/self/fd/0",
        "stdout": "/proc/self/fd/1",
        "stderr": "/proc/self/fd/2",
    }.items():
        Path(f"{_NEW}/dev/{name}").symlink_to(target)


def _fill_etc(tree: Tree) -> None:
    _folder("/etc")
    for name in _ETC:
        origin = Path(f"{_OLD}/etc/{name}")
        if origin.is_symlink():
            # A link of the system (localtime, os-release); what it points to is visible or it dangles harmlessly.
            _folder(str(Path(f"/etc/{name}").parent))
            Path(f"{_NEW}/etc/{name}").symlink_to(origin.readlink())
        elif origin.exists():
            _bind(f"/etc/{name}", f"/etc/{name}")
    person, uid, gid, home = tree.user_name, tree.uid, tree.gid, tree.home
    written = {
        "passwd": "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
        f"{person}:x:{uid}:{gid}::{home}:/bin/bash\n"
        + ("" if uid == 65534 else "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"),
        "group": f"root:x:0:\n{person}:x:{gid}:\n" + ("" if gid == 65534 else "nogroup:x:65534:\n"),
        "hosts": "127.0.0.1 localhost pupitre\n::1 localhost\n",
        "hostname": "pupitre\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\n",
        "resolv.conf": "",
        # Not the machine's: it would put the installation's programs off the PATH of a login shell.
        "profile": 'if [ -n "$BASH_VERSION" ] && [ -r /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi\n',
    }
    for name, text in written.items():
        Path(f"{_NEW}/etc/{name}").write_text(text, encoding="utf-8")


def _place_home(tree: Tree) -> None:
    if tree.home_source is None:
        _make_memory_folder(tree.home, tree.tmp_bytes)
    else:
        _bind(f"{_OLD}/proc/self/fd/{tree.home_source}", tree.home, read_only=False)
