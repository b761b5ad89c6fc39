"""nbgrader's own sample assignments as a course, prepared and marked by nbgrader itself: once for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbgrader
import pytest

PACKAGE = Path(nbgrader.__file__).parent
GUIDE = PACKAGE / "docs" / "source" / "user_guide"
FILES = PACKAGE / "tests" / "apps" / "files"
SUBMITTED = (
    "submitted-unchanged",
    "submitted-changed",
    "submitted-grade-cell-changed",
    "submitted-locked-cell-changed",
    "submitted-cheat-attempt",
    "submitted-cheat-attempt-alternative",
)
ASSIGNMENTS = ("ps1", "files", "other")
HIDDEN = ("test-hidden-tests", "side-effects", "open_relative_file")


# One process for everything: each nbgrader command costs seconds of imports.
SCRIPT = """
import sys
from nbgrader.apps import NbGraderAPI
api = NbGraderAPI()
step, *assignments = sys.argv[1:]
for assignment in assignments:
    students = ["."] if step == "generate" else sorted(api.get_submitted_students(assignment))
    for student in students:
        done = api.generate_assignment(assignment) if step == "generate" else api.autograde(assignment, student)
        assert done["success"], done
"""


def run_nbgrader(course: Path, step: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {name: str(course / ".jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, step, *ASSIGNMENTS]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every sample submission of nbgrader's package; assignments prepared by nbgrader, nothing marked."""
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copytree(GUIDE / "source" / "ps1", folder / "source" / "ps1")
    shutil.copytree(GUIDE / "submitted", folder / "submitted")
    (folder / "source" / "files").mkdir()
    shutil.copy(FILES / "submitted-unchanged.ipynb", folder / "source" / "files" / "p1.ipynb")
    for place in ("source/other", "submitted/solution/other"):
        (folder / place).mkdir(parents=True)
        for name in HIDDEN:
            shutil.copy(FILES / f"{name}.ipynb", folder / place / f"{name}.ipynb")
        shutil.copy(FILES / "data.txt", folder / place / "data.txt")
    run_nbgrader(folder, "generate")
    for assignment in ASSIGNMENTS:
        shutil.copytree(folder / "release" / assignment, folder / "submitted" / "released" / assignment)
    for name in SUBMITTED:
        (folder / "submitted" / name / "files").mkdir(parents=True)
        shutil.copy(FILES / f"{name}.ipynb", folder / "submitted" / name / "files" / "p1.ipynb")
    return folder


@pytest.fixture(scope="session")
def course(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, marked by nbgrader."""
    folder = tmp_path_factory.mktemp("course") / "marked"
    shutil.copytree(prepared, folder)
    run_nbgrader(folder, "autograde")
    return folder
