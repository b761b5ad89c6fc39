"""What an answer promises beside its value: it works by a loop, keeps the lists it is given, refuses bad ones.

Same laws as `pupitre.check`: silent, or `CheckFailed` with one French sentence; `hidden=True` keeps the case out of the message.
The author gives the sentence (`because`), since only they know why the promise matters there.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from pupitre.calls import call
from pupitre.cells import find_source
from pupitre.check import _fail, _value_of
from pupitre.explanations import Diagnosis, diagnose

__all__ = ["avoids", "keeps", "loops", "refuses"]


def loops(exercise: str, *, because: str, hidden: bool | str = False) -> None:
    """The answer cell has a `for` or a `while` (a comprehension is none); passes if the cell cannot be found."""
    found = find_source(exercise)
    if found is not None and not any(
        isinstance(node, ast.For | ast.While | ast.AsyncFor) for node in ast.walk(ast.parse(found))
    ):
        _fail(Diagnosis("", because), hidden)


def avoids(exercise: str, *names: str, because: str, hidden: bool | str = False) -> None:
    """The answer cell uses none of these names (`sum`, `mean`), alone or after a point; passes if it cannot be found."""
    found = find_source(exercise)
    nodes = () if found is None else ast.walk(ast.parse(found))
    if any(getattr(node, "id", getattr(node, "attr", None)) in names for node in nodes):
        _fail(Diagnosis("", because), hidden)


def keeps(subject: str, arguments: tuple[Any, ...], *, because: str, hidden: bool | str = False) -> None:
    """A call leaves its arguments (numbers and lists) as they were."""
    given = copy.deepcopy(arguments)
    outcome = call(_value_of(subject, None), *given)
    if outcome.error is not None:
        _fail(diagnose(outcome.error), hidden)
    if given != arguments:
        _fail(Diagnosis("", because), hidden)


def refuses(
    subject: str, arguments: tuple[Any, ...], error: type[Exception], *, because: str, hidden: bool | str = False
) -> None:
    """A call with these arguments raises `error`; another error is explained as usual."""
    outcome = call(_value_of(subject, None), *arguments)
    if outcome.error is None:
        _fail(Diagnosis("", because), hidden)
    if not isinstance(outcome.error, error):
        _fail(diagnose(outcome.error), hidden)
