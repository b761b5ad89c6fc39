"""`pupitre markingworker`: takes tasks from the queue and brings back what dead workers left.

Several may run at once, on one machine or many; each may be killed at any moment. A database lock that outlasts
SQLite's timeout ends the process: whoever starts it (the Hub) starts it again. Between two tasks it waits for the bell
(`graders.doorbell`) instead of looking at the queue all the time.
"""

from __future__ import annotations

import threading
import time
from argparse import ArgumentParser
from types import SimpleNamespace
from typing import Any

from django.utils.crypto import get_random_string
from django_tasks_db.management.commands import db_worker

from graders.doorbell import WORK, Doorbell
from graders.reaper import start_reaper

IDLE_INTERVAL_S = 0.5
"""Between two looks at an empty queue when no bell rings: a delayed task, or one from another machine."""


class Command(db_worker.Command):
    help = "Mark waiting attempts, and bring back those whose worker died."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(
            queue_name="marking,default",
            interval=IDLE_INTERVAL_S,
            startup_delay=False,
            reload=False,
            # The library draws its default once per import: workers forked from one process would share it.
            worker_id=get_random_string(32),
        )

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        reaper = start_reaper(stop)
        try:
            with Doorbell(WORK) as bell:
                # The library's worker sleeps between two looks; it has no other way to be woken.
                setattr(db_worker, "time", SimpleNamespace(**vars(time) | {"sleep": bell.wait}))  # noqa: B010 — not exported
                super().handle(**options)
        finally:
            setattr(db_worker, "time", time)  # noqa: B010
            stop.set()
            reaper.join(timeout=10)
