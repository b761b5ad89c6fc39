"""What brings back attempts whose worker died: the queue itself leaves the task of a killed worker running for ever.

Laws: any number of reapers may run at once (every change is compare-and-set); a run that is alive is never disturbed;
after `RUNS` runs an attempt fails with a sentence instead of taking workers down one after another.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from graders.marks import announce_mark, send_mark_changed
from graders.models import Attempt, AttemptState
from graders.signals import worker_round
from graders.tasks import enqueue_marking

logger = logging.getLogger(__name__)

STALE_S = 15.0
"""Five heartbeats missed: the worker is dead, or as good as dead."""
RUNS = 3
INTERVAL_S = 3.0
ANNOUNCE_RETRY_S = 60.0
RESULTS_KEPT = timedelta(days=7)


def reap() -> int:
    """Queue again what nobody is marking; return how many attempts were touched."""
    stale = timezone.now() - timedelta(seconds=STALE_S)
    count = 0
    for attempt in Attempt.objects.filter(state=AttemptState.RUNNING, heartbeat_at__lt=stale):
        count += _bring_back(attempt, stale)
    # A waiting attempt is looked at once it is old enough for its worker to have claimed it.
    for attempt in Attempt.objects.filter(state=AttemptState.QUEUED, received_at__lt=stale):
        if not _has_live_task(attempt, stale):
            count += _bring_back(attempt, stale)
    return count


def _has_live_task(attempt: Attempt, stale: datetime) -> bool:
    """Whether a worker will take the attempt, or has just taken its task and is about to claim it."""
    if not attempt.task_id:
        return False
    row = DBTaskResult.objects.filter(pk=attempt.task_id).only("status", "started_at").first()
    if row is None:
        return False
    if row.status == TaskResultStatus.READY:
        return True
    return row.status == TaskResultStatus.RUNNING and row.started_at is not None and row.started_at > stale


def _bring_back(attempt: Attempt, stale: datetime) -> int:
    """Queue one attempt again, or declare it failed after too many runs; 0 if its state has changed meanwhile."""
    given_up = attempt.runs >= RUNS
    with transaction.atomic():
        changed = Attempt.objects.filter(
            pk=attempt.pk,
            state=attempt.state,
            claim=attempt.claim,
            heartbeat_at=attempt.heartbeat_at,
            task_id=attempt.task_id,
        ).update(
            state=AttemptState.FAILED if given_up else AttemptState.QUEUED,
            claim="",
            heartbeat_at=None,
            code="marking-failed" if given_up else "",
            message=(
                _(
                    "La correction de cet essai s’est interrompue %d fois. Votre travail est conservé ; prévenez votre formateur ou envoyez un nouvel essai."
                )
                % attempt.runs
                if given_up
                else ""
            ),
        )
        if not changed:
            return 0
        if given_up:
            announce_mark(attempt)
        else:
            enqueue_marking(attempt)
    if given_up:
        logger.error("attempt %d failed: its worker died %d times", attempt.pk, attempt.runs)
    else:
        logger.warning(
            "attempt %d queued again: was %s, run %d, its worker is gone", attempt.pk, attempt.state, attempt.runs
        )
    return 1


def announce_again() -> int:
    """Tell of marks whose change nobody confirmed hearing: the process died after its commit, or a listener failed."""
    now = timezone.now()
    count = 0
    for attempt in Attempt.objects.filter(announce_after__lt=now).select_related("assignment"):
        later = now + timedelta(seconds=ANNOUNCE_RETRY_S)
        if Attempt.objects.filter(pk=attempt.pk, announce_after=attempt.announce_after).update(announce_after=later):
            attempt.announce_after = later
            send_mark_changed(attempt)
            count += 1
    return count


def forget_old_results() -> None:
    """Drop the queue's records of tasks ended long ago, and of those whose worker was killed."""
    before = timezone.now() - RESULTS_KEPT
    DBTaskResult.objects.filter(started_at__lt=before).delete()


def start_reaper(stop: threading.Event) -> threading.Thread:
    """Reap every few seconds beside the worker's loop, so that a long marking does not hold it up."""

    def loop() -> None:
        rounds = 0
        while not stop.wait(INTERVAL_S):
            try:
                reap()
                announce_again()
                worker_round.send_robust(sender=None)  # an error of a listener is logged by Django
                if rounds % 1200 == 0:
                    forget_old_results()
            except DatabaseError:
                logger.exception("the reaper could not reach the database; it tries again")
            finally:
                connection.close()
            rounds += 1

    thread = threading.Thread(target=loop, name="reaper", daemon=True)
    thread.start()
    return thread
