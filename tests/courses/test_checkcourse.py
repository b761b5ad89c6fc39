"""The proof-reader on bad courses: each finding is made, and said with file, cell and what to do; a good course has none."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from django.core.management import CommandError, call_command

from hub.portal.authoring.checkcourse import execution
from hub.portal.authoring.checkcourse.check import check_course
from hub.portal.authoring.checkcourse.findings import Report
from hub.portal.authoring.checkcourse.prose import is_sentence, strip_code
from hub.portal.authoring.checkcourse.spelling import SpellingUnavailable, is_right, list_words, load_speller
from tests.graders.engine_fixtures import real_forkd

__all__ = ["real_forkd"]

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "hub" / "jupyter" / "share" / "course-template"
NODE_MODULES = ROOT / "node_modules"
Edit = Callable[[Any], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small course that authors start from."""
    return Path(shutil.copytree(TEMPLATE, tmp_path / "mon-parcours"))


def edit(folder: Path, name: str, change: Edit) -> None:
    path = folder / "m1" / name
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def add_text(folder: Path, text: str, name: str = "lecon.ipynb") -> None:
    edit(folder, name, lambda notebook: notebook.cells.append(nbformat.v4.new_markdown_cell(text, id="ajout")))


def add_code(folder: Path, code: str, name: str = "lecon.ipynb") -> None:
    edit(folder, name, lambda notebook: notebook.cells.append(nbformat.v4.new_code_cell(code, id="ajout")))


def read(folder: Path, **options: Any) -> Report:
    """What is found; without running the notebooks, unless asked."""
    return check_course(folder, node_modules=NODE_MODULES, **{"run": False, **options})


def plain(text: str) -> str:
    """With ordinary spaces."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_the_course_that_authors_start_from_has_nothing_to_mend(folder: Path) -> None:
    report = read(folder, run=True)
    assert [str(finding) for finding in report.findings] == []
    assert report.unchecked == [] and report.exit_code == 0
    assert report.points == {"auto": 2, "quiz": 1, "manual": 2, "total": 5}
    assert set(report.durations_s) == {"m1/lecon.ipynb", "m1/exercices.ipynb"}


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("Voir [la suite](suite.ipynb).", "link", "« suite.ipynb » ne mène à rien"),
        ("Voir [la suite]().", "link", "un lien est vide"),
        ('<a href="ailleurs/x.csv">ici</a>', "link", "ailleurs/x.csv"),
        ("![](data/a.svg)", "link", "data/a.svg"),
        ("La valeur est 0.34 en tout.", "decimal", "écrivez « 0,34 »"),
        ("On mesure une tension de 4,5 puis on recommence.", "unit", "l’unité manque après 4,5"),
        ("Une masse de 1\u202f200 est lâchée.", "unit", "1\u202f200"),
        ("Que voit-on ?", "space", "espace insécable"),
        ("Une « simple phrase »", "space", "insécable"),
        ("Une augmentation de 5 % par an", "space", "5 %"),
        ("Une fôte de frappe.", "spelling", "« fôte »"),
    ],
)
def test_text_is_read(folder: Path, text: str, code: str, words: str) -> None:
    add_text(folder, text)
    found = [finding for finding in read(folder).findings if finding.code == code]
    assert found, [str(finding) for finding in read(folder).findings]
    assert found[0].file == "m1/lecon.ipynb" and found[0].cell == "ajout"
    assert plain(words) in plain(found[0].message)


@pytest.mark.parametrize(
    "text",
    [
        "Voir [les exercices](exercices.ipynb), [le site](https://www.python.org/doc) ou [plus haut](#titre).",
        "La valeur `0.34` s’écrit 0,34\u00a0; en Python 3.11, $x = 1.5$.",
        "```python\nx = 0.5\n```",
        "Une tension de 4,5\u00a0V, une masse de 2,0\u00a0kg, une durée de 40\u00a0ms, une vitesse de 10 à 20\u00a0m/s.",
        "Une hauteur de 1,2\u00a0m et une température de 20\u00a0°C\u00a0; une accélération de 9,81\u00a0m·s⁻².",
        "| t : s | v |\n|--:|--:|\n| 0 | 1 |",
        "L’exercice 1.1 dure deux minutes.",
        "Les noms `v_kmh` et Ec, l’ion S₂O₃²⁻, le diiode I₂ et le CuSO₄.",
    ],
)
def test_few_false_alarms(folder: Path, text: str) -> None:
    add_text(folder, text)
    assert [str(finding) for finding in read(folder).findings] == []


@pytest.mark.parametrize(
    ("code", "rule", "words"),
    [
        ("n = input('n')", "input", "bloque"),
        ("import urllib.request", "network", "`urllib`"),
        ("g = 9,81", "comma", "le point"),
        ("open('data/mesures.csv')", "link", "data/mesures.csv"),
        ("from pupitre import lesson\nlesson.simulation(print)", "static-equivalent", "tableau"),
        ("message = 'Une phrase avec une fôte dedans.'", "spelling", "« fôte »"),
    ],
)
def test_code_is_read(folder: Path, code: str, rule: str, words: str) -> None:
    add_code(folder, code)
    found = [finding for finding in read(folder).findings if finding.code == rule]
    assert found and found[0].cell == "ajout" and words in plain(found[0].message)


def test_code_that_is_right_says_nothing(folder: Path) -> None:
    add_code(folder, "T1, T2 = 20, 35\npoint = (1, 2)\nsizes = 4, 3\nprint(0.5)")
    assert read(folder).findings == []


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
def test_answer_cell_without_its_number_and_id_used_twice(folder: Path) -> None:
    def spoil(notebook: Any) -> None:
        answer = next(cell for cell in notebook.cells if cell.id == "ex-1-1")
        answer.source = answer.source.replace("# Exercice 1.1\n", "")

    edit(folder, "exercices.ipynb", spoil)
    assert [(finding.code, finding.cell) for finding in read(folder).findings] == [("id", "ex-1-1")]
    path = folder / "m1" / "exercices.ipynb"
    path.write_text(path.read_text().replace('"id": "enonce-1-1"', '"id": "ex-1-1"'))
    assert ("id", "ex-1-1", True) in [(one.code, one.cell, "deux fois" in one.message) for one in read(folder).findings]


def test_course_that_cannot_be_published_is_one_finding(folder: Path) -> None:
    course = folder / "course.yml"
    course.write_text(course.read_text().replace("auto: 2", "auto: 3"))
    report = read(folder)
    assert codes(report) == ["course-file"] and report.exit_code == 1
    assert "modules[1].points.auto" in report.findings[0].message and "ligne" in report.findings[0].message


def test_quiz_and_course_file_are_read(folder: Path) -> None:
    quiz, course = folder / "m1" / "qcm.yml", folder / "course.yml"
    quiz.write_text(quiz.read_text().replace("n’apparaît pas", "n’aparaît pas"))
    course.write_text(course.read_text().replace("à transformer", "à transfformer"))
    found = {(finding.file, finding.cell) for finding in read(folder).findings}
    assert found == {("m1/qcm.yml", "masse"), ("course.yml", "")}


FIGURES = """
import base64
from matplotlib.figure import Figure
from IPython.display import HTML, Image, display
import ipywidgets as widgets
from pupitre import lesson

