"""Who runs what: as root, the system user `pupitre` for everything but forkd; otherwise oneself."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hub.environment import ROOT, Environment
from hub.launch.errors import LaunchError
from sandbox.service import enter_service

ACCOUNT = "pupitre"


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int
    drops: bool
    """Whether this process is root and must become the account before it runs anything of ours."""


def ensure_account() -> Account:
    """The account of the services; as root it is made if it does not exist."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), drops=False)
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        if shutil.which("useradd") is None:
            raise LaunchError(
                f"La commande useradd est introuvable : créez vous-même l'utilisateur système « {ACCOUNT} »."
            ) from None
        subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
            check=True,
            capture_output=True,
        )
        entry = pwd.getpwnam(ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid, drops=True)


def ensure_folders(environment: Environment, account: Account) -> None:
    """The state and run folders, owned by the account; homes and forkd's own folders are forkd's."""
    state, run = environment.state_dir, environment.run_dir
    owned = [state, state / "keys", state / "log", state / "mail", run]
    for folder in [*owned, run / "doors", run / "servers", state / "homes"]:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if run.is_symlink() or run.stat().st_uid not in (os.geteuid(), account.uid):
        raise LaunchError(
            f"{run} appartient à quelqu'un d'autre : supprimez ce dossier, ou indiquez-en un autre avec PUPITRE_RUN_DIR."
        )
    if account.drops:
        for folder in [*owned, run / "doors"]:
            os.chown(folder, account.uid, account.gid)
        for folder in (state, state / "keys", state / "mail"):
            _adopt_files(folder, account)
        (run / "servers").chmod(0o711)  # forkd alone writes there: its list of living sandboxes is in it
    run.chmod(0o711)  # forkd's children pass through it to bind `doors`


def _adopt_files(folder: Path, account: Account) -> None:
    """Give the account what root left there, such as keys made by a command that was run without the launcher."""
    for file in folder.iterdir():
        status = file.lstat()
        # One name only: a second one could be somebody's way to a file of root's elsewhere.
        if stat.S_ISREG(status.st_mode) and status.st_uid == 0 and status.st_nlink == 1:
            os.chown(file, account.uid, account.gid, follow_symlinks=False)


def become(environment: Environment, account: Account) -> None:
    """Turn this process into the account: for good, and only in a process that will exec or run one command."""
    if account.drops:
        enter_service(
            account.uid,
            account.gid,
            visible=[Path(sys.base_prefix), ROOT, environment.node_modules, environment.courses_dir],
            writable=[environment.state_dir, environment.run_dir],
        )


def service_environment(environment: Environment) -> dict[str, str]:
    """What a service of ours gets: nothing of the administrator's own environment but language and path."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "OPENBLAS_CORETYPE") if name in os.environ}
    python = ROOT / ".venv" / "bin"
    return {
        **kept,
        **environment.as_variables(),
        "PATH": f"{python}:{environment.node_modules / '.bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "HOME": str(environment.state_dir),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "hub.portal.settings",
    }


def python() -> Path:
    return ROOT / ".venv" / "bin" / "python"
