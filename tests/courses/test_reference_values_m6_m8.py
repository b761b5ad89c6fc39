"""Solutions and simulations of M6 to M8 against the reference values of the course's specification, computed apart from them."""

from __future__ import annotations

import itertools
import math
import random
import re
import statistics
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


def test_euler_free_fall(solve: Any, simulate: Any) -> None:
    """verif.py: 0.6386 s exactly; Euler 0.70, 0.65 and 0.640 s with steps of 0.1, 0.01 and 0.001 s."""
    solved, lived = solve("m7"), simulate("m7")
    for step_s, duration_s in ((0.1, 0.70), (0.01, 0.65), (0.001, 0.640)):
        assert solved["euler_chute"](2, step_s) == pytest.approx(duration_s)
        assert lived["euler"](2, step_s, 0, "explicite")[0][-1] == pytest.approx(duration_s)
    assert lived["duree_exacte"](2, 0) == pytest.approx(0.63855, rel=1e-5)


def test_fall_with_friction(solve: Any, simulate: Any) -> None:
    """Table tennis ball: k = ½ρCxS, limit speed 8.65 m/s, 5.53 m/s after 2.00 m (6.26 m/s without friction)."""
    k = 0.5 * 1.20 * 0.47 * math.pi * 0.020**2
    assert k == pytest.approx(3.54e-4, rel=2e-3)
    assert math.sqrt(2.7e-3 * 9.81 / 3.54e-4) == pytest.approx(8.65, rel=1e-3)
    solved, lived = solve("m7"), simulate("m7")
    for height_m, friction, speed in ((2, 3.54e-4, 5.534), (2, 0, 6.278), (50, 3.54e-4, 8.65)):
        assert solved["vitesse_sol"](height_m, 1e-3, 2.7e-3, friction) == pytest.approx(speed, rel=1e-3)
        assert lived["vitesse_exacte"](height_m, friction) == pytest.approx(speed, rel=5e-3)
    assert lived["vitesse_exacte"](2, 3.54e-4) == pytest.approx(5.525, rel=5e-4)
    assert lived["altitude_exacte"](lived["duree_exacte"](2, 3.54e-4), 2, 3.54e-4) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("method", "step_s", "friction", "duration_s", "change_percent"),
    [
        ("explicite", 0.1, 0, 0.700, 17.2),
        ("explicite", 0.01, 0, 0.650, 1.6),
        ("semi-implicite", 0.1, 0, 0.600, -14.7),
        ("semi-implicite", 0.01, 0, 0.640, -1.6),
        ("explicite", 0.01, 350e-6, 0.680, -22),
    ],
)
def test_landmarks_of_the_euler_simulation(
    simulate: Any, method: str, step_s: float, friction: float, duration_s: float, change_percent: float
) -> None:
    lived = simulate("m7")
    t, y, v = lived["euler"](2, step_s, friction, method)
    assert t[-1] == pytest.approx(duration_s)
    energy = 0.5 * v[-1] ** 2 + 9.81 * y[-1]
    assert 100 * (energy / (9.81 * 2) - 1) == pytest.approx(change_percent, abs=0.6)
    assert lived["duree_exacte"](2, friction) == pytest.approx(0.639 if not friction else 0.666, abs=6e-4)


def test_energy_drift_of_explicit_euler(solve: Any) -> None:
    """verif.py: + m g² Δt t / 2 = 0.221 J, that is 9.6 %, for 45.9 g thrown upwards at 10 m/s, Δt = 0.1 s, t = 1 s."""
    mass_kg, g, step_s = 0.0459, 9.81, 0.1
    y, v = [0.0], [10.0]
    for _ in range(10):
        y.append(y[-1] + v[-1] * step_s)
        v.append(v[-1] - g * step_s)
    _, _, mechanical = solve("m7")["bilan_energie"](mass_kg, y, v)
    drift_j = mechanical[-1] - mechanical[0]
    assert drift_j == pytest.approx(mass_kg * g**2 * step_s * 1.0 / 2)
    assert drift_j == pytest.approx(0.221, abs=5e-4)
    assert drift_j / mechanical[0] == pytest.approx(0.096, abs=5e-4)


def test_variation_of_velocity_in_a_throw(solve: Any) -> None:
    """Vertical, downwards, g Δt = 0.39 m/s at 25 pictures per second."""
    times = [0.04 * i for i in range(26)]
    dvx, dvy = solve("m7")["delta_v"]([2.5] * 26, [4.33 - 9.81 * t for t in times])
    assert dvx == pytest.approx([0] * 25)
    assert dvy == pytest.approx([-0.39] * 25, rel=1e-2)


def read_columns(course_folder: Path, name: str) -> list[list[float]]:
    lines = (course_folder / "m8" / "data" / name).read_text(encoding="utf-8").split()[1:]
    return [
        list(column) for column in zip(*([float(value) for value in line.split(";")] for line in lines), strict=True)
    ]


