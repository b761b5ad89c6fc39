"""Our marks against those of `nbgrader autograde`, cell by cell, on the notebooks inside nbgrader's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbgrader
import pytest
from nbgrader.api import Gradebook

from graders.engine.mark import MarkingLimits
from tests.graders.engine_fixtures import Mark, points

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


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An nbgrader course with every sample submission, marked by nbgrader."""
    folder = tmp_path_factory.mktemp("course")
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
    run_nbgrader(folder, "autograde")
    return folder


def test_every_mark_equals_nbgraders(course: Path, mark: Mark) -> None:
    compared, differences = 0, []
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for submission in gradebook.db.query(nbgrader.api.SubmittedAssignment):
            assignment, student = submission.assignment.name, submission.student.id
            folder = course / "source" / assignment
            files = {
                p.relative_to(folder).as_posix(): p.read_bytes()
                for p in folder.rglob("*")
                if p.is_file() and p.suffix != ".ipynb"
            }
            for notebook in submission.notebooks:
                path = course / "submitted" / student / assignment / f"{notebook.name}.ipynb"
                source = (folder / f"{notebook.name}.ipynb").read_bytes()
                ours = points(mark(source, path.read_bytes(), MarkingLimits(), files=files))
                theirs = {grade.cell.name: grade.auto_score for grade in notebook.grades}
                for name, score in theirs.items():
                    compared += 1
                    if ours.get(name) != score:
                        differences.append((assignment, student, notebook.name, name, score, ours.get(name)))
    assert differences == []
    assert compared == 65
