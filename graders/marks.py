"""The mark of a learner, and the one function through which a grader's marks are written.

The rule (docs/reference/behaviour-submission.md): the attempt with the most points counts, the later one if equal;
manual points not given yet count zero, so a new attempt never lowers a mark. Only a learner's last marked attempt can
wait for a grader.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from graders.errors import ReviewRefused
from graders.feedback import store_feedback
from graders.models import Attempt, AttemptState, CellMark, Review
from graders.signals import mark_changed

logger = logging.getLogger(__name__)

COMMENT_CHARACTERS = 4000
ANNOUNCE_S = 15.0
"""After this long without having been heard, a change of mark is told again."""


@dataclass(frozen=True)
class Mark:
    """What a learner has for one assignment."""

    points: float
    max_points: float
    auto_points: float
    auto_max: float
    waits_for_grader: bool
    attempt_number: int
    """Of the attempt that counts."""
    reviewed: bool
    """A grader has given points to a cell of one of the attempts. Cells left as released get 0 without a grader."""


@dataclass(frozen=True)
class ManualMark:
    """One cell as a grader marks it; None points: not marked (yet, or any more)."""

    notebook: str
    grade_id: str
    points: float | None
    comment: str


def attempt_that_counts(attempts: Iterable[Attempt]) -> Attempt | None:
    """Among one learner's attempts at one assignment, the one whose points count."""
    marked = [attempt for attempt in attempts if attempt.state == AttemptState.MARKED]
    return max(marked, key=lambda attempt: (attempt.points or 0.0, attempt.number), default=None)


def attempt_to_review(attempts: Iterable[Attempt]) -> Attempt | None:
    """Among one learner's attempts at one assignment, the one a grader is awaited for."""
    marked = [attempt for attempt in attempts if attempt.state == AttemptState.MARKED]
    last = max(marked, key=lambda attempt: attempt.number, default=None)
    return last if last is not None and last.waits_for_grader else None


def projected_attempt(attempts: Iterable[Attempt]) -> Attempt | None:
    """The one that nbgrader's gradebook shows for a learner and assignment: it has room for one."""
    attempts = list(attempts)
    return attempt_to_review(attempts) or attempt_that_counts(attempts)


def _mark(attempts: Sequence[Attempt]) -> Mark | None:
    attempt = attempt_that_counts(attempts)
    if attempt is None:
        return None
    cells = list(attempt.cells.all())
    auto = [cell for cell in cells if cell.kind == "auto"]
    return Mark(
        points=sum(cell.given_points for cell in cells),
        max_points=attempt.version.max_points,
        auto_points=sum(cell.given_points for cell in auto),
        auto_max=sum(cell.max_points for cell in auto),
        waits_for_grader=attempt_to_review(attempts) is not None,
        attempt_number=attempt.number,
        reviewed=any(cell.manual_points is not None for each in attempts for cell in each.cells.all()),
    )


def marks_of(learner: Any, session: str) -> dict[str, Mark]:
    """Marks of a learner in a session, by assignment name; an assignment without a marked attempt is absent."""
    attempts: dict[str, list[Attempt]] = {}
    rows = (
        Attempt.objects.filter(learner=learner, assignment__session=session, state=AttemptState.MARKED)
        .select_related("assignment", "version")
        .prefetch_related("cells")
    )
    for attempt in rows:
        attempts.setdefault(attempt.assignment.name, []).append(attempt)
    marks = {name: _mark(group) for name, group in attempts.items()}
    return {name: mark for name, mark in marks.items() if mark is not None}


def announce_mark(attempt: Attempt) -> None:
    """Tell the other apps that a mark may have changed; to be called in the transaction that changes it.

    Told once the transaction is committed; `announce_after` is part of it, so that a process that dies before, or a
    listener that fails, only delays the news.
    """
    attempt.announce_after = timezone.now() + timedelta(seconds=ANNOUNCE_S)
    Attempt.objects.filter(pk=attempt.pk).update(announce_after=attempt.announce_after)
    transaction.on_commit(partial(send_mark_changed, attempt))


