"""Fixtures of the graders' tests."""

from __future__ import annotations

from tests.graders.engine_fixtures import mark, real_forkd

__all__ = ["mark", "real_forkd"]
