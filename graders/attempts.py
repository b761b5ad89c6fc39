"""Receiving attempts: checked, on the disk, in the database with its task, and only then answered.

Laws: a refusal is a French sentence with a stable code and a line in the log, and leaves everything as it was;
the same `client_id` from the same learner is the same attempt, however often and however concurrently it comes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from graders.assignments import find_assignment
from graders.blobs import submission_blobs
from graders.errors import SubmissionRefused
from graders.models import Assignment, AssignmentVersion, Attempt, AttemptState
from graders.submitted import check_files, match_notebooks
from graders.tasks import enqueue_marking

__all__ = ["SubmissionRefused", "receive"]

logger = logging.getLogger(__name__)

WAITING_ATTEMPTS = 10
"""Of one learner at one assignment: more at once only fills the queue for everybody else."""


def _find_attempt(learner: Any, session: str, assignment: str, client_id: UUID) -> Attempt | None:
    return Attempt.objects.filter(
        learner=learner, assignment__session=session, assignment__name=assignment, client_id=client_id
    ).first()


def _check(learner: Any, session: str, name: str, files: Mapping[str, bytes]) -> AssignmentVersion:
    """Raise SubmissionRefused unless the learner may submit these files; return what they answer."""
    if not learner.has_perm("learning.study_session", session):
        raise SubmissionRefused(
            "not-enrolled",
            _("Vous n’êtes pas inscrit à cette session, ou elle est fermée : votre travail n’a pas été envoyé."),
        )
    assignment = find_assignment(session, name)
    if assignment is None or assignment.current is None:
        raise SubmissionRefused(
            "unknown-assignment", _("Cette session n’a pas de carnet d’exercices « %s ».") % name[:128]
        )
    check_files(files)
    match_notebooks(assignment.current, files)
    waiting = assignment.attempts.filter(learner=learner, state__in=[AttemptState.QUEUED, AttemptState.RUNNING])
    if waiting.count() >= WAITING_ATTEMPTS:
        raise SubmissionRefused(
            "too-many-waiting",
            _("%d de vos essais attendent déjà leur correction : patientez avant d’en envoyer un autre.")
            % WAITING_ATTEMPTS,
        )
    return assignment.current


def receive(*, learner: Any, session: str, assignment: str, client_id: UUID, files: Mapping[str, bytes]) -> Attempt:
    """Keep a submission and queue its marking.

    Parameters
    ----------
    files
        Relative path → bytes.

    Raises
    ------
    SubmissionRefused
        The learner may not submit here, or what was sent is not an answer to this assignment. Nothing is kept.
    """
    known = _find_attempt(learner, session, assignment, client_id)
    if known is not None:
        return known
    try:
        version = _check(learner, session, assignment, files)
    except SubmissionRefused as refusal:
        logger.warning(
            "submission refused: learner %s, %s/%s, %s: %s",
            learner.pk,
            session,
            assignment,
            refusal.code,
            refusal.message,
        )
        raise
    content = submission_blobs().put_all(files)
    with transaction.atomic():
        # The lock orders the learners' numbers on PostgreSQL; SQLite's transactions are already one at a time.
        row = Assignment.objects.select_for_update().get(pk=version.assignment_id)
        known = _find_attempt(learner, session, assignment, client_id)
        if known is not None:
            return known
        last = row.attempts.filter(learner=learner).aggregate(last=Max("number"))["last"] or 0
        attempt = Attempt.objects.create(
            assignment=row,
            version=version,
            learner=learner,
            number=last + 1,
            client_id=client_id,
            content=content,
        )
        enqueue_marking(attempt)  # the queue is in the same database: the attempt and its task are committed together
    logger.info("attempt %s received: learner %s, %s/%s n° %d", attempt.pk, learner.pk, session, assignment, last + 1)
    return attempt
