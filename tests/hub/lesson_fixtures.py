"""A learner's server with its portal, and a browser for lessons in Voilà; a test module imports `place` and `browser` from here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.hub.bridge_door import LearnerServer, Portal, open_portal, short_folder, start_server


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Portal, LearnerServer]]:
    """A server, and the portal that delivers to it what a test puts in `portal.files`."""
    folder = short_folder()
    with open_portal(folder) as portal, start_server(folder, portal) as server:
        yield portal, server
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()
