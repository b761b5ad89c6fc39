"""What a learner sent, read with distrust: names, sizes, and which file answers which notebook.

Nothing is executed here and nothing is written; bad input is `SubmissionRefused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from graders.engine.notebook import Cell, NotebookRefused, get_nbgrader, read_notebook
from graders.errors import SubmissionRefused
from graders.models import AssignmentVersion

FILE_BYTES = 10_000_000
TOTAL_BYTES = 30_000_000
FILES = 50
PATH_CHARACTERS = 200


def is_safe_path(path: str) -> bool:
    """Whether `path` is relative, stays below its folder and means the same on every system."""
    parts = PurePosixPath(path).parts
    return (
        0 < len(path) <= PATH_CHARACTERS
        and path.isprintable()
        and "\\" not in path
        and path == "/".join(parts)
        and not path.startswith("/")
        and all(part not in (".", "..") for part in parts)
    )


def check_files(files: Mapping[str, bytes]) -> None:
    """Raise SubmissionRefused unless names and sizes are acceptable."""
    if not files:
        raise SubmissionRefused("no-file", _("Aucun fichier n’a été reçu."))
    if len(files) > FILES:
        raise SubmissionRefused(
            "too-many-files",
            _("Vous avez envoyé %(n)d fichiers ; la limite est de %(max)d.") % {"n": len(files), "max": FILES},
        )
    for path, content in files.items():
        if not is_safe_path(path):
            raise SubmissionRefused("bad-path", _("Le nom de fichier « %s » n’est pas accepté.") % path[:80])
        if len(content) > FILE_BYTES:
            raise SubmissionRefused(
                "too-large",
                _(
                    "« %(path)s » pèse %(size).1f Mo ; la limite est de %(max)d Mo. Effacez les sorties volumineuses, puis recommencez."
                )
                % {"path": path, "size": len(content) / 1e6, "max": FILE_BYTES // 1_000_000},
            )
    if sum(map(len, files.values())) > TOTAL_BYTES:
        raise SubmissionRefused(
            "too-large",
            _("Vos fichiers dépassent %d Mo en tout. Retirez ceux qui sont volumineux, puis recommencez.")
            % (TOTAL_BYTES // 1_000_000),
        )


def load_cells(content: bytes) -> list[Cell]:
    """The cells of a notebook, rebuilt by the engine's own reader.

    Raises
    ------
    SubmissionRefused
        `not-a-notebook`, `notebook-too-new`, `too-large`.
    """
    try:
        return list(read_notebook(content, FILE_BYTES).cells)
    except NotebookRefused as refusal:
        raise SubmissionRefused(refusal.code, refusal.message) from refusal


def graded_ids(cells: list[Cell]) -> set[str]:
    """`grade_id` of the cells nbgrader knows."""
    found = (get_nbgrader(cell).get("grade_id") for cell in cells)
    return {grade_id for grade_id in found if isinstance(grade_id, str)}


def match_notebooks(version: AssignmentVersion, files: Mapping[str, bytes]) -> dict[str, str]:
    """Which submitted file answers which notebook of the assignment.

    A file that holds graded cells of a notebook answers it, whatever its name; a file of the same name does too,
    unless its graded cells are another assignment's (every module has an `exercices.ipynb`).

    Raises
    ------
    SubmissionRefused
        A file is not a notebook though named so, or none answers the assignment.
    """
    expected: dict[str, set[str]] = {path: set() for path in version.notebooks}
    for cell in version.cells:
        expected.setdefault(cell["notebook"], set()).add(cell["grade_id"])
    submitted = {path: graded_ids(load_cells(content)) for path, content in files.items() if path.endswith(".ipynb")}
    if not submitted:
        raise SubmissionRefused("no-notebook", _("Aucun carnet Jupyter (.ipynb) ne figure parmi les fichiers reçus."))
    matched: dict[str, str] = {}
    for notebook, ours in expected.items():
        name = PurePosixPath(notebook).name
        # Same path first, then same name, then most cells in common: one order, so that the answer is always the same.
        candidates = sorted(
            submitted,
            key=lambda path: (path != notebook, PurePosixPath(path).name != name, -len(submitted[path] & ours), path),
        )
        for path in candidates:
            same_name = PurePosixPath(path).name == name
            if submitted[path] & ours or (same_name and (not ours or not submitted[path])):
                matched[notebook] = path
                break
    if not matched:
        raise SubmissionRefused(
            "wrong-assignment",
            _(
                "Ce carnet n’est pas celui de ces exercices (« %s ») : ouvrez-le depuis la page du module, puis recommencez."
            )
            % ", ".join(version.notebooks)[:120],
        )
    return matched
