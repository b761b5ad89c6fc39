"""`pupitre autograde`, `release` and `feedback` as a teacher types them, and a course to try them on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = "from graders.standalone.command import main; import sys; sys.exit(main(sys.argv[1:]))"


def run(folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, command, *arguments, "--course", str(folder)],
        cwd=folder if folder.is_dir() else None,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def fresh(prepared: Path, tmp_path: Path) -> Path:
    """nbgrader's sample course, prepared by nbgrader and marked by nobody."""
    folder = tmp_path / "course"
    shutil.copytree(prepared, folder)
    return folder
