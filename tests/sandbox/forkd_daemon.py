"""A real forkd, with an installation of its own: the packages of this tree, not those that happen to be in .venv."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.client import Forkd, Request, Sandbox
from sandbox.limits import Limits
from sandbox.service import enter_service

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = Path(__file__).resolve().parent / "entries"
ORDINARY_UID = 64_321  # nobody's: no other program of this machine runs under it
LIMITS = Limits(memory_bytes=512 << 20, processes=64, cpu_s=None, file_bytes=64 << 20, open_files=256)


def make_installation(folder: Path) -> Path:
    """A virtual environment that holds copies of our packages and sees everything else of the running one."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (folder / "bin").mkdir()
    for name in ("python", "python3"):
        (folder / "bin" / name).symlink_to(Path(sys.executable).resolve())
    (folder / "pyvenv.cfg").write_text(
        f"home = {Path(sys.executable).resolve().parent}\ninclude-system-site-packages = false\n"
    )
    for name in ("share", "etc"):
        (folder / name).symlink_to(Path(sys.prefix) / name)
    for name in ("alembic", "jupyter", "nbgrader", "jupyter-labhub"):
        source = Path(sys.prefix) / "bin" / name
        if source.exists():
            (folder / "bin" / name).symlink_to(source)
    for name in ("sandbox", "hub", "graders", "badges", "pupitre"):
        shutil.copytree(ROOT / name, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
    stock = Path(sys.prefix) / "lib" / version / "site-packages"
    (packages / "stock.pth").write_text(f"{stock}\n{ENTRIES}\n")
    return folder


@dataclass
class Child:
    """A sandbox that runs `probe_child`: `run` gives what the statements set as `result`."""

    sandbox: Sandbox

    def ask(self, statements: str) -> dict:
        self.sandbox.channel.settimeout(60)
        self.sandbox.channel.sendall(json.dumps({"run": statements}).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            part = self.sandbox.channel.recv(65536)
            if not part:
                raise EOFError("the child ended")
            line += part
        return json.loads(line)

    def run(self, statements: str):
        answer = self.ask(statements)
        assert "error" not in answer, answer
        return answer["result"]


@dataclass
class Daemon:
    """A running forkd and its folders."""

    folder: Path
    python: Path
    entries: dict[str, str]
    isolation: str = "auto"
    network: str = "off"
    prefix: tuple[str, ...] = ()
    """A command that executes forkd in a place of its own."""
    uid: int = 0
    read_only: tuple[Path, ...] = ()
    owner: int | None = None
    zygote: str | None = None
    process: subprocess.Popen | None = None
    started: list[Sandbox] = field(default_factory=list)

    @property
    def forkd(self) -> Forkd:
        return Forkd(self.folder / "forkd.sock")

    @property
    def log(self) -> str:
        return (self.folder / "forkd.log").read_text()

    def command(self) -> list[str]:
        f = self.folder
        command = [
            *self.prefix,
            str(self.python),
            "-m",
            "sandbox.forkd",
            "--socket",
            f"{f}/forkd.sock",
            "--servers-dir",
        ]
        command += [f"{f}/servers", "--doors-dir", f"{f}/doors", "--homes-dir", f"{f}/homes", "--log-dir", f"{f}/log"]
        command += [
            "--network",
            self.network,
            "--isolation",
            self.isolation,
            "--owner",
            str(self.uid if self.owner is None else self.owner),
        ]
        for profile, module in self.entries.items():
            command += ["--entry", f"{profile}={module}"]
        if self.zygote:
            command += ["--zygote", self.zygote]
        for path in (ENTRIES, Path(sys.prefix), *self.read_only):
            command += ["--read-only", str(path)]
        return command

    def start(self) -> Daemon:
        become = None
        if self.uid:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self.uid, self.uid, follow_symlinks=False)
            visible = [Path(sys.base_prefix), Path(sys.prefix), self.python.parents[1], ENTRIES]

            def become() -> None:
                enter_service(self.uid, self.uid, visible=visible, writable=[self.folder])

        with (self.folder / "forkd.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={}, cwd="/", preexec_fn=become
            )
        deadline = time.monotonic() + 20
        while not self.forkd.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"forkd did not start:\n{self.log}")
            time.sleep(0.02)
        return self

    def child(self, label: str = "alice", uid: int | None = 200_001, profile: str = "server", limits=LIMITS) -> Child:
        sandbox = self.forkd.start(Request(profile, label, uid if profile != "grading" else None, limits))
        self.started.append(sandbox)
        return Child(sandbox)

    def crash(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End everything; a forkd that died by itself is an error of its own."""
        code = self.process.poll()
        if code is None:
            with contextlib.suppress(Exception):
                self.forkd.end_all()
            for sandbox in self.started:
                if sandbox.pidfd >= 0:
                    sandbox.wait(5)
            time.sleep(0.1)  # for forkd to see the ends, and to remove their groups
            self.process.terminate()
            self.process.wait(10)
        for sandbox in self.started:
            if sandbox.pidfd >= 0 and sandbox.alive():
                os.kill(sandbox.pid, signal.SIGKILL)
                sandbox.wait(5)
            sandbox.close()
        assert code in (None, 0), f"forkd ended with {code}:\n{self.log}"


@contextlib.contextmanager
def running_daemon(installation: Path, **options) -> Iterator[Daemon]:
    folder = Path(tempfile.mkdtemp(prefix="pupitre-run-").lower())
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)
    (folder / "doors").mkdir(mode=0o755)
    entries = {"server": "probe_child", "review": "probe_child", "grading": "probe_child"}
    daemon = Daemon(folder, installation / "bin" / "python", options.pop("entries", entries), **options)
    try:
        yield daemon.start()
    finally:
        daemon.stop()
        shutil.rmtree(folder)


def refused(child: Child, statements: str) -> int:
    """The errno with which the statements fail; a test fails when they succeed."""
    answer = child.ask(statements)
    assert "error" in answer, f"not refused: {statements}"
    assert answer["errno"], answer
    return answer["errno"]


def wait_for(condition, timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
