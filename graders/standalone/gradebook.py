"""One connection to a gradebook for a whole command.

nbgrader opens a gradebook for each step of each notebook; opening one costs more than all the step does. Its converters and
preprocessors ask here instead, and its marks of one notebook are written in one transaction: all of them, or none.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy import event

# Where nbgrader's own code looks up the name.
_USERS = (
    "nbgrader.converters.autograde",
    "nbgrader.preprocessors.overwritecells",
    "nbgrader.preprocessors.overwritekernelspec",
    "nbgrader.preprocessors.saveautogrades",
    "nbgrader.preprocessors.latesubmissions",
)
_BUSY_MS = 60_000


class KeptGradebook(Gradebook):
    """A gradebook that `with` does not close."""

    _is_held = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sources: dict[tuple[str, str], dict[str, Any]] = {}
        self._saved: dict[tuple[str, ...], Any] = {}

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> Any:
        """As nbgrader's, from one reading of all cells: what was released does not change while a command marks."""
        if (notebook, assignment) not in self._sources:
            cells = self.find_notebook(notebook, assignment).source_cells
            self._sources[notebook, assignment] = {cell.name: _copy_cell(cell) for cell in cells}
        found = self._sources[notebook, assignment].get(name)
        return found if found is not None else super().find_source_cell(name, notebook, assignment)

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Any:
        found = self._saved.get(("grade", grade_cell, notebook, assignment, student))
        return found if found is not None else super().find_grade(grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Any:
        found = self._saved.get(("comment", solution_cell, notebook, assignment, student))
        return found if found is not None else super().find_comment(solution_cell, notebook, assignment, student)

    def expect(self, notebook: str, assignment: str, student: str) -> None:
        """Read all grades and comments of a submitted notebook at once, for the transaction that follows."""
        submitted = self.find_submission_notebook(notebook, assignment, student)
        for kind, rows in (("grade", submitted.grades), ("comment", submitted.comments)):
            self._saved |= {(kind, row.name, notebook, assignment, student): row for row in rows}

    def __exit__(self, *_: Any) -> None:
        """Kept open; what was not committed is not there. With nothing to forget, what was read is not read again."""
        if not self._is_held and (self.db.new or self.db.dirty or self.db.deleted):
            self.db.rollback()

    @contextlib.contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Whatever is committed inside is written at the end, together; nothing of it if something is raised."""
        commit, self.db.commit, self._is_held = self.db.commit, self.db.flush, True
        try:
            yield
        except BaseException:
            self.db.rollback()
            raise
        finally:
            self.db.commit, self._is_held = commit, False
            self._saved.clear()
        self.db.commit()


_kept: dict[tuple[str, str], KeptGradebook] = {}


def get_gradebook(db_url: str, course_id: str | None = "", *_: Any, **__: Any) -> KeptGradebook:
    """The gradebook of this process; nbgrader's preprocessors do not name the course, which exists by then."""
    for (url, course), gradebook in _kept.items():
        if url == db_url and course_id in ("", course):
            return gradebook
    gradebook = KeptGradebook(db_url, course_id or "")
    if db_url.startswith("sqlite"):
        event.listen(gradebook.engine, "connect", _wait_for_others)
        gradebook.engine.dispose()
    _kept[db_url, course_id or ""] = gradebook
    return gradebook


def _copy_cell(cell: Any) -> Any:
    return SimpleNamespace(
        name=cell.name, cell_type=cell.cell_type, locked=cell.locked, checksum=cell.checksum, source=cell.source
    )


def keep_gradebooks() -> None:
    """From now on, in this process, nbgrader's steps share one connection."""
    for name in _USERS:
        importlib.import_module(name).Gradebook = get_gradebook  # type: ignore[attr-defined]


def _wait_for_others(connection: Any, _record: Any) -> None:
    """Several submissions are marked at once, and SQLite has one writer at a time."""
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
