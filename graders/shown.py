"""A learner's notebook as a grader sees it: nothing in it is executed, nothing is fetched.

Laws: Markdown becomes sanitised HTML without links to pictures; code and text are text (the template escapes them);
of an output only PNG pictures and plain text are kept, HTML, SVG and JavaScript are not; everything has a size limit.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from graders.models import CellMark

TEXT_CHARACTERS = 20_000
OUTPUTS = 20
PICTURE_BYTES = 2_000_000
PNG = b"\x89PNG\r\n\x1a\n"
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
TAGS = {
    *("p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "sub", "sup"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "a"),
}
_markdown = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


@dataclass(frozen=True)
class Output:
    """One output: text, or a picture as a data URI, or a sentence about what is not shown."""

    kind: Literal["text", "error", "picture", "note"]
    content: str


@dataclass(frozen=True)
class ShownCell:
    """One cell, with its mark if it is a graded one."""

    kind: Literal["text", "code"]
    source: str
    html: SafeString
    outputs: list[Output] = field(default_factory=list)
    mark: CellMark | None = None
    is_locked: bool = False
    """The author's cell, not the learner's."""


def render_markdown(text: str) -> SafeString:
    """Markdown as HTML that can neither run, nor fetch, nor look like the portal."""
    html = nh3.clean(_markdown.render(text[:TEXT_CHARACTERS]), tags=TAGS, attributes={"a": {"href", "title"}})
    return mark_safe(html)  # noqa: S308 - nh3 has just cleaned it


def load_shown_cells(content: bytes, marks: Iterable[CellMark]) -> list[ShownCell]:
    """The cells of a stored notebook, in order; nothing for what is no notebook."""
    by_id = {mark.grade_id: mark for mark in marks}
    try:
        notebook = json.loads(content)
        cells = notebook["cells"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return []
    shown = []
    for cell in cells if isinstance(cells, list) else []:
        if isinstance(cell, dict):
            shown.append(_show(cell, by_id))
    return shown


def _show(cell: Mapping[str, Any], marks: dict[str, CellMark]) -> ShownCell:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    nbgrader = nbgrader if isinstance(nbgrader, dict) else {}
    grade_id = nbgrader.get("grade_id")
    mark = marks.pop(grade_id, None) if isinstance(grade_id, str) else None  # an id met twice is marked once
    source = _join(cell.get("source"))[:TEXT_CHARACTERS]
    is_locked = bool(nbgrader.get("locked")) and not nbgrader.get("solution")
    if cell.get("cell_type") == "code":
        outputs = cell.get("outputs")
        shown = [_show_output(output) for output in (outputs if isinstance(outputs, list) else [])[:OUTPUTS]]
        return ShownCell("code", source, mark_safe(""), [output for output in shown if output], mark, is_locked)
    return ShownCell("text", source, render_markdown(source), [], mark, is_locked)


def _join(text: Any) -> str:
    """A notebook's text is one string or a list of lines."""
    if isinstance(text, list):
        return "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""


def _show_output(output: Any) -> Output | None:
    if not isinstance(output, dict):
        return None
    if output.get("output_type") == "stream":
        return _text("text", _join(output.get("text")))
    if output.get("output_type") == "error":
        trace = output.get("traceback")
        lines = trace if isinstance(trace, list) else [f"{output.get('ename')}: {output.get('evalue')}"]
        return _text("error", "\n".join(line for line in lines if isinstance(line, str)))
    data = output.get("data")
    if not isinstance(data, dict):
        return None
    if "image/png" in data:
        return _picture(_join(data["image/png"]))
    if "text/plain" in data:
        return _text("text", _join(data["text/plain"]))
    return Output("note", _("Une sortie interactive n’est pas affichée ici.")) if data else None


def _text(kind: Literal["text", "error"], text: str) -> Output | None:
    text = ANSI.sub("", text)
    if len(text) > TEXT_CHARACTERS:
        text = text[:TEXT_CHARACTERS] + "\n" + _("[sortie coupée]")
    return Output(kind, text) if text.strip() else None


def _picture(encoded: str) -> Output:
    """A PNG, checked to be one, as a data URI."""
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content.startswith(PNG) or len(content) > PICTURE_BYTES:
        return Output("note", _("Une image illisible ou trop grande n’est pas affichée."))
    return Output("picture", "data:image/png;base64," + base64.b64encode(content).decode("ascii"))
