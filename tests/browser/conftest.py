"""Fixtures: `installation` (a real Pupitre on a free port, started as `make run` does, its logs printed on failure),
`browser` (Debian's Chromium), `visitor` (makes fresh, separate browser windows), `course` (a small course whose rule asks for M1–M3 and one manual task).

Every request must go to this machine: a page that asks for anything else fails the test.
"""

from __future__ import annotations

import email
import email.policy
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "artifacts"
START_PATIENCE_S = 180
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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


def free_port() -> int:
    """A port whose next three are free as well."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        try:
            if port < 65000:
                for offset in range(4):
                    with socket.socket() as other:
                        other.bind(("127.0.0.1", port + offset))
                return port
        except OSError:
            continue
    raise AssertionError("no four free ports in a row")


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of courses holding `essai`: M1–M3 of the real course and one task that a grader marks."""
    folder = tmp_path_factory.mktemp("courses")
    real = ROOT / "courses" / "python-maths-physique"
    essai = folder / "essai"
    essai.mkdir()
    for part in ("m1", "m2", "m3", "badge.svg"):
        source = real / part
        shutil.copytree(source, essai / part) if source.is_dir() else shutil.copy(source, essai / part)
    shutil.copytree(ROOT / "tests" / "data" / "courses" / "essai" / "m9", essai / "m9")
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
                "points": {"auto": 0, "quiz": 0, "manual": 8},
            },
        ],
        completion={"percent": 60, "each_module": {"opened": True, "auto_percent": 50}, "reviewed": ["m9"]},
        sessions=[{"slug": "essai", "title": "Python en trois modules", "enrolment": "open"}],
    )
    (essai / "course.yml").write_text(yaml.safe_dump(described, allow_unicode=True, sort_keys=False), encoding="utf-8")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@pytest.fixture(scope="session")
def installation(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    state = tmp_path_factory.mktemp("state")
    port = free_port()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")} | {
        "PUPITRE_STATE_DIR": str(state),
        "PUPITRE_PORT": str(port),
        "PUPITRE_COURSES_DIR": str(course),
        "PUPITRE_ISSUER_NAME": "Pupitre (essai)",
    }
    variables.pop("DJANGO_SETTINGS_MODULE", None)
    log = ARTIFACTS / "installation.log"
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
        process.send_signal(signal.SIGINT)
        process.wait(timeout=40)
        subprocess.run([sys.executable, "manage.py", "stop"], cwd=ROOT, env=variables, check=False)
        for name in ("hub.log", "forkd.log"):
            if (state / "log" / name).exists():
                shutil.copy(state / "log" / name, ARTIFACTS / name)


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_PATIENCE_S
    while True:
        said = log.read_text(encoding="utf-8")
        if "Ctrl+C" in said:
            return said
        assert process.poll() is None, f"pupitre ended while starting:\n{said}"
        assert time.monotonic() < deadline, f"pupitre did not start:\n{said}"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        assert not os.environ.get("CI"), "Chromium is missing: apt install chromium"
        pytest.skip("Chromium is missing: apt install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


Visitor = Callable[..., Page]


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Make a page in a window of its own: no cookie in common with the others."""
    contexts: list[BrowserContext] = []
    strangers: list[str] = []

    def watch(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost"):
            strangers.append(request.url)

    def make(width: int = 1280, height: int = 900, dark: bool = False, javascript: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="fr-FR",
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
        )
        context.set_default_timeout(30_000)
        context.on("request", watch)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert not strangers, f"a page asked another machine for: {sorted(set(strangers))}"


@pytest.fixture(scope="session")
def picture() -> Callable[[Page, str], None]:
    """Keep a picture of the page as a test artifact; people look at them."""

    def take(page: Page, name: str) -> None:
        (ARTIFACTS / "pictures").mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTIFACTS / "pictures" / f"{name}.png", full_page=True)

    return take
