"""A damaged file → the cells that can still be read: cut off, merged by a version control, saved in another encoding.

Nothing is guessed: a cell counts if it is whole JSON. Cases: docs/reference/behaviour-marking.md.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from graders.engine import sentences
from graders.engine.notebook import CELLS_MAX, Notebook, NotebookRefused, build_notebook, read_notebook

_LISTS = re.compile(r'"cells"\s*:\s*\[')
_CELL = re.compile(r'\{\s*"(?:attachments|cell_type|collapsed|execution_count|id|input|metadata|source)"\s*:')
# A failed attempt may read to the end of the file: few of them.
_ATTEMPTS_MAX = 200
_decoder = json.JSONDecoder()


def read_submission(content: bytes, max_bytes: int) -> tuple[Notebook, list[str]]:
    """A learner's file as a notebook, and what had to be done to read it, in sentences.

    Raises
    ------
    NotebookRefused
        As `read_notebook`, when no cell can be read.
    """
    try:
        return read_notebook(content, max_bytes), []
    except NotebookRefused as error:
        data = _recover(content) if error.code == "not-a-notebook" else None
        if data is None:
            raise
    return build_notebook(data), [sentences.RECOVERED]


def _recover(content: bytes) -> dict[str, Any] | None:
    text = _decode(content)
    try:
        whole, _ = _decoder.raw_decode(text, len(text) - len(text.lstrip()))  # whatever follows is not the notebook
        if isinstance(whole, dict) and ("cells" in whole or "worksheets" in whole):
            return whole
    except (ValueError, RecursionError):
        pass
    cells: list[Any] = []
    for found in _LISTS.finditer(text):
        cells = _read_cells(text, found.end())
        if cells:
            break
    if not cells:
        return None
    if any("input" in cell for cell in cells if "source" not in cell):  # formats 2 and 3
        return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells, "metadata": {}}]}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def _read_cells(text: str, place: int) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = []
    attempts = 0
    while len(cells) < CELLS_MAX and attempts < _ATTEMPTS_MAX and (start := _CELL.search(text, place)):
        try:
            cell, place = _decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            place, attempts = start.start() + 1, attempts + 1
            continue
        if isinstance(cell, dict) and isinstance(cell.get("cell_type"), str):
            cells.append(cell)
    return cells


def _decode(content: bytes) -> str:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A cut in the middle of a character, or an old Windows editor.
        if error.start >= len(content) - 4:
            return content[: error.start].decode("utf-8-sig")
        return content.decode("cp1252", "replace")
