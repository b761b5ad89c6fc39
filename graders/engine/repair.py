"""A submission, however mangled → the cells to run, in order, with the instructor's tests.

Laws: a test or locked cell always runs from the model, never from the submission; an answer always comes from the
submission; whatever was put back is said in one sentence. On an untouched submission nothing changes, so marks equal
nbgrader's. Cases: docs/reference/behaviour-marking.md.
"""

from __future__ import annotations

import copy
import difflib
import re
from dataclasses import dataclass

from nbgrader.utils import is_locked, is_solution

from graders.engine import sentences
from graders.engine.joints import undo_splits_and_merges
from graders.engine.notebook import Cell, Notebook, get_nbgrader, make_cell
from graders.engine.release import is_managed

MARKER = re.compile(r"^\s*#\s*exercice\s+([\w.]+)", re.IGNORECASE | re.MULTILINE)
SIMILAR = 0.5
# A shorter text, such as a title, may stand in any notebook.
TELLING_CHARS = 40
# Comparing texts is slow and the submission is anybody's: few candidates, short texts.
COMPARED_CHARS = 1500
CANDIDATES_MAX = 30


@dataclass(frozen=True)
class Repaired:
    notebook: Notebook
    repairs: list[str]
    matched: int
    """How many cells of the assignment were recognised in the submission by identifier or content."""


def repair_submission(model: Notebook, submitted: Notebook) -> Repaired:
    """Put the submission's answers back in the model's frame."""
    wanted = [cell for cell in model.cells if is_managed(cell)]
    repairs: list[str] = []
    given = undo_splits_and_merges([_as_released(cell) for cell in model.cells], submitted.cells)
    if [cell.source for cell in given] != [cell.source for cell in submitted.cells]:
        repairs.append(sentences.JOINED)
    matches = _match_by_id(wanted, given, repairs)
    by_id = set(matches)
    anchors = _find_anchors(model.cells, given)
    _match_by_content(wanted, given, matches, set(anchors.values()))
    matched = len(matches) + sum(len(_squeeze(given[place].source)) >= TELLING_CHARS for place in anchors.values())
    _match_by_place(wanted, given, matches, [anchors.get(id(cell), -1) for cell in model.cells], model.cells)
    for number in sorted(set(matches) - by_id):
        repairs.append(sentences.recognised(get_nbgrader(wanted[number])["grade_id"]))
    cells = _assemble(wanted, given, matches, repairs)
    notebook = copy.copy(submitted)
    notebook.metadata = copy.deepcopy(model.metadata)
    notebook.cells = cells
    return Repaired(notebook, repairs, matched)


def _match_by_id(wanted: list[Cell], cells: list[Cell], repairs: list[str]) -> dict[int, int]:
    """Number in `wanted` → number in the submission. Of several copies the last counts, as in nbgrader."""
    numbers = {get_nbgrader(cell)["grade_id"]: number for number, cell in enumerate(wanted)}
    matches: dict[int, int] = {}
    doubles: set[str] = set()
    for place, cell in enumerate(cells):
        grade_id = get_nbgrader(cell).get("grade_id")
        if grade_id not in numbers:
            continue
        if numbers[grade_id] in matches:
            doubles.add(str(grade_id))
        matches[numbers[grade_id]] = place
    repairs.extend(sentences.duplicated(grade_id) for grade_id in sorted(doubles))
    return matches


def _find_anchors(model: list[Cell], cells: list[Cell]) -> dict[int, int]:
    """`id` of a text or example of the assignment → its place, if it is still there: they tell where the others were."""
    places: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        if not get_nbgrader(cell).get("grade_id") and cell.source.strip():
            places.setdefault(_squeeze(cell.source), []).append(place)
    anchors: dict[int, int] = {}
    for cell in model:
        if not is_managed(cell) and (found := places.get(_squeeze(cell.source))):
            anchors[id(cell)] = found.pop(0)
    return anchors


def _match_by_content(wanted: list[Cell], cells: list[Cell], matches: dict[int, int], taken: set[int]) -> None:
    """Cells that lost their label but kept their text, or their « # Exercice 1.1 » line."""
    free = [place for place in _free_places(wanted, cells, matches) if place not in taken]
    for number, cell in enumerate(wanted):
        if number in matches:
            continue
        same = [
            p for p in free if _squeeze(cells[p].source) == _squeeze(_released(cell.source)) and cells[p].source.strip()
        ]
        marker = MARKER.search(cell.source) if is_solution(cell) else None
        marked = [p for p in free if marker and (m := MARKER.search(cells[p].source)) and m[1] == marker[1]]
        found = marked or same
        if found and not (same and not marked and _is_stub(cell)):
            matches[number] = found[-1] if marked else _nearest(found, number, matches)
            free.remove(matches[number])


