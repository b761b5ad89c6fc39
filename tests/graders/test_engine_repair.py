"""Repair of mangled submissions: cases of docs/reference/behaviour-marking.md, then a seeded mutation suite."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from graders.engine import sentences
from graders.engine.notebook import get_nbgrader, read_notebook
from graders.engine.release import is_managed, make_model, read_source
from graders.engine.repair import Repaired, repair_submission
from tests.graders.engine_fixtures import Mark, points
from tests.graders.engine_notebooks import COURSE, RIGHT, edit, submission

Cells = list[dict[str, Any]]
ANSWERS = {**RIGHT, "ex-9-1": "Ma réponse écrite."}
GOOD = {"ex-1-1-test": 1, "ex-1-2-test": 2, "ex-9-1": None}


def repair(content: bytes, source: bytes = COURSE) -> Repaired:
    return repair_submission(make_model(read_source(source)), read_notebook(content, 10_000_000))


def frame(repaired: Repaired) -> list[tuple[str, str]]:
    """grade_id and text of the cells that nbgrader knows, in the order in which they run."""
    return [(get_nbgrader(cell)["grade_id"], cell.source) for cell in repaired.notebook.cells if is_managed(cell)]


EXPECTED = frame(repair(submission(answers=ANSWERS)))


def grade_id(cell: dict[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def at(cells: Cells, name: str) -> int:
    return next(number for number, cell in enumerate(cells) if grade_id(cell) == name)


def plain(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def drop(*names: str) -> Callable[[Cells], Cells]:
    return lambda cells: [cell for cell in cells if grade_id(cell) not in names]


def unlabel(*names: str) -> Callable[[Cells], None]:
    def change(cells: Cells) -> None:
        for cell in cells:
            if grade_id(cell) in names or not names:
                cell["metadata"] = {}

    return change


def retype(name: str, kind: str) -> Callable[[Cells], None]:
    def change(cells: Cells) -> None:
        cells[at(cells, name)]["cell_type"] = kind

    return change


def set_meta(name: str, **values: object) -> Callable[[Cells], None]:
    def change(cells: Cells) -> None:
        cells[at(cells, name)]["metadata"]["nbgrader"].update(values)

    return change


def move(name: str, place: int) -> Callable[[Cells], None]:
    return lambda cells: cells.insert(place, cells.pop(at(cells, name)))


def overwrite(name: str, text: str) -> Callable[[Cells], None]:
    def change(cells: Cells) -> None:
        cells[at(cells, name)]["source"] = text

    return change


def duplicate(name: str, text: str | None = None) -> Callable[[Cells], None]:
    def change(cells: Cells) -> None:
        twin = copy.deepcopy(cells[at(cells, name)])
        if text is not None:
            cells[at(cells, name)]["source"] = text
        cells.insert(at(cells, name) + 1, twin)

    return change


MUTATIONS: dict[str, Callable[[Cells], Any]] = {
    "nothing": lambda cells: None,
    "every label lost": unlabel(),
    "an answer's label lost": unlabel("ex-1-2"),
    "a test's label lost": unlabel("ex-1-2-test"),
    "a locked cell's label lost": unlabel("setup"),
    "the manual answer's label lost": unlabel("ex-9-1"),
    "labels of an exercise lost": unlabel("ex-1-1", "ex-1-1-test"),
    "a test deleted": drop("ex-1-1-test"),
    "every test deleted": drop("ex-1-1-test", "ex-1-2-test"),
    "a locked cell deleted": drop("setup"),
    "a test edited": overwrite("ex-1-2-test", "pass"),
    "a test emptied": overwrite("ex-1-1-test", ""),
    "a locked cell edited": overwrite("setup", "import math\nAIR = 99"),
    "an answer copied": duplicate("ex-1-1"),
    "an answer copied, the first emptied": duplicate("ex-1-1", ""),
    "a test copied": duplicate("ex-1-1-test"),
    "an answer made text": retype("ex-1-1", "markdown"),
    "an answer made raw": retype("ex-1-2", "raw"),
    "a test made text": retype("ex-1-1-test", "markdown"),
    "the manual answer made code": retype("ex-9-1", "code"),
    "points raised": set_meta("ex-1-1-test", points=100),
    "a test made an answer": set_meta("ex-1-1-test", solution=True),
    "an answer made graded": set_meta("ex-1-1", grade=True, points=50),
    "an answer locked": set_meta("ex-1-1", locked=True),
    "a checksum forged": set_meta("ex-9-1", checksum="0" * 32),
    "an old schema": set_meta("ex-1-1", schema_version=1),
    "a broken schema": set_meta("ex-1-1", schema_version="x"),
    "a label that is no text": set_meta("ex-1-1", grade_id=7),
    "a test renamed": set_meta("ex-1-1-test", grade_id="autre"),
    "an answer renamed": set_meta("ex-1-2", grade_id="autre"),
    "a test moved first": move("ex-1-2-test", 0),
    "an answer moved last": move("ex-1-1", 6),
    "cells added": lambda cells: cells.insert(2, plain("brouillon = 1")),
    "cells added everywhere": lambda cells: [c for cell in cells for c in (plain("b = 1"), cell)],
    "texts in one piece": lambda cells: [cell.update(source="".join(cell["source"])) for cell in cells] and None,
    "ids lost": lambda cells: [cell.pop("id", None) for cell in cells] and None,
    "the same id everywhere": lambda cells: [cell.update(id="a") for cell in cells] and None,
    "outputs that are no outputs": lambda cells: [cell.update(outputs=[3, {"a": 1}]) for cell in cells] and None,
    "a cell that is no cell": lambda cells: cells.insert(1, 7),
    "a cell of unknown type": lambda cells: cells.insert(1, {"cell_type": "x", "source": "", "metadata": {}}),
}


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_the_answers_find_their_place_again(mutation: Callable[[Cells], Any]) -> None:
    repaired = repair(edit(submission(answers=ANSWERS), mutation))
    assert frame(repaired) == EXPECTED


def test_pairs_of_mutations_keep_every_answer_or_restore_the_stub() -> None:
    """Two mutations at once, drawn with a fixed seed: the frame is always whole, and tests are always the instructor's."""
    rng = random.Random(20261124)
    for _ in range(60):
        one, other = rng.sample(list(MUTATIONS.values()), 2)
        content = submission(answers=ANSWERS)
        try:
            content = edit(edit(content, one), other)
        except (StopIteration, TypeError, KeyError, AttributeError):
            continue  # the second mutation needs what the first removed
        found = dict(frame(repair(content)))
        expected = dict(EXPECTED)
        assert list(found) == list(expected)
        for name in ("setup", "ex-1-1-test", "ex-1-2-test"):
            assert found[name] == expected[name]


