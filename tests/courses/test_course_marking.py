"""The real marking engine on the course's notebooks: full marks, no marks, and the diagnostics of wrong answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from graders.engine.mark import MarkingLimits
from graders.engine.release import release_notebook
from tests.courses.conftest import BONUS, POINTS, prefix_of
from tests.graders.engine_fixtures import mark, real_forkd

__all__ = ["mark", "real_forkd"]

MARKED = POINTS | BONUS
LIMITS = MarkingLimits(cell_s=10, run_s=60, grace_s=1.5, memory_bytes=512 << 20)
WRONG = Path(__file__).resolve().parents[1] / "data" / "wrong"


def read_source(course_folder: Path, module: str) -> bytes:
    return (course_folder / module / "exercices.ipynb").read_bytes()


def submit(source: bytes, answers: dict[str, str]) -> bytes:
    """The released copy with these answers typed in."""
    notebook = nbformat.reads(release_notebook(source).decode(), as_version=4)
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("solution") and (answer := answers.get(meta["grade_id"])) is not None:
            cell.source = answer
    return nbformat.writes(notebook).encode()


def first_wrong_answers(module: str) -> tuple[dict[str, str], dict[str, str]]:
    """For each exercise of the module, its first wrong answer that has a code: cell → answer, exercise → code."""
    answers, codes = {}, {}
    for path in sorted(WRONG.glob(f"ex-{prefix_of(module)}-*.txt")):
        match = re.search(r"^%% wrong (E\d\d): .+\n((?:(?!%% ).*\n)+)", path.read_text(encoding="utf-8"), re.M)
        assert match is not None
        exercise = path.stem.removeprefix("ex-").replace("-", ".")
        answers[path.stem], codes[exercise] = f"# Exercice {exercise}\n{match[2]}", match[1]
    return answers, codes


@pytest.mark.parametrize("module", MARKED)
def test_solutions_earn_full_marks(course_folder: Path, mark: Any, module: str) -> None:
    source = read_source(course_folder, module)
    notebook = nbformat.reads(source.decode(), as_version=4)
    answers = {
        cell.metadata["nbgrader"]["grade_id"]: re.sub(r"### (BEGIN|END) SOLUTION\n?", "", cell.source)
        for cell in notebook.cells
        if cell.metadata["nbgrader"]["solution"]
    }
    result = mark(source, submit(source, answers), LIMITS)
    assert result.state == "marked", result.message
    assert {cell.exercise: cell.message for cell in result.cells if not cell.passed} == {}
    assert sum(cell.points for cell in result.cells) == MARKED[module]


@pytest.mark.parametrize("module", MARKED)
def test_released_copy_earns_nothing(course_folder: Path, mark: Any, module: str) -> None:
    source = read_source(course_folder, module)
    result = mark(source, release_notebook(source), LIMITS)
    assert result.state == "marked"
    assert [cell.points for cell in result.cells] == [0] * len(result.cells)
    assert {cell.code for cell in result.cells} == {"E00"}, [
        (cell.exercise, cell.code, cell.message) for cell in result.cells
    ]


@pytest.mark.parametrize("module", MARKED)
def test_wrong_answers_get_their_code_from_the_engine(course_folder: Path, mark: Any, module: str) -> None:
    source = read_source(course_folder, module)
    answers, codes = first_wrong_answers(module)
    result = mark(source, submit(source, answers), LIMITS)
    assert sum(cell.points for cell in result.cells) == 0
    assert {cell.exercise: cell.code for cell in result.cells} == codes
