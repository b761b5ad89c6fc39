"""nbgrader's GenerateFeedback, step for step, with our page instead of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbgrader.converters import GenerateFeedback

from graders.engine import sentences
from graders.engine.feedback import render_feedback
from graders.engine.notebook import Cell, get_nbgrader
from graders.engine.release import find_hidden_lines, get_exercise
from graders.engine.result import CellMark, Result
from graders.standalone.gradebook import get_gradebook

_NO_RESPONSE = "No response."  # nbgrader's, for an answer left as it was released


class FeedbackPages(GenerateFeedback):
    """One page for each notebook of the submissions that `coursedir` names."""

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Read the marks, write the page."""
        self.log.info("Feedback of %s", notebook_filename)
        resources = self.init_single_notebook_resources(notebook_filename)
        identity = resources["nbgrader"]
        gradebook = get_gradebook(identity["db_url"])
        with gradebook:
            marked = gradebook.find_submission_notebook(
                identity["notebook"], identity["assignment"], identity["student"]
            )
            result = make_result(marked, _read_cells(Path(notebook_filename)))
        page = render_feedback(result, self._read_submitted(identity), identity["notebook"])
        resources["output_extension"] = ".html"
        self.write_single_notebook(page.decode(), resources)

    def _read_submitted(self, identity: dict[str, str]) -> bytes:
        folder = self.coursedir.format_path(
            self.coursedir.submitted_directory, identity["student"], identity["assignment"]
        )
        path = Path(folder) / f"{identity['notebook']}.ipynb"
        return path.read_bytes() if path.is_file() else b""


def _read_cells(path: Path) -> dict[str, Cell]:
    """grade_id → cell, as it ran, with its outputs."""
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001 — a file that somebody edited: marks alone are shown
        return {}
    return {name: cell for cell in notebook.cells if (name := get_nbgrader(cell).get("grade_id"))}


def make_result(marked: Any, cells: dict[str, Cell]) -> Result:
    """The marks of a notebook as the gradebook has them, with a sentence for each."""
    comments = {comment.name: comment for comment in marked.comments}
    marks = [
        _make_mark(grade, comments.get(grade.name), cells.get(grade.name))
        for grade in sorted(
            marked.grades, key=lambda grade: list(cells).index(grade.name) if grade.name in cells else -1
        )
    ]
    graded = {mark.grade_id for mark in marks}
    said = [
        f"{name} : {comment.comment}" for name, comment in comments.items() if name not in graded and _is_said(comment)
    ]
    if marked.late_submission_penalty:
        said.append(f"Retard : {marked.late_submission_penalty:g} point(s) en moins.")
    return Result(state="marked", code="", message=" ".join(said), cells=marks)


def _make_mark(grade: Any, comment: Any, cell: Cell | None) -> CellMark:
    points = None if grade.needs_manual_grade else float(grade.score)
    max_points = float(grade.max_score)
    passed = points is not None and points >= max_points
    parts = []
    if comment is not None and _is_said(comment):
        parts.append(str(comment.comment))
    elif comment is not None and comment.comment == _NO_RESPONSE:
        parts.append(sentences.NO_ANSWER)
    elif points is None:
        parts.append(sentences.WAITS)
    elif passed:
        parts.append(sentences.PASSED)
    elif grade.cell_type == "code" and cell is not None:
        parts.append(_explain_failure(cell))
    if grade.extra_credit:
        parts.append(f"Points en plus : {grade.extra_credit:g}.")
    return CellMark(
        grade_id=grade.name,
        exercise=get_exercise(grade.name),
        kind="manual" if grade.auto_score is None else "auto",
        points=points,
        max_points=max_points,
        passed=passed,
        message=" ".join(parts),
    )


def _is_said(comment: Any) -> bool:
    return bool(comment.comment) and comment.comment != _NO_RESPONSE


def _explain_failure(cell: Cell) -> str:
    """Why a test fails. As soon as something is hidden in it, nothing of it is told."""
    if find_hidden_lines(cell.source):
        return sentences.HIDDEN_FAILS
    for output in cell.get("outputs", []):
        if output.get("output_type") == "error":
            name, text = str(output.get("ename", "")), str(output.get("evalue", "")).strip()
            if (
                name == "AssertionError"
            ):  # the author's own words, or none: a learner may raise anything, hidden values too
                return text if text and text in cell.source else sentences.VISIBLE_FAILS
            return sentences.BY_ERROR.get(name, sentences.OTHER_ERROR)
    return sentences.VISIBLE_FAILS
