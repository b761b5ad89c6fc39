"""What a lesson shows and answers, on the widgets themselves (no browser)."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from pupitre import lesson


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    things: list[Any] = []
    monkeypatch.setattr(lesson, "display", lambda *given: things.extend(given))
    return things


def find(box: Any, kind: type) -> Any:
    """The first widget of this kind, depth first."""
    if isinstance(box, kind):
        return box
    for child in getattr(box, "children", ()):
        if (found := find(child, kind)) is not None:
            return found
    return None


def live(box: Any) -> str:
    return str(box.children[-1].value)


def test_question_answers_each_choice(shown: list[Any]) -> None:
    lesson.question("1 < 2 ?", {"oui": "C’est `True`.", "non": "Relisez <b>."}, right="oui")
    box = shown[0]
    assert "1 &lt; 2\u00a0?" in box.children[0].value
    radios = find(box, widgets.RadioButtons)
    assert live(box) == ""
    radios.value = "non"
    assert "pupitre-wrong" in live(box) and "&lt;b&gt;" in live(box)
    radios.value = "oui"
    assert "pupitre-right" in live(box) and "<code>True</code>" in live(box)


def test_prediction_comes_before_the_result(shown: list[Any]) -> None:
    lesson.predict("a = 3\nb = 4 * a\na = 10\nprint(b)", "Que voit-on ?", expected="12", because="b garde sa valeur.")
    box = shown[-1]
    field, button = find(box, widgets.Text), find(box, widgets.Button)
    button.click()
    assert "prédiction" in live(box) and "12" not in live(box)
    field.value = "40"
    button.click()
    assert "12" in live(box) and "« 40" in live(box).replace("\u00a0", " ") and "pupitre-wrong" in live(box)
    assert field.disabled and button.disabled


def test_right_prediction_with_a_decimal_comma(shown: list[Any]) -> None:
    lesson.predict("print(7 / 2)", "Que voit-on ?", expected="3.5", because="Division.")
    box = shown[-1]
    find(box, widgets.Text).value = " 3,5 "
    find(box, widgets.Button).click()
    assert "Bien prévu" in live(box)


def test_trace_names_the_first_wrong_step(shown: list[Any]) -> None:
    lesson.trace("s = 0", "Complétez.", {"i = 1": "1", "i = 2": "5"}, because="Oui.")
    box = shown[-1]
    fields, button = box.children[1].children, find(box, widgets.Button)
    button.click()
    assert "toutes les cases" in live(box)
    fields[0].value, fields[1].value = "1", "3"
    button.click()
    assert "i = 2" in live(box) and "pupitre-wrong" in live(box)
    fields[1].value = "5"
    button.click()
    assert "pupitre-right" in live(box)


def test_debug_shows_the_real_error_then_the_mended_code(shown: list[Any]) -> None:
    lesson.debug("a = 4\na + 2 = b", "Pourquoi ?", "a = 4\nprint(a + 2)", because="À gauche de =.")
    assert "SyntaxError" in shown[0].data and "<code>==</code>" in shown[0].data
    box = shown[1]
    find(box, widgets.Button).click()
    assert ">6<" in live(box)


def test_plot_shows_the_code_what_it_prints_and_one_figure(shown: list[Any]) -> None:
    code = """
import matplotlib.pyplot as plt

plt.plot([0, 1], [0, 2], "o")
plt.title("Essai")
print("pente", 2)
"""
    lesson.plot(code, "Deux points.")
    assert len(shown) == 1
    said = shown[0].data
    assert said.index("plt") < said.index("pente 2") < said.index('alt="Deux points."')
    assert not pyplot.get_fignums(), "a figure left open would be shown twice"


def test_endless_example_is_stopped(shown: list[Any]) -> None:
    lesson.example("while True:\n    pass")
    assert "Boucle sans fin" in shown[0].data


def test_simulation_follows_its_controls(shown: list[Any]) -> None:
    control = lesson.slider("Vitesse", 0, 130, 90, 10, "km/h")
    lesson.simulation(lambda v: f"v={v}", v=control)
    assert live(shown[0]) == "v=90"
    control.value = 50
    assert live(shown[0]) == "v=50"
    assert control.description == "Vitesse (km/h)"
    assert isinstance(lesson.slider("q", 0.3, 0.8, 0.5, 0.1), widgets.FloatSlider)


def test_figure_has_its_alternative_text_and_table_its_heads() -> None:
    figure = Figure()
    figure.subplots().plot([1, 2])
    assert 'alt="1 &lt; 2 &quot;x&quot;"' in lesson.render_figure(figure, '1 < 2 "x"')
    table = lesson.render_table("Titre", ["v (m/s)"], [["<1>"], [2]], now=1)
    assert '<th scope="col">v (m/s)</th>' in table and "&lt;1&gt;" in table and table.count("aria-current") == 1


@pytest.mark.parametrize(
    ("number", "digits", "written"),
    [
        (375, 3, "375"),
        (93.75, 3, "93,8"),
        (1200, 4, "1\u202f200"),
        (0, 3, "0,00"),
        (-9.81, 3, "−9,81"),
        (2.5e-4, 2, "2,5 × 10⁻⁴"),
        (1.986e20, 3, "1,99 × 10²⁰"),
    ],
)
def test_numbers_as_french_prose_writes_them(number: float, digits: int, written: str) -> None:
    assert lesson.french(number, digits) == written


def test_code_lines_brought_out_and_scrollable_by_keyboard() -> None:
    shown = lesson.render_code("a = 1\nb = 2", lines=[2])
    assert shown.count("hll") == 1
    assert 'tabindex="0"' in shown
