"""The queue's tasks: marking one attempt, and refreshing a session's gradebook.

Laws: a run claims its attempt and may store marks only while the claim is its own, so an attempt is marked once whatever
dies or comes back late; everything here may be killed at any moment (`graders.reaper` queues it again).
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django_tasks import task

from graders.doorbell import MARKS, WORK, ring
from graders.errors import SandboxUnavailable
from graders.marking import Outcome, mark_files, store_outcome
from graders.models import Attempt, AttemptState

logger = logging.getLogger(__name__)

HEARTBEAT_S = 3.0
RUN_S = 900.0
"""A run that lasts longer is hung: its heartbeat stops and the reaper takes over."""
RETRY_S = 5.0
PROJECTION_RETRY_S = 0.5
MARKING_PRIORITY = 10
"""Before everything of the queue "default": a learner is waiting."""


@task(queue_name="marking", priority=MARKING_PRIORITY)
def mark_attempt(attempt_id: int) -> str:
    """Mark one attempt if it still waits; the returned word is for the queue's table."""
    claim = secrets.token_hex(16)
    if not claim_attempt(attempt_id, claim):
        return "skipped"
    attempt = Attempt.objects.select_related("assignment", "version").get(pk=attempt_id)
    ring(MARKS, str(attempt.learner_id))
    try:
        with heartbeat(attempt_id, claim):
            outcome: Outcome = mark_files(attempt, settings.ENVIRONMENT.run_dir / "forkd.sock")
    except SandboxUnavailable as error:
        logger.error("attempt %d waits: the sandbox is not available: %s", attempt_id, error)
        release_attempt(attempt_id, claim)
        return "retried"
    if not store_outcome(attempt_id, claim, outcome):
        logger.warning("attempt %d: marks of run %s came too late and were dropped", attempt_id, claim)
        return "superseded"
    return outcome.state


def enqueue_marking(attempt: Attempt, delay_s: float = 0.0) -> None:
    """Queue the marking; to be called in the transaction that makes the attempt wait."""
    run_after = timezone.now() + timedelta(seconds=delay_s) if delay_s else None
    result = mark_attempt.using(run_after=run_after).enqueue(attempt.pk)
    attempt.task_id = str(result.id)
    Attempt.objects.filter(pk=attempt.pk).update(task_id=attempt.task_id)
    transaction.on_commit(lambda: ring(WORK))


def claim_attempt(attempt_id: int, claim: str) -> bool:
    """Take a waiting attempt; false if another run has it or it no longer waits."""
    taken = Attempt.objects.filter(pk=attempt_id, state=AttemptState.QUEUED).update(
        state=AttemptState.RUNNING, claim=claim, heartbeat_at=timezone.now(), runs=F("runs") + 1
    )
    return taken == 1


def release_attempt(attempt_id: int, claim: str) -> None:
    """Give a claimed attempt back to the queue: the run could not even begin, so it does not count."""
    with transaction.atomic():
        freed = Attempt.objects.filter(pk=attempt_id, state=AttemptState.RUNNING, claim=claim).update(
            state=AttemptState.QUEUED, claim="", heartbeat_at=None, runs=F("runs") - 1
        )
        if freed:
            enqueue_marking(Attempt.objects.get(pk=attempt_id), delay_s=RETRY_S)


@contextmanager
def heartbeat(attempt_id: int, claim: str) -> Iterator[None]:
    """While the body runs, say every few seconds that the run is alive."""
    done = threading.Event()

    def beat() -> None:
        try:
            for _beat in range(int(RUN_S / HEARTBEAT_S)):
                if done.wait(HEARTBEAT_S):
                    return
                mine = Attempt.objects.filter(pk=attempt_id, state=AttemptState.RUNNING, claim=claim)
                if not mine.update(heartbeat_at=timezone.now()):
                    return  # another run has it: storing will be refused
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{attempt_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@task(queue_name="default")
def project_learner(session: str, assignment: str, learner_id: int) -> None:
    """Bring one learner's mark into the session's nbgrader gradebook."""
    from graders import projection  # nbgrader's tables are not needed to mark

    try:
        projection.project_learner(session, assignment, learner_id)
    except projection.ProjectionBusyError:
        later = timezone.now() + timedelta(seconds=PROJECTION_RETRY_S)
        project_learner.using(run_after=later).enqueue(session, assignment, learner_id)


@task(queue_name="default")
def project_assignment(session: str, assignment: str) -> None:
    """Bring a released assignment into the session's nbgrader gradebook."""
    from graders import projection

    try:
        projection.project_assignment(session, assignment)
    except projection.ProjectionBusyError:
        later = timezone.now() + timedelta(seconds=PROJECTION_RETRY_S)
        project_assignment.using(run_after=later).enqueue(session, assignment)
