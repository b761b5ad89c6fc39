"""One submission → one `Result`: read, repaired, run cell by cell in an isolated process, marked here.

Runs in the worker. A wrong answer, a hostile notebook, an endless loop are all results; the only exception is
`SandboxUnavailable`, for which the task is tried again.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.utils import is_solution

from graders.engine import sentences
from graders.engine.notebook import Cell, Notebook, NotebookRefused, get_nbgrader, write_notebook
from graders.engine.process import Starter, end_process, start_process
from graders.engine.recovery import read_submission
from graders.engine.release import get_exercise, is_graded, is_test, make_model, read_source
from graders.engine.repair import MARKER, Repaired, repair_submission
from graders.engine.result import CellMark, MarkingLimits, Result
from graders.engine.runner import Failure, Runner, Stopped
from graders.engine.verdict import EMPTY_REPLY, judge_manual, judge_stopped, judge_test, make_outputs
from graders.errors import SandboxUnavailable

log = logging.getLogger(__name__)


__all__ = ["CellMark", "MarkingLimits", "Result", "mark_submission"]


def mark_submission(
    source: bytes,
    submitted: bytes,
    limits: MarkingLimits,
    forkd: Path | Starter,
    files: Mapping[str, bytes] | None = None,
    label: str = "",
) -> Result:
    """Mark a submission against its source notebook.

    `forkd` is its socket, or what starts a process like it (an author's own command may run without one).
    `files` are put beside the notebook: what was released with it, and the learner's own helper files.
    `label` names the run in the log; no two runs at once may have the same one, so the default is drawn at random.

    Raises
    ------
    SandboxUnavailable
        No isolated process could be had.
    ReleaseError
        The source is not what was published.
    """
    began = time.monotonic()
    model = make_model(read_source(source))
    try:
        notebook, recovered = read_submission(submitted, limits.submitted_bytes)
    except NotebookRefused as error:
        return _refused(error.code, error.message, began)
    repaired = repair_submission(model, notebook)
    if not repaired.matched and any(is_graded(cell) for cell in model.cells):
        return _refused("wrong-assignment", sentences.REFUSALS["wrong-assignment"], began)
    run = _run(repaired, limits, forkd, files or {}, label or f"marking-{secrets.token_hex(6)}")
    return Result(
        state="marked",
        code=run.stop_code,
        message=sentences.STOPS[run.stop_code] if run.stop_code else "",
        cells=run.marks,
        notebook=write_notebook(repaired.notebook),
        repairs=recovered + repaired.repairs,
        duration_s=time.monotonic() - began,
    )


@dataclass
class _State:
    """Where a run is: marks so far, and why and where it stopped."""

    marks: list[CellMark] = field(default_factory=list)
    answer: Cell | None = None
    """The last answer cell that ran."""
    answer_failure: Failure | None = None
    stop_code: str = ""
    stop_exercise: str = ""
    stop_number: int = 0


def _run(
    repaired: Repaired, limits: MarkingLimits, forkd: Path | Starter, files: Mapping[str, bytes], label: str
) -> _State:
    state = _State()
    process = start_process(forkd, limits, label)
    try:
        runner = Runner(process, limits)
        try:
            runner.start(files, find_sources(repaired.notebook))
        except Stopped as stop:  # before any learner's code: not theirs
            raise SandboxUnavailable(f"marking process did not start: {stop.code}") from stop
        for number, cell in enumerate(repaired.notebook.cells, 1):
            _run_cell(runner, cell, number, state)
    finally:
        end_process(process)
    if state.stop_code:
        log.warning("marking %s: stopped (%s) at cell %d", label, state.stop_code, state.stop_number)
    return state


def _run_cell(runner: Runner, cell: Cell, number: int, state: _State) -> None:
    """Run a cell, and mark it if it is graded."""
    if get_nbgrader(cell) and is_solution(cell):
        state.answer, state.answer_failure = cell, None
    if cell.cell_type == "code" and cell.source.strip() and not state.stop_code:
        try:
            reply = runner.run(cell.source, "test" if is_test(cell) else "answer")
        except Stopped as stop:
            state.stop_code, state.stop_number = stop.code, number
            state.stop_exercise = _find_exercise(cell, state.answer)
        else:
            cell.outputs = make_outputs(reply, cell)
            if is_test(cell):
                state.marks.append(judge_test(cell, reply, state.answer_failure))
                return
            if cell is state.answer:
                state.answer_failure = reply.error
    if not is_graded(cell):
        return
    if not is_test(cell):
        state.marks.append(judge_manual(cell))
    elif state.stop_code:
        here = number == state.stop_number or _find_exercise(cell, state.answer) == state.stop_exercise
        where = "" if here else sentences.cell_place(state.stop_exercise, state.stop_number)
        state.marks.append(judge_stopped(cell, state.stop_code, where))
    else:  # an empty test cell: nothing can fail, as in nbgrader
        state.marks.append(judge_test(cell, EMPTY_REPLY, None))


def find_sources(notebook: Notebook) -> dict[str, str]:
    """Text of each answer cell, by exercise: tests may read it or run it again with other values."""
    sources: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and get_nbgrader(cell) and is_solution(cell):
            marker = MARKER.search(cell.source)
            exercise = get_exercise(get_nbgrader(cell)["grade_id"])
            sources[exercise] = cell.source
            if marker:
                sources[marker[1].rstrip(".")] = cell.source
    return sources


def _find_exercise(cell: Cell, answer: Cell | None) -> str:
    for candidate in (cell, answer):
        if candidate is not None and get_nbgrader(candidate).get("grade_id"):
            return get_exercise(get_nbgrader(candidate)["grade_id"])
    return ""


def _refused(code: str, message: str, began: float) -> Result:
    log.info("submission refused: %s", code)
    return Result(state="refused", code=code, message=message, duration_s=time.monotonic() - began)
