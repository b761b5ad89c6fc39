"""Exercises marked by the real engine: the author's solution earns every point, the released copy none and holds no secret."""

from __future__ import annotations

import re
from typing import Any

import nbformat

from graders.engine.mark import MarkingLimits, mark_submission
from graders.engine.process import Starter
from graders.engine.release import describe_notebook, release_notebook
from graders.engine.result import Result
from hub.portal.authoring.checkcourse.findings import Finding
from hub.portal.authoring.checkcourse.folder import CourseNotebook

LIMITS = MarkingLimits()
_SECRET = re.compile(r"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)|=== (BEGIN|END) MARK SCHEME")
_SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.S)
_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", re.S)
_TELLING_CHARACTERS = 12
"""Shorter lines (`return n`, `else:`) stand in statements too."""


def check_marks(source: CourseNotebook, starter: Starter) -> list[Finding]:
    """Both copies marked; `starter` gives the process that runs them."""
    specs = [spec for spec in describe_notebook(source.source) if spec.kind == "auto"]
    if not specs:
        return []
    released = release_notebook(source.source)
    return [
        *_check_release(source, released),
        *_check_full(source, _mark(source, _solve(source, released), starter)),
        *_check_none(source, _mark(source, released, starter)),
    ]


def _mark(source: CourseNotebook, submitted: bytes, starter: Starter) -> Result:
    return mark_submission(source.source, submitted, LIMITS, starter, source.files)


def _solve(source: CourseNotebook, released: bytes) -> bytes:
    """The released copy with the author's solutions typed in."""
    solutions = {meta["grade_id"]: cell.source for cell in source.read().cells if (meta := _meta(cell)).get("solution")}
    notebook = nbformat.reads(released.decode("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if (grade_id := _meta(cell).get("grade_id")) in solutions:
            cell.source = re.sub(r"### (BEGIN|END) SOLUTION\n?", "", solutions[grade_id])
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text.encode("utf-8")


def _check_full(source: CourseNotebook, result: Result) -> list[Finding]:
    if result.state != "marked":
        return [
            Finding(source.file, "", "solution", f"le carnet corrigé est refusé par la correction : {result.message}")
        ]
    findings = []
    for cell in result.cells:
        if cell.kind == "auto" and (cell.points or 0) < cell.max_points:
            got = f"{cell.points or 0:g} point(s) sur {cell.max_points:g}"
            message = f"la solution de l’exercice {cell.exercise} n’obtient que {got} : corrigez la solution ou le test ({cell.message})"
            findings.append(Finding(source.file, cell.grade_id, "solution", message))
    return findings


def _check_none(source: CourseNotebook, result: Result) -> list[Finding]:
    return [
        Finding(
            source.file, cell.grade_id, "released-points",
            f"la copie distribuée, sans réponse, obtient {cell.points:g} point(s) à l’exercice {cell.exercise} : le test doit échouer tant que rien n’est écrit (`check.answer` le fait).",
        )
        for cell in result.cells
        if cell.kind == "auto" and cell.points
    ]  # fmt: skip


def _check_release(source: CourseNotebook, released: bytes) -> list[Finding]:
    """No marker, and no line of a solution or of a hidden test, is left in the copy that learners get."""
    findings = []
    notebook = nbformat.reads(released.decode("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    secrets: dict[str, str] = {}
    given: set[str] = set()
    for cell in source.read().cells:
        kept = cell.source
        for pattern, what in ((_SOLUTION, "de la solution"), (_HIDDEN, "d’un test caché")):
            for block in pattern.findall(cell.source):
                secrets.update(
                    {
                        line.strip(): what
                        for line in block.splitlines()
                        if len(line.strip()) > _TELLING_CHARACTERS and not line.endswith('"""')
                    }
                )
            kept = pattern.sub("", kept)
        if cell.cell_type == "code":  # what the author shows in code on purpose is no secret
            given.update(line.strip() for line in kept.splitlines())
    for cell in notebook.cells:
        if _SECRET.search(cell.source):
            findings.append(
                Finding(
                    source.file,
                    cell.id,
                    "secret",
                    "la copie distribuée garde un marqueur BEGIN/END : déplacez-le dans une cellule de réponse ou de test.",
                )
            )
        for line in cell.source.splitlines():
            if (kind := secrets.get(line.strip())) and line.strip() not in given:
                findings.append(
                    Finding(
                        source.file,
                        cell.id,
                        "secret",
                        f"la copie distribuée contient une ligne {kind} (`{line.strip()[:60]}`) : retirez-la.",
                    )
                )
    return findings


def _meta(cell: Any) -> dict[str, Any]:
    found: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return found
