"""How long an attempt will wait to be marked: its place, and a time taken from what marking lately took.

Laws: no figure without a measure behind it: until an attempt was marked lately, and unless somebody is marking now, the time
is unknown. The queue takes attempts in the order they came (`graders.tasks`); one that the reaper put back may pass later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from statistics import median

from django.utils import timezone

from graders.models import Attempt, AttemptState
from graders.reaper import STALE_S

MEASURED = 20
"""Last marked attempts whose durations are looked at."""
LATELY = timedelta(minutes=30)


@dataclass(frozen=True)
class Place:
    """Where an attempt stands among those that wait; `wait_s` is in seconds, None if nothing measured can tell."""

    position: int
    """1: the next to be taken."""
    wait_s: int | None


def place_of(attempt: Attempt) -> Place | None:
    """The place of an attempt that waits; None once it is taken or done. Three short queries."""
    if attempt.state != AttemptState.QUEUED:
        return None
    position = Attempt.objects.filter(state=AttemptState.QUEUED, pk__lt=attempt.pk).count() + 1
    now = timezone.now()
    running = Attempt.objects.filter(
        state=AttemptState.RUNNING, heartbeat_at__gt=now - timedelta(seconds=STALE_S)
    ).count()
    durations: list[float] = [
        duration_s
        for duration_s in Attempt.objects.filter(state=AttemptState.MARKED, marked_at__gt=now - LATELY)
        .order_by("-marked_at")
        .values_list("duration_s", flat=True)[:MEASURED]
        if duration_s is not None
    ]
    if not running or not durations:
        return Place(position, None)
    return Place(position, ceil((position / running + 1) * median(durations)))
