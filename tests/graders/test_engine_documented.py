"""docs/reference/behaviour-marking.md: its cases are numbered without a gap, and each names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

from graders.engine import sentences

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "reference" / "behaviour-marking.md"


def test_every_case_is_numbered_and_names_a_test_that_exists() -> None:
    cases = re.findall(r"^\| (\d+) \|.*\| `(test_\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in cases] == list(range(1, len(cases) + 1))
    assert len(cases) == 41
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_[es]*.py"))
    assert [name for _, name in cases if f"def {name}(" not in tests] == []


def test_every_code_that_marking_gives_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [code for code in (*sentences.REFUSALS, *sentences.STOPS) if f"`{code}`" not in page] == []
