"""`pupitre run`: prepare the state, start forkd if absent, start the Hub, wait until everything really answers, stay.

Ctrl+C stops the Hub and what it manages; learners' servers and forkd stay (`pupitre stop` ends all).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import httpx

from hub.environment import ROOT, Environment, load_environment
from hub.launch import account as accounts
from hub.launch.check import check_disk, check_ports, check_tools
from hub.launch.errors import LaunchError
from hub.launch.process import Process, read_process

START_PATIENCE_S = 90
FORKD_WATCH_S = 2.0


def run(arguments: Sequence[str]) -> int:
    """Start everything; returns when the Hub ends. `--detach` returns as soon as it answers."""
    environment = load_environment()
    hub, link = start(environment)
    say(f"\nPupitre répond : {environment.public_url}")
    if link:
        say(f"Première visite : créez le compte administrateur avec ce lien, valable une fois :\n{link}")
    if "--detach" in arguments:
        return 0
    return stay(environment, hub)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def start(environment: Environment) -> tuple[subprocess.Popen[bytes], str]:
    """Everything up to « it answers »: the Hub, and the link that creates the first administrator or nothing.

    Raises
    ------
    LaunchError
        A tool, a port, the disk or a service is not as it should be; nothing that was started stays behind but forkd.
    """
    check_tools(environment)
    check_disk(environment)
    account = accounts.ensure_account()
    accounts.ensure_folders(environment, account)
    lock = _lock(environment)
    running = read_process(environment.run_dir / "hub.pid")
    if running:
        raise LaunchError(f"Pupitre tourne déjà : {environment.public_url} (« make stop » l'arrête).")
    check_ports(environment)
    if environment.isolation == "none":
        say("ATTENTION : PUPITRE_ISOLATION=none. Les programmes des participants tournent sans isolation, comme vous.")
    say("Préparation de la base, des pages et des parcours…")
    link = manage(environment, account, ["prepare"]).strip()
    ensure_forkd(environment, account)
    say("Démarrage des services…")
    log = _log(environment, account, "hub.log")
    hub = subprocess.Popen(
        [accounts.python(), "-m", "hub.jupyter.app", "-f", ROOT / "jupyterhub_config.py"],
        cwd=ROOT,
        env=accounts.service_environment(environment),
        preexec_fn=lambda: accounts.become(environment, account),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    process = Process.of(hub.pid)
    if process:
        process.write(environment.run_dir / "hub.pid")
    try:
        wait_until_it_answers(environment, hub)
    except LaunchError:
        end_group(hub)
        raise
    finally:
        lock.close()
    return hub, link


def manage(environment: Environment, account: accounts.Account, command: Sequence[str]) -> str:
    """Run one management command as the account; its standard output. What it says on the other output is shown.

    Raises
    ------
    LaunchError
        It failed: the last line it said.
    """
    done = subprocess.run(
        [accounts.python(), ROOT / "manage.py", *command],
        cwd=ROOT,
        env=accounts.service_environment(environment),
        preexec_fn=lambda: accounts.become(environment, account),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "aucun message").splitlines()
        raise LaunchError(f"« pupitre {command[0]} » a échoué : {said[-1]}")
    if done.stderr.strip():
        say(done.stderr.strip())
    return done.stdout


def ensure_forkd(environment: Environment, account: accounts.Account) -> None:
    """forkd is started clean, with nothing of ours in its environment, and outlives the Hub."""
    run_dir = environment.run_dir
    if read_process(run_dir / "forkd.pid"):
        return
    command: list[str | Path] = [
        accounts.python(), "-P", "-m", "sandbox.forkd",
        "--socket", run_dir / "forkd.sock",
        "--servers-dir", run_dir / "servers",
        "--doors-dir", run_dir / "doors",
        "--homes-dir", environment.state_dir / "homes",
        "--log-dir", environment.state_dir / "log",
        "--owner", str(account.uid),
        "--isolation", environment.isolation,
        "--network", "on" if environment.learner_network else "off",
        "--read-only", environment.node_modules,
        "--entry", "server=hub.jupyter.singleuser",
        "--entry", "review=hub.jupyter.singleuser",
        "--entry", "grading=graders.engine.child",
        "--zygote", "hub.jupyter.kernel",
    ]  # fmt: skip
    with Path(environment.state_dir / "log" / "forkd.log").open("ab") as log:
        forkd = subprocess.Popen(
            command,
            cwd="/",
            env={name: os.environ[name] for name in ("OPENBLAS_CORETYPE",) if name in os.environ},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + START_PATIENCE_S
    while not _connects(run_dir / "forkd.sock"):
        if forkd.poll() is not None or time.monotonic() > deadline:
            raise LaunchError(f"forkd n'a pas démarré : {_tail(environment.state_dir / 'log' / 'forkd.log')}")
        time.sleep(0.05)
    process = Process.of(forkd.pid)
    if process:
        process.write(run_dir / "forkd.pid")


def wait_until_it_answers(environment: Environment, hub: subprocess.Popen[bytes]) -> None:
    """The portal through the proxy, and the Hub through the proxy."""
    waiting = {f"{environment.public_url}/health", f"{environment.jupyter_url}/hub/api/"}
    local = {url: _local(environment, url) for url in waiting}
    deadline = time.monotonic() + START_PATIENCE_S
    while waiting:
        if hub.poll() is not None:
            raise LaunchError(f"Le service n'a pas démarré : {_tail(environment.state_dir / 'log' / 'hub.log')}")
        if time.monotonic() > deadline:
            raise LaunchError(
                f"Pas de réponse de {min(waiting)} après {START_PATIENCE_S} s. Voyez {environment.state_dir / 'log' / 'hub.log'}."
            )
        for url in sorted(waiting):
            address, host = local[url]
            try:
                if httpx.get(address, headers={"Host": host}, timeout=2).status_code == 200:
                    waiting.discard(url)
            except httpx.HTTPError:
                pass
        time.sleep(0.1)


def stay(environment: Environment, hub: subprocess.Popen[bytes]) -> int:
    """Wait for the Hub, and start forkd again if it died; SIGINT and SIGTERM stop the Hub."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    say("Ctrl+C arrête le service ; les serveurs des participants restent (« make stop » arrête tout).")
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return hub.wait(FORKD_WATCH_S)
            if not read_process(environment.run_dir / "forkd.pid"):
                say("forkd s'est arrêté : un autre est démarré.")
                try:
                    ensure_forkd(environment, accounts.ensure_account())
                except LaunchError as error:
                    say(str(error))
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("\nArrêt…")
        end_group(hub)
        return 0


