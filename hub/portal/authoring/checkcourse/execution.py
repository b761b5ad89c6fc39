"""Each notebook run whole, from the start, with papermill, in a folder laid out as the learner's.

In a sandbox when forkd answers: papermill then drives `SandboxEngine`, which runs the cells in the process that marks.
Otherwise papermill's own engine, with a kernel that runs as whoever typed the command.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillException

from graders.engine.mark import MarkingLimits
from graders.engine.release import is_test
from graders.engine.runner import Runner, Stopped
from graders.engine.verdict import make_outputs
from hub.portal.authoring.checkcourse import audit
from hub.portal.authoring.checkcourse.findings import Finding
from hub.portal.authoring.checkcourse.folder import CourseNotebook
from sandbox.client import Forkd, Request
from sandbox.errors import SandboxError
from sandbox.limits import Limits

RUN_LIMIT_S = 20.0
"""A whole notebook. Source: pedagogy of the course §3.0."""
CELL_LIMIT_S = 20
LIMITS = MarkingLimits(cell_s=CELL_LIMIT_S, run_s=60, output_bytes=400_000)
ENGINE = "pupitre-sandbox"


@dataclass(frozen=True)
class Execution:
    """One run: the notebook with its outputs, what the audit saw, what went wrong."""

    notebook: Any
    audit: dict[str, Any]
    duration_s: float
    findings: list[Finding]


def execute(source: CourseNotebook, forkd: Path | None) -> Execution:
    """Run a notebook whole, in a thread of its own. `forkd`: the socket of a forkd that answers, or None to run here."""
    with _laid_out(source) as path:
        began = time.monotonic()
        findings = _run(source, path, forkd)
        _close_loop()
        duration_s = time.monotonic() - began
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    findings += _find_errors(source, notebook) if not findings else []
    if duration_s > RUN_LIMIT_S and not findings:
        message = f"le carnet s’exécute en {duration_s:.0f} s ; au plus {RUN_LIMIT_S:.0f} s : allégez les calculs ou les figures."
        findings.append(Finding(source.file, "", "slow", message))
    return Execution(notebook, audit.read_audit(notebook), duration_s, findings)


@contextmanager
def _laid_out(source: CourseNotebook) -> Iterator[Path]:
    notebook = source.read()
    first = nbformat.v4.new_code_cell(audit.FIRST, id=audit.FIRST_ID)  # type: ignore[no-untyped-call]
    last = nbformat.v4.new_code_cell(audit.LAST, id=audit.LAST_ID)  # type: ignore[no-untyped-call]
    notebook.cells = [first, *notebook.cells, last]
    with tempfile.TemporaryDirectory(prefix="pupitre-check-") as folder:
        for name, data in source.files.items():
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        path = Path(folder) / source.name
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
        yield path


def _run(source: CourseNotebook, path: Path, forkd: Path | None) -> list[Finding]:
    # The kernel's folder goes through `resources`: papermill's own `cwd` moves this whole process, where others run too.
    extra: dict[str, Any] = {"execution_timeout": CELL_LIMIT_S, "resources": {"metadata": {"path": str(path.parent)}}}
    extra["extra_arguments"] = ["--log-level=CRITICAL"]  # the kernel's own log would mix with the report
    if forkd is not None:
        extra = {"engine_name": ENGINE, "forkd": forkd, "beside": dict(source.files)}
    try:
        papermill.execute_notebook(path, path, kernel_name="python3", progress_bar=False, **extra)
    except papermill.PapermillExecutionError:
        pass  # in the outputs
    except (PapermillException, Stopped, SandboxError, TimeoutError, RuntimeError) as error:
        stopped = {"timeout": "une cellule ne se termine pas", "run-timeout": "le carnet ne se termine pas"}
        reason = stopped.get(getattr(error, "code", ""), "")
        if not reason:
            reason = (
                "une cellule ne se termine pas"
                if isinstance(error, TimeoutError)
                else f"l’exécution s’est arrêtée ({error})"
            )
        return [
            Finding(
                source.file, "", "execution", f"{reason} : redémarrez le noyau et exécutez tout, cellule par cellule."
            )
        ]
    return []


def _close_loop() -> None:
    """nbclient leaves its event loop to the thread, open."""
    with contextlib.suppress(RuntimeError):
        asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)


def _find_errors(source: CourseNotebook, notebook: Any) -> list[Finding]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                said = " ".join(str(output.evalue).split())[:200]
                message = f"la cellule s’arrête sur une erreur `{output.ename}` ({said}) : corrigez-la ; « Redémarrer le noyau et tout exécuter » doit réussir."
                return [Finding(source.file, cell.id, "execution", message)]
    return []


class SandboxEngine(Engine):
    """papermill's cells, run in forkd's marking sandbox."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *, forkd: Path, beside: dict[str, bytes], **_: Any) -> None:  # fmt: skip
        limits = Limits(memory_bytes=LIMITS.memory_bytes, processes=LIMITS.processes, cpu_s=90,
                        file_bytes=LIMITS.file_bytes, open_files=LIMITS.open_files)  # fmt: skip
        process = Forkd(forkd).start(
            Request(profile="grading", label=f"check-{time.monotonic_ns():x}", uid=None, limits=limits)
        )
        try:
            runner = Runner(process, LIMITS)
            runner.start(beside, {})
            for index, cell in enumerate(nb_man.nb.cells):
                nb_man.cell_start(cell, index)
                if cell.cell_type == "code" and cell.source.strip():
                    reply = runner.run(cell.source, "test" if is_test(cell) else "answer")
                    cell.outputs = make_outputs(reply, cell)
                    if reply.error is not None:
                        nb_man.cell_exception(cell, index)
                        return
                nb_man.cell_complete(cell, index)
        finally:
            process.kill()
            process.wait(5)
            process.close()


logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it says is in the findings
papermill_engines.register(ENGINE, SandboxEngine)
