"""`course.yml` and `qcm.yml`: what is accepted, and the sentence that names file, line and key (docs/reference/course-file.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.portal.catalogue.coursefile import CourseFileError, load_course


def edit(folder: Path, old: str, new: str, file: str = "course.yml") -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(folder: Path, text: str, file: str = "course.yml") -> int:
    return next(n for n, line in enumerate((folder / file).read_text().splitlines(), 1) if text in line)


def refusal(folder: Path) -> CourseFileError:
    with pytest.raises(CourseFileError) as caught:
        load_course(folder)
    return caught.value


def test_the_tiny_course_is_right(course_folder):
    course = load_course(course_folder)
    assert [module.slug for module in course.modules] == ["m1", "m2"]
    assert course.max_points == 10
    assert course.badges[0].slug == "parcours"


@pytest.mark.parametrize(
    ("old", "new", "key", "marker", "words"),
    [
        ("minutes: 40", "minutes: quarante", "modules[1].minutes", "quarante", "nombre entier"),
        ("minutes: 40", "minutes: -4", "modules[1].minutes", "-4", "trop petite"),
        ("slug: m2", "slug: M2", "modules[2].slug", "slug: M2", "minuscules"),
        ("slug: m2", "slug: m1", "modules[2].slug", "Second", "sert deux fois"),
        ('version: "1.0"', "version: 1.0", "version", "version: 1.0", "guillemets"),
        ('version: "1.0"', 'version: "../1"', "version", "../1", "forme"),
        ("domain: Essais", "domaine: Essais", "domaine", "domaine", "inconnue"),
        ("license: CC BY 4.0\n", "", "license", "slug: petit", "obligatoire"),
        ("lesson: m1/lecon.ipynb", "lesson: /etc/passwd", "modules[1].lesson", "/etc/passwd", "relatif"),
        ("lesson: m1/lecon.ipynb", "lesson: ../lecon.ipynb", "modules[1].lesson", "../lecon", "relatif"),
        ("lesson: m1/lecon.ipynb", "lesson: m1/absente.ipynb", "modules[1].lesson", "absente", "n’existe pas"),
        ("files: [ m1/data ]", "files: [ m1/.git ]", "modules[1].files[1]", ".git", "caché"),
        ("reviewed: [ m2 ]", "reviewed: [ m1 ]", "completion.reviewed[1]", "reviewed", "relecture"),
        ("enrolment: open", "enrolment: libre", "sessions[1].enrolment", "libre", "valeurs possibles"),
        ("points: { auto: 4,", "points: { auto: 5,", "modules[1].points.auto", "auto: 5", "en donnent 4"),
        ("quiz: 2, manual: 0", "quiz: 3, manual: 0", "modules[1].points.quiz", "quiz: 3", "QCM en donne 2"),
        ("manual: 2 }", "manual: 1 }", "modules[2].points.manual", "manual: 1", "en donnent 2"),
        ("percent: 60", "percent: .nan", "completion.percent", ".nan", "nombre"),
        ("keywords: [ chimie ]", "keywords: &mots [ chimie ]", "", "&mots", "ancres"),
        ("public: Testeurs", "public: Testeurs\npublic: Autres", "", "public: Autres", "deux fois"),
    ],
)
def test_each_error_names_file_line_and_key(course_folder, old, new, key, marker, words):
    edit(course_folder, old, new)
    error = refusal(course_folder)
    assert (error.file, error.key) == ("course.yml", key)
    lines = (course_folder / "course.yml").read_text().splitlines()
    found = [n for n, line in enumerate(lines, 1) if marker in line]
    assert error.line is not None
    assert min(abs(error.line - n) for n in found) <= 1, (error.line, found)
    assert words in str(error)
    assert str(error).startswith(f"course.yml, ligne {error.line}") and str(error).endswith(".")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('correct: true, feedback: "REMARQUE-QUATRE : oui."', "correct: false", "au moins un choix juste"),
        ("id: pairs", "id: somme", "sert deux fois"),
        ("points: 2", "points: 2\nnote: 3", "inconnue"),
        ("code: E02", "code: faute", "forme"),
    ],
)
def test_errors_of_a_quiz_name_the_quiz(course_folder, old, new, words):
    edit(course_folder, old, new, "m1/qcm.yml")
    error = refusal(course_folder)
    assert error.file == "m1/qcm.yml"
    assert error.line
    assert words in str(error)


def test_not_yaml_at_all(course_folder):
    edit(course_folder, "domain: Essais", "domain: [ Essais")
    error = refusal(course_folder)
    assert "YAML" in str(error)
    assert error.line


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "42\n"])
def test_a_file_without_keys(course_folder, text):
    (course_folder / "course.yml").write_text(text)
    assert "clés" in str(refusal(course_folder))


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"x: " + b"y" * (1 << 20), b"[" * 3000])
def test_hostile_files_are_refused_with_a_sentence(course_folder, data):
    (course_folder / "course.yml").write_bytes(data)
    assert str(refusal(course_folder)).startswith("course.yml, ligne 1")


def test_no_course_file(tmp_path):
    assert "absent" in str(refusal(tmp_path))


def test_a_link_is_not_followed(course_folder, tmp_path):
    (tmp_path / "secret.csv").write_text("secret")
    (course_folder / "m1" / "data" / "lien.csv").symlink_to(tmp_path / "secret.csv")
    assert "lien symbolique" in str(refusal(course_folder))


def test_a_folder_of_the_path_that_is_a_link_is_not_followed(course_folder):
    (course_folder / "m1").rename(course_folder / "ailleurs")
    (course_folder / "m1").symlink_to("ailleurs")
    assert "lien symbolique" in str(refusal(course_folder))


def test_a_lesson_that_is_no_notebook(course_folder):
    (course_folder / "m1" / "lecon.ipynb").write_text("bonjour")
    error = refusal(course_folder)
    assert error.key == "modules[1].lesson"
    assert "carnet valide" in str(error)


def test_an_assignment_whose_cells_cannot_be_marked(course_folder):
    path = course_folder / "m1" / "exercices.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "ex-1-2-test":
            cell["metadata"]["nbgrader"]["grade_id"] = "ex-1-1-test"
    path.write_text(json.dumps(notebook))
    error = refusal(course_folder)
    assert error.file == "m1/exercices.ipynb"
    assert "ex-1-1-test" in str(error)


def test_two_files_with_one_name(course_folder):
    (course_folder / "autre" / "data").mkdir(parents=True)
    (course_folder / "autre" / "data" / "mesures.csv").write_text("x")
    edit(course_folder, "files: [ m1/data ]", "files: [ m1/data, autre/data ]")
    assert "deux fichiers" in str(refusal(course_folder))


def test_hidden_files_are_not_delivered(course_folder):
    from hub.portal.catalogue.coursecontent import load_course_and_content

    (course_folder / "m1" / "data" / ".ipynb_checkpoints").mkdir()
    (course_folder / "m1" / "data" / ".ipynb_checkpoints" / "x.csv").write_text("x")
    assert set(load_course_and_content(course_folder)[1].modules["m1"].files) == {"data/mesures.csv"}
