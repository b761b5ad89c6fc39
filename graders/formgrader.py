"""Marks typed in nbgrader's formgrader, coming back to the portal.

Law: a mark that somebody changed in the portal since the formgrader's gradebook was fetched is not overwritten, as far
as the sender says what it saw (`seen`); without it the last writer wins, and the history keeps both.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field

from graders.errors import ReviewRefused
from graders.gradebook import notebook_name
from graders.marks import ManualMark, projected_attempt, set_manual
from graders.models import Attempt, AttemptState, CellMark

logger = logging.getLogger(__name__)


class Seen(BaseModel):
    """What a mark was when the gradebook was fetched."""

    model_config = ConfigDict(extra="forbid")

    points: float | None
    comment: str | None = None


class TypedMark(BaseModel):
    """One cell as formgrader's gradebook holds it."""

    model_config = ConfigDict(extra="forbid")

    learner: str = Field(max_length=64)
    assignment: str = Field(max_length=128)
    notebook: str = Field(max_length=255)
    """nbgrader's name: without folder and ending."""
    cell: str = Field(max_length=255)
    """Its grade_id."""
    points: float | None
    extra_points: float = 0
    comment: str | None = None
    client_id: UUID | None = None
    """Of the attempt that was marked; without it, the attempt that is in the gradebook now."""
    seen: Seen | None = None


@dataclass
class Applied:
    """What became of the marks that came back."""

    saved: int = 0
    unchanged: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)


def apply_marks(*, session: str, grader: Any, marks: Sequence[TypedMark]) -> Applied:
    """Save each attempt's marks; a refused one is told and holds up no other attempt."""
    applied = Applied()
    groups: dict[tuple[str, str, UUID | None], list[TypedMark]] = {}
    for mark in marks:
        groups.setdefault((mark.learner, mark.assignment, mark.client_id), []).append(mark)
    for (learner, assignment, client_id), group in groups.items():
        try:
            attempt = _get_attempt(session, learner, assignment, client_id)
            count = _apply_group(attempt, grader, group)
        except ReviewRefused as refusal:
            logger.warning("formgrader marks refused: %s, %s/%s: %s", session, learner, assignment, refusal.code)
            applied.refused.append(
                {"learner": learner, "assignment": assignment, "code": refusal.code, "message": refusal.message}
            )
        else:
            applied.saved += count
            applied.unchanged += len(group) - count
    return applied


def _get_attempt(session: str, learner: str, assignment: str, client_id: UUID | None) -> Attempt:
    attempts = list(
        Attempt.objects.filter(
            assignment__session=session,
            assignment__name=assignment,
            learner__hub_name=learner,
            state=AttemptState.MARKED,
        ).prefetch_related("cells")
    )
    if client_id is None:
        found = projected_attempt(attempts)
    else:
        found = next((attempt for attempt in attempts if attempt.client_id == client_id), None)
    if found is None:
        raise ReviewRefused("unknown-attempt", _("Cet essai n’existe pas dans la session."))
    return found


def _apply_group(attempt: Attempt, grader: Any, group: Sequence[TypedMark]) -> int:
    cells = {(notebook_name(cell.notebook), cell.grade_id): cell for cell in attempt.cells.all()}
    wanted = []
    for mark in group:
        cell = cells.get((mark.notebook, mark.cell))
        if cell is None:
            raise ReviewRefused("unknown-cell", _("Cet essai n’a pas de cellule « %s ».") % mark.cell[:80])
        if mark.extra_points:
            raise ReviewRefused(
                "extra-points", _("Le portail ne connaît pas les points supplémentaires : comptez-les dans les points.")
            )
        if _must_write(mark, cell):
            wanted.append(ManualMark(cell.notebook, cell.grade_id, mark.points, mark.comment or ""))
    if wanted:
        set_manual(attempt=attempt, grader=grader, marks=wanted, seen_review=attempt.review_number, origin="formgrader")
    return len(wanted)


def _must_write(mark: TypedMark, cell: CellMark) -> bool:
    """Whether the portal's mark differs; ReviewRefused if it is not the one the grader saw either."""
    now = (cell.manual_points, cell.comment)
    if now == (mark.points, mark.comment or ""):
        return False
    if mark.seen is not None and now != (mark.seen.points, mark.seen.comment or ""):
        raise ReviewRefused(
            "review-conflict",
            _("La note de l’exercice %s a changé dans le portail entre-temps : rechargez le carnet de notes.")
            % (cell.exercise or cell.grade_id),
        )
    return True
