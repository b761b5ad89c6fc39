"""Fixtures of the graders' tests: the engine's, and attempts (the queue, reviews, the gradebook)."""

from __future__ import annotations

from tests.graders.attempt_fixtures import answer, other_source, quick_engine, released, run_marking, source, submit
from tests.graders.engine_fixtures import mark, real_forkd

__all__ = [
    "answer",
    "mark",
    "other_source",
    "quick_engine",
    "real_forkd",
    "released",
    "run_marking",
    "source",
    "submit",
]
