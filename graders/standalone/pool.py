"""Several submissions at once, each marked in one of a few worker processes.

A worker that dies takes one submission with it: that one is an error of the summary, the others go on in new workers.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["marked", "skipped", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one submission."""

    student: str
    state: State
    message: str = ""
    repairs: dict[str, list[str]] = field(default_factory=dict)
    """Notebook → what was put back in place."""
    stops: dict[str, str] = field(default_factory=dict)
    """Notebook → code of what ended its run before its last cell."""
    duration_s: float = 0.0


@dataclass(frozen=True)
class Job:
    """What every worker needs. `app` is nbgrader's, with the course's configuration; workers inherit it."""

    app: Any
    assignment: str
    notebook: str
    force: bool
    forkd: Path


_job: Job | None = None


def mark_all(job: Job, students: Sequence[str], jobs: int) -> Iterator[Outcome]:
    """Mark the submissions of `students`, `jobs` at once; outcomes come as they are ready."""
    global _job
    _job = job  # read by the workers, which are forks of this process
    left = list(students)
    while left:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
            futures: dict[Future[Outcome], str] = {pool.submit(_mark, student): student for student in left}
            broken = False
            for future in as_completed(futures):
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    broken = True
                    continue
                left.remove(outcome.student)
                yield outcome
        if broken and jobs > 1:
            jobs = 1  # to know which one it is
        elif broken:
            yield Outcome(left.pop(0), "failed", "le processus de correction a été tué")


def _mark(student: str) -> Outcome:
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    from graders.standalone.converter import FastAutograde
    from graders.standalone.gradebook import keep_gradebooks

    assert _job is not None  # noqa: S101 — for the type checker
    keep_gradebooks()
    began = time.monotonic()
    told = _Told()
    course = CourseDirectory(parent=_job.app, assignment_id=_job.assignment, notebook_id=_job.notebook)
    course.student_id = student
    converter = FastAutograde(coursedir=course, parent=_job.app, force=_job.force, forkd=str(_job.forkd))
    converter.log.addHandler(told)
    here = Path.cwd()
    try:
        converter.start()
        state: State = "marked" if converter.was_marked else "skipped"
        message = ""
    except NbGraderException as error:
        state, message = "failed", told.last or str(error)
    except Exception as error:
        converter.log.exception("submission of %s", student)
        state, message = "failed", f"{type(error).__name__}: {error}"
    finally:
        os.chdir(here)
        converter.log.removeHandler(told)
    return Outcome(student, state, message, converter.repairs, converter.stops, time.monotonic() - began)


class _Told(logging.Handler):
    """Keeps the last line of the last error: nbgrader's exceptions only say « see above »."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if text.startswith("Traceback"):
            self.last = text.rpartition("\n")[2]
        elif not self.last:
            self.last = text
