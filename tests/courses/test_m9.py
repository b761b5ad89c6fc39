"""M9, which a person marks: what the engine makes of it, the grid, and the annotated copies that open after the hand-in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from graders.engine.mark import MarkingLimits
from graders.engine.release import describe_notebook, release_notebook
from tests.graders.engine_fixtures import mark, real_forkd

__all__ = ["mark", "real_forkd"]

LIMITS = MarkingLimits(cell_s=10, run_s=60, grace_s=1.5, memory_bytes=512 << 20)
PUPILS_CELLS = ["eleve-question", "eleve-donnees", "eleve-tache", "eleve-trace"]


@pytest.fixture
def source(course_folder: Path) -> bytes:
    return (course_folder / "m9" / "exercices.ipynb").read_bytes()


def cells_of(notebook: bytes) -> dict[str, Any]:
    found = nbformat.reads(notebook.decode(), as_version=4)
    nbformat.validate(found)
    return {cell.metadata["nbgrader"]["grade_id"]: cell for cell in found.cells}


def test_four_lines_of_two_points_each_marked_by_a_person(source: bytes) -> None:
    described = [(spec.exercise, spec.kind, spec.max_points) for spec in describe_notebook(source)]
    assert described == [(f"9.{n}", "manual", 2) for n in range(1, 5)]


def test_the_learner_gets_the_pupils_four_cells_and_none_of_the_answers(source: bytes) -> None:
    released = cells_of(release_notebook(source))
    for name in PUPILS_CELLS:
        assert released[name].source == cells_of(source)[name].source
        assert released[name].metadata.get("editable", True), "they are there to be adapted"
    for number in range(1, 5):
        assert released[f"ex-9-{number}"].source.endswith(("VOTRE RÉPONSE ICI", "raise NotImplementedError()"))
    assert "Plus-value :" not in str(released)


def test_an_adapted_notebook_waits_for_a_grader_with_all_its_cells(source: bytes, mark: Any) -> None:
    notebook = nbformat.reads(release_notebook(source).decode(), as_version=4)
    for cell in notebook.cells:
        name = cell.metadata["nbgrader"]["grade_id"]
        if name == "eleve-donnees":
            cell.source = "T_ms = 4.0"
        if name == "ex-9-2":
            cell.source = "# Exercice 9.2\nprint('f =', 1000 / T_ms, 'Hz')"
        elif name.startswith("ex-9"):
            cell.source = "Représenter un signal périodique, en première."
    notebook.cells.append(nbformat.v4.new_markdown_cell("Une cellule de plus."))
    result = mark(source, nbformat.writes(notebook).encode(), LIMITS)
    assert result.state == "marked", result.message
    assert [(cell.exercise, cell.points) for cell in result.cells] == [(f"9.{n}", None) for n in range(1, 5)]
    seen = nbformat.reads(result.notebook.decode(), as_version=4)
    printed = [output.get("text", "") for cell in seen.cells for output in cell.get("outputs", [])]
    assert "f = 250.0 Hz\n" in printed, "the grader sees what the learner's code does"
    assert seen.cells[-1].source == "Une cellule de plus."


def test_a_copy_left_as_released_earns_nothing_and_asks_nobody(source: bytes, mark: Any) -> None:
    result = mark(source, release_notebook(source), LIMITS)
    assert [cell.points for cell in result.cells] == [0] * 4


def test_copies_add_up_and_use_the_grid(course_folder: Path) -> None:
    marks = {}
    for path in sorted((course_folder / "m9" / "copies").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        lines = [int(n) for n in re.findall(r"^## 9\.\d .+ — (\d) point", text, re.M)]
        total = re.search(r"^# .+ (\d) points sur 8$", text, re.M)
        assert total is not None and len(lines) == 4
        assert sum(lines) == int(total[1])
        assert text.count("\n> ") >= 4, "each line of the grid is commented"
        marks[path.stem] = sum(lines)
        for code in re.findall(r"```\n(.*?)```", text, re.S):
            compile(code, path.name, "exec")
    assert marks == {"1-copie-faible": 2, "2-copie-moyenne": 5, "3-copie-forte": 8}
