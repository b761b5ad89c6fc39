"""Bytes from anybody → a notebook of a known shape, or a refusal with a code.

`nbformat` only logs what is invalid, so what a learner sends is rebuilt cell by cell: after `read_notebook` every cell
has a known type, a text source, a dictionary of metadata and no output.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import Any

import nbformat.v4
from nbgrader.nbgraderformat import MetadataValidator

from graders.engine.sentences import REFUSALS
from graders.errors import GradersError

# nbformat is not typed.
Notebook = Any
Cell = Any
make_notebook: Any = nbformat.v4.new_notebook
make_node: Any = nbformat.from_dict
CELL_TYPES = ("code", "markdown", "raw")
CONVERT: Any = nbformat.convert
CELL_ID = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
CELLS_MAX = 2000
_VALIDATOR = MetadataValidator()


class NotebookRefused(GradersError):
    """The bytes are no notebook that can be marked."""

    def __init__(self, code: str) -> None:
        super().__init__(code, REFUSALS[code])


def read_notebook(content: bytes, max_bytes: int) -> Notebook:
    """Read a notebook of any format, version 2 to 4, keeping only what marking uses.

    Raises
    ------
    NotebookRefused
        `too-large`, `not-a-notebook`, `notebook-too-new`.
    """
    if len(content) > max_bytes:
        raise NotebookRefused("too-large")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotebookRefused("not-a-notebook") from error
    return build_notebook(data)


def build_notebook(data: object) -> Notebook:
    """As `read_notebook`, from what the file's JSON says.

    Raises
    ------
    NotebookRefused
        `not-a-notebook`, `notebook-too-new`.
    """
    if not isinstance(data, dict):
        raise NotebookRefused("not-a-notebook")
    major = data.get("nbformat")
    if isinstance(major, int) and major > 4:
        raise NotebookRefused("notebook-too-new")
    if major in (2, 3):
        data = _upgrade(data)
    cells = data.get("cells")
    if not isinstance(cells, list) or len(cells) > CELLS_MAX:
        raise NotebookRefused("not-a-notebook")
    metadata = data.get("metadata")
    notebook = make_notebook(metadata=_as_node(metadata if isinstance(metadata, dict) else {}))
    seen: set[str] = set()
    for cell in cells:
        rebuilt = _rebuild(cell, seen)
        if rebuilt is not None:
            notebook.cells.append(rebuilt)
    return notebook


def make_cell(cell_type: str, source: str, metadata: Any = None, identity: str = "") -> Cell:
    """A cell of nbformat 4. nbformat's own makers validate each cell against the whole schema, which costs more than to run it."""
    cell = make_node({"id": identity or secrets.token_hex(4), "cell_type": cell_type, "metadata": metadata or {}})
    cell.source = source
    if cell_type == "code":
        cell.execution_count, cell.outputs = None, []
    return cell


def write_notebook(notebook: Notebook) -> bytes:
    """The notebook as bytes, cell ids included."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return (json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8", "replace")


def get_nbgrader(cell: Cell) -> dict[str, Any]:
    """nbgrader's metadata of a cell; empty when it has none."""
    found = cell.metadata.get("nbgrader")
    return found if isinstance(found, dict) else {}


def _upgrade(data: dict[str, Any]) -> dict[str, Any]:
    try:
        upgraded = CONVERT(make_node(data), 4)
    except Exception as error:  # nbformat's converters assume a valid notebook and raise anything
        raise NotebookRefused("not-a-notebook") from error
    return dict(upgraded)


def _rebuild(cell: object, seen: set[str]) -> Cell | None:
    if not isinstance(cell, dict):
        return None
    cell_type = cell.get("cell_type")
    if cell_type not in CELL_TYPES:
        return None
    metadata = cell.get("metadata")
    rebuilt = make_cell(cell_type, _text(cell.get("source")), _as_node(metadata if isinstance(metadata, dict) else {}))
    identity = cell.get("id")
    if isinstance(identity, str) and CELL_ID.match(identity) and identity not in seen:
        rebuilt.id = identity
    else:  # the same notebook always gives the same bytes: a release that did not change is no new version
        rebuilt.id = hashlib.sha256(f"{len(seen)} {rebuilt.source}".encode()).hexdigest()[:16]
    seen.add(rebuilt.id)
    _upgrade_nbgrader(rebuilt)
    return rebuilt


def _text(source: object) -> str:
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    return source.encode("utf-8", "replace").decode("utf-8").replace("\x00", "").replace("\r\n", "\n")


def _as_node(metadata: dict[str, Any]) -> Any:
    try:
        return make_node(metadata)
    except RecursionError:
        return make_node({})


def _upgrade_nbgrader(cell: Cell) -> None:
    """Bring nbgrader's metadata to its present schema; what cannot be understood is dropped (and then repaired)."""
    if "nbgrader" not in cell.metadata:
        return
    try:
        _VALIDATOR.upgrade_cell_metadata(cell)
        meta = cell.metadata.get("nbgrader")
        if meta is not None and not isinstance(meta.get("grade_id", ""), str):
            raise TypeError("grade_id")
    except (KeyError, TypeError, AttributeError, ValueError):
        del cell.metadata["nbgrader"]
