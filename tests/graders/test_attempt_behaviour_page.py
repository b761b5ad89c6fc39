"""Each numbered case of docs/reference/behaviour-submission.md has a test of the same number, and no test has another."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reference" / "behaviour-submission.md"
FILES = (
    "graders/test_attempt_*.py",
    "graders/test_queue_*.py",
    "graders/test_review_*.py",
    "graders/test_projection_*.py",
    "hub/test_door_*.py",
)


def test_page_and_tests_have_the_same_cases() -> None:
    cases = [int(number) for number in re.findall(r"^(\d+)\. ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)]
    assert cases == list(range(1, len(cases) + 1))
    tested = {
        int(number)
        for pattern in FILES
        for file in TESTS.glob(pattern)
        for number in re.findall(r"^def test_case_(\d+)_", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert tested == set(cases)
