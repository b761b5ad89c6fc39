"""nbgrader's Autograde, step for step, with three of its steps done otherwise: reading, repair and execution.

Everything else (files copied, timestamps, late penalties, gradebook, hooks, permissions) is nbgrader's own code, with the
settings of the course's `nbgrader_config.py`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from nbgrader.utils import rmtree
from traitlets import List
from traitlets.config import Config

from graders.engine.notebook import Notebook, make_cell, make_notebook
from graders.engine.recovery import read_submission
from graders.engine.repair import repair_submission
from graders.standalone.execute import SandboxExecute
from graders.standalone.gradebook import get_gradebook

SUBMITTED_BYTES_MAX = 100_000_000


class SaveAtOnce(SaveAutoGrades):
    """nbgrader's SaveAutoGrades, in one transaction."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        identity = resources["nbgrader"]
        gradebook = get_gradebook(identity["db_url"])
        with gradebook.one_transaction():
            gradebook.expect(identity["notebook"], identity["assignment"], identity["student"])
            saved: tuple[Any, Any] = super().preprocess(nb, resources)
        return saved


class FastAutograde(Autograde):
    """Marks the submissions that `coursedir` names, one after another."""

    sanitize_preprocessors = List(
        [ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata]
    ).tag(config=True)
    autograde_preprocessors = List(
        [
            SandboxExecute,
            IgnorePattern,
            ClearMetadataPreprocessor,
            LimitOutput,
            SaveAtOnce,
            AssignLatePenalties,
            CheckCellMetadata,
        ]
    ).tag(config=True)

    def __init__(self, *args: Any, forkd: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.forkd, self.was_marked = forkd, False
        # Otherwise nbconvert validates the whole notebook after each of the twelve steps.
        self.update_config(Config({"Exporter": {"optimistic_validation": True}}))
        self.repairs: dict[str, list[str]] = {}
        self.stops: dict[str, str] = {}

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Whether there is something to do. What an earlier run, killed in the middle, left half done is done again."""
        done = Path(self._format_dest(assignment_id, student_id))
        if done.is_dir() and any(not (done / Path(notebook).name).exists() for notebook in self.notebooks):
            self.log.warning("%s is incomplete: marked again", done)
            rmtree(str(done))
        should: bool = super().init_destination(assignment_id, student_id)
        self.was_marked = self.was_marked or should
        return should

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Everything before the first cell runs, in one transaction."""
        with get_gradebook(self.coursedir.db_url, self.coursedir.course_id).one_transaction():
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Sanitize and mark one notebook, without writing and reading it again in between."""
        self.log.info("Autograding %s", notebook_filename)
        self._sanitizing = True
        resources = self.init_single_notebook_resources(notebook_filename)
        path = Path(notebook_filename)
        identity = resources["nbgrader"]
        if Execute(parent=self).enabled:
            notebook = self._read(path, identity)
        else:  # `--no-execute`: its outputs are the ones that count
            notebook = nbformat.read(path, as_version=nbformat.current_nbformat)  # type: ignore[no-untyped-call]
        # Files were copied beside the result, and the notebook runs there.
        folder = Path(self._format_dest(identity["assignment"], identity["student"]))
        folder.mkdir(parents=True, exist_ok=True)
        resources["metadata"] = {"name": path.stem, "path": str(folder)}
        self.exporter._preprocessors = []
        for step in (*self.sanitize_preprocessors, *self.autograde_preprocessors):
            self.exporter.register_preprocessor(step)
        executions = [step for step in self.exporter._preprocessors if isinstance(step, SandboxExecute)]
        for execution in executions:
            execution.forkd = self.forkd
        output, resources = self.exporter.from_notebook_node(notebook, resources=resources)
        for execution in executions:
            if execution.stop_code:
                self.stops[path.stem] = execution.stop_code
        self.write_single_notebook(output, resources)

    def _read(self, path: Path, identity: dict[str, str]) -> Notebook:
        """The submission, put back in the assignment's frame if it was mangled."""
        notebook, recovered = read_submission(path.read_bytes(), SUBMITTED_BYTES_MAX)
        model = get_frame(identity["db_url"], identity["notebook"], identity["assignment"])
        repaired = repair_submission(model, notebook)
        if not repaired.matched:
            return notebook  # nothing of this assignment is in it: nbgrader says what that is worth
        repairs = recovered + repaired.repairs
        if repairs:
            self.repairs[path.stem] = repairs
            self.log.warning("repaired %s: %s", path, " ".join(repairs))
        repaired.notebook.metadata = notebook.metadata
        return repaired.notebook


@functools.cache
def get_frame(db_url: str, notebook_id: str, assignment_id: str) -> Notebook:
    """It does not change while a command marks."""
    gradebook = get_gradebook(db_url)
    with gradebook:
        return make_frame(gradebook, notebook_id, assignment_id)


def make_frame(gradebook: Any, notebook_id: str, assignment_id: str) -> Notebook:
    """The assignment's managed cells, as `generate_assignment` wrote them in the gradebook."""
    frame = make_notebook()
    try:
        known = gradebook.find_notebook(notebook_id, assignment_id)
    except MissingEntry:
        return frame
    points = {cell.name: cell.max_score for cell in (*known.grade_cells, *known.task_cells)}
    answers = {cell.name for cell in known.solution_cells}
    tasks = {cell.name for cell in known.task_cells}
    grades = {cell.name for cell in known.grade_cells}
    for source in known.source_cells:
        meta: dict[str, Any] = {
            "schema_version": MetadataValidator.schema_version,
            "grade_id": source.name,
            "cell_type": source.cell_type,
            "checksum": source.checksum,
            "locked": source.locked,
            "grade": source.name in grades,
            "solution": source.name in answers,
            "task": source.name in tasks,
        }
        if source.name in points:
            meta["points"] = points[source.name]
        frame.cells.append(make_cell(source.cell_type, source.source, {"nbgrader": meta}))
    return frame
