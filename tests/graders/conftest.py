"""Fixtures of the graders' tests: the engine's, and attempts (the queue, reviews, the gradebook), nbgrader's sample course."""

from __future__ import annotations

from tests.graders.attempt_fixtures import answer, other_source, quick_engine, released, run_marking, source, submit
from tests.graders.engine_fixtures import mark, real_forkd
from tests.graders.nbgrader_course import course, prepared
from tests.graders.standalone_command import fresh

__all__ = [
    "answer",
    "course",
    "fresh",
    "mark",
    "other_source",
    "prepared",
    "quick_engine",
    "real_forkd",
    "released",
    "run_marking",
    "source",
    "submit",
]
