"""Bonus lessons and solutions against the reference values of the specification (§3.11), computed or tabulated apart from them."""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import pytest

matplotlib.use("agg")
BONUS = ("b1", "b2", "b3", "b4", "b5")


def run_cells(course_folder: Path, module: str, name: str, wanted: str) -> dict[str, Any]:
    """The names after running, in the module's folder, the cells whose id begins with `wanted`, without their widgets."""
    names: dict[str, Any] = {}
    with contextlib.chdir(course_folder / module), contextlib.redirect_stdout(io.StringIO()):
        exec("import numpy as np\nfrom matplotlib.figure import Figure\nfrom pupitre import lesson", names)
        names["lesson"].simulation = lambda *_controls, **_more: None
        try:
            for cell in nbformat.read(name, as_version=4).cells:
                if cell.cell_type == "code" and cell.id.startswith(wanted) and not cell.id.endswith("-test"):
                    exec(cell.source, names)
        finally:
            import importlib

            importlib.reload(names["lesson"])
    return names


@pytest.fixture(scope="module")
def simulations(course_folder: Path) -> dict[str, dict[str, Any]]:
    return {module: run_cells(course_folder, module, "lecon.ipynb", "simulation-") for module in BONUS}


@pytest.fixture(scope="module")
def solutions(course_folder: Path) -> dict[str, Any]:
    return {
        name: value
        for module in BONUS
        for name, value in run_cells(course_folder, module, "exercices.ipynb", "ex-").items()
    }


@pytest.mark.parametrize(
    ("module", "expression", "expected", "rel_tol"),
    [
        ("b1", "ajuster(t, A)[1]", 3.01e-3, 2e-3),
        ("b1", "demi_vie(3.0e-3)", 231, 1e-3),
        ("b1", "-np.polyfit(A[:-1], np.diff(A) / np.diff(t), 1)[0]", 2.73e-3, 2e-3),
        ("b1", "-np.polyfit((A[1:] + A[:-1]) / 2, np.diff(A) / np.diff(t), 1)[0]", 2.98e-3, 2e-3),
        ("b1", "modele(900, 1.2, 3.0e-3)", 1.2 * math.exp(-2.7), 1e-9),
        ("b2", "aire_balayee(0.0, 1 / 12, 0.6)", math.pi * 0.8 / 12, 1e-4),
        ("b2", "aire_balayee(0.45, 1 / 12, 0.6)", math.pi * 0.8 / 12, 1e-4),
        ("b2", "vitesse(0, 0.6)", 2 * math.pi * 2, 1e-4),
        ("b2", "vitesse(0.5, 0.6)", 2 * math.pi / 2, 1e-4),
        ("b2", "vitesse(0.25, 0.6)", 4.6187, 1e-4),
        ("b3", "-np.log10(concentration(0.10, 4.76))", 2.88, 2e-3),
        ("b3", "-np.log10(concentration(1e-2, 4.76))", 3.39, 2e-3),
        ("b3", "-np.log10(concentration(1e-3, 4.76))", 3.91, 2e-3),
        ("b3", "100 * taux_avancement(0.10, 4.76)", 1.31, 2e-3),
        ("b3", "100 * taux_avancement(1e-2, 4.76)", 4.08, 2e-3),
        ("b3", "100 * taux_avancement(1e-3, 4.76)", 12.3, 5e-3),
        ("b3", "pourcentage_base(5.76, 4.76)", 91, 2e-3),
        ("b4", "amplitude_somme(2, 1, 0)", 3, 1e-9),
        ("b4", "amplitude_somme(2, 1, 90)", math.sqrt(5), 1e-9),
        ("b4", "amplitude_somme(2, 1, 180)", 1, 1e-9),
        ("b4", "onde(0.125, 0.10, 2.0, 0.50, 0.40)", 2.0, 1e-9),
        ("b5", "rectangles(carre, 0, 1, 8)", 0.2734375, 1e-9),
        ("b5", "rectangles(carre, 0, 1, 8, 0.5)", 0.33203125, 1e-9),
        ("b5", "sum(dichotomie(lambda x: x * x - 2, 1, 2, 1e-9)) / 2", math.sqrt(2), 1e-9),
        ("b5", "newton(lambda x: x * x - 2, lambda x: 2 * x, 1.0, 5)", math.sqrt(2), 1e-12),
    ],
)
def test_simulation_gives_the_reference_value(
    simulations: dict[str, dict[str, Any]], module: str, expression: str, expected: float, rel_tol: float
) -> None:
    assert float(eval(expression, simulations[module])) == pytest.approx(expected, rel=rel_tol, abs=0)


def test_the_third_law_holds_for_the_planets_of_the_file(course_folder: Path) -> None:
    lines = (course_folder / "b2" / "data" / "planetes.csv").read_text(encoding="utf-8").splitlines()[1:]
    values = [float(line.split(";")[2]) ** 2 / float(line.split(";")[1]) ** 3 for line in lines]
    assert len(values) == 8
    assert round(min(values), 4) == 0.9986 and round(max(values), 4) == 1.0021


def test_jupiters_moons_weigh_jupiter(course_folder: Path, solutions: dict[str, Any]) -> None:
    lines = (course_folder / "b2" / "data" / "lunes_jupiter.csv").read_text(encoding="utf-8").splitlines()[1:]
    masses = [solutions["masse_astre"](float(line.split(";")[1]), float(line.split(";")[2])) for line in lines]
    assert [round(mass / 1e27, 3) for mass in masses] == pytest.approx([1.9, 1.9, 1.9, 1.898], abs=0.0025)
    assert solutions["masse_astre"](149.6e6, 365.256) == pytest.approx(1.989e30, rel=1e-3)


def test_euler_approaches_e() -> None:
    value = 1.0
    for _ in range(1000):
        value += value * 1e-3
    assert round(value, 4) == 2.7169


def test_static_tables_say_what_the_simulations_give(
    course_folder: Path, simulations: dict[str, dict[str, Any]]
) -> None:
    """Some cells of the tables that stand in for the widgets."""
    text = "".join((course_folder / module / "lecon.ipynb").read_text(encoding="utf-8") for module in BONUS)
    b1, b3, b5 = simulations["b1"], simulations["b3"], simulations["b5"]
    said = [
        f"| 2,0 | {b1['demi_vie'](2e-3):.0f} | {b1['modele'](300, 1.2, 2e-3):.2f} | {b1['modele'](900, 1.2, 2e-3):.2f} |",
        f"| 4,0 | {b1['demi_vie'](4e-3):.0f} | {b1['modele'](300, 1.2, 4e-3):.2f} | {b1['modele'](900, 1.2, 4e-3):.2f} |",
        f"{100 * b3['taux_avancement'](0.01, 4.76):.2f} | {100 * math.sqrt(10**-4.76 / 0.01):.2f} |",
        f"| 16 | {b5['rectangles'](b5['carre'], 0, 1, 16):.4f} |",
    ]
    for line in said:
        assert line.replace(".", ",") in text, line
