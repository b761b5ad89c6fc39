"""Place and waiting time of an attempt in the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from graders.models import Attempt
from graders.waitingtime import Place, place_of

pytestmark = pytest.mark.django_db


def _set(attempt: Attempt, **values: Any) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(**values)
    attempt.refresh_from_db()


def _mark(attempt: Attempt, duration_s: float, ago: timedelta = timedelta(seconds=5)) -> None:
    _set(attempt, state="marked", marked_at=timezone.now() - ago, duration_s=duration_s)


def test_places_follow_the_order_of_arrival(alice: Any, submit: Any) -> None:
    first, second = submit(alice), submit(alice)
    assert (place_of(first), place_of(second)) == (Place(1, None), Place(2, None))
    _set(first, state="running", heartbeat_at=timezone.now())
    assert place_of(first) is None
    assert place_of(second) == Place(1, None), "nothing was measured yet"


def test_the_time_comes_from_the_last_markings_and_who_marks_now(alice: Any, submit: Any) -> None:
    for duration_s in (2.0, 4.0, 90.0):
        _mark(submit(alice), duration_s)
    running, waiting = submit(alice), submit(alice)
    last = submit(alice)
    assert place_of(last) == Place(3, None), "nobody marks"
    _set(running, state="running", heartbeat_at=timezone.now())
    assert place_of(waiting) == Place(1, 8)
    assert place_of(last) == Place(2, 12)


def test_a_silent_run_and_old_measures_promise_nothing(alice: Any, submit: Any) -> None:
    measured, running, waiting = submit(alice), submit(alice), submit(alice)
    _mark(measured, 2.0)
    _set(running, state="running", heartbeat_at=timezone.now() - timedelta(minutes=1))
    assert place_of(waiting) == Place(1, None)
    _set(running, heartbeat_at=timezone.now())
    assert place_of(waiting) == Place(1, 4)
    _mark(measured, 2.0, ago=timedelta(hours=1))
    assert place_of(waiting) == Place(1, None)
