"""Runs the real test cells of the course's exercises on answers given as text, in this process."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pupitre import cells, hints
from pupitre.errors import CheckFailed

COURSE = Path(__file__).resolve().parents[2] / "courses" / "python-maths-physique"
POINTS = {"m1": 6, "m2": 10, "m3": 12, "m4": 12, "m5": 10, "m6": 10, "m7": 10, "m8": 6}
"""Automatic points of each module. Source: pedagogy of the course §3.0."""
EXERCISES = {"m1": 4, "m2": 5, "m3": 6, "m4": 5, "m5": 5, "m6": 4, "m7": 4, "m8": 3}
"""Number of exercises of each module. Source: pedagogy of the course §3.2 to §3.9."""
BONUS = {"b1": 2, "b2": 2, "b3": 2, "b4": 2, "b5": 3}
"""Exercises of each bonus module, each worth 1, which counts in no mark."""


def prefix_of(module: str) -> str:
    """What its exercises' numbers begin with: `3` for m3, `B2` for b2."""
    return module[1:] if module.startswith("m") else module.upper()


def module_of(exercise: str) -> str:
    """`m3` for 3.2, `b2` for B2.1."""
    part = exercise.partition(".")[0].lower()
    return f"m{part}" if part.isdigit() else part


@dataclass(frozen=True)
class Verdict:
    passed: bool
    code: str
    message: str
    hidden: bool
    output: str


class ExerciseBench:
    """One exercise of the source notebook: `try_answer` gives what the learner would get for this answer cell."""

    def __init__(self, exercise: str) -> None:
        self.exercise = exercise
        notebook = nbformat.read(COURSE / module_of(exercise) / "exercices.ipynb", as_version=4)
        grade_id = f"ex-{exercise.replace('.', '-')}-test"
        by_id = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
        self.test_cell: str = by_id[grade_id].source
        self.visible_part = self.test_cell.split("### BEGIN HIDDEN TESTS")[0]
        self.given = [
            cell.source
            for cell in notebook.cells
            if cell.cell_type == "code" and not (meta := cell.metadata["nbgrader"])["grade"] and not meta["solution"]
        ]

    def try_answer(self, answer: str) -> Verdict:
        names: dict[str, Any] = {"__name__": "__main__"}
        printed = io.StringIO()
        hints._failures.clear()
        cells.SOURCES.clear()
        cells.SOURCES[self.exercise] = answer
        try:
            with contextlib.redirect_stdout(printed):
                for cell in self.given:
                    exec(cell, names)
                with contextlib.suppress(Exception):  # as in a notebook: a failing cell does not stop the next one
                    exec(answer, names)
                exec(compile(self.test_cell, "test", "exec"), names)
        except CheckFailed as failed:
            return Verdict(False, failed.code, failed.message, failed.hidden, printed.getvalue())
        finally:
            cells.SOURCES.clear()
        return Verdict(True, "", "", False, printed.getvalue())


@pytest.fixture(scope="session")
def course_folder() -> Path:
    return COURSE


@pytest.fixture(scope="session")
def exercise_bench() -> type[ExerciseBench]:
    return ExerciseBench
