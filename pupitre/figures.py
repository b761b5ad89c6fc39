"""Checks of a figure that an answer cell draws with matplotlib: points, straight line, arrows, titles with quantity and unit.

    axes = figures.draw("4.4")
    figures.points(axes, I, U)
    figures.titles(axes, x=(["I", "intensité"], ["A", "ampère"]), y=(["U", "tension"], ["V", "volt"]))

A notebook closes its figures after each cell, so `draw` runs the answer cell again, shows nothing, and gives its axes.
Laws: as in `check`, silent or one French sentence; what is judged is the data drawn, never the way it was written.
Not imported by `pupitre` itself: it needs matplotlib, that the answer has imported.
"""

from __future__ import annotations

import ast
import importlib
import math
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pupitre.cells import run_again, source
from pupitre.check import _fail
from pupitre.drawn import Series, extent_of, height_of, is_same, measure_ramp, read_arrows, read_series
from pupitre.explanations import Diagnosis, diagnose

__all__ = ["arrows", "draw", "equal_scales", "line", "points", "titles"]

Quantity = tuple[Sequence[str], Sequence[str]]
"""(names of a quantity, names of its unit), of which one each must be in an axis title; a name of one letter keeps its case."""

SLOPE_TOL = 0.02
"""Two good ways of fitting the same points (through the origin or not) differ by less than 1 %."""

_FUNCTIONS = {"plot", "scatter", "quiver", "xlabel", "ylabel", "title", "xlim", "ylim", "axis", "grid", "legend", "show"} | {
    f"set_{name}" for name in ("xlabel", "ylabel", "title", "xlim", "ylim", "aspect")
}  # fmt: skip


def draw(exercise: str, *, hidden: bool | str = False, **values: Any) -> Any:
    """Run the answer cell again (these values in place of those written out) and give the axes it drew on, a matplotlib `Axes`."""
    text = source(exercise)
    misused = _find_misused_function(text)
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    if any(not callable(getattr(pyplot, name, print)) for name in _FUNCTIONS):
        # Give pyplot its functions back, so that the mended cell works without starting the kernel again.
        importlib.reload(pyplot)
    if misused is not None:
        _fail(misused, hidden)
    before = set(pyplot.get_fignums())
    pyplot.figure()  # so that nothing is added to a figure that was there
    shown, pyplot.show = pyplot.show, lambda *_args, **_named: None  # showing would close it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            error, _ = run_again(text, values)
        figures = [pyplot.figure(number) for number in pyplot.get_fignums() if number not in before]
        drawn = [axes for figure in figures for axes in figure.axes if axes.has_data()]
        for figure in figures:
            pyplot.close(figure)
    finally:
        pyplot.show = shown
    if error is not None:
        _fail(diagnose(error), hidden)
    if not drawn:
        _fail(Diagnosis("", "La cellule ne trace rien : aucune courbe, aucun point sur la figure."), hidden)
    return drawn[-1]


def points(
    axes: Any,
    x: Sequence[float],
    y: Sequence[float],
    *,
    joined: bool = False,
    known: Iterable[tuple[Sequence[float], Sequence[float], str, str]] = (),
    hidden: bool | str = False,
) -> None:
    """These points are drawn with markers, and without a line between them unless `joined`.

    `known`: (x, y, code, sentence) of wrong points; the two axes exchanged are always recognised (E19).
    """
    drawn = read_series(axes)
    matching = [series for series in drawn if is_same(series, x, y)]
    if any(series.is_joined for series in matching) and not joined:
        _fail(
            Diagnosis("E19", "Les points de mesure sont reliés : quel style de `plt.plot` les laisse isolés ?"), hidden
        )
    if any(series.has_marker for series in matching):
        return
    if matching:
        _fail(
            Diagnosis("", "Les points ne se voient pas : avec quel marqueur (`'o'`, `'+'`…) les représenter ?"), hidden
        )
    exchanged = "Les axes sont échangés : quelle grandeur l’énoncé place-t-il en abscisse ?"
    for wrong_x, wrong_y, code, sentence in [*known, (y, x, "E19", exchanged)]:
        if any(is_same(series, wrong_x, wrong_y) for series in drawn):
            _fail(Diagnosis(code, sentence), hidden)
    for factor, words in ((1000, "grandes"), (1 / 1000, "petites")):
        if any(is_same(series, [factor * one for one in x], y) for series in drawn):
            sentence = f"Les abscisses sont 1 000 fois trop {words} : dans quelle unité l’énoncé les demande-t-il ?"
            _fail(Diagnosis("E13", sentence), hidden)
    _fail(_describe_other_points(drawn, len(x)), hidden)