def test_pendulum_type_a_uncertainty(solve: Any, course_folder: Path) -> None:
    """verif.py: mean 1.995 s, s = 0.035 s, u = 0.0072 s, theory 2.006 s, 1.6 u apart."""
    (periods,) = read_columns(course_folder, "periodes.csv")
    deviation = solve("m8")["ecart_type"](periods)
    mean, u = statistics.mean(periods), deviation / math.sqrt(len(periods))
    assert (len(periods), mean, deviation, u) == pytest.approx((24, 1.995, 0.0353, 0.0072), abs=5e-4)
    assert deviation == pytest.approx(statistics.stdev(periods))
    theory = 2 * math.pi * math.sqrt(1.000 / 9.81)
    assert theory == pytest.approx(2.006, abs=5e-4)
    assert abs(mean - theory) / u == pytest.approx(1.6, abs=0.05)


def test_a_formula_seen_elsewhere_is_wrong(solve: Any) -> None:
    """Ten equal values: 0, where √(Σx²/(n − 1) − x̄²) gives 1.667."""
    assert solve("m8")["ecart_type"]([5.0] * 10) == 0
    assert math.sqrt(sum(x * x for x in [5.0] * 10) / 9 - 25) == pytest.approx(1.667, abs=1e-3)
    assert solve("m8")["ecart_type"]([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(2.138, abs=1e-3)


def test_barium_half_life(course_folder: Path) -> None:
    """verif.py: 153.1 s with the background (4 counts) removed; longer when it is kept."""
    times, counts = read_columns(course_folder, "baryum137m.csv")
    half_lives = []
    for background in (4, 0):
        kept = [(t, math.log(n - background)) for t, n in zip(times, counts, strict=True) if n - background > 20]
        slope = statistics.linear_regression([t for t, _ in kept], [y for _, y in kept]).slope
        half_lives.append(math.log(2) / -slope)
    assert half_lives == pytest.approx([153.1, 164.2], abs=0.1)


def test_uncertainty_of_a_concentration(solve: Any) -> None:
    """verif.py: C = 0.1001 mol/L, u(C) = 2.4e-4 mol/L by composition of u = tolerance/√3."""
    expected = 2.50 / 249.7 / 0.1 * math.sqrt((0.01 / 2.50) ** 2 / 3 + (1e-4 / 0.1) ** 2 / 3)
    assert expected == pytest.approx(2.38e-4, rel=2e-3)
    mean, u = solve("m8")["monte_carlo"](2.50, 0.01, 0.1000, 1e-4, 249.7, 20_000, random.Random(2019))
    assert mean == pytest.approx(0.1001, abs=5e-5)
    assert u == pytest.approx(expected, rel=0.02)


def test_radioactive_dice(solve: Any, simulate: Any) -> None:
    """Half-life ln 2/(−ln(5/6)) = 3.80 throws; the mean of many throws follows the law."""
    lived, decay = simulate("m8"), solve("m8")["desintegrations"]
    assert lived["demi_vie_theorique"](1 / 6) == pytest.approx(3.80, abs=2e-3)
    assert decay(200, 1 / 6, 15, random.Random(1)) == lived["desintegrations"](200, 1 / 6, 15, random.Random(1))
    runs = [lived["desintegrations"](600, 1 / 6, 15, random.Random(seed)) for seed in range(40)]
    for throw, (left, deviation) in {1: (500, 9), 2: (417, 11), 4: (289, 12), 8: (140, 10), 15: (39, 6)}.items():
        share = (5 / 6) ** throw
        assert (600 * share, math.sqrt(600 * share * (1 - share))) == pytest.approx((left, deviation), abs=0.6)
        mean = statistics.mean(run[throw] for run in runs)
        assert abs(mean - left) < 5 * deviation / math.sqrt(len(runs)) + 0.5
    assert statistics.mean(map(lived["demi_vie_lue"], runs)) == pytest.approx(3.80, abs=0.1)


@pytest.mark.parametrize("module", ["m6", "m7", "m8"])
def test_simulations_hold_at_the_ends_of_their_sliders(
    simulate: Any, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """Every combination of the extreme values is drawn and said in French numbers."""
    shown: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr(lesson, "simulation", lambda render, **controls: shown.append((render, controls)))
    simulate(module)
    assert shown
    for render, controls in shown:
        ends = [
            (control.min, control.max) if hasattr(control, "min") else tuple(control.options)
            for control in controls.values()
        ]
        for values in itertools.product(*ends):
            page = render(**dict(zip(controls, values, strict=True)))
            said = " ".join(re.findall(r'alt="(.*?)"', page) + re.findall(r'class="pupitre-note.*?>(.*?)</div>', page))
            assert len(said) > 60
            assert not re.search(r"\d\.\d|nan|inf|None", said), (render.__name__, values, said)