def test_untouched_submissions_are_not_repaired() -> None:
    assert repair(submission(answers=ANSWERS)).repairs == []
    assert repair(submission(answers={})).repairs == []
    assert repair(COURSE).repairs == []


def test_what_was_repaired_is_said() -> None:
    def said(change: Callable[[Cells], Any]) -> list[str]:
        return repair(edit(submission(answers=ANSWERS), change)).repairs

    assert said(drop("ex-1-1-test")) == [sentences.restored("ex-1-1-test")]
    assert said(overwrite("ex-1-1-test", "pass")) == [sentences.repaired_test("ex-1-1-test")]
    assert said(duplicate("ex-1-1")) == [sentences.duplicated("ex-1-1")]
    assert said(retype("ex-1-1", "markdown")) == [sentences.retyped("ex-1-1")]
    assert said(unlabel("ex-1-1")) == [sentences.recognised("ex-1-1")]
    assert said(move("ex-1-2-test", 0)) == [sentences.REORDERED]
    assert said(set_meta("ex-1-1", grade=True, points=50)) == [sentences.relabelled("ex-1-1")]


def test_a_deleted_answer_earns_nothing_and_costs_no_other(mark: Mark) -> None:
    result = mark(COURSE, edit(submission(answers=ANSWERS), drop("ex-1-2")))
    assert points(result) == {**GOOD, "ex-1-2-test": 0}
    assert result.cells[1].message == sentences.NO_ANSWER


@pytest.mark.parametrize(
    "name", ["every label lost", "every test deleted", "a test moved first", "an answer made text"]
)
def test_marks_of_a_mangled_submission_equal_the_marks_of_the_whole_one(mark: Mark, name: str) -> None:
    assert points(mark(COURSE, edit(submission(answers=ANSWERS), MUTATIONS[name]))) == GOOD


def test_the_old_notebook_format_is_read(mark: Mark) -> None:
    cells = json.loads(submission(answers=ANSWERS))["cells"]
    old = [
        {
            "cell_type": "code",
            "input": c["source"],
            "metadata": c["metadata"],
            "outputs": [],
            "language": "python",
            "collapsed": False,
        }
        if c["cell_type"] == "code"
        else {"cell_type": "markdown", "source": c["source"], "metadata": c["metadata"]}
        for c in cells
    ]
    content = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": old, "metadata": {}}],
    }
    assert points(mark(COURSE, json.dumps(content).encode())) == GOOD