def send_mark_changed(attempt: Attempt) -> None:
    """Send the signal, and note that it was heard."""
    answers = mark_changed.send_robust(
        sender=Attempt,
        learner_id=attempt.learner_id,
        session=attempt.assignment.session,
        assignment=attempt.assignment.name,
    )
    if not any(isinstance(answer, Exception) for _receiver, answer in answers):  # Django has logged them
        Attempt.objects.filter(pk=attempt.pk, announce_after=attempt.announce_after).update(announce_after=None)


def _check_manual_mark(mark: ManualMark, cell: CellMark) -> None:
    """Raise ReviewRefused unless the mark fits its cell."""
    if len(mark.comment) > COMMENT_CHARACTERS:
        raise ReviewRefused(
            "comment-too-long", _("Le commentaire dépasse %(n)d caractères.") % {"n": COMMENT_CHARACTERS}
        )
    if mark.points is None:
        return
    if not (math.isfinite(mark.points) and 0 <= mark.points <= cell.max_points):
        raise ReviewRefused(
            "points-out-of-range",
            _("Exercice %(exercise)s : les points vont de 0 à %(max)g.")
            % {"exercise": cell.exercise or cell.grade_id, "max": cell.max_points},
        )


def set_manual(
    *,
    attempt: Attempt,
    grader: Any,
    marks: Sequence[ManualMark],
    seen_review: int | None,
    origin: str = "portal",
) -> Review | None:
    """Write a grader's marks; all of them or none. Returns None if they change nothing.

    `seen_review` is the attempt's `review_number` the grader was looking at; None where the caller has compared the marks itself.

    Raises
    ------
    ReviewRefused
        Somebody else saved a review in between, points are out of range, or a cell is unknown.
    """
    with transaction.atomic():
        # of=self: PostgreSQL refuses to lock what an outer join brings.
        attempt = (
            Attempt.objects.select_for_update(of=("self",))
            .select_related("assignment__current", "version")
            .get(pk=attempt.pk)
        )
        if attempt.state != AttemptState.MARKED:
            raise ReviewRefused("not-marked", _("Cet essai n’est pas encore corrigé : rien à relire pour l’instant."))
        if seen_review is not None and seen_review != attempt.review_number:
            logger.info("review of attempt %s refused: saw %s, is %s", attempt.pk, seen_review, attempt.review_number)
            raise ReviewRefused(
                "review-conflict",
                _(
                    "Une autre personne a enregistré une relecture de cet essai entre-temps. Vérifiez ses notes, puis enregistrez à nouveau si besoin."
                ),
            )
        cells = {(cell.notebook, cell.grade_id): cell for cell in attempt.cells.all()}
        changes: list[dict[str, Any]] = []
        for mark in marks:
            cell = cells.get((mark.notebook, mark.grade_id))
            if cell is None:
                raise ReviewRefused("unknown-cell", _("Cet essai n’a pas de cellule « %s ».") % mark.grade_id)
            _check_manual_mark(mark, cell)
            if (cell.manual_points, cell.comment) == (mark.points, mark.comment):
                continue
            changes.append(
                {
                    "notebook": cell.notebook,
                    "grade_id": cell.grade_id,
                    "points": [cell.manual_points, mark.points],
                    "comment": [cell.comment, mark.comment],
                }
            )
            cell.manual_points, cell.comment = mark.points, mark.comment
            cell.save(update_fields=["manual_points", "comment"])
        if not changes:
            return None
        attempt.review_number += 1
        attempt.feedback = store_feedback(attempt, cells.values())
        attempt.save(update_fields=["review_number", "feedback"])
        review = Review.objects.create(
            attempt=attempt, grader=grader, number=attempt.review_number, origin=origin, changes=changes
        )
        announce_mark(attempt)
    return review
