"""What a value is worth beside the expected one: a verdict, never an exception.

Order, one at a time: None → type → length → known wrong value → unit factor → wrong value.
Values come from learners' code: they are shown shortened, and compared only once their type is the expected one.
"""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Mapping
from typing import Any

from pupitre.explanations import Diagnosis

REL_TOL = 1e-6
ABS_TOL = 1e-9
"""Source: pedagogy of the course §3.0, `math.isclose(rel_tol=1e-6, abs_tol=1e-9)`."""

KNOWN_REL_TOL = 1e-4
"""Wrong values are written with five figures in test cells; a wider net would catch a neighbour's mistake."""

Known = Mapping[Any, tuple[str, str]]
"""Wrong value → (code, sentence)."""

DECIMAL_COMMA = Diagnosis(
    "E04", "La virgule a créé un couple : `0,34` vaut (0, 34). Le séparateur décimal est le point : `0.34`."
)

_UNIT_FACTORS = {1e3: "1 000", 1e6: "1 000 000", 3.6: "3,6", 12.96: "12,96", 60: "60", 3600: "3 600", 100: "100"}
_KINDS = {
    bool: "un booléen (`True` ou `False`)", int: "un nombre entier", float: "un nombre décimal", str: "un texte",
    tuple: "un couple ou un n-uplet", list: "une liste", dict: "un dictionnaire", type(None): "`None`, c’est-à-dire rien",
}  # fmt: skip


def compare_values(
    value: Any,
    expected: Any,
    *,
    unit: str = "",
    rel_tol: float = REL_TOL,
    abs_tol: float = ABS_TOL,
    known: Known | None = None,
) -> Diagnosis | None:
    """None if the value is right; otherwise why not. A message "" means: simply another value."""
    if wrong := _compare_types(value, expected):
        return wrong
    if is_sequence(expected) and len(value) != len(expected):
        code = "E10" if abs(len(value) - len(expected)) == 1 and isinstance(expected, list) else ""
        return Diagnosis(code, f"Il y a {len(value)} valeurs au lieu de {len(expected)}.")
    if is_sequence(expected) and any(
        _compare_types(*pair) == DECIMAL_COMMA for pair in zip(value, expected, strict=True)
    ):
        return DECIMAL_COMMA
    if is_same(value, expected, rel_tol, abs_tol):
        return None
    for wrong_value, (code, message) in (known or {}).items():
        if _compare_types(value, wrong_value) is None and is_same(
            value, wrong_value, max(rel_tol, KNOWN_REL_TOL), abs_tol
        ):
            return Diagnosis(code, message)
    return _find_unit_factor(value, expected, unit) or Diagnosis("", "")


def is_same(value: Any, expected: Any, rel_tol: float, abs_tol: float) -> bool:
    """Equal within the tolerance; sequences element by element. The types are those of `_compare_types`."""
    if is_sequence(expected):
        return len(value) == len(expected) and all(
            _compare_types(one, other) is None and is_same(one, other, rel_tol, abs_tol)
            for one, other in zip(value, expected, strict=True)
        )
    if _is_number(expected):
        return math.isclose(float(value), float(expected), rel_tol=rel_tol, abs_tol=abs_tol)
    return bool(value == expected)


def is_sequence(value: Any) -> bool:
    """A list or tuple, or a numpy array (known without importing numpy)."""
    return isinstance(value, list | tuple) or (type(value).__module__ == "numpy" and getattr(value, "ndim", 0) > 0)


def describe_kind(value: Any) -> str:
    """The type of a value, in French words."""
    for kind, words in _KINDS.items():
        if type(value) is kind:
            return words
    if callable(value):
        return "une fonction"
    return "un tableau" if is_sequence(value) else f"un objet `{type(value).__name__}`"


def show_value(value: Any) -> str:
    """A value as the learner would type it, short; only numbers, texts and sequences are shown."""
    if type(value) is float:
        return f"{value:.6g}"
    if type(value) in (bool, int, str, list, tuple, type(None)):
        return reprlib.repr(value)
    return describe_kind(value)


def _compare_types(value: Any, expected: Any) -> Diagnosis | None:
    if value is None and expected is not None:
        return Diagnosis("", "La valeur est `None`, c’est-à-dire rien.")
    if _is_boolean(expected):
        ok, wanted = _is_boolean(value), _KINDS[bool]
    elif _is_number(expected):
        ok, wanted = _is_number(value), "un nombre"
        if type(value) is tuple and len(value) == 2 and int in (type(value[0]), type(value[1])):
            return DECIMAL_COMMA
    elif is_sequence(expected):
        ok, wanted = is_sequence(value), _KINDS[tuple] if isinstance(expected, tuple) else _KINDS[list]
    else:
        ok, wanted = isinstance(value, type(expected)), describe_kind(expected)
    return None if ok else Diagnosis("", f"On attend {wanted} ; ici, c’est {describe_kind(value)}.")


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or (type(value).__name__ in ("bool", "bool_") and type(value).__module__ == "numpy")


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not _is_boolean(value)


def _find_unit_factor(value: Any, expected: Any, unit: str) -> Diagnosis | None:
    if not (unit and _is_number(value) and expected and value):
        return None
    ratio = abs(float(value) / float(expected))
    for factor, words in _UNIT_FACTORS.items():
        for way, off in (("grand", ratio / factor), ("petit", ratio * factor)):
            if math.isclose(off, 1.0, rel_tol=2e-3):
                sentence = f"Votre résultat est {words} fois trop {way} : chaque grandeur est-elle convertie avant le calcul en {unit} ?"
                return Diagnosis("E13", sentence)
    return None
