"""Figures that learners draw: what is right in several styles, and the one sentence for each usual fault."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import pytest

from pupitre import CheckFailed, cells, figures

I = [0.0, 0.005, 0.010]  # noqa: E741  (the physicist's name)
U = [0.0, 1.1, 2.2]
X, Y = [0.0, 0.1, 0.2], [1.0, 1.3, 1.4]
VX, VY = [2.0, 2.0], [6.0, 2.0]
LABELS = 'plt.xlabel("Intensité I (A)")\nplt.ylabel("Tension U (V)")\nplt.title("Caractéristique")\n'
START = "import matplotlib.pyplot as plt\n"
OHM_TITLES: dict[str, Any] = {"x": (["I", "intensité"], ["A", "ampère"]), "y": (["U", "tension"], ["V", "volt"])}


@pytest.fixture(autouse=True)
def pyplot() -> Iterator[Any]:
    matplotlib.use("agg")
    from matplotlib import pyplot

    yield pyplot
    cells.SOURCES.clear()
    pyplot.close("all")


def draw(code: str, **values: Any) -> Any:
    cells.SOURCES["4.4"] = START + code
    return figures.draw("4.4", **values)


def refusal(check: Callable[[], object]) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        check()
    assert failed.value.message.rstrip()[-1] in ".?"
    return failed.value


@pytest.mark.parametrize(
    "code",
    [
        "plt.plot(I, U, 'o')",
        "plt.scatter(I, U)",
        "plt.plot(I, U, marker='+', linestyle='')",
        "fig, ax = plt.subplots()\nax.plot(I, U, 'k.')",
        "for k in range(3):\n    plt.plot(I[k], U[k], 'rx')",
        "import numpy as np\nplt.plot(np.array(I)[::-1], np.array(U)[::-1], 'o')",
        "plt.errorbar(I, U, yerr=0.02, fmt='o')",
    ],
)
def test_points_in_several_styles(code: str) -> None:
    figures.points(draw(code + "\nplt.show()"), I, U)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("plt.plot(I, U)", "E19"),
        ("plt.plot(I, U, 'o-')", "E19"),
        ("plt.plot(I, U, 'o')\nplt.plot(I, U)", "E19"),
        ("plt.plot(U, I, 'o')", "E19"),
        ("plt.plot([1000 * i for i in I], U, 'o')", "E13"),
        ("plt.plot(I[1:], U[1:], 'o')", "E10"),
        ("plt.plot(U, U, 'o')", ""),
        ("plt.plot(I, U, linestyle='')", ""),
        ("plt.xlabel = 'I (A)'\nplt.plot(I, U, 'o')", "E20"),
        ("plt.plot(I, U, 'o')\nplt.show", "E20"),
        ("fig, ax = plt.subplots()\nax.plot(I, U, 'o')\nax.set_title = 'U(I)'", "E20"),
        ("plt.title('Rien')", ""),
        ("plt.plot(I, u, 'o')", "E21"),
    ],
)
def test_points_badly_drawn(code: str, expected: str) -> None:
    assert refusal(lambda: figures.points(draw(code), I, U)).code == expected


@pytest.mark.parametrize("is_tested_before_it_is_mended", [True, False])
def test_a_replaced_function_is_given_back(pyplot: Any, is_tested_before_it_is_mended: bool) -> None:
    pyplot.ylim = (0, 5)
    if is_tested_before_it_is_mended:
        refusal(lambda: draw("plt.ylim = (0, 5)"))
        assert callable(pyplot.ylim)
    figures.points(draw("plt.plot(I, U, 'o')\nplt.ylim(0, 5)"), I, U)


def test_drawing_again_leaves_nothing_open(pyplot: Any) -> None:
    mine = pyplot.figure()
    show = pyplot.show
    axes = draw("plt.plot(I, U, 'o')\nplt.show()")
    assert pyplot.get_fignums() == [mine.number]
    assert not mine.axes and len(axes.lines) == 1
    assert pyplot.show is show


def test_other_values_are_drawn_when_the_cell_uses_its_names() -> None:
    figures.points(draw("plt.plot(I, U, 'o')", I=[1.0, 2.0], U=[3.0, 5.0]), [1, 2], [3, 5])
    fixed = draw("plt.plot([0, 0.005, 0.01], [0, 1.1, 2.2], 'o')", I=[1.0, 2.0], U=[3.0, 5.0])
    assert refusal(lambda: figures.points(fixed, [1, 2], [3, 5], hidden=True)).hidden


@pytest.mark.parametrize(
    "code",
    [
        "plt.plot(I, [220 * i for i in I])",
        "plt.plot([0, 0.02], [0, 4.4], '--')",
        "plt.axline((0, 0), slope=220)",
        "plt.axline((0, 0), (0.01, 2.2))",
        "plt.axhline(0)\nplt.axvline(0)\nplt.plot(I, [221.0 * i - 0.005 for i in I])",
    ],
)
def test_straight_line_in_several_styles(code: str) -> None:
    figures.line(draw("plt.plot(I, U, 'o')\n" + code), 220.0)


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        ("", "", "Il manque la droite"),
        ("plt.axhline(1)", "", "Il manque la droite"),
        ("plt.plot(I, [10, 20, 100])", "", "Il manque la droite"),
        ("plt.plot(I, [i / 220 for i in I])", "E19", "inverse"),
        ("plt.plot(I, [0.22 * i for i in I])", "E13", "1 000"),
        ("plt.plot(I, [180 * i for i in I])", "", "au plus près"),
        ("plt.plot(I, [220 * i + 1 for i in I])", "", "au plus près"),
    ],
)
def test_straight_line_badly_drawn(code: str, expected: str, words: str) -> None:
    failed = refusal(lambda: figures.line(draw("plt.plot(I, U, 'o')\n" + code), 220.0))
    assert failed.code == expected and words in failed.message


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        'plt.xlabel("I en ampères")\nplt.ylabel("U en volts")\nplt.suptitle("U = f(I)")',
        'ax = plt.gca()\nax.set_xlabel("$I$ [A]")\nax.set_ylabel("$U$/V")\nax.set_title("U(I)", loc="left")',
    ],
)
def test_titles_in_several_styles(labels: str) -> None:
    figures.titles(draw("plt.plot(I, U, 'o')\n" + labels), **OHM_TITLES)


@pytest.mark.parametrize(
    ("old", "new", "expected", "words"),
    [
        ('plt.xlabel("Intensité I (A)")', "", "", "abscisses n’a pas de titre"),
        ('"Intensité I (A)"', '"x (A)"', "", "ne nomme pas la grandeur"),
        ('"Intensité I (A)"', '"Intensité"', "", "ne donne pas l’unité"),
        ('"Intensité I (A)"', '"Intensité I (mA)"', "", "ne donne pas l’unité"),
        ('"Tension U (V)"', '"Intensité I (A)"', "E19", "ordonnées"),
        ('plt.title("Caractéristique")', "", "", "n’a pas de titre : que"),
    ],
)
def test_titles_missing_or_wrong(old: str, new: str, expected: str, words: str) -> None:
    assert old in LABELS
    failed = refusal(lambda: figures.titles(draw("plt.plot(I, U, 'o')\n" + LABELS.replace(old, new)), **OHM_TITLES))
    assert failed.code == expected and words in failed.message.replace("\u00a0", " ")


XY = "angles='xy', scale_units='xy'"
SQUARE = "\nplt.axis('equal')"


@pytest.mark.parametrize(
    "code",
    [
        f"plt.quiver(X[:-1], Y[:-1], VX, VY, {XY}, scale=20)",
        f"plt.quiver(X[:-1], Y[:-1], [0.1 * v for v in VX], [0.1 * v for v in VY], {XY}, scale=1)",
        f"for k in range(2):\n    plt.quiver(X[k], Y[k], VX[k], VY[k], {XY}, scale=10)",
        f"ax = plt.gca()\nax.quiver(X[:-1], Y[:-1], VX, VY, {XY})",
    ],
)
def test_arrows_in_several_styles(code: str) -> None:
    axes = draw("plt.plot(X, Y, 'o')\n" + code + "\nplt.gca().set_aspect('equal')")
    figures.points(axes, X, Y, joined=True)
    figures.equal_scales(axes)
    figures.arrows(axes, X[:-1], Y[:-1], VX, VY)


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        ("plt.plot(X, Y, 'o')", "", "plt.quiver"),
        ("plt.quiver(X[:-1], Y[:-1], VX, VY)", "", "déformées"),
        (f"plt.quiver(X[:1], Y[:1], VX[:1], VY[:1], {XY})", "E10", "1 flèches au lieu de 2"),
        (f"plt.quiver(X, Y, VX + [0], VY + [0], {XY})", "E11", "dernière"),
        (f"plt.quiver(X[1:], Y[1:], VX, VY, {XY})", "", "ne part pas"),
        (f"plt.quiver(X[:-1], Y[:-1], VY, VX, {XY})", "", "proportionnelles"),
        (f"plt.quiver(X[:-1], Y[:-1], [-v for v in VX], [-v for v in VY], {XY})", "", "proportionnelles"),
        (f"plt.quiver(X[:-1], Y[:-1], [0.316, 0.707], [0.949, 0.707], {XY})", "", "proportionnelles"),
    ],
)
def test_arrows_badly_drawn(code: str, expected: str, words: str) -> None:
    known = {3: ("E11", "La dernière position a-t-elle une vitesse ?")}
    axes = draw(code)
    failed = refusal(lambda: figures.arrows(axes, X[:-1], Y[:-1], VX, VY, known=known))
    assert failed.code == expected and words in failed.message


def test_axes_of_different_scales() -> None:
    assert "déformées" in refusal(lambda: figures.equal_scales(draw("plt.plot(X, Y, 'o')"))).message
    figures.equal_scales(draw("plt.plot(X, Y, 'o')" + SQUARE))


def test_known_wrong_points_have_their_sentence() -> None:
    times = [0.0, 0.04, 0.08]
    axes = draw("plt.plot([0, 0.04, 0.08], Y, 'o')")
    failed = refusal(lambda: figures.points(axes, X, Y, known=[(times, Y, "E19", "Une date en abscisse ?")]))
    assert (failed.code, failed.message) == ("E19", "Une date en abscisse\u00a0?")


def test_importing_the_checks_imports_no_matplotlib() -> None:
    code = "import sys; from pupitre import figures; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
