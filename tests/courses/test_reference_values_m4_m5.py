"""M4 and M5 against the reference values of their specification: solutions, simulations, tables of the lessons, data."""

from __future__ import annotations

import contextlib
import io
import math
import re
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import numpy as np
import pytest


def read_columns(course_folder: Path, name: str) -> Any:
    return np.loadtxt(course_folder / name, delimiter=";", skiprows=1, unpack=True)


@pytest.fixture(scope="module")
def solutions(course_folder: Path) -> dict[str, Any]:
    """The names after running the given and answer cells of M4 and M5."""
    matplotlib.use("agg")
    from matplotlib import pyplot

    names: dict[str, Any] = {}
    for module in ("m4", "m5"):
        for cell in nbformat.read(course_folder / module / "exercices.ipynb", as_version=4).cells:
            if cell.cell_type == "code" and not cell.metadata["nbgrader"]["grade"]:
                with contextlib.redirect_stdout(io.StringIO()), pytest.MonkeyPatch.context() as patch:
                    patch.setattr(pyplot, "show", lambda: None)
                    exec(cell.source, names)
        names[f"names_{module}"] = dict(names)
    pyplot.close("all")
    return names


def load_simulation(course_folder: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the simulation's cell, run up to its first widget."""
    monkeypatch.chdir(course_folder / module)
    cells = nbformat.read("lecon.ipynb", as_version=4).cells
    source = next(cell.source for cell in cells if cell.id.startswith("simulation-"))
    names: dict[str, Any] = {"np": np, "math": math}
    exec(re.split(r"^(?:onglets|lesson\.simulation)", source, flags=re.M)[0], names)
    return names


def test_ohm_and_battery(course_folder: Path, solutions: dict[str, Any]) -> None:
    milliamperes, volts = read_columns(course_folder, "m4/data/ohm.csv")
    amperes = solutions["en_amperes"](list(milliamperes))
    assert solutions["resistance"](amperes, volts) == pytest.approx(220.3, abs=0.05)
    slope, intercept = np.polyfit(amperes, volts, 1)
    assert (slope, 1000 * intercept) == pytest.approx((220.7, -6.2), abs=0.05)
    emf, internal = solutions["modele_pile"](*read_columns(course_folder, "m4/data/pile.csv"))
    assert (emf, internal) == pytest.approx((4.51, 1.83), abs=0.005)
    assert solutions["moyenne"]([2, 2, 4, 4]) == 3.0
    # what the open question's answer says
    residuals = volts - solutions["resistance"](amperes, volts) * np.array(amperes)
    assert (1000 * residuals.min(), 1000 * residuals.max()) == pytest.approx((-35, 44), abs=0.6)
    assert abs(solutions["resistance"](amperes, volts) / 220 - 1) == pytest.approx(0.0015, abs=1e-4)


def test_boyle_mariotte(course_folder: Path) -> None:
    """The open question of « En classe »: a hidden volume of about 1.4 mL."""
    volumes_ml, pressures_hpa = read_columns(course_folder, "m4/data/boyle.csv")
    products = volumes_ml * pressures_hpa
    assert (products[0], products[-1]) == pytest.approx((40_860, 39_100), abs=30)
    slope, intercept = np.polyfit(1 / pressures_hpa, volumes_ml, 1)
    assert (slope, intercept) == pytest.approx((4.19e4, -1.4), rel=0.03)


def test_fall_and_throw(course_folder: Path, solutions: dict[str, Any]) -> None:
    t, y = read_columns(course_folder, "m5/data/chute.csv")
    forward, centred = solutions["vitesses"](y, t), solutions["vitesses_centrees"](y, t)
    assert (len(t), len(forward), len(centred)) == (16, 15, 14)
    assert np.polyfit(t[:-1], forward, 1) == pytest.approx([-9.88, -0.18], abs=0.005)
    assert np.polyfit((t[1:] + t[:-1]) / 2, forward, 1) == pytest.approx([-9.88, 0.02], abs=0.005)
    assert np.polyfit(t[1:-1], centred, 1) == pytest.approx([-9.85, 0.02], abs=0.005)
    assert 9.6 < solutions["pesanteur"](t, y) < 10.1
    t, x, y = read_columns(course_folder, "m5/data/tir.csv")
    assert np.polyfit(t, x, 1)[0] == pytest.approx(2.50, abs=0.01)
    assert (max(y), t[np.argmax(y)]) == pytest.approx((2.15, 0.44), abs=0.01)
    assert solutions["dates"](26, 0.04) == pytest.approx(list(t))


def test_lists_of_the_notebooks_are_those_of_the_files(course_folder: Path, solutions: dict[str, Any]) -> None:
    milliamperes, volts = read_columns(course_folder, "m4/data/ohm.csv")
    assert solutions["names_m4"]["I_mA"] == list(milliamperes) and solutions["names_m4"]["U"] == list(volts)
    columns = [*read_columns(course_folder, "m5/data/tir.csv"), *read_columns(course_folder, "m5/data/chute.csv")]
    names = ("t", "x", "y", "t_chute", "y_chute")
    assert [solutions["names_m5"][name] for name in names] == [list(column) for column in columns]


def read_table(course_folder: Path, module: str, cell_id: str) -> list[list[float]]:
    """The numbers of a Markdown table of the lesson."""
    cells = nbformat.read(course_folder / module / "lecon.ipynb", as_version=4).cells
    text = next(cell.source for cell in cells if cell.id == cell_id)
    rows = re.findall(r"^\| *(\d.*)\|$", text, re.M)
    assert rows
    return [[float(re.findall(r"[\d,]+", part)[0].replace(",", ".")) for part in row.split("|")] for row in rows]


def test_fitting_by_eye(course_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_simulation(course_folder, "m4", monkeypatch)
    assert names["R_OPTIMUM"] == pytest.approx(220.3, abs=0.05)
    assert (names["E_OPTIMUM"], names["r_OPTIMUM"]) == pytest.approx((4.51, 1.83), abs=0.005)
    for resistance, criterion in read_table(course_folder, "m4", "reperes-ajuster"):
        computed = names["somme_des_carres"](names["I_OHM"], names["U_OHM"], resistance, 0)
        assert criterion == pytest.approx(computed, rel=0.01)
    battery = names["somme_des_carres"](names["I_PILE"], names["U_PILE"], -names["r_OPTIMUM"], names["E_OPTIMUM"])
    assert battery == pytest.approx(0.0009, abs=5e-5)


def test_chronophotography(course_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = load_simulation(course_folder, "m5", monkeypatch)
    t, x, y = names["pointer"](5.0, 60, 50, 0)
    # the apex of the specification: 2.16 m at 0.44 s
    assert (max(y), t[np.argmax(y)]) == pytest.approx(
        (1.2 + (5 * math.sin(math.pi / 3)) ** 2 / 2 / 9.81, 0.44), abs=2e-3
    )
    assert names["vitesses"](t, x, "avant")[0] == pytest.approx(np.full(len(t) - 1, 2.5))
    centred, where = names["vitesses"](t, y, "centrée")
    assert centred == pytest.approx(5 * math.sin(math.pi / 3) - 9.81 * t[where])  # exact on a parabola
    rows = read_table(course_folder, "m5", "reperes-chrono")
    for rate, step_ms, vectors, spread in rows:
        t, x, _ = names["pointer"](5.0, 60, int(rate), 4)
        speeds, _ = names["vitesses"](t, x, "avant")
        assert (1000 / rate, len(speeds)) == (step_ms, vectors)
        assert (speeds.mean(), speeds.std(ddof=1)) == pytest.approx((2.5, spread), abs=0.005)
    assert rows[0][-1] < rows[1][-1] < rows[2][-1]  # a higher rate is noisier: the quiz says so
