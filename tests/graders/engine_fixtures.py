"""Fixtures of the engine's tests; a test module imports `real_forkd` and `mark` from here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graders.engine.mark import MarkingLimits, Result, mark_submission
from graders.engine.plain import PlainStarter
from tests.sandbox.conftest import make_installation, running_daemon

QUICK = MarkingLimits(cell_s=3, run_s=20, grace_s=1.5, memory_bytes=512 << 20)
Mark = Callable[..., Result]


@pytest.fixture(scope="session")
def real_forkd() -> Iterator[Path | None]:
    """The socket of a forkd of this test run's own, or None where it cannot be root."""
    if os.geteuid() != 0:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="pupitre-mark-"))
    folder.chmod(0o755)
    try:
        installation = make_installation(folder / "venv")
        with running_daemon(installation, entries={"grading": "graders.engine.child"}) as daemon:
            yield daemon.forkd.path
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def mark(real_forkd: Path | None) -> Mark:
    """`mark(source, submitted, limits, files=…)`."""

    def run(source: bytes, submitted: bytes, limits: MarkingLimits = QUICK, **options: object) -> Result:
        return mark_submission(source, submitted, limits, real_forkd or PlainStarter(), **options)

    return run


def points(result: Result) -> dict[str, float | None]:
    return {cell.grade_id: cell.points for cell in result.cells}


def messages(result: Result) -> dict[str, str]:
    return {cell.grade_id: cell.message for cell in result.cells}