def line(axes: Any, slope: float, intercept: float = 0.0, *, hidden: bool | str = False) -> None:
    """A straight line of this slope and intercept (units of the axes) is drawn; within 2 % for the slope."""
    ramps = [ramp for ramp in map(measure_ramp, axes.lines) if ramp is not None]
    if any(math.isclose(a, slope, rel_tol=SLOPE_TOL) and abs(b - intercept) <= height_of(axes) / 20 for a, b in ramps):
        return
    if not ramps:
        _fail(Diagnosis("", "Il manque la droite du modèle : deux points suffisent, reliés par un trait."), hidden)
    slopes = [a for a, _ in ramps]
    if any(math.isclose(a, 1 / slope, rel_tol=SLOPE_TOL) for a in slopes):
        _fail(
            Diagnosis(
                "E19", "La pente de la droite est l’inverse de celle attendue : quelle grandeur est en abscisse ?"
            ),
            hidden,
        )
    if any(math.isclose(a * factor, slope, rel_tol=SLOPE_TOL) for a in slopes for factor in (1e3, 1e-3)):
        _fail(
            Diagnosis(
                "E13", "La pente de la droite est fausse d’un facteur 1 000 : dans quelle unité est chaque grandeur ?"
            ),
            hidden,
        )
    _fail(
        Diagnosis(
            "", "La droite ne passe pas au plus près des points : d’où viennent sa pente et son ordonnée à l’origine ?"
        ),
        hidden,
    )


def titles(axes: Any, *, x: Quantity, y: Quantity, hidden: bool | str = False) -> None:
    """Each axis is titled with its quantity and its unit, and the figure has a title."""
    labels = {"abscisses": (axes.get_xlabel(), x, y), "ordonnées": (axes.get_ylabel(), y, x)}
    for name, (label, (quantities, units), other) in labels.items():
        if not label.strip():
            _fail(Diagnosis("", f"L’axe des {name} n’a pas de titre : quelle grandeur, dans quelle unité ?"), hidden)
        if _names(label, other[0]) and _names(label, other[1]) and not _names(label, quantities):
            _fail(
                Diagnosis("E19", f"Le titre de l’axe des {name} est-il celui de la grandeur qui y est portée ?"), hidden
            )
        if not _names(label, quantities):
            _fail(Diagnosis("", f"Le titre de l’axe des {name} ne nomme pas la grandeur."), hidden)
        if not _names(label, units):
            _fail(Diagnosis("", f"Le titre de l’axe des {name} ne donne pas l’unité attendue."), hidden)
    whole = axes.figure.get_suptitle()
    if not any(text.strip() for text in (whole, *(axes.get_title(loc=place) for place in ("left", "center", "right")))):
        _fail(Diagnosis("", "La figure n’a pas de titre : que montre-t-elle ?"), hidden)


def equal_scales(axes: Any, *, hidden: bool | str = False) -> None:
    """One metre has the same length along both axes."""
    if axes.get_aspect() not in (1, "equal"):
        _fail(
            Diagnosis(
                "",
                "Un mètre n’a pas la même longueur sur les deux axes : la trajectoire et les flèches sont déformées.",
            ),
            hidden,
        )


