"""Whatever is done to a file's bytes: cells to run, with the author's tests, or a refusal with a code."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from graders.engine import sentences
from graders.engine.notebook import NotebookRefused, get_nbgrader
from graders.engine.recovery import read_submission
from graders.engine.release import is_managed, is_test, make_model, read_source
from graders.engine.repair import repair_submission
from tests.graders.engine_notebooks import COURSE, submission

CONTENT = submission()
MODEL = make_model(read_source(COURSE))
NAMES = [get_nbgrader(cell)["grade_id"] for cell in MODEL.cells if is_managed(cell)]
TESTS = [cell.source for cell in MODEL.cells if is_test(cell)]
places = st.integers(0, len(CONTENT))


@settings(max_examples=300, deadline=None)
@given(start=places, length=st.integers(0, 400), put=st.binary(max_size=40))
def test_damaged_bytes_give_the_assignments_cells_or_a_refusal(start: int, length: int, put: bytes) -> None:
    try:
        notebook, _ = read_submission(CONTENT[:start] + put + CONTENT[start + length :], 10_000_000)
    except NotebookRefused as refusal:
        assert refusal.message == sentences.REFUSALS[refusal.code]
        return
    cells = repair_submission(MODEL, notebook).notebook.cells
    assert [get_nbgrader(cell)["grade_id"] for cell in cells if is_managed(cell)] == NAMES
    assert [cell.source for cell in cells if is_test(cell)] == TESTS


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: ('{"cells": [' + text).encode()))
def test_any_bytes_give_a_notebook_or_a_refusal(content: bytes) -> None:
    try:
        notebook, _ = read_submission(content, 10_000_000)
    except NotebookRefused as refusal:
        assert refusal.message == sentences.REFUSALS[refusal.code]
    else:
        assert all(isinstance(cell.source, str) for cell in notebook.cells)
