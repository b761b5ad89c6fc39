"""`…/etat/`: the stream of one learner's attempts, read as a browser reads it."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from graders.doorbell import MARKS, ring
from graders.models import Attempt
from hub.portal.learning.views.state import stream

pytestmark = pytest.mark.django_db(transaction=True)


def read(learner, lifetime_s: float, on_first=None) -> list[tuple[str, dict]]:
    """Every event of the stream; `on_first` runs once the first has come."""

    async def collect():
        events = []
        async for chunk in stream(learner.pk, "essai", "m1", lifetime_s=lifetime_s):
            if chunk.startswith(b":"):
                continue
            name, data = chunk.decode().strip().split("\n")
            events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
            if on_first is not None and len(events) == 1:
                threading.Timer(0.4, on_first).start()
        return events

    return asyncio.run(collect())


def test_the_mark_is_said_soon_and_the_stream_ends(alice, make_attempt):
    attempt = make_attempt(alice, "essai", "m1", {}, state="queued")
    marked_at = []

    def mark():
        from django.db import connection

        Attempt.objects.filter(pk=attempt.pk).update(state="marked")
        marked_at.append(time.monotonic())
        connection.close()

    events = read(alice, 10, mark)
    assert time.monotonic() - marked_at[0] < 2
    assert events == [
        ("attempt", {"number": 1, "state": "queued", "reviews": 0}),
        ("attempt", {"number": 1, "state": "marked", "reviews": 0}),
        ("end", {"reason": "marked"}),
    ]


def test_the_bell_is_what_wakes_the_stream(alice, make_attempt, monkeypatch):
    """With no look at the database of its own, a mark is said as soon as its worker rings."""
    attempt = make_attempt(alice, "essai", "m1", {}, state="queued")
    monkeypatch.setattr("hub.portal.learning.views.state.WAITING_POLL_S", 30.0)

    def mark():
        from django.db import connection

        Attempt.objects.filter(pk=attempt.pk).update(state="marked")
        ring(MARKS, str(alice.pk))
        connection.close()

    began = time.monotonic()
    assert read(alice, 60, mark)[-1] == ("end", {"reason": "marked"})
    assert time.monotonic() - began < 20


def test_nothing_to_wait_for_ends_with_time(alice, essai):
    assert read(alice, 0.1) == [("attempt", {"number": 0, "state": "", "reviews": 0}), ("end", {"reason": "timeout"})]


def test_another_learners_attempt_is_not_said(alice, chevron, make_attempt):
    make_attempt(chevron, "essai", "m1", {}, state="queued")
    assert read(alice, 0.1)[0] == ("attempt", {"number": 0, "state": "", "reviews": 0})
