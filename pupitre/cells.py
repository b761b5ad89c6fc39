"""The learner's answer cells: their source, and running one again with other values.

An answer cell begins with the comment `# Exercice 1.1`. Its source is what the marking engine put in `SOURCES`;
otherwise the last cell run in IPython that begins so.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from typing import Any

from pupitre.calls import call
from pupitre.errors import CheckFailed
from pupitre.explanations import diagnose

SOURCES: dict[str, str] = {}
"""Exercise → source of its answer cell; set by the marking engine, empty elsewhere."""

_MARKER = re.compile(r"#\s*exercice\s+(?P<exercise>[a-z]?\d+\.\d+)\b", re.IGNORECASE)
_CONVERSIONS = {"int", "float", "round"}


def exercise_of(cell: str) -> str:
    """The exercise that this cell answers, "" if none."""
    marker = _MARKER.match(cell.lstrip())
    return marker["exercise"] if marker else ""


def find_source(exercise: str) -> str | None:
    """The answer cell of this exercise as last run, in plain Python."""
    cell = SOURCES.get(exercise)
    shell = _find_shell()
    if cell is None and shell is not None:
        history: list[str] = shell.history_manager.input_hist_raw
        cell = next((past for past in reversed(history) if exercise_of(past) == exercise), None)
    if cell is None:
        return None
    plain: str = shell.transform_cell(cell) if shell is not None else cell  # %magics and !commands
    return plain


def source(exercise: str) -> str:
    """The learner's answer cell of this exercise; a sentence if it cannot be found."""
    found = find_source(exercise)
    if found is None:
        raise CheckFailed(
            f"La cellule de réponse est introuvable : exécutez-la d’abord, et gardez `# Exercice {exercise}` sur sa première ligne.",
            "E21",
            exercise=exercise,
        )
    return found


def rerun(exercise: str, **values: Any) -> dict[str, Any]:
    """Run the answer cell again with these values in place of those given in it; the names it then has."""
    outcome, namespace = run_again(source(exercise), values)
    if outcome is not None:
        code, message = diagnose(outcome)
        raise CheckFailed(
            f"Avec d’autres valeurs, votre cellule s’arrête. {message}", code, hidden=True, exercise=exercise
        )
    return namespace


def run_again(text: str, values: dict[str, Any]) -> tuple[BaseException | None, dict[str, Any]]:
    """Run `text` in a copy of the learner's names: its error, if any, and the names afterwards."""
    namespace = {**learner_namespace(), **values}

    def run() -> None:
        tree = _Replace(values).visit(ast.parse(text))
        exec(compile(ast.fix_missing_locations(tree), "réponse", "exec"), namespace)  # noqa: S102  (their own cell, in their own process)

    return call(run).error, namespace


def learner_namespace() -> dict[str, Any]:
    """The names of the cell that called us: the nearest caller outside this package."""
    frame = sys._getframe()
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] == "pupitre":
        frame = frame.f_back
    return frame.f_globals


def _find_shell() -> Any:
    get_ipython: Callable[[], Any] | None = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython() if get_ipython else None


class _Replace(ast.NodeTransformer):
    """Drops the assignments that give a replaced name a written-out value (`v_kmh = 90`); a computed one stays."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.names = set(values)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        target, value = node.targets[0], node.value
        if len(node.targets) == 1 and isinstance(target, ast.Name):
            return None if target.id in self.names and _is_written_out(value) else node
        if (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
            and all(_is_written_out(element) for element in value.elts)
        ):
            kept = [
                (name, element)
                for name, element in zip(target.elts, value.elts, strict=True)
                if not (isinstance(name, ast.Name) and name.id in self.names)
            ]
            if not kept:
                return None
            target.elts, value.elts = [name for name, _ in kept], [element for _, element in kept]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        replaced = isinstance(node.target, ast.Name) and node.target.id in self.names
        return None if replaced and node.value is not None and _is_written_out(node.value) else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node  # names inside a function are its own


def _is_written_out(value: ast.expr) -> bool:
    return all(node.id in _CONVERSIONS for node in ast.walk(value) if isinstance(node, ast.Name))
