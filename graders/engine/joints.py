"""Cells that were split or merged in the submission → cells as they were released, before they are matched.

Laws: no text of the learner's is lost; halves are joined only when they are not Python apart and are together; a merged
cell is cut only at a text, or at a first line, that the assignment itself put there.
"""

from __future__ import annotations

import ast
import copy
import re

from nbgrader.utils import is_locked, is_solution

from graders.engine.notebook import Cell, get_nbgrader, make_cell
from graders.engine.release import NBGRADER_STUBS

_HALVES_MAX = 8
_CHARS_MAX = 50_000
_CUT_CHARS_MIN = 10
_SHELL_LINE = re.compile(r"^\s*[%!].*$", re.MULTILINE)
_KEY_LINE = re.compile(r"^(?:def|class|async def)\s+\w+|^#\s*exercice\s+[\w.]+", re.IGNORECASE | re.MULTILINE)


def undo_splits_and_merges(model: list[Cell], cells: list[Cell]) -> list[Cell]:
    """`model`: the assignment's cells, with their released texts. The cells given are not changed."""
    return _cut_merged(model, _join_halves(model, cells))


def _join_halves(model: list[Cell], cells: list[Cell]) -> list[Cell]:
    stubs = {get_nbgrader(cell)["grade_id"]: cell.source for cell in model if get_nbgrader(cell) and is_solution(cell)}
    joined: list[Cell] = []
    place = 0
    while place < len(cells):
        cell = cells[place]
        name = get_nbgrader(cell).get("grade_id")
        count = 1
        if cell.cell_type == "code" and name in stubs:
            count = _count_halves(cells[place : place + _HALVES_MAX], name, stubs[name])
        if count > 1:
            cell = copy.copy(cell)
            cell.source = "\n".join(half.source for half in cells[place : place + count])
        joined.append(cell)
        place += count
    return joined


def _count_halves(cells: list[Cell], name: object, stub: str) -> int:
    """How many cells, from the first on, are pieces of one: 1 when they are whole. An untouched stub is put together too."""
    whole = _is_python(cells[0].source)
    for count in range(2, len(cells) + 1):
        half = cells[count - 1]
        if not half.source.strip() or half.cell_type != "code" or get_nbgrader(half).get("grade_id", name) != name:
            return 1
        whole = whole and _is_python(half.source)
        together = "\n".join(cell.source for cell in cells[:count])
        if _as_ours(together).split() == stub.split() or (not whole and _is_python(together)):
            return count
    return 1


def _as_ours(source: str) -> str:
    """With our stub in the place of the one of a copy that nbgrader itself released."""
    for theirs, ours in NBGRADER_STUBS.items():
        source = source.replace(theirs, ours)
    return source


def _cut_merged(model: list[Cell], cells: list[Cell]) -> list[Cell]:
    known = {get_nbgrader(cell).get("grade_id"): number for number, cell in enumerate(model) if get_nbgrader(cell)}
    present = {get_nbgrader(cell).get("grade_id") for cell in cells} - {None}
    texts = {cell.source.strip() for cell in cells}
    cut: list[Cell] = []
    for cell in cells:
        number = known.get(get_nbgrader(cell).get("grade_id"))
        cut.append(cell)
        while number is not None and number + 1 < len(model):
            number += 1
            following = model[number]
            if get_nbgrader(following).get("grade_id") in present or following.source.strip() in texts:
                continue
            own, other = _divide(cut[-1].source, following)
            if own is None:
                continue
            cut[-1] = copy.copy(cut[-1])
            cut[-1].source = own
            if is_solution(following) and get_nbgrader(following):
                cut.append(make_cell(following.cell_type, other, copy.deepcopy(following.metadata)))
    return cut


def _divide(source: str, following: Cell) -> tuple[str | None, str]:
    """`source` before and from where the cell that followed begins; None when it is not in there."""
    text = following.source.strip()
    place = -1
    if get_nbgrader(following) and is_solution(following) and not is_locked(following):
        key = _KEY_LINE.search(text)
        if key is not None:
            found = re.search(rf"^{re.escape(key[0])}\b", source, re.MULTILINE)
            place = found.start() if found else -1
    elif len(text) >= _CUT_CHARS_MIN:
        place = source.rfind("\n" + text)
    return (source[:place].rstrip("\n"), source[place:]) if place > 0 else (None, "")


def _is_python(source: str) -> bool:
    """It compiles, magics and shell commands aside."""
    if len(source) > _CHARS_MAX:
        return True  # not worth the time: left as it is
    try:
        compile(_SHELL_LINE.sub("", source), "", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True