def draw(title="", x="", y="", text="Une droite qui monte de 0 à 2 volts quand l’intensité va de 0 à 1 ampère."):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0, 2])
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, lesson.render_figure(figure, text)

draw("Titre", "I (A)", "U (V)")
draw("", "I (A)", "U (V)")
draw("Titre", "", "U (V)")
draw("Titre", "I (A)", "U")
draw("Titre", "I (A)", "U (V)", "Une droite.")
draw("Titre", "I (A)", "U (V)", "Une droite qui monte de 0 à 2.5 volts quand l’intensité va de 0 à 1 ampère.")
display(HTML("<img src='data:image/gif;base64,x'>"))
slider = widgets.IntSlider()
"""


def test_figures_and_widgets_are_watched_while_the_lesson_runs(folder: Path) -> None:
    add_code(folder, FIGURES)
    report = read(folder, run=True)
    found = [(finding.cell, finding.code, finding.message) for finding in report.findings]
    for cell, code, words in [
        ("ajout", "figure", "n’a pas de titre"),
        ("ajout", "figure", "l’axe en abscisse n’a pas de grandeur"),
        ("ajout", "figure", "l’axe « U » n’a pas d’unité"),
        ("ajout", "alternative", "trop court (« Une droite. »)"),
        ("ajout", "alternative", "point décimal"),
        ("ajout", "alternative", "une image n’a pas de texte alternatif"),
        ("", "widget", "`IntSlider` n’a pas de nom"),
        ("ajout", "decimal", "« 2.5 »"),
    ]:
        assert any(one[:2] == (cell, code) and words in plain(one[2]) for one in found), (code, words, found)
    assert len(found) == 8, found


def test_figure_shown_without_a_text_in_a_lesson(folder: Path) -> None:
    add_code(folder, "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.title('T')\nplt.xlabel('Nombre de tours')\nplt.ylabel('u (V)')\nplt.show()")  # fmt: skip
    found = read(folder, run=True).findings
    assert {(finding.code, finding.cell) for finding in found} == {("alternative", "ajout")}
    assert all("lesson.render_figure" in finding.message for finding in found)


def test_cell_that_stops_is_named(folder: Path) -> None:
    add_code(folder, "print(hauteur_de_chute)")
    report = read(folder, run=True)
    (finding,) = report.findings
    assert (finding.file, finding.cell, finding.code) == ("m1/lecon.ipynb", "ajout", "execution")
    assert "NameError" in finding.message


def test_cell_without_end_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "CELL_LIMIT_S", 6)
    add_code(folder, "while True:\n    pass")
    assert codes(read(folder, run=True)) == ["execution"]


def test_slow_notebook(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "RUN_LIMIT_S", 0.1)
    assert codes(read(folder, run=True)) == ["slow", "slow"]


def test_wrong_solution_free_points_and_leaks(folder: Path) -> None:
    def spoil(notebook: Any) -> None:
        cells = {cell.id: cell for cell in notebook.cells}
        cells["ex-1-1"].source = cells["ex-1-1"].source.replace(
            "t = (2 * h / 9.81) ** 0.5", "t = (2 * h / 9.80) ** 0.4"
        )
        cells["enonce-1-1"].source += "\n\nIndice\u00a0:\n\n    t = (2 * h / 9.80) ** 0.4"

    edit(folder, "exercices.ipynb", spoil)
    found = {finding.code: finding for finding in read(folder, run=True).findings}
    assert set(found) == {"execution", "solution", "secret"}
    assert found["solution"].cell == "ex-1-1-test" and "0 point(s) sur 2" in found["solution"].message
    assert found["secret"].cell == "enonce-1-1"


def test_released_copy_that_earns_points(folder: Path) -> None:
    def spoil(notebook: Any) -> None:
        test = next(cell for cell in notebook.cells if cell.id == "ex-1-1-test")
        test.source = "print('Test réussi')"

    edit(folder, "exercices.ipynb", spoil)
    (finding,) = read(folder, run=True).findings
    assert (finding.code, finding.cell) == ("released-points", "ex-1-1-test")
    assert "obtient 2 point(s)" in finding.message


@pytest.mark.root
def test_same_findings_in_the_sandbox(folder: Path, real_forkd: Path | None) -> None:
    if real_forkd is None:
        pytest.skip("needs root")
    report = read(folder, run=True, forkd=real_forkd)
    assert [str(finding) for finding in report.findings] == [] and report.isolated
    add_code(folder, "import os\nassert os.getuid() == -1, os.getuid()")
    (finding,) = read(folder, run=True, forkd=real_forkd).findings
    assert (finding.code, finding.cell) == ("execution", "ajout")
    uid = re.search(r"\((\d+)\)", finding.message)
    assert uid is not None and int(uid[1]) != 0, "not as root"


def test_missing_dictionary_is_said_and_is_no_success(folder: Path, tmp_path: Path) -> None:
    report = check_course(folder, node_modules=tmp_path, run=False)
    assert report.exit_code == 2
    assert any("dictionary-fr" in sentence and "make install" in sentence for sentence in report.unchecked)
    with pytest.raises(SpellingUnavailable):
        load_speller(tmp_path)


def test_words_of_our_own(folder: Path) -> None:
    add_text(folder, "Une chronophautographie.")
    assert codes(read(folder)) == ["spelling"]
    (folder / "dictionnaire.txt").write_text("# essai\nchronophautographie  # exprès\n")
    assert codes(read(folder)) == []


def test_what_is_a_word() -> None:
    speller = load_speller(NODE_MODULES)
    words = list(list_words("L’énergie v_kmh aujourd’hui x² (2x) CO₂ arc-en-ciel mL 3e"))
    assert words == ["L’énergie", "aujourd’hui", "arc-en-ciel"]
    for word in ("L’énergie", "aujourd’hui", "demi-vie", "demi-vies", "QCM", "Ec", "œuvre", "désintégrations"):
        assert is_right(word, speller, set()), word
    for word in ("enérgie", "paramêtre", "l’enérgie"):
        assert not is_right(word, speller, set()), word


def test_what_is_prose() -> None:
    assert strip_code("Un `a = 1.5` et $x$ : [lien](a.md)").split() == ["Un", "¤", "et", "¤", ":", "[lien]"]
    assert is_sentence("La masse est-elle en grammes ?")
    assert not is_sentence("n = 0\nwhile n < 3:\n    n = n + 1")
    assert not is_sentence("capital = capital + taux")


def run_command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        call_command("checkcourse", *arguments)
    return int(left.value.code or 0)


def test_command_prints_findings_and_ends_with_their_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_text(folder, "La valeur est 0.34 en tout.")
    assert run_command(str(folder), "--no-run") == 1
    printed = plain(capsys.readouterr().out)
    assert "m1/lecon.ipynb, cellule « ajout »" in printed and "1 point à reprendre" in printed
    assert "Non vérifié" in printed


def test_command_gives_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(str(folder), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["findings"] == [] and report["points"]["total"] == 5 and report["exit_code"] == 0
    assert all(0 < seconds < 20 for seconds in report["durations_s"].values())


def test_command_on_no_course(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"course\.yml"):
        call_command("checkcourse", str(tmp_path))


def test_nothing_is_written_in_the_course(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    read(folder, run=True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