def arrows(
    axes: Any,
    x: Sequence[float],
    y: Sequence[float],
    u: Sequence[float],
    v: Sequence[float],
    *,
    known: Mapping[int, tuple[str, str]] | None = None,
    hidden: bool | str = False,
) -> None:
    """Arrows of `plt.quiver` from (x, y), all proportional to (u, v), in the units of the axes.

    `known`: wrong number of arrows → (code, sentence).
    """
    quivers = [one for one in axes.collections if type(one).__name__ == "Quiver"]
    drawn = [arrow for quiver in quivers for arrow in read_arrows(quiver)]
    if not drawn:
        _fail(Diagnosis("", "Aucun vecteur n’est tracé : la fonction `plt.quiver` dessine les flèches."), hidden)
    if len(drawn) != len(x):
        unexpected = ("E10", f"Il y a {len(drawn)} flèches au lieu de {len(x)}.")
        _fail(Diagnosis(*(known or {}).get(len(drawn), unexpected)), hidden)
    if any(quiver.angles != "xy" or quiver.scale_units != "xy" for quiver in quivers):
        sentence = (
            "Les flèches sont déformées : sans `angles` ni `scale_units`, `quiver` ne suit pas l’échelle des axes."
        )
        _fail(Diagnosis("", sentence), hidden)
    wanted = sorted(zip(x, y, u, v, strict=True))
    drawn.sort()
    reach = max(extent_of(x), extent_of(y)) or 1.0
    if any(math.dist(one[:2], other[:2]) > reach * 1e-3 for one, other in zip(drawn, wanted, strict=True)):
        _fail(Diagnosis("", "Une flèche au moins ne part pas de la position où cette vitesse est calculée."), hidden)
    longest = max(math.hypot(one[2], one[3]) for one in wanted)
    ratio = sum(a[2] * b[2] + a[3] * b[3] for a, b in zip(drawn, wanted, strict=True)) / sum(
        b[2] ** 2 + b[3] ** 2 for b in wanted
    )
    off = [math.hypot(a[2] - ratio * b[2], a[3] - ratio * b[3]) for a, b in zip(drawn, wanted, strict=True)]
    if ratio <= 0 or max(off) > 0.02 * longest * ratio:
        _fail(
            Diagnosis(
                "",
                "Les flèches ne sont pas proportionnelles aux vitesses : même sens ? même échelle pour les deux composantes ?",
            ),
            hidden,
        )


def _find_misused_function(text: str) -> Diagnosis | None:
    """`plt.ylim = (0, 5)` replaces the function for the rest of the session; `plt.show` alone does nothing."""
    for node in ast.walk(ast.parse(text)):
        for target in node.targets if isinstance(node, ast.Assign) else []:
            if isinstance(target, ast.Attribute) and target.attr in _FUNCTIONS:
                name = ast.unparse(target)
                return Diagnosis(
                    "E20",
                    f"`{name} = …` remplace la fonction par une valeur : une fonction s’appelle, avec des parenthèses.",
                )
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr in _FUNCTIONS:
            return Diagnosis(
                "E20",
                f"La fonction `{ast.unparse(node.value)}` est nommée sans être appelée : il manque les parenthèses.",
            )
    return None


def _describe_other_points(drawn: list[Series], count: int) -> Diagnosis:
    clouds = [len(series.x) for series in drawn if series.has_marker]
    if clouds and count not in clouds:
        return Diagnosis("E10" if abs(clouds[0] - count) == 1 else "", f"Il y a {clouds[0]} points au lieu de {count}.")
    return Diagnosis("", "Les points tracés ne sont pas ceux des mesures : quelles listes sont données à `plt.plot` ?")


def _names(label: str, names: Sequence[str]) -> bool:
    """One of the names is a word of the label; longer names in any case, and as the beginning of a word (volts)."""
    for name in names:
        whole = len(name) < 4
        pattern = rf"(?<![^\W\d_]){re.escape(name)}" + (r"(?![^\W\d_])" if whole else "")
        if re.search(pattern, label, 0 if whole else re.IGNORECASE):
            return True
    return False
