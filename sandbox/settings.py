"""forkd's command line, checked, and how this machine isolates.

Laws: everything forkd may run or show stands here, decided by who starts it; what cannot be made safe is refused before the
first request, with a sentence that says what to change.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import namespaces as ns
from sandbox.errors import SandboxRefused
from sandbox.filesystem import DOORS, find_outermost
from sandbox.profile import LEARNER_UIDS, PROFILES
from sandbox.service import find_hidden_ancestor

log = logging.getLogger("forkd")
_SUMMARY = "The daemon that gives birth to every process that runs learners' code."


@dataclass(frozen=True)
class Settings:
    """forkd's command line, with real paths."""

    socket: Path
    servers_dir: Path
    doors_dir: Path
    homes_dir: Path
    log_dir: Path
    owner: int
    entries: Mapping[str, str]
    zygote: str | None
    isolation: str
    network: bool
    read_only: tuple[Path, ...]

    @property
    def name(self) -> str:
        return "pupitre-" + hashlib.sha256(str(self.servers_dir).encode()).hexdigest()[:10]


def find_isolation(wanted: str) -> str:
    """How children are isolated here: "uid", "user" or "none".

    Raises
    ------
    SandboxRefused
        Nothing isolates here and `wanted` is not "none".
    """
    if wanted == "none":
        return "none"
    mode = "uid" if os.geteuid() == 0 else "user"
    child = os.fork()
    if child == 0:
        try:
            flags = ns.CLONE_NEWNS | ns.CLONE_NEWPID | ns.CLONE_NEWNET | ns.CLONE_NEWIPC | ns.CLONE_NEWUTS
            ns.set_dumpable(True)
            ns.unshare(flags | (ns.CLONE_NEWUSER if mode == "user" else 0))
            os._exit(0)
        except OSError as error:
            os._exit(error.errno or 1)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 0:
        return mode
    raise SandboxRefused(
        f"this machine refuses {'namespaces to root' if mode == 'uid' else 'user namespaces'} "
        f"({errno.errorcode.get(code, code)}): learners cannot be isolated. Allow them "
        "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone), start as root, "
        "or accept the risk with PUPITRE_ISOLATION=none",
        "not_isolated",
    )


def check_reach(paths: Sequence[Path]) -> None:
    """Without namespaces nothing is bound: a learner's uid must reach by itself what it runs.

    Raises
    ------
    SandboxRefused
        A folder on the way is private.
    """
    for path in paths:
        hidden = find_hidden_ancestor(path, LEARNER_UIDS.start, LEARNER_UIDS.start)
        if hidden is not None:
            raise SandboxRefused(
                f"isolation=none, and learners cannot cross {hidden} to reach {path}: "
                "install in a folder that everybody may cross, or leave PUPITRE_ISOLATION at auto",
                "not_isolated",
            )


def load_settings(arguments: Sequence[str]) -> Settings:
    """Parse and check the command line; makes the folders that are forkd's own.

    Raises
    ------
    SandboxRefused
        What learners may see would contain what they must not.
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox.forkd", description=_SUMMARY)
    parser.add_argument("--socket", type=Path, required=True, help="where requests come in")
    parser.add_argument("--servers-dir", type=Path, required=True, help="listening sockets of servers, and the roster")
    parser.add_argument("--doors-dir", type=Path, required=True, help=f"seen by servers as {DOORS}")
    parser.add_argument("--homes-dir", type=Path, required=True, help="learners' homes, one folder per label")
    parser.add_argument("--log-dir", type=Path, required=True, help="one log per sandbox")
    parser.add_argument("--owner", type=int, default=os.geteuid(), help="the uid that may ask, besides root")
    parser.add_argument("--entry", action="append", default=[], metavar="PROFILE=MODULE", help="what a profile runs")
    parser.add_argument("--zygote", metavar="MODULE", help="what a server's sandbox forks warm: MODULE.main()")
    parser.add_argument("--isolation", choices=("auto", "none"), default="auto")
    parser.add_argument(
        "--network", choices=("on", "off"), default="off", help="on: servers reach the web, not this machine"
    )
    parser.add_argument("--read-only", type=Path, action="append", default=[], help="also visible, at its own path")
    given = parser.parse_args(arguments)
    if given.network == "on" and given.isolation == "none":
        log.warning("--network on: without isolation, learners have this machine's whole network")
    entries = dict(entry.partition("=")[::2] for entry in given.entry)
    if not entries or not set(entries) <= set(PROFILES) or not all(entries.values()):
        parser.error("--entry: expected PROFILE=MODULE, with a profile among " + ", ".join(PROFILES))
    for folder in (given.servers_dir, given.log_dir, given.homes_dir):
        # Crossed by the owner, listed by root alone.
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    given.doors_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    given.doors_dir.chmod(0o755)  # learners' servers cross it; the doors check who speaks
    visible = [Path(sys.base_prefix), Path(sys.prefix), *(p for p in given.read_only if p.exists())]
    settings = Settings(
        socket=given.socket.absolute(),
        servers_dir=given.servers_dir.resolve(),
        doors_dir=given.doors_dir.resolve(),
        homes_dir=given.homes_dir.resolve(),
        log_dir=given.log_dir.resolve(),
        owner=given.owner,
        entries=entries,
        zygote=given.zygote,
        isolation=given.isolation,
        network=given.network == "on",
        read_only=find_outermost(visible),
    )
    for private in (settings.servers_dir, settings.homes_dir, settings.log_dir, settings.socket.parent.resolve()):
        for path in settings.read_only:
            if private.is_relative_to(path):
                raise SandboxRefused(f"{private} lies in {path}, which every learner sees")
    return settings
