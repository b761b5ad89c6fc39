"""The course's solutions against the reference values of its specification, computed or tabulated apart from them."""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path
from typing import Any

import nbformat
import pytest


@pytest.fixture(scope="module")
def solutions(course_folder: Path) -> dict[str, Any]:
    """The names after running the answer cells of M1 to M3."""
    names: dict[str, Any] = {}
    for module in ("m1", "m2", "m3"):
        for cell in nbformat.read(course_folder / module / "exercices.ipynb", as_version=4).cells:
            if cell.metadata["nbgrader"]["solution"]:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(cell.source, names)
    return names


@pytest.mark.parametrize(
    ("expression", "expected", "rel_tol"),
    [
        ("v_ms", 25.0, 1e-9),
        ("Ec", 375_000, 1e-9),
        ("n", 2.5e-3, 1e-9),
        ("resistance_parallele(220, 470)", 149.86, 1e-4),
        ("force_gravitation(5.97e24, 7.35e22, 3.84e8)", 1.99e20, 5e-3),
        ("energie_mecanique(2, 5, 3)", 107.1, 1e-9),
        ("composantes(10, 60)[0]", 5.00, 1e-9),
        ("composantes(10, 60)[1]", 8.66, 1e-3),
        ("pression(1, 20, 24.0)", 1.0155e5, 1e-4),
        ("encadrement_racine2(6)[0]", math.floor(math.sqrt(2) * 10**6) / 10**6, 1e-12),
        ("nb_demi_vies(8000, 1000)", 3, 0),
        ("nb_demi_vies(8000, 999)", 4, 0),
        ("duree_vol(27)", 111, 0),
        ("duree_vol(6)", 8, 0),
        ("sum(est_premier(k) for k in range(100))", 25, 0),
    ],
)
def test_solution_gives_the_reference_value(
    solutions: dict[str, Any], expression: str, expected: float, rel_tol: float
) -> None:
    assert eval(expression, solutions) == pytest.approx(expected, rel=rel_tol, abs=0)


def test_states_of_water_and_exchange(solutions: dict[str, Any]) -> None:
    states = [solutions["etat_eau"](temperature) for temperature in (-5, 0, 99.9, 100)]
    assert states == ["solide", "liquide", "liquide", "gaz"]
    assert (solutions["T1"], solutions["T2"]) == (64.0, 18.5)


def test_years_to_double_a_capital() -> None:
    """The Parsons problem's 15, from the logarithm."""
    assert math.ceil(math.log(2) / math.log(1.05)) == 15
    assert math.ceil(math.log(2) / math.log(1.03)) == 24
