"""Solutions and simulations of M6 to M8 against the reference values of the course's specification, computed apart from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from pupitre import lesson


def run_cells(
    course_folder: Path, module: str, name: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The names after running the cells whose id begins so, in the module's folder."""
    monkeypatch.chdir(course_folder / module)
    monkeypatch.setattr(lesson, "display", lambda *_: None)
    names: dict[str, Any] = {}
    notebook: Any = nbformat.read(course_folder / module / name, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        wanted = cell.id.startswith(prefix) and cell.metadata.get("nbgrader", {"solution": True})["solution"]
        if cell.cell_type == "code" and (cell.id == "preparation" or wanted):
            exec(cell.source, names)
    return names


@pytest.fixture
def solve(course_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda module: run_cells(course_folder, module, "exercices.ipynb", "ex-", monkeypatch)


@pytest.fixture
def simulate(course_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda module: run_cells(course_folder, module, "lecon.ipynb", "simulation-", monkeypatch)


def test_magnesium_and_acid(solve: Any, simulate: Any) -> None:
    """verif.py: 4.938 mmol of Mg, 2.5 mmol of advancement, 60 mL of dihydrogen."""
    n_mg, n_h = 0.12 / 24.3, 0.50 * 10.0e-3
    solved = solve("m6")
    assert solved["avancement_max"]([n_mg, n_h], [1, 2]) == pytest.approx(2.5e-3, rel=1e-9)
    assert solved["etat_final"]([n_mg, n_h, 0, 0], [-1, -2, 1, 1]) == pytest.approx(
        [2.438e-3, 0, 2.5e-3, 2.5e-3], abs=1e-6
    )
    lived = simulate("m6")
    x_max, final = lived["etat_final"]([4.94, 5.0, 0, 0], lived["NU"])
    assert x_max * lived["VM"] == pytest.approx(60.0)
    assert final == pytest.approx([2.44, 0, 2.5, 2.5])


def test_matter_is_conserved(solve: Any) -> None:
    """Two iodine atoms per diiodine, two sulphur atoms per thiosulphate, four per tetrathionate."""
    quantities = solve("m6")["quantites"]
    for poured in (0, 0.004, 0.0146, 0.02, 0.05):
        iodine, thiosulphate, iodide, tetrathionate = quantities(poured, 3.65e-3, 0.020, 1.0e-2)
        assert 2 * iodine + iodide == pytest.approx(2 * 3.65e-3 * 0.020)
        assert 2 * thiosulphate + 4 * tetrathionate == pytest.approx(2 * 1.0e-2 * poured)
        assert min(iodine, thiosulphate, iodide, tetrathionate) >= -1e-18


def test_titration(solve: Any, simulate: Any) -> None:
    """verif.py: 14.6 mL at the equivalence, so C1 = 3.65 mmol/L."""
    solved, lived = solve("m6"), simulate("m6")
    assert solved["volume_equivalence"](3.65e-3, 0.020, 1.0e-2) == pytest.approx(14.6)
    assert solved["quantites"](0.010, 3.65e-3, 0.020, 1.0e-2) == pytest.approx((2.3e-5, 0, 1.0e-4, 5.0e-5), abs=1e-12)
    assert solved["quantites"](0.020, 3.65e-3, 0.020, 1.0e-2)[1] == pytest.approx(5.4e-5)
    assert lived["volume_equivalence"](3.65, 20.0, 10.0) == pytest.approx(14.6)
    assert lived["quantites"](20.0, 3.65, 20.0, 10.0) == pytest.approx((0, 54, 146, 73), abs=1e-9)
