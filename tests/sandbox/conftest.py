"""Real forkds, shared by the tests of the sandbox."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.forkd_daemon import ORDINARY_UID, Child, Daemon, make_installation, running_daemon


@pytest.fixture(scope="session")
def installation() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pupitre-inst-"))
    folder.chmod(0o755)
    yield make_installation(folder / "venv")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def daemon(installation: Path) -> Iterator[Daemon]:
    """One forkd, as root: a uid per learner."""
    if os.geteuid() != 0:
        pytest.skip("needs to be root")
    with running_daemon(installation) as running:
        yield running


@pytest.fixture(scope="session")
def user_daemon(installation: Path) -> Iterator[Daemon]:
    """One forkd as an ordinary user: user namespaces."""
    if os.geteuid() != 0:
        with running_daemon(installation, uid=0, owner=os.geteuid()) as running:
            yield running
    else:
        with running_daemon(installation, uid=ORDINARY_UID) as running:
            yield running


@pytest.fixture(scope="module", params=["daemon", "user_daemon"])
def running(request: pytest.FixtureRequest) -> Daemon:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def walls(running: Daemon) -> Child:
    child = running.child("walls", 200_100)
    yield child
    child.sandbox.kill()
    assert child.sandbox.wait(5)
