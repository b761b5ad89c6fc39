"""A result as one HTML page for the learner: what nbgrader's `fetch_feedback` brings, readable, printable, in French.

Laws: it shows marks, our sentences and the notebook *as the learner sent it*, never the one that ran: a hidden test, or
an output made while one was in memory, must not come back this way. Everything of the learner's is escaped or sanitised;
the page runs no script and loads nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from html import escape
from typing import Any

import mistune
import nh3

from graders.engine.notebook import NotebookRefused, read_notebook
from graders.engine.result import CellMark, Result

SHOWN_CHARS_MAX = 20_000
IMAGE_BYTES_MAX = 2_000_000
READ_BYTES_MAX = 10_000_000
WAITS = "en attente de relecture"
UNMARKED = "Ce carnet n’est pas noté."
_markdown: Any = mistune.create_markdown(escape=True, plugins=["table"])
_STYLE = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#161616;background:#fff}
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:bold;padding:.5rem 0}
th,td{border:1px solid #767676;padding:.4rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
pre{background:#f3f3f3;padding:.6rem;overflow-x:auto;white-space:pre-wrap}img{max-width:100%}
.sortie{border-left:4px solid #767676}
@media print{body{margin:0;max-width:none}pre,tr{break-inside:avoid}}
"""
_PAGE = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def render_feedback(result: Result, submitted: bytes, title: str) -> bytes:
    """The page. `title` names the assignment."""
    parts = [_render_refusal(result) if result.state == "refused" else _render_marks(result)]
    parts.append(_render_notebook(submitted))
    title = escape(f"Retour : {title}")
    return _PAGE.format(title=title, style=_STYLE, body="\n".join(part for part in parts if part)).encode(
        "utf-8", "replace"
    )


def _render_refusal(result: Result) -> str:
    return f"<p><strong>Ce travail n’a pas pu être noté.</strong> {escape(result.message)}</p>"


def _render_marks(result: Result) -> str:
    given = sum(cell.points or 0 for cell in result.cells)
    total = sum(cell.max_points for cell in result.cells)
    waiting = sum(cell.max_points for cell in result.cells if cell.points is None)
    score = f"{_number(given)} / {_number(total)} points" if total else UNMARKED
    parts = [f"<p><strong>{score}</strong>{f', dont {_number(waiting)} {WAITS}' if waiting else ''}</p>"]
    if result.message:
        parts.append(f"<p>{escape(result.message)}</p>")
    rows = "\n".join(map(_render_row, result.cells))
    parts.append(
        "<table><caption>Résultat de chaque exercice</caption>"
        '<thead><tr><th scope="col">Exercice</th><th scope="col">Points</th><th scope="col">Commentaire</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    if result.repairs:
        items = "".join(f"<li>{escape(text)}</li>" for text in result.repairs)
        parts.append(f"<h2>Ce qui a été remis en place</h2><ul>{items}</ul>")
    return "\n".join(parts)


def _render_row(cell: CellMark) -> str:
    points = WAITS if cell.points is None else f"{_number(cell.points)} / {_number(cell.max_points)}"
    if not cell.max_points:
        points = "réussi" if cell.passed else "à revoir"
    return f'<tr><th scope="row">{escape(cell.exercise)}</th><td>{points}</td><td>{escape(cell.message)}</td></tr>'


def _render_notebook(submitted: bytes) -> str:
    try:
        notebook = read_notebook(submitted, READ_BYTES_MAX)
    except NotebookRefused:
        return ""
    outputs = _find_outputs(submitted)
    parts = ["<h2>Votre carnet</h2>"]
    for cell in notebook.cells:
        source = cell.source[:SHOWN_CHARS_MAX]
        if cell.cell_type == "markdown":
            parts.append(nh3.clean(_render_markdown(source)))
        elif source.strip():
            parts.append(f"<pre><code>{escape(source)}</code></pre>")
        parts.extend(outputs.get(cell.id, []))
    return "\n".join(parts)


def _render_markdown(source: str) -> str:
    try:
        return str(_markdown(source))
    except RecursionError:
        return f"<p>{escape(source)}</p>"


def _find_outputs(submitted: bytes) -> dict[str, list[str]]:
    """The learner's own outputs, rendered, by cell id: texts and pictures only."""
    found: dict[str, list[str]] = {}
    for cell in json.loads(submitted.decode("utf-8-sig")).get("cells") or []:
        if isinstance(cell, dict) and isinstance(cell.get("id"), str) and isinstance(cell.get("outputs"), list):
            found.setdefault(cell["id"], [text for output in cell["outputs"] if (text := _render_output(output))])
    return found


def _render_output(output: object) -> str:
    if not isinstance(output, dict):
        return ""
    held = output.get("data")
    data: dict[str, object] = held if isinstance(held, dict) else {}
    for kind in ("image/png", "image/jpeg"):
        picture = _join(data.get(kind))
        if picture and _is_base64(picture):
            return f'<img alt="Figure de votre carnet" src="data:{kind};base64,{"".join(picture.split())}">'
    text = _join(output.get("text")) or _join(data.get("text/plain"))
    return f'<pre class="sortie">{escape(text[:SHOWN_CHARS_MAX])}</pre>' if text else ""


def _join(value: object) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _is_base64(text: str) -> bool:
    try:
        return len(base64.b64decode("".join(text.split()), validate=True)) <= IMAGE_BYTES_MAX
    except (binascii.Error, ValueError):
        return False


def _number(value: float) -> str:
    """With a decimal comma, and no more digits than needed."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", ",")
