"""A learner's notebook as formgrader shows it: nothing of the learner's runs in the grader's page, nothing is fetched.

formgrader's own template inserts Markdown, HTML outputs and JavaScript as they are, in a page that may act on the
grader's servers. Laws: Markdown becomes sanitised HTML; of an output only text and PNG or JPEG pictures are kept; of
metadata only what formgrader reads, checked; names are escaped; MathJax is this server's.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import nh3
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode, from_dict
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

TEMPLATES = Path(__file__).resolve().parent.parent / "share" / "nbconvert"
TAGS = {
    *("p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "sub", "sup", "a", "span"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "div"),
}
ATTRIBUTES = {"a": {"href", "title"}}
SAFE_OUTPUTS = {"text/plain", "text/latex", "image/png", "image/jpeg"}
GRADE_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
NOT_SHOWN = "[sortie interactive : elle n’est pas affichée ici]"


class SubmissionExporter(HTMLExporter):
    """formgrader's exporter, made safe for what learners write."""

    def __init__(self, base_url: str, config: Config) -> None:
        ours = Config(config)
        ours.HTMLExporter.template_name = "formgrade"
        ours.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), handlers.template_path]
        super().__init__(config=ours)  # type: ignore[no-untyped-call]
        self.environment.globals["mathjax_address"] = f"{base_url.rstrip('/')}/pupitre/static/bridge/mathjax.js"

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as HTML that can neither run, nor fetch, nor look like formgrader."""
        rendered: str = super().markdown2html(context, source)
        return nh3.clean(rendered, tags=TAGS, attributes=ATTRIBUTES)

    def from_notebook_node(  # type: ignore[override]  # as in nbconvert's own HTMLExporter
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        escaped = {
            name: html.escape(value) if isinstance(value, str) else value for name, value in (resources or {}).items()
        }
        page: tuple[str, dict[str, Any]] = super().from_notebook_node(_keep_safe_parts(nb), escaped, **options)
        return page


def _keep_safe_parts(nb: NotebookNode) -> NotebookNode:
    """A notebook that holds only what may be shown."""
    cells = [_keep_safe_cell(cell) for cell in nb.cells if cell.cell_type in ("code", "markdown")]
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    safe = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}
    return from_dict(safe)  # type: ignore[no-any-return, no-untyped-call]


def _keep_safe_cell(cell: NotebookNode) -> dict[str, Any]:
    kept = {"cell_type": cell.cell_type, "source": str(cell.source), "metadata": _keep_safe_metadata(cell.metadata)}
    if cell.cell_type == "code":
        count = cell.get("execution_count")
        kept["execution_count"] = count if isinstance(count, int) else None
        kept["outputs"] = [_keep_safe_output(output) for output in cell.get("outputs", [])]
    return kept


def _keep_safe_metadata(metadata: NotebookNode) -> dict[str, Any]:
    """What formgrader reads of a graded cell: its id goes into the page as an attribute."""
    about = metadata.get("nbgrader")
    if not isinstance(about, dict) or not GRADE_ID.fullmatch(str(about.get("grade_id"))):
        return {}
    points = about.get("points", 0)
    return {
        "nbgrader": {
            **{name: bool(about.get(name)) for name in ("grade", "solution", "locked", "task")},
            "grade_id": str(about["grade_id"]),
            "points": float(points) if isinstance(points, int | float) else 0.0,
        }
    }


def _keep_safe_output(output: NotebookNode) -> dict[str, Any]:
    if output.output_type == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": str(output.text)}
    if output.output_type == "error":
        traceback = [str(line) for line in output.get("traceback", [])]
        name, value = str(output.get("ename")), str(output.get("evalue"))
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": traceback}
    data = {kind: str(value) for kind, value in output.get("data", {}).items() if kind in SAFE_OUTPUTS}
    return {"output_type": "display_data", "metadata": {}, "data": data or {"text/plain": NOT_SHOWN}}
