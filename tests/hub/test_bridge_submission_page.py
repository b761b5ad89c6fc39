"""formgrader's page of one submission: what a learner wrote neither runs nor fetches, and what a grader needs is there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from hub.jupyter.bridge.submissionpage import NOT_SHOWN, SubmissionExporter

BASE = "/user/u-claire/relecture-1/"
GRADED = {"grade": True, "solution": True, "locked": False, "task": False, "grade_id": "ex-9-1", "points": 8}
HOSTILE = "<script>alert('intrus')</script><img src=x onerror=\"alert('intrus')\">[a](javascript:alert('intrus')) ![p](http://ailleurs.example/p.png)"


@pytest.fixture(scope="module")
def exporter() -> SubmissionExporter:
    return SubmissionExporter(BASE, Config())


def render(exporter: SubmissionExporter, *cells: NotebookNode, **resources: Any) -> str:
    about = {"base_url": BASE.rstrip("/"), "submission_id": "s", "notebook_id": "exercices", "assignment_id": "m9"}
    about |= {"index": 0, "total": 1, "student": "u-alice", "first_name": "", "last_name": "", "notebook_path": "p"}
    page, _ = exporter.from_notebook_node(new_notebook(cells=list(cells)), about | resources)
    return page


def test_a_grader_finds_the_answer_the_points_and_the_comment(exporter):
    page = render(exporter, new_markdown_cell("Une séance, $U = RI$, **bien**", metadata={"nbgrader": GRADED}))
    assert "<strong>bien</strong>" in page
    assert 'class="score tabbable" id="ex-9-1"' in page
    assert 'id="ex-9-1-comment"' in page
    assert "/ 8.0" in page


@pytest.mark.parametrize(
    "cell",
    [
        new_markdown_cell(HOSTILE),
        new_markdown_cell("x", metadata={"tags": ['"><script>intrus</script>']}),
        new_markdown_cell("x", metadata={"nbgrader": {**GRADED, "grade_id": '"><script>intrus</script>'}}),
        new_markdown_cell("x", metadata={"nbgrader": {**GRADED, "points": "<script>intrus</script>"}}),
        new_raw_cell("<script>intrus</script>", metadata={"raw_mimetype": "text/html"}),
        new_code_cell("1", outputs=[new_output("display_data", data={"text/html": HOSTILE})]),
        new_code_cell("1", outputs=[new_output("display_data", data={"text/markdown": HOSTILE})]),
        new_code_cell("1", outputs=[new_output("display_data", data={"image/svg+xml": "<svg onload=intrus()/>"})]),
        new_code_cell("1", outputs=[new_output("display_data", data={"application/javascript": "intrus()"})]),
        new_code_cell("1", outputs=[new_output("display_data", data={"image/png": '"><script>intrus</script>'})]),
        new_code_cell("1", outputs=[new_output("display_data", data={"text/latex": HOSTILE})]),
        new_code_cell("1", outputs=[new_output("stream", text=HOSTILE)]),
        new_code_cell("1", outputs=[new_output("error", ename="E", evalue="v", traceback=[HOSTILE])]),
        new_code_cell(HOSTILE),
    ],
)
def test_nothing_of_a_learner_runs_or_fetches(exporter, cell):
    page, quiet = render(exporter, cell), render(exporter, new_markdown_cell("x"))
    for pattern in (
        r"<script\b",
        r"<img\b(?! alt)",
        r"<svg\b",
        r"<[^>]*\son\w+=",
        r"<[^>]*javascript:",
        r"<[^>]*ailleurs",
    ):
        assert len(re.findall(pattern, page)) == len(re.findall(pattern, quiet)), pattern


def test_an_interactive_output_is_said(exporter):
    cell = new_code_cell("1", outputs=[new_output("display_data", data={"text/html": "<b>oui</b>"})])
    assert NOT_SHOWN in render(exporter, cell)


def test_a_hostile_name_is_text(exporter):
    page = render(exporter, new_markdown_cell("x"), first_name="<'&\">", last_name="<script>intrus</script>")
    assert "<script>intrus" not in page
    assert "&lt;script&gt;intrus" in page


def test_no_other_machine_is_asked(exporter):
    page = render(exporter, new_markdown_cell("$x$"))
    assert re.findall(r"(?:src|href)=[\"'](?:https?:)?//[^\"']*", page) == []
    assert f'src="{BASE}pupitre/static/bridge/mathjax.js"' in page
