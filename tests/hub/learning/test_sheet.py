"""Classroom sheets: a source's blocks, its mistakes, and the downloads of a module's page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import nbformat
import pikepdf
import pytest
from django.core.management import call_command

from hub.portal.catalogue.coursefile import CourseFileError
from hub.portal.catalogue.publish import publish_course
from hub.portal.catalogue.sheet import SheetError, parse_sheet, render_notebook, render_pdf
from tests.hub.learning.test_course_file import edit

SOURCE = """titre: Une chute #strong[libre] <'&">
niveau: Seconde
programme: PC2-1
duree: 50 min
materiel: un poste pour deux

## La situation

Une bille tombe : `h = 2`, en **mètres**.

| h (m) | t (s) |
|---|---|
| 2 | |

::: completer
```python
t = ...
```
:::

::: ecrire
Écrivez le programme.
:::

::: lignes 4
:::

::: professeur
```python
t = (2 * 2 / 9.81) ** 0.5
```
Secret du professeur.
:::
"""
ADDRESS = "/session/essai/module/m2/fiche/"


def words_of(pdf: bytes) -> str:
    """The title of the document: what typst took as text."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return str(document.docinfo.get("/Title", ""))


def test_each_reader_gets_their_own_parts() -> None:
    sheet = parse_sheet(SOURCE.encode())
    texts = {version: "\n".join(part.text for part in sheet.parts_of(version)) for version in ("eleve-completer", "eleve-ecrire", "professeur")}  # type: ignore[arg-type]  # fmt: skip
    assert "t = ..." in texts["eleve-completer"] and "Écrivez" not in texts["eleve-completer"]
    assert "Écrivez" in texts["eleve-ecrire"] and "t = ..." not in texts["eleve-ecrire"]
    for learner in ("eleve-completer", "eleve-ecrire"):
        assert "Secret" not in texts[learner] and "9.81" not in texts[learner]
    assert all(word in texts["professeur"] for word in ("t = ...", "Écrivez", "Secret"))
    assert [part.count for part in sheet.parts if part.block == "lignes"] == [4]


def test_pdf_takes_texts_as_texts() -> None:
    pdf = render_pdf(parse_sheet(SOURCE.encode()), "professeur", course="C #x", module="M $y$", license="CC BY 4.0")
    assert pdf.startswith(b"%PDF-1.7") and words_of(pdf) == "Une chute #strong[libre] <'&\">"
    with pikepdf.open(io.BytesIO(pdf)) as document, document.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"


def test_notebook_has_a_code_cell_per_program_and_a_place_to_answer() -> None:
    data = render_notebook(parse_sheet(SOURCE.encode()), "eleve-completer")
    notebook = nbformat.reads(data.decode(), as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == ["t = ..."]
    assert any(cell.source == "*Votre réponse\u00a0:*" for cell in notebook.cells)
    assert data == render_notebook(parse_sheet(SOURCE.encode()), "eleve-completer")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("niveau: Seconde\n", "", 1, "« niveau »"),
        ("niveau: Seconde", "classe: Seconde", 2, "clé : valeur"),
        ("niveau: Seconde", "niveau:", 2, "clé"),
        ("::: ecrire", "::: copier", 21, "« copier » n’existe pas"),
        ("::: lignes 4\n:::", "::: lignes 4", 27, "un bloc commence dans un autre"),
        ("Secret du professeur.\n:::", "Secret du professeur.", 28, "n’est pas fermé"),
        ("::: ecrire\n", "", 22, "n’est pas ouvert"),
        ("::: ecrire", "::: professeur", 33, "::: ecrire"),
    ],
)
def test_mistakes_are_said_with_their_line(old: str, new: str, line: int, words: str) -> None:
    assert old in SOURCE
    with pytest.raises(SheetError) as refused:
        parse_sheet(SOURCE.replace(old, new, 1).encode())
    assert words in refused.value.message.replace("\u00a0", " ")
    assert refused.value.line == line


def test_a_fence_inside_code_is_code() -> None:
    sheet = parse_sheet(SOURCE.replace("t = ...", "t = ...\n:::\n").encode())
    assert any("\n:::\n" in part.text for part in sheet.parts if part.block == "completer")


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(SheetError, match="UTF-8"):
        parse_sheet(b"\xff\xfe")


@pytest.fixture
def with_sheet(course_folder: Path) -> Path:
    (course_folder / "classe").mkdir()
    (course_folder / "classe" / "m2.md").write_text(SOURCE, encoding="utf-8")
    edit(course_folder, "  - slug: m2\n", "  - slug: m2\n    sheet: classe/m2.md\n")
    return course_folder


@pytest.fixture
def petit(with_sheet: Path, db: None) -> Any:
    """The tiny course of the sessions, here with a sheet."""
    return publish_course(with_sheet)


def test_a_bad_sheet_refuses_the_course(with_sheet: Path) -> None:
    edit(with_sheet, "::: ecrire", "::: copier", "classe/m2.md")
    with pytest.raises(CourseFileError, match=r"classe/m2\.md, ligne 21"):
        publish_course(with_sheet)


@pytest.mark.django_db
def test_participants_download_every_version(alice: Any, signed_in: Any) -> None:
    client = signed_in(alice)
    page = client.get("/session/essai/module/m2/").content.decode()
    for name in ("eleve-completer.pdf", "eleve-ecrire.pdf", "professeur.pdf", "eleve-completer.ipynb", "eleve-ecrire.ipynb"):  # fmt: skip
        assert f'href="{ADDRESS}{name}"' in page
        answer = client.get(ADDRESS + name)
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == f'attachment; filename="fiche-m2-{name}"'
        assert answer.content.startswith(b"%PDF" if name.endswith("pdf") else b"{")
    assert "Dans votre classe" not in client.get("/session/essai/module/m1/").content.decode()


@pytest.mark.django_db
def test_nobody_else_does(alice: Any, bob: Any, signed_in: Any, visitor: Any) -> None:
    assert visitor.get(f"{ADDRESS}professeur.pdf").status_code == 302
    assert signed_in(bob).get(f"{ADDRESS}professeur.pdf").status_code == 403
    for wrong in ("professeur.exe", "autre.pdf", "professeur.ipynb.pdf"):
        assert signed_in(alice).get(ADDRESS + wrong).status_code == 404
    assert signed_in(alice).get("/session/essai/module/m1/fiche/professeur.pdf").status_code == 404


def test_all_sheets_are_written_at_once(with_sheet: Path, tmp_path: Path) -> None:
    for _again in range(2):
        call_command("buildsheets", str(with_sheet), "--into", str(tmp_path / "sorties"))
    assert {path.name for path in (tmp_path / "sorties").iterdir()} == {
        "m2-eleve-completer.pdf",
        "m2-eleve-completer.ipynb",
        "m2-eleve-ecrire.pdf",
        "m2-eleve-ecrire.ipynb",
        "m2-professeur.pdf",
    }
