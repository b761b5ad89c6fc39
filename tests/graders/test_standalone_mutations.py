"""Mangled submissions of nbgrader's sample assignments: the marks are those of the whole one wherever the answer is there.

Each kind is applied, with a fixed seed, to each sample; what would run is compared with what runs for the untouched notebook
(same cells, same texts, same order give same marks), and a few are really marked.
"""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from graders.engine.notebook import get_nbgrader
from graders.engine.recovery import read_submission
from graders.engine.release import is_managed, make_model, read_source
from graders.engine.repair import repair_submission
from tests.graders.engine_fixtures import Mark, points
from tests.graders.engine_notebooks import COURSE, RIGHT, edit, submission
from tests.graders.nbgrader_course import FILES, GUIDE

Cells = list[dict[str, Any]]
Mutation = Callable[[Cells, random.Random], Any]
SAMPLES = {
    **{
        f"{student}-{name}": (GUIDE / "source" / "ps1" / f"{name}.ipynb", GUIDE / "submitted" / student / "ps1" / f"{name}.ipynb")
        for student in ("bitdiddle", "hacker")
        for name in ("problem1", "problem2")
    },
    "files": (FILES / "submitted-unchanged.ipynb", FILES / "submitted-changed.ipynb"),
}  # fmt: skip


def meta(cell: dict[str, Any]) -> dict[str, Any]:
    found = cell["metadata"].get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def is_answer(cell: dict[str, Any]) -> bool:
    return bool(meta(cell).get("solution"))


def is_locked(cell: dict[str, Any]) -> bool:
    return bool(meta(cell).get("grade_id")) and not is_answer(cell)


def pick(cells: Cells, rng: random.Random, wanted: Callable[[dict[str, Any]], bool]) -> int:
    return rng.choice([number for number, cell in enumerate(cells) if wanted(cell)])


def code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def strip_all(cells: Cells, rng: random.Random) -> None:
    for cell in cells:
        cell["metadata"] = {}


def strip(wanted: Callable[[dict[str, Any]], bool]) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        cells[pick(cells, rng, wanted)]["metadata"] = {}

    return change


def delete(wanted: Callable[[dict[str, Any]], bool]) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        del cells[pick(cells, rng, wanted)]

    return change


def copy_cell(wanted: Callable[[dict[str, Any]], bool], *, bare: bool = False, away: bool = False) -> Mutation:
    """A copy after the cell, or at the end; `bare`: without its label, as JupyterLab pastes some."""

    def change(cells: Cells, rng: random.Random) -> None:
        place = pick(cells, rng, wanted)
        twin = copy.deepcopy(cells[place])
        if bare:
            twin["metadata"] = {}
        cells.insert(len(cells) if away else place + 1, twin)

    return change


def move(wanted: Callable[[dict[str, Any]], bool]) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        cell = cells.pop(pick(cells, rng, wanted))
        cells.insert(rng.randrange(len(cells) + 1), cell)

    return change


def retype(wanted: Callable[[dict[str, Any]], bool], kind: str) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        cell = cells[pick(cells, rng, wanted)]
        cell["cell_type"] = kind
        if kind == "code":
            cell.update(outputs=[], execution_count=None)

    return change


def edit_meta(wanted: Callable[[dict[str, Any]], bool], **values: object) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        meta(cells[pick(cells, rng, wanted)]).update(values)

    return change


def edit_text(wanted: Callable[[dict[str, Any]], bool], new: str) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        cells[pick(cells, rng, wanted)]["source"] = new

    return change


def split(wanted: Callable[[dict[str, Any]], bool], *, labelled: bool) -> Mutation:
    """Cut in two by « Split cell »: the second half has the label too, or none."""

    def change(cells: Cells, rng: random.Random) -> None:
        place = pick(cells, rng, lambda cell: wanted(cell) and "".join(cell["source"]).count("\n") >= 1)
        lines = "".join(cells[place]["source"]).splitlines(keepends=True)
        cut = rng.randrange(1, len(lines))
        second = copy.deepcopy(cells[place])
        cells[place]["source"], second["source"] = "".join(lines[:cut]).removesuffix("\n"), "".join(lines[cut:])
        if not labelled:
            second["metadata"] = {}
        cells.insert(place + 1, second)

    return change


def merge_with_next(wanted: Callable[[dict[str, Any]], bool]) -> Mutation:
    """« Merge cell below »: the first label stays, the other cell is gone."""

    def change(cells: Cells, rng: random.Random) -> None:
        places = [
            p for p in range(len(cells) - 1) if wanted(cells[p]) and cells[p + 1]["cell_type"] == cells[p]["cell_type"]
        ]
        place = rng.choice(places)
        cells[place]["source"] = "".join(cells[place]["source"]) + "\n\n" + "".join(cells[place + 1]["source"])
        del cells[place + 1]

    return change  # fmt: skip


