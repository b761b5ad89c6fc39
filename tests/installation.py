"""A real Pupitre on free ports, started as `make run` does and driven from outside: used by browser tests, by tests of bad
input, by the soak and by the benchmarks.

Laws: nothing here reaches into the product's database; what is started is stopped, and its logs are kept as artifacts.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from hub.environment import load_environment
from hub.launch.process import Process, read_process

ROOT = Path(__file__).parents[1]
ARTIFACTS = ROOT / "tests" / "artifacts"
START_PATIENCE_S = 180


@dataclass
class Installation:
    """One running Pupitre, driven only from outside: addresses, the messages it sends, its commands."""

    public_url: str
    jupyter_url: str
    state_dir: Path
    admin_link: str
    variables: dict[str, str]
    log: Path
    read_messages: set[Path] = field(default_factory=set)

    def command(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.variables,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def link_in_message(self, recipient: str, pattern: str, patience_s: float = 20) -> str:
        """The first link that matches `pattern` in a message to `recipient`."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            for file in sorted((self.state_dir / "mail").glob("*.log")):
                for part in file.read_bytes().split(b"-" * 79):
                    message = email.message_from_bytes(part.strip(), policy=email.policy.default)
                    if recipient in str(message["To"]):
                        body = message.get_body(("plain",))
                        text = body.get_content() if body else ""
                        if found := re.search(pattern, text):
                            return found.group()
            time.sleep(0.2)
        raise AssertionError(f"no message to {recipient} holds {pattern}")

    @property
    def hub_log(self) -> str:
        return (self.state_dir / "log" / "hub.log").read_text(encoding="utf-8", errors="replace")

    def wait_for_log(self, pattern: str, since: int = 0, patience_s: float = 20) -> str:
        """The first line of the Hub's log (its services write there too) that matches, after position `since`."""
        return wait_for_line(self.state_dir / "log" / "hub.log", pattern, since, patience_s)

    def wait_for_forkd_log(self, pattern: str, patience_s: float = 60) -> str:
        """The first line of forkd's log that matches: its nursery gets warm while the Hub already answers."""
        return wait_for_line(self.state_dir / "log" / "forkd.log", pattern, 0, patience_s)

    def wait_for_server_log(self, hub_name: str, pattern: str, patience_s: float = 20) -> str:
        """The first line that matches in the log of a person's server."""
        return wait_for_line(self.state_dir / "log" / f"{hub_name}.log", pattern, 0, patience_s)

    def find_services(self, word: str) -> list[Process]:
        """The Hub's children whose command line holds `word`: "markingworker", "hub.portal.serve"."""
        hub = read_process(load_environment(self.variables).run_dir / "hub.pid")
        assert hub, "the Hub does not run"
        found = []
        for pid in Path(f"/proc/{hub.pid}/task/{hub.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                if word in Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " "):
                    found.append(Process.of(int(pid)))
        return [process for process in found if process]


def wait_for_line(log: Path, pattern: str, since: int, patience_s: float) -> str:
    deadline = time.monotonic() + patience_s
    while True:
        text = log.read_text(encoding="utf-8", errors="replace")[since:]
        for line in text.splitlines():
            if re.search(pattern, line):
                return line
        assert time.monotonic() < deadline, f"no line of {log.name} matches {pattern}:\n{text[-5000:]}"
        time.sleep(0.1)


def free_port() -> int:
    """A port whose next three are free as well, below those that the system gives to outgoing connections."""
    for _ in range(50):
        port = random.randrange(10_000, 30_000)
        try:
            for offset in range(4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port
    raise AssertionError("no four free ports in a row")


def make_courses(folder: Path) -> Path:
    """Fill `folder` with the course `essai`: M1–M3 of the real course and one task that a grader marks."""
    real = ROOT / "courses" / "python-maths-physique"
    essai = folder / "essai"
    essai.mkdir()
    for part in ("m1", "m2", "m3", "classe", "badge.svg", "programme-2019.yml"):
        source = real / part
        shutil.copytree(source, essai / part) if source.is_dir() else shutil.copy(source, essai / part)
    shutil.copytree(ROOT / "tests" / "data" / "courses" / "essai" / "m9", essai / "m9")
    shutil.copytree(real / "m9" / "copies", essai / "m9" / "copies")
    described = yaml.safe_load((real / "course.yml").read_text(encoding="utf-8"))
    described.update(
        slug="essai",
        title="Python en trois modules",
        modules=[
            *[m for m in described["modules"] if m["slug"] in ("m1", "m2", "m3")],
            {
                "slug": "m9",
                "title": "Concevoir sa séance",
                "minutes": 30,
                "assignment": "m9/exercices.ipynb",
                "files_after_submission": ["m9/copies"],
                "points": {"auto": 0, "quiz": 0, "manual": 8},
            },
        ],
        completion={"percent": 60, "each_module": {"opened": True, "auto_percent": 50}, "reviewed": ["m9"]},
        badges=[badge for badge in described["badges"] if "earned_when" not in badge],
        sessions=[{"slug": "essai", "title": "Python en trois modules", "enrolment": "open"}],
    )
    (essai / "course.yml").write_text(yaml.safe_dump(described, allow_unicode=True, sort_keys=False), encoding="utf-8")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@contextlib.contextmanager
def running_installation(
    state: Path, courses: Path, name: str = "installation", **settings: str
) -> Iterator[Installation]:
    """Start, yield, stop. `settings` are more `PUPITRE_*` variables; `name` is the artifacts'."""
    port = free_port()
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PUPITRE_")} | {
        "PUPITRE_STATE_DIR": str(state),
        "PUPITRE_PORT": str(port),
        "PUPITRE_COURSES_DIR": str(courses),
        "PUPITRE_ISSUER_NAME": "Pupitre (essai)",
        **settings,
    }
    variables.pop("DJANGO_SETTINGS_MODULE", None)
    log = ARTIFACTS / f"{name}.log"
    ARTIFACTS.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run"],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        said = wait_for_address(process, log)
        link = re.search(r"http://\S+/premier-acces/\S+", said)
        assert link, said
        yield Installation(f"http://127.0.0.1:{port}", f"http://localhost:{port}", state, link.group(), variables, log)
    finally:
        process.send_signal(signal.SIGTERM)  # a shell in the background may have had SIGINT ignored
        process.wait(timeout=40)
        subprocess.run([sys.executable, "manage.py", "stop"], cwd=ROOT, env=variables, check=False)
        for kept in ("hub.log", "forkd.log"):
            if (state / "log" / kept).exists():
                shutil.copy(state / "log" / kept, ARTIFACTS / (kept if name == "installation" else f"{name}-{kept}"))


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_PATIENCE_S
    while True:
        said = log.read_text(encoding="utf-8")
        if "Ctrl+C" in said:
            return said
        assert process.poll() is None, f"pupitre ended while starting:\n{said}"
        assert time.monotonic() < deadline, f"pupitre did not start:\n{said}"
        time.sleep(0.2)
