"""Attempts and their feedback as a learner reads them: per exercise, without a word about what hidden tests hold.

Reads `graders.models` and nothing else; every message was written for the learner by the graders.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from graders.marks import attempt_that_counts
from graders.models import Attempt, AttemptState, CellMark
from graders.waitingtime import Place, place_of
from hub.portal.catalogue.presentation import render_points

PENDING_STATES = (AttemptState.QUEUED, AttemptState.RUNNING)


@dataclass
class ExerciseFeedback:
    """What is said about one exercise of one attempt."""

    exercise: str
    points: float = 0.0
    max_points: float = 0.0
    passed: bool = True
    waits_for_grader: bool = False
    reviewed: bool = False
    """A grader has given it points."""
    messages: list[tuple[str, str]] = field(default_factory=list)
    """(message, diagnostic code or "")"""
    comments: list[str] = field(default_factory=list)

    def add(self, cell: CellMark) -> None:
        self.points += cell.given_points
        self.max_points += cell.max_points
        if cell.waits_for_grader:
            self.waits_for_grader = True
        elif cell.kind == "auto" and not cell.passed:
            self.passed = False
        if cell.kind == "manual" and cell.manual_points is not None:
            self.reviewed = True  # its message says that it will be read
        elif cell.message and (cell.message, cell.code) not in self.messages:
            self.messages.append((cell.message, cell.code))
        if cell.comment:
            self.comments.append(cell.comment)


@dataclass(frozen=True)
class AttemptsOfModule:
    """Every attempt of one person at one module, the last one first."""

    attempts: Sequence[Attempt]
    counting: Attempt | None
    """The attempt whose points count; None: nothing is marked yet."""
    shown: Attempt | None
    """The attempt whose feedback is read."""
    exercises: Sequence[ExerciseFeedback]
    place: Place | None = None
    """Of the last attempt in the queue; None: it is not waiting to be taken."""

    @property
    def latest(self) -> Attempt | None:
        return self.attempts[0] if self.attempts else None

    @property
    def state_key(self) -> str:
        """What the page's script compares with the stream of views/state.py."""
        last = self.latest
        return f"{last.number}/{last.state}/{last.review_number}" if last else "0//0"

    @property
    def announcement(self) -> str:
        """One sentence for screen readers when the fragment is fetched again."""
        last = self.latest
        if last is None:
            return ""
        if last.points is None:
            return _("Essai %(number)d : %(state)s.") % {"number": last.number, "state": last.get_state_display()}
        if not last.max_points:
            return _("Essai %(number)d corrigé.") % {"number": last.number}
        return _("Essai %(number)d corrigé : %(points)s points sur %(total)s.") % {
            "number": last.number,
            "points": render_points(last.points),
            "total": render_points(last.max_points),
        }

    @property
    def is_pending(self) -> bool:
        return any(attempt.state in PENDING_STATES for attempt in self.attempts)


def load_attempts(learner: Any, session: str, module: str, number: int | None = None) -> AttemptsOfModule:
    """The attempts with the feedback of `number`, or of the last one: three queries, and three while the last one waits."""
    attempts = list(
        Attempt.objects.filter(learner=learner, assignment__session=session, assignment__name=module)
        .select_related("version", "assignment")
        .prefetch_related("cells")
        .order_by("-number")
    )
    shown = next((attempt for attempt in attempts if attempt.number == number), attempts[0] if attempts else None)
    return AttemptsOfModule(
        attempts=attempts,
        counting=attempt_that_counts(attempts),
        shown=shown,
        exercises=group_by_exercise(shown.cells.all()) if shown and shown.state == AttemptState.MARKED else [],
        place=place_of(attempts[0]) if attempts else None,
    )


def group_by_exercise(cells: Iterable[CellMark]) -> list[ExerciseFeedback]:
    groups: dict[str, ExerciseFeedback] = {}
    for cell in cells:
        name = cell.exercise or _("Autre")
        groups.setdefault(name, ExerciseFeedback(name)).add(cell)
    return list(groups.values())
