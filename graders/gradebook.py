"""Writing one nbgrader `gradebook.db` through nbgrader's own API.

The only module that knows nbgrader's tables; it opens the database it is given and decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy import text

from graders.engine.notebook import Cell, get_nbgrader
from graders.engine.release import make_model, read_source
from graders.models import Attempt


def notebook_name(path: str) -> str:
    """nbgrader's name of a notebook: its file name without folder and ending."""
    return PurePosixPath(path).stem


class GradebookWriter:
    """An open gradebook; a projection that can be made again, so no write waits for the disk."""

    def __init__(self, database: Path, session: str) -> None:
        self._gradebook = Gradebook(f"sqlite:///{database}", course_id=session)

    def __enter__(self) -> GradebookWriter:
        self._gradebook.db.execute(text("PRAGMA synchronous=OFF"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gradebook.close()

    def write_assignment(self, name: str, source: Mapping[str, bytes]) -> None:
        """Add the assignment's notebooks and cells; what attempts at older versions need stays."""
        self._gradebook.update_or_create_assignment(name, course_id=self._gradebook.course_id)
        for path, content in sorted(source.items()):
            if path.endswith(".ipynb"):
                self._write_notebook(name, path, content)

    def _write_notebook(self, assignment: str, path: str, content: bytes) -> None:
        model = make_model(read_source(content))
        notebook = notebook_name(path)
        kernelspec = json.dumps(model.metadata.get("kernelspec", {}))
        self._gradebook.update_or_create_notebook(notebook, assignment, kernelspec=kernelspec)
        for cell in model.cells:
            if get_nbgrader(cell):
                self._write_cell(assignment, notebook, cell)

    def _write_cell(self, assignment: str, notebook: str, cell: Cell) -> None:
        """As nbgrader's SaveCells does, without its refusal to add a cell once there are submissions."""
        book, grade_id = self._gradebook, cell.metadata.nbgrader["grade_id"]
        scored = {"max_score": float(cell.metadata.nbgrader.get("points", 0)), "cell_type": cell.cell_type}
        if utils.is_grade(cell):
            book.update_or_create_grade_cell(grade_id, notebook, assignment, **scored)
        if utils.is_solution(cell):
            book.update_or_create_solution_cell(grade_id, notebook, assignment)
        if utils.is_task(cell):
            book.update_or_create_task_cell(grade_id, notebook, assignment, **scored)
        if utils.is_grade(cell) or utils.is_solution(cell) or utils.is_locked(cell) or utils.is_task(cell):
            book.update_or_create_source_cell(
                grade_id,
                notebook,
                assignment,
                cell_type=cell.cell_type,
                locked=utils.is_locked(cell),
                source=cell.source,
                checksum=cell.metadata.nbgrader.get("checksum"),
            )

    def write_submission(self, attempt: Attempt, timestamp: str) -> None:
        """Replace the learner's submission by this attempt and its marks."""
        book, learner, name = self._gradebook, attempt.learner, attempt.assignment.name
        first_name, _, last_name = learner.display_name.partition(" ")  # formgrader shows « last, first »
        book.update_or_create_student(learner.hub_name, first_name=first_name, last_name=last_name, email=learner.email)
        with suppress(MissingEntry):
            book.remove_submission(name, learner.hub_name)
        with book.db.no_autoflush:  # nbgrader's half-made rows would be flushed by its own queries, with a warning
            book.add_submission(name, learner.hub_name, timestamp=timestamp)
        for cell in attempt.cells.all():
            where = (cell.grade_id, notebook_name(cell.notebook), name, learner.hub_name)
            grade = self._find(book.find_grade, *where)
            if grade is not None:
                grade.auto_score, grade.manual_score = cell.points, cell.manual_points
                grade.needs_manual_grade = cell.waits_for_grader
            comment = self._find(book.find_comment, *where)
            if comment is not None:
                comment.manual_comment = cell.comment or None
        book.db.commit()

    @staticmethod
    def _find(find: Any, *where: str) -> Any:
        """nbgrader's row, or None: a test cell has no comment, a cell of an unknown notebook no grade."""
        try:
            return find(*where)
        except MissingEntry:
            return None
