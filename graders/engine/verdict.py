"""What happened in a graded cell → points, and one sentence for the learner.

Points are nbgrader's own (`nbgrader.utils.determine_grade`); a cell that raised has none, whatever it displayed before.
The sentence says nothing of a hidden test: no text, no name, no value, no line.
"""

from __future__ import annotations

import copy
import logging
from typing import Any

from nbgrader.utils import compute_checksum, determine_grade

from graders.engine import sentences
from graders.engine.notebook import Cell, get_nbgrader, make_node
from graders.engine.release import NBGRADER_STUBS, find_hidden_lines, make_spec
from graders.engine.result import CellMark
from graders.engine.runner import Failure, Reply

log = logging.getLogger(__name__)
TIMEOUT = "CellTimeout"
EMPTY_REPLY = Reply(nonce="", outputs=[], error=None)


def judge_test(cell: Cell, reply: Reply, answer_failure: Failure | None) -> CellMark:
    """The mark of a test cell that ran. `answer_failure`: how the answer cell before it failed, if it did."""
    spec = make_spec(cell)
    failure = reply.error
    if failure is None:
        points = _points(cell, reply)
        passed = points is not None and points >= spec.max_points
        return _mark(spec, points, passed, _sentence_for_points(points, spec.max_points, reply))
    hidden = failure.hidden or any(line in find_hidden_lines(cell.source) for line in failure.lines)
    message = _sentence_for_failure(failure, answer_failure, hidden)
    code = failure.code or ("timeout" if failure.ename == TIMEOUT else "")
    return _mark(spec, 0.0, False, message, code=code, hidden=hidden)


def judge_manual(cell: Cell) -> CellMark:
    """The mark of an answer that a person reads: 0 when it was left untouched, otherwise it waits."""
    spec = make_spec(cell)
    if get_nbgrader(cell).get("solution") and _is_untouched(cell):
        return _mark(spec, 0.0, False, sentences.NO_ANSWER)
    return _mark(spec, None, False, sentences.WAITS)


def judge_stopped(cell: Cell, code: str, where: str) -> CellMark:
    """The mark of a test cell that did not run, or did not end. `where`: empty when the run stopped in this exercise."""
    spec = make_spec(cell)
    message = sentences.STOPPED_BEFORE.format(where=where) if where else sentences.STOPS[code]
    return _mark(spec, 0.0, False, message, code=code)


def make_outputs(reply: Reply, cell: Cell) -> list[Any]:
    """The reply as nbformat outputs, the error last. A test's error shows its class and lines, for graders."""
    outputs = [_node(output.model_dump()) for output in reply.outputs]
    if reply.error is not None and not any(output.output_type == "error" for output in outputs):
        lines = ", ".join(map(str, reply.error.lines))
        text = f"{reply.error.ename}: {reply.error.message or reply.error.evalue}" + (
            f" (ligne {lines})" if lines else ""
        )
        outputs.append(_node({"output_type": "error", "ename": reply.error.ename, "evalue": text, "traceback": [text]}))
    return outputs


def _is_untouched(cell: Cell) -> bool:
    """The answer is the stub, ours or the one of a copy that nbgrader itself released."""
    ours = copy.deepcopy(cell)
    for theirs, stub in NBGRADER_STUBS.items():
        ours.source = ours.source.replace(theirs, stub)
    return get_nbgrader(cell).get("checksum") in (compute_checksum(cell), compute_checksum(ours))


def _points(cell: Cell, reply: Reply) -> float | None:
    """nbgrader's points. None where nbgrader itself would fail: a person decides."""
    cell.outputs = make_outputs(reply, cell)
    try:
        points, _ = determine_grade(cell, log)
    except (ValueError, KeyError) as error:
        log.warning("points of %s: %s", get_nbgrader(cell).get("grade_id"), error)
        return None
    return None if points is None else float(points)


def _sentence_for_points(points: float | None, max_points: float, reply: Reply) -> str:
    if points is None:
        return sentences.BAD_POINTS
    if points >= max_points:
        return sentences.PASSED
    if points == 0 and any(output.output_type == "stream" and output.name == "stderr" for output in reply.outputs):
        return sentences.WROTE_WARNING
    return sentences.PARTIAL if points > 0 else sentences.VISIBLE_FAILS


def _sentence_for_failure(failure: Failure, answer_failure: Failure | None, hidden: bool) -> str:
    if failure.message:
        return failure.message
    if failure.ename == TIMEOUT:
        return sentences.BY_ERROR[TIMEOUT]
    if answer_failure is not None and "NameError" in failure.ancestors:
        return describe_failure(answer_failure)  # the name is missing because the answer did not run
    if "NotImplementedError" in failure.ancestors:
        return sentences.NO_ANSWER
    if hidden:
        return sentences.HIDDEN_FAILS
    if "AssertionError" in failure.ancestors:
        return failure.evalue if failure.own and failure.evalue else sentences.VISIBLE_FAILS
    return _sentence_by_class(failure)


def describe_failure(failure: Failure) -> str:
    """The sentence for an error of the learner's own cell; its line is theirs to see."""
    sentence = _sentence_by_class(failure)
    return f"{sentence} (ligne {failure.lines[0]})" if failure.lines else sentence


def _sentence_by_class(failure: Failure) -> str:
    return next((sentences.BY_ERROR[n] for n in failure.ancestors if n in sentences.BY_ERROR), sentences.OTHER_ERROR)


def _node(output: dict[str, Any]) -> Any:
    if output.get("output_type") != "execute_result":
        output.pop("execution_count", None)
    return make_node(output)


def _mark(
    spec: Any, points: float | None, passed: bool, message: str, *, code: str = "", hidden: bool = False
) -> CellMark:
    return CellMark(spec.grade_id, spec.exercise, spec.kind, points, spec.max_points, passed, message, code, hidden)
