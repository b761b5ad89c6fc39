"""What matplotlib axes hold, as plain numbers: series of points, straight lines, arrows. Judges nothing; imports no matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

SAME = 1e-6
"""Two points are the same if they are this near, as a share of the figure's extent."""


class Series(NamedTuple):
    """Points drawn together."""

    x: list[float]
    y: list[float]
    has_marker: bool
    is_joined: bool


def read_series(axes: Any) -> list[Series]:
    """What is drawn with `plot` or `scatter`; points drawn one at a time count as one series."""
    found, alone = [], Series([], [], True, False)
    for one in axes.lines:
        x, y = ([float(value) for value in values] for values in (one.get_xdata(orig=False), one.get_ydata(orig=False)))
        has_marker, is_joined = one.get_marker() not in ("None", "none", None, "", " "), _is_stroked(one)
        if len(x) == 1 and has_marker:
            alone.x.extend(x)
            alone.y.extend(y)
        else:
            found.append(Series(x, y, has_marker, is_joined))
    for cloud in axes.collections:
        if type(cloud).__name__ == "PathCollection":
            pairs = [(float(a), float(b)) for a, b in cloud.get_offsets()]
            found.append(Series([a for a, _ in pairs], [b for _, b in pairs], True, False))
    return [*found, alone] if alone.x else found


def _is_stroked(one: Any) -> bool:
    return one.get_linestyle() not in ("None", "none", "", " ")


def is_same(series: Series, x: Sequence[float], y: Sequence[float]) -> bool:
    """The same points, in any order."""
    near_x, near_y = (SAME * (extent_of(values) or 1.0) for values in (x, y))
    ours, theirs = sorted(zip(x, y, strict=True)), sorted(zip(series.x, series.y, strict=True))
    return len(ours) == len(theirs) and all(
        abs(a - c) <= near_x and abs(b - d) <= near_y for (a, b), (c, d) in zip(ours, theirs, strict=True)
    )


def measure_ramp(one: Any) -> tuple[float, float] | None:
    """Slope and intercept of a stroked straight line, neither level nor upright; None if it is anything else."""
    if hasattr(one, "get_xy1"):  # plt.axline
        x0, y0 = one.get_xy1()
        second, slope = one.get_xy2(), one.get_slope()
        if slope is None and second is not None and second[0] != x0:
            slope = (second[1] - y0) / (second[0] - x0)
        return None if not slope else (slope, y0 - slope * x0)
    x, y = ([float(value) for value in values] for values in (one.get_xdata(orig=False), one.get_ydata(orig=False)))
    if len(x) < 2 or not _is_stroked(one) or not extent_of(x) or not extent_of(y):
        return None
    low, high = x.index(min(x)), x.index(max(x))
    slope = (y[high] - y[low]) / (x[high] - x[low])
    bend = max(abs(b - y[low] - slope * (a - x[low])) for a, b in zip(x, y, strict=True))
    return (slope, y[low] - slope * x[low]) if bend <= 1e-6 * extent_of(y) else None


def read_arrows(quiver: Any) -> list[tuple[float, float, float, float]]:
    """(x, y, u, v) of each arrow, one quiver's own scale taken out."""
    scale = float(quiver.scale or 1.0)
    starts = zip(quiver.X, quiver.Y, quiver.U, quiver.V, strict=True)
    return [(float(a), float(b), float(c) / scale, float(d) / scale) for a, b, c, d in starts]


def height_of(axes: Any) -> float:
    low, high = axes.get_ylim()
    return abs(float(high) - float(low))


def extent_of(values: Sequence[float]) -> float:
    return max(values) - min(values) if len(values) else 0.0
