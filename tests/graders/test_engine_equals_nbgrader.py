"""Our marks against those of `nbgrader autograde`, cell by cell, on the notebooks inside nbgrader's package."""

from __future__ import annotations

from pathlib import Path

import nbgrader
from nbgrader.api import Gradebook

from graders.engine.mark import MarkingLimits
from tests.graders.engine_fixtures import Mark, points


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
