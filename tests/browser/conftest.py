"""Fixtures: `installation` (a real Pupitre, see tests/installation.py), `browser` (Debian's Chromium), `visitor` (makes fresh,
separate browser windows), `course` (a small course whose rule asks for M1–M3 and one manual task).

Every request must go to this machine: a page that asks for anything else fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.installation import ARTIFACTS, ROOT, Installation, free_port, make_courses, running_installation

__all__ = ["ARTIFACTS", "ROOT", "Installation", "free_port"]

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The main job first among those that share the installation: it takes the first administrator's link."""
    ours = [place for place, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    in_order = sorted((items[place] for place in ours), key=lambda item: item.path.stem != "test_main_job")
    for place, item in zip(ours, in_order, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of courses holding `essai`: M1–M3 of the real course and one task that a grader marks."""
    return make_courses(tmp_path_factory.mktemp("courses"))


@pytest.fixture(scope="session")
def installation(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running_installation(tmp_path_factory.mktemp("state"), course) as running:
        yield running


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