def end_group(hub: subprocess.Popen[bytes]) -> None:
    """The Hub ends what it manages; what is left of its session after 15 s is killed."""
    try:
        hub.terminate()
        hub.wait(timeout=15)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(hub.pid, signal.SIGKILL)
    hub.wait()


def _lock(environment: Environment) -> IO[str]:
    """Two starts at once on one state folder: the second is told so."""
    file = (environment.run_dir / "start.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise LaunchError(
            "Un autre démarrage de Pupitre est en cours pour ce dossier : attendez qu'il finisse."
        ) from error
    return file


def _log(environment: Environment, account: accounts.Account, name: str) -> IO[bytes]:
    path = environment.state_dir / "log" / name
    file = path.open("ab")
    if account.drops:
        os.chown(path, account.uid, account.gid)
    return file


def _local(environment: Environment, url: str) -> tuple[str, str]:
    """The same address asked from this machine: a public name may not resolve here."""
    bind = "127.0.0.1" if environment.bind in ("0.0.0.0", "::", "") else environment.bind  # noqa: S104
    _scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return f"http://{bind}:{environment.port}/{path}", host


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _tail(path: Path, lines: int = 3) -> str:
    try:
        return " / ".join(path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])
    except OSError:
        return f"voyez {path}"


def main(arguments: Sequence[str]) -> int:
    try:
        return run(arguments)
    except LaunchError as error:
        print(f"pupitre : {error}", file=sys.stderr)  # noqa: T201
        return 1
