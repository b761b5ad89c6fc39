"""nbgrader's Execute, in a process that is forked for the notebook, isolated, and ended after it.

Same settings (`c.Execute.timeout`…), same outputs; what ends a run (a memory bomb, `os._exit`, a cell that resists its
interruption) is an error in the cells that did not run, so that they earn nothing, and never an error of the command.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import Execute
from traitlets import Integer, Unicode

from graders.engine import sentences
from graders.engine.mark import find_sources
from graders.engine.process import end_process, start_process
from graders.engine.release import get_language
from graders.engine.result import MarkingLimits
from graders.engine.runner import Runner, Stopped
from graders.engine.verdict import make_outputs
from graders.errors import SandboxUnavailable

_SKIP = "skip-execution"
_MANY_S = 3600.0


class NotPython(Exception):
    """The notebook is in a language that is not run in a sandbox yet."""


class SandboxExecute(Execute):
    """Runs the cells of a notebook in a sandbox. `forkd` is set by the command."""

    forkd = Unicode(help="Where forkd listens.")
    run_timeout = Integer(600, config=True, help="Time of a whole notebook, seconds.")
    memory_bytes = Integer(1 << 30, config=True, help="Memory of one notebook's run, bytes.")
    stop_code = ""

    def preprocess(self, nb: Any, resources: Any = None, km: Any = None) -> tuple[Any, Any]:
        """Run every code cell and keep its outputs.

        Raises
        ------
        NotPython
            Only Python notebooks are run.
        SandboxUnavailable
            No isolated process could be had.
        """
        language = get_language(nb)
        if language != "python":
            raise NotPython(language)
        timeout_s = float(self.timeout) if self.timeout and self.timeout > 0 else _MANY_S
        limits = MarkingLimits(
            cell_s=timeout_s, run_s=max(float(self.run_timeout), timeout_s), memory_bytes=self.memory_bytes
        )
        folder = Path(resources["metadata"]["path"])
        process = start_process(Path(self.forkd), limits, f"standalone-{secrets.token_hex(6)}")
        self.stop_code = ""
        try:
            runner = Runner(process, limits)
            try:
                runner.start(read_files(folder), find_sources(nb), {"NBGRADER_EXECUTION": "autograde"})
            except Stopped as stop:
                raise SandboxUnavailable(f"the process did not start: {stop.code}") from stop
            self._run_cells(nb, runner)
        finally:
            end_process(process)
        return nb, resources

    def _run_cells(self, nb: Any, runner: Runner) -> None:
        count = 0
        for cell in nb.cells:
            if cell.cell_type != "code" or not cell.source.strip() or _SKIP in cell.metadata.get("tags", []):
                continue
            count += 1
            cell.execution_count = count
            if self.stop_code:
                cell.outputs = [self._make_stop()]
                continue
            try:
                reply = runner.run(cell.source, "answer")
            except Stopped as stop:
                self.stop_code = stop.code
                self.log.warning("the run stopped at cell %d: %s", count, stop.code)
                cell.outputs = [self._make_stop()]
                continue
            cell.outputs = make_outputs(reply, cell)
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count

    def _make_stop(self) -> Any:
        from nbformat.v4 import new_output

        sentence = sentences.STOPS[self.stop_code]
        return new_output("error", ename="RunStopped", evalue=sentence, traceback=[f"RunStopped: {sentence}"])  # type: ignore[no-untyped-call]


def read_files(folder: Path) -> dict[str, bytes]:
    """What lies beside the notebook, without notebooks: paths from `folder`; links are not followed."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix != ".ipynb" and path.is_file() and not path.is_symlink()
    }
