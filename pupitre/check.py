"""Checks that a test cell writes; each passes silently or raises `CheckFailed` with one French sentence.

Laws: the subject is a *name* of the learner's (so that a missing one is a sentence too), several (`"T1, T2"`), or a value already in hand.
Order: exception → None, type → length → known wrong value → unit factor → wrong value. The expected value is never shown.
`hidden=True` (or a few words: « aux bornes ») keeps the values of the case out of the message.
Full reference: docs/reference/checks.md.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pupitre import hints
from pupitre.calls import TIME_LIMIT_S, call
from pupitre.cells import find_source, learner_namespace, run_again
from pupitre.errors import CheckFailed
from pupitre.explanations import NOT_ANSWERED, Diagnosis, diagnose
from pupitre.functions import ONLY_THE_EXAMPLE, diagnose_call, find_ignored_input, show_call
from pupitre.verdicts import ABS_TOL, REL_TOL, Known, compare_values, show_value

__all__ = ["answer", "boolean", "choice", "equal", "function", "number", "program", "sequence", "success", "text"]

Cases = Sequence[tuple[tuple[Any, ...], Any]]
"""[(arguments, expected result), …]; a dict as last argument gives named ones."""

_exercise = ""


def answer(exercise: str) -> None:
    """Begin the test of an exercise: its answer cell must be Python, and answered."""
    global _exercise
    _exercise = exercise
    found = find_source(exercise)
    if found is None:
        return
    try:
        tree = ast.parse(found)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        _fail(diagnose(error))
    if any(isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node) for node in tree.body):
        _fail(diagnose(NotImplementedError()))


def number(subject: Any, expected: float, *, unit: str = "", known: Known | None = None, rel_tol: float = REL_TOL,
           abs_tol: float = ABS_TOL, hidden: bool | str = False, namespace: Mapping[str, Any] | None = None) -> None:  # fmt: skip
    """The number `expected`, in `unit`; a wrong value of `known` gets its own sentence."""
    _compare(subject, expected, namespace, hidden, unit=unit, known=known, rel_tol=rel_tol, abs_tol=abs_tol)


def text(subject: str, expected: str, *, known: Known | None = None, hidden: bool | str = False,
         namespace: Mapping[str, Any] | None = None) -> None:  # fmt: skip
    """The text `expected`, exactly. The subject is a name."""
    _compare(subject, expected, namespace, hidden, known=known)


def boolean(subject: Any, expected: bool, *, known: Known | None = None, hidden: bool | str = False,
            namespace: Mapping[str, Any] | None = None) -> None:  # fmt: skip
    """`True` or `False`."""
    _compare(subject, expected, namespace, hidden, known=known)


def sequence(subject: Any, expected: Sequence[Any], *, unit: str = "", known: Known | None = None, rel_tol: float = REL_TOL,
             abs_tol: float = ABS_TOL, hidden: bool | str = False, namespace: Mapping[str, Any] | None = None) -> None:  # fmt: skip
    """A list, tuple or array with these elements."""
    _compare(subject, expected, namespace, hidden, unit=unit, known=known, rel_tol=rel_tol, abs_tol=abs_tol)


def equal(subject: Any, expected: Any, *, known: Known | None = None, hidden: bool | str = False,
          namespace: Mapping[str, Any] | None = None) -> None:  # fmt: skip
    """The value `expected`, of any kind."""
    _compare(subject, expected, namespace, hidden, known=known)


def function(subject: Any, cases: Cases, *, unit: str = "", known: Known | None = None, rel_tol: float = REL_TOL,
             abs_tol: float = ABS_TOL, hidden: bool | str = False, time_limit_s: float = TIME_LIMIT_S,
    namespace: Mapping[str, Any] | None = None, sentences: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """A function that gives, for each case, the expected result; `sentences`: code → what is said in place of the usual."""
    tested, name = _value_of(subject, namespace), _name_of(subject)
    if not callable(tested):
        _fail(Diagnosis("", f"`{name}` doit être une fonction, définie avec `def`."), hidden)
    for given, expected in cases:
        arguments, named = (given[:-1], given[-1]) if given and isinstance(given[-1], dict) else (given, {})
        outcome = call(lambda f=tested, a=arguments, k=named: f(*a, **k), time_limit_s=time_limit_s)
        wrong = diagnose_call(outcome, expected)
        where = show_call(name, arguments, named)
        if wrong is None:
            wrong = compare_values(outcome.value, expected, unit=unit, known=known, rel_tol=rel_tol, abs_tol=abs_tol)
        if wrong is None:
            continue
        wrong = Diagnosis(wrong.code, (sentences or {}).get(wrong.code, wrong.message)) if wrong.code else wrong
        if wrong.message:
            _fail(wrong if hidden else Diagnosis(wrong.code, f"{where} : {_lower_first(wrong.message)}"), hidden)
        clue = find_ignored_input(tested) or _find_clue()
        if clue:
            _fail(clue, hidden)
        if hidden:
            _fail(Diagnosis(ONLY_THE_EXAMPLE.code, _about(hidden)), hidden)
        _fail(Diagnosis("", f"{where} donne `{show_value(outcome.value)}` : ce n’est pas la valeur attendue."), hidden)


def choice(*names: str) -> str:
    """The first of these names that the learner defined: an exercise with variants of equal worth."""
    namespace = learner_namespace()
    found = next((name for name in names if name in namespace), None)
    if found is None:
        _value_of(names[0], None)  # says why
        raise AssertionError("unreachable")
    return found


def program(
    subject: str,
    lines: Mapping[str, str],
    *,
    output: str,
    known: Known | None = None,
    hidden: bool | str = False,
    namespace: Mapping[str, Any] | None = None,
) -> None:
    """A Parsons problem in plain text: one letter of `lines` per line, indented; the program must print `output`."""
    code = _assemble(str(_value_of(subject, namespace)), lines)
    outcome = call(lambda: exec(compile(code, "programme", "exec"), {}))  # noqa: S102  (lines of the course, in the learner's order)
    printed = outcome.output.split()
    if outcome.error is not None:
        _fail(diagnose(outcome.error), hidden)
    if printed == output.split():
        return
    if hidden:
        _fail(Diagnosis(ONLY_THE_EXAMPLE.code, _about(hidden)), hidden)
    if len(printed) > 1:
        repeated = (
            "Le programme affiche plusieurs valeurs : quelle ligne est répétée à chaque tour et ne devrait pas l’être ?"
        )
        _fail(Diagnosis("E08", repeated))
    shown = printed[0] if printed else ""
    unexpected = f"Le programme affiche « {shown} » : ce n’est pas le résultat attendu."
    _fail(Diagnosis(*(known or {}).get(shown, ("", unexpected))))


def _assemble(ordered: str, lines: Mapping[str, str]) -> str:
    """The program that these letters write, each row keeping its indentation."""
    rows = [row for row in ordered.expandtabs(4).splitlines() if row.strip()]
    if not rows:
        _fail(diagnose(NotImplementedError()))
    unknown = next((row.strip() for row in rows if row.strip() not in lines), "")
    if unknown:
        _fail(
            Diagnosis(
                "", f"« {unknown[:20]} » n’est pas une lettre proposée : une seule par ligne, parmi {', '.join(lines)}."
            )
        )
    margin = min(len(row) - len(row.lstrip()) for row in rows)
    return "\n".join(" " * (len(row) - len(row.lstrip()) - margin) + lines[row.strip()] for row in rows)


def success(exercise: str) -> None:
    """Last line of the visible tests: says that they pass."""
    print(f"Test réussi\u00a0: exercice {exercise}.")  # noqa: T201  (the notebook shows what is printed)


def _compare(subject: Any, expected: Any, namespace: Mapping[str, Any] | None, hidden: bool | str, **how: Any) -> None:
    value = _value_of(subject, namespace)
    wrong = compare_values(value, expected, **how)
    if wrong is None:
        return
    if wrong.message:
        _fail(
            Diagnosis(
                wrong.code,
                wrong.message if wrong.code or hidden else f"`{_name_of(subject)}` : {_lower_first(wrong.message)}",
            ),
            hidden,
        )
    if clue := _find_clue():
        _fail(clue, hidden)
    if hidden:
        _fail(Diagnosis(ONLY_THE_EXAMPLE.code, _about(hidden)), hidden)
    _fail(Diagnosis("", f"`{_name_of(subject)}` vaut `{show_value(value)}` : ce n’est pas la valeur attendue."), hidden)


def _value_of(subject: Any, namespace: Mapping[str, Any] | None) -> Any:
    if not isinstance(subject, str):
        return subject
    if "," in subject:
        return tuple(_value_of(name.strip(), namespace) for name in subject.split(","))
    names = learner_namespace() if namespace is None else namespace
    if subject in names:
        return names[subject]
    found = find_source(_exercise)
    error = run_again(found, {})[0] if found is not None else None
    if error is not None:
        _fail(diagnose(error))
    near = next((name for name in names if name.lower() == subject.lower()), "")
    advice = f" Vous avez écrit `{near}` : minuscules et majuscules comptent." if near else ""
    _fail(
        Diagnosis("E21", f"Le nom `{subject}` n’existe pas encore : la cellule de réponse est-elle exécutée ?{advice}")
    )


def _find_clue() -> Diagnosis | None:
    """A usual slip that can be read in the answer cell itself."""
    found = find_source(_exercise)
    if found is not None and any(isinstance(node, ast.BitXor) for node in ast.walk(ast.parse(found))):
        return Diagnosis("E06", "La puissance s’écrit `**` ; en Python, `^` est une autre opération.")
    return None


def _about(hidden: bool | str) -> str:
    about = f"Juste sur l’exemple, faux {hidden}" if isinstance(hidden, str) else ONLY_THE_EXAMPLE.message
    return about if about.endswith(".") else f"{about} : reprenez le raisonnement pour ces cas."


def _lower_first(sentence: str) -> str:
    return sentence if sentence.startswith("Python") else sentence[0].lower() + sentence[1:]


def _name_of(subject: Any) -> str:
    return subject if isinstance(subject, str) else str(getattr(subject, "__name__", "cette valeur"))


def _fail(wrong: Diagnosis, hidden: bool | str = False) -> NoReturn:
    aid = hints.count_failure(_exercise) if wrong.code != NOT_ANSWERED else ""
    raise CheckFailed(wrong.message, wrong.code, hidden=bool(hidden), exercise=_exercise, aid=aid) from None
