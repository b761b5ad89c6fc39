"""One attempt through the engine, and its marks into the database.

Laws: the engine gets bytes and gives a `Result`; marks, carried reviews and the new state are one transaction,
made only by the run whose claim the attempt still carries.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from graders.blobs import assignment_blobs, submission_blobs
from graders.doorbell import MARKS, ring
from graders.engine.mark import mark_submission
from graders.engine.notebook import get_nbgrader
from graders.engine.result import MarkingLimits
from graders.errors import SubmissionRefused
from graders.feedback import store_feedback
from graders.marks import announce_mark
from graders.models import Attempt, AttemptState, CellMark, Review
from graders.submitted import load_cells, match_notebooks

logger = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What one run found, over all the notebooks of the assignment."""

    state: str
    code: str = ""
    message: str = ""
    cells: list[CellMark] = field(default_factory=list)
    executed: dict[str, bytes] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    duration_s: float = 0.0


def mark_files(attempt: Attempt, forkd: Path) -> Outcome:
    """Run the engine over each notebook of the attempt's version. A notebook that was not sent earns nothing."""
    files = submission_blobs().get_all(attempt.content)
    source = assignment_blobs().get_all(attempt.version.source)
    try:
        matched = match_notebooks(attempt.version, files)
    except SubmissionRefused as refusal:
        return Outcome("refused", refusal.code, refusal.message)
    outcome = Outcome(AttemptState.MARKED)
    beside = _files_beside(attempt, source, files)
    for notebook in [path for path in source if path.endswith(".ipynb")]:
        if notebook not in matched:
            outcome.cells += _absent_cells(attempt, notebook, len(outcome.cells))
            continue
        answer = files[matched[notebook]]
        result = mark_submission(source[notebook], answer, MarkingLimits(), forkd, beside)
        outcome.duration_s += result.duration_s
        outcome.repairs += result.repairs
        if result.state != "marked":
            return Outcome("refused", result.code, result.message, duration_s=outcome.duration_s)
        outcome.executed[notebook] = result.notebook
        answers = _answer_digests(answer)
        outcome.cells += [
            _cell_mark(attempt, notebook, cell, position, answers)
            for position, cell in enumerate(result.cells, start=len(outcome.cells))
        ]
        if result.message:
            outcome.code, outcome.message = result.code, result.message
    return outcome


def _files_beside(attempt: Attempt, source: dict[str, bytes], files: dict[str, bytes]) -> dict[str, bytes]:
    """What the notebook may read: the learner's own files, then ours, so that a forged data set changes no mark."""
    release = attempt.version.release.items()
    released = assignment_blobs().get_all({path: sha for path, sha in release if not path.endswith(".ipynb")})
    beside = {path: content for path, content in files.items() if not path.endswith(".ipynb")} | released
    return beside | {path: content for path, content in source.items() if not path.endswith(".ipynb")}


def _cell_mark(attempt: Attempt, notebook: str, cell: Any, position: int, answers: dict[str, str]) -> CellMark:
    return CellMark(
        attempt=attempt,
        notebook=notebook,
        grade_id=cell.grade_id,
        position=position,
        exercise=cell.exercise,
        kind=cell.kind,
        points=cell.points,
        max_points=cell.max_points,
        passed=bool(cell.passed),
        message=cell.message,
        code=cell.code,
        hidden=cell.hidden,
        answer_sha256=answers.get(cell.grade_id, "") if cell.kind == "manual" else "",
    )


def _absent_cells(attempt: Attempt, notebook: str, start: int) -> list[CellMark]:
    """Zero for each cell of a notebook that was not sent."""
    specs = [spec for spec in attempt.version.cells if spec["notebook"] == notebook]
    return [
        CellMark(
            attempt=attempt,
            notebook=notebook,
            grade_id=spec["grade_id"],
            position=position,
            exercise=spec["exercise"],
            kind=spec["kind"],
            points=0.0,
            max_points=spec["max_points"],
            message=_("Le carnet « %s » n’a pas été envoyé.") % notebook,
        )
        for position, spec in enumerate(specs, start=start)
    ]


def _answer_digests(content: bytes) -> dict[str, str]:
    """`grade_id` → sha256 of the cell's text."""
    return {
        str(get_nbgrader(cell).get("grade_id")): hashlib.sha256(cell.source.encode()).hexdigest()
        for cell in load_cells(content)
        if get_nbgrader(cell)
    }


def _carry_reviews(attempt: Attempt, cells: list[CellMark]) -> None:
    """An answer that a grader has already marked, sent again unchanged, keeps its points and comment."""
    changes = []
    for cell in cells:
        if not (cell.waits_for_grader and cell.answer_sha256):
            continue
        before = (
            CellMark.objects.filter(
                attempt__assignment=attempt.assignment_id,
                attempt__learner=attempt.learner_id,
                notebook=cell.notebook,
                grade_id=cell.grade_id,
                answer_sha256=cell.answer_sha256,
                max_points=cell.max_points,
                manual_points__isnull=False,
            )
            .order_by("-attempt__number")
            .first()
        )
        if before is not None:
            cell.manual_points, cell.comment = before.manual_points, before.comment
            changes.append(
                {
                    "notebook": cell.notebook,
                    "grade_id": cell.grade_id,
                    "points": [None, cell.manual_points],
                    "comment": ["", cell.comment],
                }
            )
    if changes:
        attempt.review_number += 1
        Review.objects.create(
            attempt=attempt, grader=None, number=attempt.review_number, origin="carried", changes=changes
        )


def store_outcome(attempt_id: int, claim: str, outcome: Outcome) -> bool:
    """Write marks and the new state; false, and nothing written, if the attempt is no longer this run's."""
    executed = submission_blobs().put_all(outcome.executed)
    with transaction.atomic():
        attempt = (
            Attempt.objects.select_for_update(of=("self",))
            .select_related("assignment__current", "version")
            .filter(pk=attempt_id, state=AttemptState.RUNNING, claim=claim)
            .first()
        )
        if attempt is None:
            return False
        attempt.cells.all().delete()
        _carry_reviews(attempt, outcome.cells)
        CellMark.objects.bulk_create(outcome.cells)
        attempt.state = outcome.state
        attempt.code, attempt.message = outcome.code, outcome.message
        attempt.executed, attempt.repairs = executed, outcome.repairs
        if outcome.state == AttemptState.MARKED:
            attempt.feedback = store_feedback(attempt, outcome.cells)
        attempt.duration_s, attempt.marked_at = outcome.duration_s, timezone.now()
        attempt.claim, attempt.heartbeat_at = "", None
        attempt.save()
        transaction.on_commit(lambda: ring(MARKS, str(attempt.learner_id)))
        announce_mark(attempt)
    logger.info(
        "attempt %d %s in %.2f s (%s, %d repairs%s)",
        attempt_id,
        outcome.state,
        outcome.duration_s,
        outcome.code or "ok",
        len(outcome.repairs),
        "".join(f", {cell.grade_id}: {cell.code}" for cell in outcome.cells if cell.code),
    )
    return True