def _match_by_place(
    wanted: list[Cell], cells: list[Cell], matches: dict[int, int], anchors: list[int], model: list[Cell]
) -> None:
    """An answer that lost everything is looked for between its neighbours. `anchors`: place of each cell of `model`, or -1."""
    rank = {id(cell): number for number, cell in enumerate(model)}
    for number, cell in enumerate(wanted):
        if number in matches:
            continue
        places = list(anchors)
        for other, place in matches.items():
            places[rank[id(wanted[other])]] = place
        here = rank[id(cell)]
        before = max(places[:here], default=-1)
        after = min((place for place in places[here + 1 :] if place >= 0), default=len(cells))
        free = [
            place
            for place in _free_places(wanted, cells, matches)
            if before < place < after and place not in anchors and cells[place].source.strip()
        ]
        del free[CANDIDATES_MAX:]
        if is_solution(cell):
            between = free
        else:  # a test or a locked cell: only if it is clearly that one, since a learner's own cell must stay theirs
            between = [p for p in free if _similarity(cells[p].source, _released(cell.source)) >= SIMILAR]
        between = [p for p in between if cells[p].cell_type == cell.cell_type] or between
        if is_solution(cell) and _has_rival(wanted, matches, number, places, rank):
            between = sorted(between, key=lambda p: _similarity(cells[p].source, cell.source), reverse=True)
        if between:
            matches[number] = between[0]


def _has_rival(
    wanted: list[Cell], matches: dict[int, int], number: int, places: list[int], rank: dict[int, int]
) -> bool:
    """Another lost answer of the same type could be in the same place."""
    return any(
        other != number
        and other not in matches
        and is_solution(cell)
        and cell.cell_type == wanted[number].cell_type
        and not _is_between(places, rank[id(wanted[number])], rank[id(cell)])
        for other, cell in enumerate(wanted)
    )


def _is_between(places: list[int], one: int, other: int) -> bool:
    """Something whose place is known stands between these two cells of the model."""
    return any(place >= 0 for place in places[min(one, other) + 1 : max(one, other)])


def _assemble(wanted: list[Cell], cells: list[Cell], matches: dict[int, int], repairs: list[str]) -> list[Cell]:
    """The model's cells in the model's order, each followed by what the learner had put after it."""
    places = {place: number for number, place in matches.items()}
    followers: dict[int, list[Cell]] = {-1: []}
    current, order = -1, []
    for place, cell in enumerate(cells):
        if place in places:
            current = places[place]
            order.append(current)
            followers.setdefault(current, [])
        else:
            followers[current].append(_without_label(cell))
    if order != sorted(order):
        repairs.append(sentences.REORDERED)
    assembled = list(followers[-1])
    for number, cell in enumerate(wanted):
        place_found = matches.get(number)
        if place_found is None:
            repairs.append(sentences.restored(get_nbgrader(cell)["grade_id"]))
            assembled.append(copy.deepcopy(cell))
            continue
        assembled.append(_restore(cell, cells[place_found], repairs))
        assembled.extend(followers[number])
    return assembled


def _restore(wanted: Cell, found: Cell, repairs: list[str]) -> Cell:
    """The model's settings, with the learner's text if the cell is theirs to write."""
    grade_id = get_nbgrader(wanted)["grade_id"]
    cell = make_cell(wanted.cell_type, found.source, copy.deepcopy(wanted.metadata), found.id)
    if found.cell_type != wanted.cell_type:
        repairs.append(sentences.retyped(grade_id))
    if not is_locked(wanted):
        if is_solution(wanted) and get_nbgrader(found) and not _same_settings(wanted, found):
            repairs.append(sentences.relabelled(grade_id))
        return cell
    cell.source = wanted.source
    if _squeeze(found.source) not in (_squeeze(wanted.source), _squeeze(_released(wanted.source))):
        repairs.append(sentences.repaired_test(grade_id))
    return cell


def _same_settings(wanted: Cell, found: Cell) -> bool:
    keys = ("grade", "solution", "locked", "points", "grade_id")
    return all(get_nbgrader(wanted).get(key) == get_nbgrader(found).get(key) for key in keys)


def _free_places(wanted: list[Cell], cells: list[Cell], matches: dict[int, int]) -> list[int]:
    """Cells of the submission that nothing has claimed; an extra copy of a known cell is not free."""
    known = {get_nbgrader(cell)["grade_id"] for cell in wanted}
    taken = set(matches.values())
    return [p for p, cell in enumerate(cells) if p not in taken and get_nbgrader(cell).get("grade_id") not in known]


def _without_label(cell: Cell) -> Cell:
    """An extra cell: it runs, and is never graded."""
    cell = copy.deepcopy(cell)
    cell.metadata.pop("nbgrader", None)
    return cell


def _nearest(places: list[int], number: int, matches: dict[int, int]) -> int:
    before = max((matches[n] for n in range(number) if n in matches), default=-1)
    return next((place for place in places if place > before), places[0])


def _is_stub(cell: Cell) -> bool:
    """An answer cell that holds nothing of its own: all such cells look alike, so content says nothing."""
    return is_solution(cell) and len(_squeeze(cell.source)) < 60 and not MARKER.search(cell.source)


def _released(source: str) -> str:
    """The text without its hidden tests, as learners have it."""
    lines, hidden = [], False
    for line in source.split("\n"):
        if "BEGIN HIDDEN TESTS" in line:
            hidden = True
        elif "END HIDDEN TESTS" in line:
            hidden = False
        elif not hidden:
            lines.append(line)
    return "\n".join(lines)


def _as_released(cell: Cell) -> Cell:
    released = copy.copy(cell)
    released.source = _released(cell.source)
    return released


def _squeeze(source: str) -> str:
    return re.sub(r"\s+", "", source)


def _similarity(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one[:COMPARED_CHARS], other[:COMPARED_CHARS]).ratio()
