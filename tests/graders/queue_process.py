"""What the tests of the queue run in processes of their own, on a database file: `python queue_process.py <part> …`.

The worker is the real command; only the engine is replaced, by one that takes its time and writes a line per run.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

CELL = {
    "schema_version": 3,
    "locked": True,
    "task": False,
    "grade": True,
    "solution": False,
    "points": 2,
    "grade_id": "ex-1-1-test",
}
NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": "a",
                "metadata": {"nbgrader": CELL},
                "source": "assert True",
                "outputs": [],
                "execution_count": None,
            }
        ],
    }
).encode()


def make_world() -> None:
    from graders.assignments import publish
    from hub.portal.accounts.models import User
    from hub.portal.catalogue.models import CourseSession
    from hub.portal.catalogue.publish import publish_course
    from hub.portal.learning.models import Enrolment

    call_command("migrate", verbosity=0)
    alice = User.objects.create_user("alice@example.org", None, display_name="Alice", approved_at=timezone.now())
    version = publish_course(Path(__file__).parents[1] / "data" / "courses" / "petit")
    session = CourseSession.objects.create(slug="essai", course_version=version, title="Essai", state="open")
    Enrolment.objects.create(session=session, learner=alice)
    files = {"exercices.ipynb": NOTEBOOK}
    publish(session="essai", name="m1", version="1", title="M1", release=files, source=files)


def send(client_id: UUID) -> int:
    from graders.attempts import receive
    from hub.portal.accounts.models import User

    alice = User.objects.get(email="alice@example.org")
    attempt = receive(
        learner=alice, session="essai", assignment="m1", client_id=client_id, files={"exercices.ipynb": NOTEBOOK}
    )
    return attempt.pk


def send_at_once(count: int) -> None:
    """`count` threads send the same attempt at the same time; print the attempts they got."""
    client_id, start, got, failures = uuid4(), threading.Barrier(count), [], []

    def run() -> None:
        from django.db import connection

        start.wait()
        try:
            got.append(send(client_id))
        except Exception as error:  # noqa: BLE001 - the test shows whatever went wrong
            failures.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"attempts": got, "failures": failures}))


def work(log: Path, seconds: float) -> None:
    """A real worker whose engine sleeps."""
    import graders.marking
    import graders.reaper
    import graders.tasks
    from graders.engine.result import CellMark, Result

    # The same machinery with shorter waits, or the test would last half a minute.
    graders.tasks.HEARTBEAT_S, graders.reaper.STALE_S, graders.reaper.INTERVAL_S = 0.3, 2.0, 0.5

    def mark(*args: Any) -> Result:
        with log.open("a") as file:
            file.write("begun\n")
        time.sleep(seconds)
        with log.open("a") as file:
            file.write("ended\n")
        return Result("marked", cells=[CellMark("ex-1-1-test", "1.1", "auto", 2.0, 2.0, True, "")], notebook=NOTEBOOK)

    graders.marking.mark_submission = mark
    call_command("markingworker", queue_name="marking", verbosity=0)


if __name__ == "__main__":
    part, *rest = sys.argv[1:]
    if part == "world":
        make_world()
    elif part == "send":
        for _attempt in range(int(rest[0])):
            send(uuid4())
    elif part == "send-at-once":
        send_at_once(int(rest[0]))
    else:
        work(Path(rest[0]), float(rest[1]))
