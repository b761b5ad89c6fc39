"""Several submissions at once, each marked in one of a few worker processes.

A worker that dies takes one submission with it: that one is an error of the summary, the others go on in new workers.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from graders.standalone.course import listening

State = Literal["marked", "skipped", "empty", "failed"]
"""`skipped`: it was marked before; `empty`: nothing of the assignment is in the folder."""


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
    from graders.standalone.validation import keep_validator

    assert _job is not None  # noqa: S101 — for the type checker
    keep_gradebooks()
    keep_validator()
    warnings.simplefilter("ignore")  # SQLAlchemy's, about nbgrader's code
    began = time.monotonic()
    assignment = _job.app.coursedir.assignment_id
    course = CourseDirectory(parent=_job.app, assignment_id=assignment, notebook_id=_job.notebook)
    course.student_id = student
    folder = Path(course.format_path(course.submitted_directory, student, assignment))
    if not any(folder.glob(f"{_job.notebook}.ipynb")):
        return Outcome(student, "empty", "aucun carnet n’a été déposé")
    converter = FastAutograde(coursedir=course, parent=_job.app, forkd=str(_job.forkd))
    converter.force = converter.force or _job.force
    here = Path.cwd()
    state: State
    with listening(converter.log) as told:
        try:
            converter.start()
            state, message = ("marked" if converter.was_marked else "skipped"), ""
        except NbGraderException as error:
            state, message = "failed", told.last or str(error)
        except Exception as error:
            converter.log.exception("submission of %s", student)
            state, message = "failed", f"{type(error).__name__}: {error}"
        finally:
            os.chdir(here)
    return Outcome(student, state, message, converter.repairs, converter.stops, time.monotonic() - began)
