"""What can be said of a learner's function from one call of it, or from what it reads."""

from __future__ import annotations

import dis
import inspect
import numbers
from typing import Any

from pupitre.calls import Outcome
from pupitre.explanations import Diagnosis, diagnose
from pupitre.verdicts import show_value

ONLY_THE_EXAMPLE = Diagnosis(
    "E24", "Juste sur l’exemple, faux sur d’autres valeurs : reprenez le calcul à partir des paramètres."
)
PRINTED = Diagnosis(
    "E07",
    "Votre fonction **affiche** le résultat mais ne le **renvoie** pas ; `print` et `return` ne font pas la même chose.",
)
NOTHING = Diagnosis("E07", "Votre fonction ne renvoie rien (`None`) : par quel mot se termine-t-elle ?")


def diagnose_call(outcome: Outcome, expected: Any) -> Diagnosis | None:
    """The call failed, or gave nothing; None if it gave a value."""
    if outcome.error is not None:
        return diagnose(outcome.error)
    if outcome.value is None and expected is not None:
        return PRINTED if outcome.output.strip() else NOTHING
    return None


def find_ignored_input(function: Any) -> Diagnosis | None:
    """A parameter that the function never reads: a global is used instead, or a value was written out."""
    code = getattr(function, "__code__", None)
    if not inspect.isfunction(function) or code is None:
        return None
    parameters = code.co_varnames[: code.co_argcount]
    read: set[str] = set(code.co_cellvars)  # read by an inner function
    globals_read: set[str] = set()
    for instruction in dis.get_instructions(code):
        names = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
        if instruction.opname.startswith("LOAD_FAST"):
            read.update(str(name) for name in names)
        elif instruction.opname.startswith("LOAD_GLOBAL"):
            globals_read.update(str(name) for name in names)
    ignored = [name for name in parameters if name not in read]
    if not ignored:
        return None
    uses_global_value = any(isinstance(function.__globals__.get(name), numbers.Number | list) for name in globals_read)
    if len(ignored) == len(parameters) and not uses_global_value:
        return ONLY_THE_EXAMPLE
    return Diagnosis("E23", f"Votre fonction ne dépend pas de son argument `{ignored[0]}`.")


def show_call(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    """« `pression(1, 20, 24.0)` », as the learner would type it."""
    given = [_show_argument(value) for value in arguments]
    given += [f"{key}={_show_argument(value)}" for key, value in named.items()]
    return f"`{name}({', '.join(given)})`"


def _show_argument(value: Any) -> str:
    """An object that is neither a number, a text nor a list (a random generator) by its type: `Random(…)`."""
    shown = show_value(value)
    return f"{type(value).__name__}(…)" if "`" in shown else shown