def every(change_one: Callable[[dict[str, Any]], Any]) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        for cell in cells:
            change_one(cell)

    return change


def old_schema(version: int) -> Mutation:
    def change(cells: Cells, rng: random.Random) -> None:
        for cell in cells:
            if found := meta(cell):
                found["schema_version"] = version
                found.pop("task", None)
                if version < 2:
                    found.pop("cell_type", None)

    return change


MUTATIONS: dict[str, Mutation] = {
    "every label lost": strip_all,
    "an answer's label lost": strip(is_answer),
    "a test's label lost": strip(is_locked),
    "a test deleted": delete(is_locked),
    "every test deleted": lambda cells, rng: [cell for cell in cells if not is_locked(cell)],
    "an instruction deleted": delete(lambda cell: not meta(cell)),
    "an answer copied": copy_cell(is_answer),
    "an answer copied to the end": copy_cell(is_answer, away=True),
    "a test copied": copy_cell(is_locked),
    "a test copied without its label": copy_cell(is_locked, bare=True),
    "an answer moved": move(is_answer),
    "a test moved": move(is_locked),
    "an instruction moved": move(lambda cell: not meta(cell)),
    "tests before answers": lambda cells, rng: sorted(cells, key=is_answer),
    "an answer made text": retype(lambda c: is_answer(c) and c["cell_type"] == "code", "markdown"),
    "an answer made raw": retype(is_answer, "raw"),
    "a test made text": retype(lambda c: is_locked(c) and c["cell_type"] == "code", "markdown"),
    "a test made raw": retype(is_locked, "raw"),
    "a test edited": edit_text(is_locked, "assert True"),
    "a test emptied": edit_text(is_locked, ""),
    "points raised": edit_meta(is_locked, points=1000),
    "a test unlocked": edit_meta(is_locked, locked=False),
    "an answer locked": edit_meta(is_answer, locked=True),
    "a test called an answer": edit_meta(is_locked, solution=True),
    "a checksum forged": edit_meta(is_answer, checksum="0" * 32),
    "a label that is a number": edit_meta(is_answer, grade_id=7),
    "an answer renamed": edit_meta(is_answer, grade_id="autre"),
    "a test renamed": edit_meta(is_locked, grade_id="autre"),
    "a schema to come": edit_meta(is_answer, schema_version=99),
    "schema 1": old_schema(1),
    "schema 2": old_schema(2),
    "an answer split, both halves labelled": split(is_answer, labelled=True),
    "an answer split, one half labelled": split(is_answer, labelled=False),
    "a test split": split(is_locked, labelled=True),
    "an answer merged with its test": merge_with_next(is_answer),
    "a test merged with the next cell": merge_with_next(is_locked),
    "cells added": lambda cells, rng: cells.insert(rng.randrange(len(cells)), code("brouillon = 1")),
    "text added everywhere": lambda cells, rng: [c for cell in cells for c in (cell, text("Mon brouillon."))],
    "empty cells everywhere": lambda cells, rng: [c for cell in cells for c in (cell, code(""))],
    "texts in one piece": every(lambda cell: cell.update(source="".join(cell["source"]))),
    "Windows line ends": every(lambda cell: cell.update(source="".join(cell["source"]).replace("\n", "\r\n"))),
    "outputs that are no outputs": every(lambda cell: cell.update(outputs=[3, {"a": 1}, None])),
    "ids lost": every(lambda cell: cell.pop("id", None)),
    "one id for all": every(lambda cell: cell.update(id="a")),
    "metadata that is a list": every(lambda cell: None if meta(cell) else cell.update(metadata=[])),
    "things that are no cells": lambda cells, rng: [*cells[:1], 7, None, {"cell_type": "x"}, *cells[1:]],
}
"""Kinds on a list of cells; those on the whole file are in `FILE_MUTATIONS`."""


def to_format_3(data: dict[str, Any], content: bytes) -> bytes:
    cells = []
    for cell in data["cells"]:
        kept = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        if cell["cell_type"] == "code":
            kept |= {"input": cell["source"], "outputs": [], "language": "python", "collapsed": False}
        else:
            kept |= {"source": cell["source"]}
        cells.append(kept)
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    return json.dumps(old).encode()


def without(*names: str) -> Callable[[dict[str, Any], bytes], bytes]:
    return lambda data, content: json.dumps({k: v for k, v in data.items() if k not in names}).encode()


