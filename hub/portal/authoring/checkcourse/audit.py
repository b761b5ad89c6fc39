"""What is watched while a notebook runs: two cells of ours, one before and one after the author's.

They note each figure that is drawn (its axes, its alternative text) and each widget that a person handles, and print them
as JSON at the end. They run where the notebook runs, with the author's code: what they say is shown to that author only.
"""

from __future__ import annotations

import json
from typing import Any

FIRST_ID, LAST_ID = "pupitre-audit-first", "pupitre-audit-last"
MARK = "pupitre-audit:"

FIRST = """
import sys as _sys, types as _types
_audit = _sys.modules["_audit"] = _types.ModuleType("_audit")
_audit.figures, _audit.number, _audit.alternative, _audit.drawn = [], -1, None, set()

def _describe_axis(axis, names):
    labels = [label.get_text() for label in axis.get_ticklabels()]
    words = [text for text in labels if text and not text.strip("$").lstrip("−-").replace(".", "").replace(",", "").isdigit()]
    return {"label": axis.get_label_text(), "shown": bool(axis.get_visible() and axis.get_tick_params().get(names, True)),
            "categories": bool(words) and "mathdefault" not in "".join(words)}

def _note_figure(figure):
    axes = []
    for one in figure.axes:
        if not one.axison or not one.get_visible() or hasattr(one, "_colorbar"):
            continue
        axes.append({"title": one.get_title() or one.get_title("left"), "x": _describe_axis(one.xaxis, "labelbottom"),
                     "y": _describe_axis(one.yaxis, "labelleft"), "polar": one.name == "polar"})
    title = figure._suptitle.get_text() if figure._suptitle else ""
    _audit.figures.append({"cell": _audit.number, "title": title, "axes": axes, "alternative": _audit.alternative})

def _begin_cell(*_):
    _audit.number += 1

get_ipython().events.register("pre_run_cell", _begin_cell)
try:
    from matplotlib.backend_bases import FigureCanvasBase as _Canvas
    def _print_figure(self, *given, _original=_Canvas.print_figure, **named):
        key = (id(self.figure), _audit.number, _audit.alternative)
        if key not in _audit.drawn:
            _audit.drawn.add(key)
            _note_figure(self.figure)
        return _original(self, *given, **named)
    _Canvas.print_figure = _print_figure
except ImportError:
    pass
try:
    from pupitre import lesson as _lesson
    def _render_figure(figure, alternative, *given, _original=_lesson.render_figure, **named):
        _audit.alternative = alternative
        try:
            return _original(figure, alternative, *given, **named)
        finally:
            _audit.alternative = None
    _lesson.render_figure = _render_figure
except ImportError:
    pass
"""

LAST = f"""
def _list_controls():
    widgets = _sys.modules.get("ipywidgets")
    if widgets is None:
        return []
    kinds = (widgets.widget_description.DescriptionWidget, widgets.Button)
    shown = (widgets.HTML, widgets.HTMLMath, widgets.Label, widgets.RadioButtons)  # a question stands above its buttons
    return [type(one).__name__ for one in list(widgets.widgets.widget._instances.values())
            if isinstance(one, kinds) and not isinstance(one, shown)
            and not (one.description or one.tooltip or getattr(one, "icon", "")) and getattr(one.layout, "display", None) != "none"]

import json as _json
print({MARK!r} + _json.dumps({{"figures": _audit.figures, "unnamed": _list_controls()}}))
"""


def read_audit(notebook: Any) -> dict[str, Any]:
    """What the last cell printed; nothing if the run did not reach it."""
    for cell in reversed(notebook.cells):
        for output in cell.get("outputs", []):
            text = output.get("text", "")
            if MARK in text:
                found: dict[str, Any] = json.loads(text.split(MARK, 1)[1].splitlines()[0])
                return found
    return {"figures": [], "unnamed": []}
