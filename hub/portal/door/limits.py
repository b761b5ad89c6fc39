"""How much one call may carry. No Django here: `bodylimit.py` stands before it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UploadLimits:
    """What one call may carry."""

    files: int
    file_bytes: int
    total_bytes: int


ATTEMPT_LIMITS = UploadLimits(files=50, file_bytes=10_000_000, total_bytes=30_000_000)
RELEASE_LIMITS = UploadLimits(files=400, file_bytes=20_000_000, total_bytes=100_000_000)
FEEDBACK_LIMITS = UploadLimits(files=50, file_bytes=20_000_000, total_bytes=50_000_000)
COURSE_LIMITS = UploadLimits(files=2000, file_bytes=50_000_000, total_bytes=200_000_000)
FORM_BYTES = 1 << 20
"""Beside the files: boundaries, headers and fields."""