FILE_MUTATIONS: dict[str, Callable[[dict[str, Any], bytes], bytes]] = {
    "format 3": to_format_3,
    "cut off after its cells": lambda data, content: json.dumps({"cells": data["cells"]}).encode()[:-1],
    "cut off in its metadata": lambda data, content: content[: content.rindex(b'"metadata"')],
    "no kernelspec": lambda data, content: json.dumps({**data, "metadata": {}}).encode(),
    "a kernel of another name": lambda data, content: json.dumps(
        {**data, "metadata": {"kernelspec": {"name": "monpython", "display_name": "x"}}}
    ).encode(),
    "no version": without("nbformat", "nbformat_minor"),
    "no metadata": without("metadata"),
    "text after the end": lambda data, content: content + b"\n<html>",
    "twice in one file": lambda data, content: content + content,
    "a byte order mark": lambda data, content: b"\xef\xbb\xbf" + content,
    "UTF-16": lambda data, content: content.decode().encode("utf-16"),
    "Latin-1": lambda data, content: content.decode().encode("latin-1", "replace"),
    "marks of a merge": lambda data, content: content.replace(b'"cells": [', b'"cells": [\n<<<<<<< HEAD\n', 1).replace(
        b' "metadata": {\n  "kernelspec"', b'>>>>>>> other\n "metadata": {\n  "kernelspec"', 1
    ),
}


def frame(source: bytes, content: bytes) -> list[tuple[str, str, str]]:
    """Name, type and text of the cells that nbgrader knows, in the order in which they run."""
    notebook, _ = read_submission(content, 10_000_000)
    repaired = repair_submission(make_model(read_source(source)), notebook)
    assert repaired.matched
    return [(get_nbgrader(c)["grade_id"], c.cell_type, c.source) for c in repaired.notebook.cells if is_managed(c)]


def mutate(content: bytes, kind: str, sample: str) -> bytes:
    """Raises IndexError when the sample has nothing that this kind could change."""
    data = json.loads(content)
    if kind in FILE_MUTATIONS:
        return FILE_MUTATIONS[kind](data, content)
    changed = MUTATIONS[kind](data["cells"], random.Random(f"{kind} {sample}"))
    if isinstance(changed, list):
        data["cells"] = changed
    return json.dumps(data).encode()


def lines_that_run(source: bytes, content: bytes) -> list[str]:
    notebook, _ = read_submission(content, 10_000_000)
    repaired = repair_submission(make_model(read_source(source)), notebook)
    cells = [cell.source for cell in repaired.notebook.cells if cell.cell_type == "code"]
    return [line for text in cells for line in text.splitlines() if line.strip()]


# Where both pieces of a split answer are Python they may stay two cells, that run one after the other.
SPLITS = ("an answer split, both halves labelled", "an answer split, one half labelled")


def find_applicable() -> list[tuple[str, str]]:
    """(kind, sample) where the sample has something that this kind changes."""
    found = []
    for kind in [*MUTATIONS, *FILE_MUTATIONS]:
        for sample, (_, path) in SAMPLES.items():
            with contextlib.suppress(IndexError):
                mutate(path.read_bytes(), kind, sample)
                found.append((kind, sample))
    return found


APPLICABLE = find_applicable()


def test_every_kind_changes_something() -> None:
    assert {kind for kind, _ in APPLICABLE} == {*MUTATIONS, *FILE_MUTATIONS}
    assert len(APPLICABLE) > 250


@pytest.mark.parametrize(("kind", "sample"), APPLICABLE)
def test_what_runs_is_what_runs_for_the_whole_notebook(kind: str, sample: str) -> None:
    source, content = (path.read_bytes() for path in SAMPLES[sample])
    mangled = mutate(content, kind, sample)
    if kind in SPLITS:
        assert lines_that_run(source, mangled) == lines_that_run(source, content)
    else:
        assert frame(source, mangled) == frame(source, content)


# Each sends one notebook through a real sandbox: a few, drawn with a fixed seed.
MARKED = random.Random(20261125).sample(APPLICABLE, 12)


@pytest.mark.parametrize(("kind", "sample"), MARKED)
def test_marks_are_those_of_the_whole_notebook(kind: str, sample: str, mark: Mark) -> None:
    source, content = (path.read_bytes() for path in SAMPLES[sample])
    mangled = mutate(content, kind, sample)
    whole = points(mark(source, content))
    assert points(mark(source, mangled)) == whole and whole


def test_two_answers_merged_into_one_cell_are_told_apart() -> None:
    def merge(cells: Cells) -> Cells:
        first, second = (next(c for c in cells if meta(c).get("grade_id") == name) for name in ("ex-1-1", "ex-1-2"))
        first["source"] = "".join(first["source"]) + "\n\n" + "".join(second["source"])
        return [cell for cell in cells if cell is not second]

    assert frame(COURSE, edit(submission(), merge)) == frame(COURSE, submission())
    assert "ex-1-2" in RIGHT


def test_of_a_file_cut_off_the_cells_before_the_cut_are_marked() -> None:
    content = submission()
    names = [name for name, *_ in frame(COURSE, content)]
    for cut in range(len(content) - 1, content.index(b'"ex-1-1-test"'), -97):
        found = frame(COURSE, content[:cut])
        assert [name for name, *_ in found] == names
        assert found[1] == frame(COURSE, content)[1], "the first answer was whole before the cut"
