"""The feedback page of each notebook of an attempt, as nbgrader's `fetch_feedback` brings it.

Made again with each change of a mark, so that it says what the portal says; a page that a trainer released by nbgrader's
`release_feedback` stands until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from graders.blobs import Manifest, submission_blobs
from graders.engine.feedback import render_feedback
from graders.engine.result import CellMark as EngineMark
from graders.engine.result import Result
from graders.models import Attempt, CellMark
from graders.submitted import match_notebooks


def store_feedback(attempt: Attempt, cells: Iterable[CellMark]) -> Manifest:
    """Render and store the pages of a marked attempt; the caller saves the manifest with the attempt."""
    files = submission_blobs().get_all(attempt.content)
    cells = list(cells)
    pages = {}
    for notebook, path in match_notebooks(attempt.version, files).items():
        result = Result(
            "marked",
            code=attempt.code,
            message=attempt.message,
            cells=[_as_engine_mark(cell) for cell in cells if cell.notebook == notebook],
            repairs=attempt.repairs,
        )
        page = render_feedback(result, files[path], attempt.assignment.title)
        pages[f"{PurePosixPath(notebook).stem}.html"] = page
    return submission_blobs().put_all(pages)


def _as_engine_mark(cell: CellMark) -> EngineMark:
    return EngineMark(
        grade_id=cell.grade_id,
        exercise=cell.exercise,
        kind="manual" if cell.kind == "manual" else "auto",
        points=None if cell.waits_for_grader else cell.given_points,
        max_points=cell.max_points,
        passed=cell.passed,
        message="\n".join(filter(None, [cell.message, cell.comment])),
        code=cell.code,
        hidden=cell.hidden,
    )
