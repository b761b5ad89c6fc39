"""What a lesson shows: a question, a prediction before running, a worked example, a fault to find, a simulation.

Laws: every figure is an image with an alternative text; every answer of the learner gets a sentence; code that is shown is
the code that runs. Needs ipywidgets, so it is imported by lessons only: `from pupitre import lesson`.
Nothing is marked or kept. Formulas are plain text, without MathJax: a lesson asks no network.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import matplotlib
from IPython import display as screen
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from pupitre.calls import TimeLimitReached, call
from pupitre.explanations import explain
from pupitre.typography import set_spaces

_STYLE = """
:root { --jp-widgets-font-size: 15px; --jp-widgets-inline-height: 34px; }
.widget-html, .widget-html .widget-html-content { line-height: 1.45; min-width: 0; }
.pupitre-code { background: #f6f7f9; color: #1d2433; border: 1px solid #d5dae3; border-radius: 6px; margin: .5rem 0; overflow-x: auto; max-width: 48rem; }
.pupitre-code pre { background: none; border: 0; margin: 0; padding: .75rem 1rem; white-space: pre; font: 0.95rem/1.5 ui-monospace, 'DejaVu Sans Mono', Consolas, monospace; color: inherit; }
.pupitre-code .pupitre-highlight, .pupitre-code .pupitre-highlight pre { overflow: visible; }
.pupitre-output { border-left: 4px solid #6b7a90; padding: .25rem 1rem; margin: .5rem 0; max-width: 48rem; font: 0.95rem/1.5 ui-monospace, 'DejaVu Sans Mono', Consolas, monospace; white-space: pre-wrap; }
.pupitre-output .error { font-family: system-ui, sans-serif; }
.pupitre-note { border-left: 4px solid #3b6ea5; background: rgba(59, 110, 165, .10); padding: .6rem 1rem; margin: .5rem 0; max-width: 48rem; line-height: 1.5; }
.pupitre-note code, .pupitre-output code { background: rgba(110, 120, 140, .18); padding: 0 .25rem; border-radius: 3px; }
.pupitre-right { border-left-color: #1f7a4d; background: rgba(31, 122, 77, .10); }
.pupitre-wrong { border-left-color: #a3541a; background: rgba(163, 84, 26, .10); }
.pupitre-figure { max-width: 40rem; margin: .5rem 0; }
.pupitre-figure img { width: 100%; height: auto; background: #fff; border-radius: 6px; }
.jp-RenderedMarkdown { max-width: 48rem; }
.jp-RenderedMarkdown table { margin-left: 0; }
.pupitre-table { overflow-x: auto; }
.pupitre-table table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
.pupitre-table th, .pupitre-table td { border: 1px solid #c5ccd8; padding: .3rem .8rem; text-align: right; }
.pupitre-table caption { text-align: left; padding-bottom: .3rem; }
.pupitre-table tr.now { background: rgba(59, 110, 165, .18); font-weight: 600; }
.widget-radio-box label { white-space: normal; height: auto; line-height: 1.4; padding: .15rem 0; }
"""
_RUN_LIMIT_S = 1.0
"""A lesson shows endless loops on purpose."""
_FULL = widgets.Layout(width="100%", max_width="40rem", height="auto", margin="0")

_WRAP = widgets.Layout(flex_flow="row wrap", max_width="100%")
_FIGURE_FONT_POINTS = 11.5

display: Callable[..., None] = screen.display  # IPython's own types are missing
HTML: Callable[[str], Any] = screen.HTML


def start() -> None:
    """The look of what follows: call once, in the first code cell of a lesson."""
    matplotlib.rcParams["font.size"] = _FIGURE_FONT_POINTS  # figures are shown at 360 pixels on a telephone
    colours = HtmlFormatter(style="default").get_style_defs(".pupitre-code")
    display(HTML(f"<style>{colours}{_STYLE}</style>"))


def example(code: str) -> None:
    """A worked example: the code, then what it really prints."""
    display(HTML(render_code(code) + _render_run(code)))


def plot(code: str, alternative: str) -> None:
    """A worked example that ends in a figure: the code, what it prints, and the figure it drew with `matplotlib.pyplot`."""
    from matplotlib import pyplot

    with matplotlib.rc_context({"figure.figsize": (4.8, 3.2), "figure.constrained_layout.use": True}):
        ran = _render_run(code)
        figure = pyplot.gcf()
        display(HTML(render_code(code) + ran + render_figure(figure, alternative)))
        pyplot.close(figure)  # otherwise the notebook shows it a second time, without its alternative text


def question(text: str, choices: Mapping[str, str], right: str) -> None:
    """One question: each choice has its own sentence."""
    box = widgets.RadioButtons(options=list(choices), value=None, layout=_FULL)
    answer = _live()

    def show(change: Any) -> None:
        kind = "right" if change["new"] == right else "wrong"
        answer.value = render_note(choices[change["new"]], kind)

    box.observe(show, names="value")
    display(widgets.VBox([widgets.HTML(f"<p><strong>{_inline(text)}</strong></p>"), box, answer], layout=_FULL))


def predict(code: str, ask: str, expected: str, because: str) -> None:
    """First say what the code will print, then run it."""
    field = widgets.Text(description="Votre prédiction", layout=widgets.Layout(width="18rem"))
    field.style.description_width = "initial"
    field.add_class("pupitre-prediction")
    button = widgets.Button(description="Exécuter", button_style="primary")
    answer = _live()

    def reveal(_button: Any) -> None:
        guess = field.value.strip()
        if not guess:
            answer.value = render_note(
                "Écrivez d’abord votre prédiction : se tromper avant de voir aide à retenir.", ""
            )
            return
        field.disabled = button.disabled = True
        is_right = guess.replace(",", ".").lower() == expected.lower()
        verdict = "Bien prévu." if is_right else f"Vous aviez prévu « {guess} »."
        answer.value = _render_run(code) + render_note(f"{verdict} {because}", "right" if is_right else "wrong")

    button.on_click(reveal)
    label = widgets.HTML(f"<p><strong>{_inline(ask)}</strong></p>")
    display(
        HTML(render_code(code)),
        widgets.VBox([label, widgets.HBox([field, button], layout=_WRAP), answer], layout=_FULL),
    )


def trace(code: str, ask: str, steps: Mapping[str, str], because: str) -> None:
    """A trace to fill by hand: one field per step, checked together."""
    fields = {step: widgets.Text(layout=widgets.Layout(width="6rem")) for step in steps}
    for step, field in fields.items():
        field.description = step
        field.style.description_width = "initial"
    button = widgets.Button(description="Vérifier", button_style="primary")
    answer = _live()

    def verify(_button: Any) -> None:
        wrong = [step for step, field in fields.items() if field.value.strip().replace(",", ".") != steps[step]]
        if any(not field.value.strip() for field in fields.values()):
            answer.value = render_note("Remplissez toutes les cases, même sans certitude, puis vérifiez.")
        elif wrong:
            answer.value = render_note(
                f"À reprendre à partir de « {wrong[0]} » : suivez le code ligne à ligne.", "wrong"
            )
        else:
            answer.value = render_note(because, "right")

    button.on_click(verify)
    label = widgets.HTML(f"<p><strong>{_inline(ask)}</strong></p>")
    row = widgets.HBox(list(fields.values()), layout=_WRAP)
    display(HTML(render_code(code)), widgets.VBox([label, row, button, answer], layout=_FULL))


def debug(code: str, symptom: str, mended: str, because: str) -> None:
    """A short code with one fault: look for it, then see the mended line and why."""
    button = widgets.Button(description="Voir la correction", layout=widgets.Layout(width="auto"))
    answer = _live()

    def reveal(_button: Any) -> None:
        button.disabled = True
        answer.value = render_code(mended) + _render_run(mended) + render_note(because, "right")

    button.on_click(reveal)
    display(HTML(render_code(code) + _render_run(code) + f"<p>{_inline(symptom)}</p>"))
    display(widgets.VBox([button, answer], layout=_FULL))


def slider(label: str, low: float, high: float, value: float, step: float, unit: str = "") -> Any:
    """A slider under its full label; whole numbers if all four are."""
    whole = all(float(number).is_integer() for number in (low, high, value, step))
    make = widgets.IntSlider if whole else widgets.FloatSlider
    control = make(min=low, max=high, value=value, step=step, continuous_update=False, layout=_FULL)
    control.description = f"{label} ({unit})" if unit else label
    control.style.description_width = "initial"
    return control


def choice(label: str, options: Sequence[str]) -> Any:
    """Two or three options, side by side; the first is chosen."""
    control = widgets.ToggleButtons(options=list(options), description=label, layout=_FULL)
    control.style.description_width = "initial"
    return control


def simulation(render: Callable[..., str], **controls: Any) -> None:
    """Sliders above, and what `render` makes of their values (HTML) below."""
    view = _live()

    def show(_change: Any = None) -> None:
        view.value = render(**{name: control.value for name, control in controls.items()})

    for control in controls.values():
        control.observe(show, names="value")
    show()
    display(widgets.VBox([*controls.values(), view], layout=_FULL))


def render_figure(figure: Any, alternative: str) -> str:
    """A matplotlib figure as an image that scales, with its alternative text."""
    picture = io.BytesIO()
    figure.savefig(picture, format="svg", bbox_inches="tight")
    data = base64.b64encode(picture.getvalue()).decode()
    return f'<div class="pupitre-figure"><img alt="{html.escape(alternative)}" src="data:image/svg+xml;base64,{data}"></div>'


def render_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[object]], now: int | None = None) -> str:
    """A small table; `now` is the row to bring out."""
    top = "".join(f'<th scope="col">{html.escape(head)}</th>' for head in heads)
    lines = ""
    for number, row in enumerate(rows):
        cells = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row)
        lines += f"<tr{' class=now aria-current=true' if number == now else ''}>{cells}</tr>"
    return f'<div class="pupitre-table"><table><caption>{html.escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>'


def french(number: float, digits: int = 3) -> str:
    """A number as French prose writes it: decimal comma, narrow no-break space between thousands."""
    if number != 0 and not 1e-3 <= abs(number) < 1e7:
        mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
        return f"{mantissa.replace('.', ',')} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    whole = len(str(int(abs(number))))
    text = f"{number:,.{max(0, digits - whole)}f}"
    return text.replace(",", "\u202f").replace(".", ",").replace("-", "−")


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _live() -> Any:
    """An area that a screen reader reads when it changes."""
    area = widgets.HTML(layout=_FULL)
    area.add_class("pupitre-live")
    return area


def render_code(code: str, lines: Sequence[int] = ()) -> str:
    """Python code, coloured; `lines` (from 1) are brought out."""
    formatter = HtmlFormatter(cssclass="pupitre-highlight", hl_lines=list(lines))
    return f'<div class="pupitre-code" tabindex="0">{highlight(code.strip(), PythonLexer(), formatter)}</div>'


def _render_run(code: str) -> str:
    outcome = call(lambda: exec(compile(code.strip(), "exemple", "exec"), {}), time_limit_s=_RUN_LIMIT_S)  # noqa: S102  (the lesson's own code)
    shown = html.escape(outcome.output.rstrip())
    if outcome.error is not None:
        name = "" if isinstance(outcome.error, TimeLimitReached) else f"{type(outcome.error).__name__} : "
        shown += f'{"<br>" if shown else ""}<span class="error">{_inline(name + explain(outcome.error))}</span>'
    return f'<div class="pupitre-output" role="group" aria-label="Résultat">{shown}</div>' if shown else ""


def render_note(text: str, kind: str = "") -> str:
    """A sentence brought out: kind "right", "wrong" or ""."""
    return f'<div class="pupitre-note{f" pupitre-{kind}" if kind else ""}" role="status">{_inline(text)}</div>'


def _inline(text: str) -> str:
    """A sentence as HTML: French spaces, `code` and **weight**."""
    parts = html.escape(set_spaces(text)).split("`")
    parts[::2] = [re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", part) for part in parts[::2]]
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
