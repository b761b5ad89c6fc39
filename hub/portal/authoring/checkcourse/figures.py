"""Figures and widgets as a reader needs them: titles, quantities, units, alternative texts."""

from __future__ import annotations

import re
from typing import Any

from hub.portal.authoring.checkcourse.execution import Execution
from hub.portal.authoring.checkcourse.findings import Finding
from hub.portal.authoring.checkcourse.folder import CourseNotebook

ALTERNATIVE_MIN_CHARACTERS = 40
_UNIT = re.compile(r"\([^)]+\)|\[[^\]]+\]|sans unité|^(Nombre|Effectif|Rang|Indice|Numéro)\b", re.I)
"""A unit in brackets; a count has none."""
_IMAGE = re.compile(r"<img\b[^>]*>", re.I)
_ALT = re.compile(r"\balt\s*=\s*(\"[^\"]+\"|'[^']+')", re.I)
_MARKDOWN_IMAGE = re.compile(r"!\[([^\]]*)\]\(")


def check_figures(source: CourseNotebook, run: Execution) -> list[Finding]:
    """Every figure that was drawn has a title, a quantity with its unit on each axis, and, in a lesson, a text."""
    findings = []
    cells = [cell.id for cell in source.read().cells if cell.cell_type == "code"]
    for figure in run.audit["figures"]:
        number = figure["cell"]
        cell = cells[number] if 0 <= number < len(cells) else ""
        for code, message in _judge_figure(figure, source.is_lesson):
            findings.append(Finding(source.file, cell, code, message))
    for kind in run.audit["unnamed"]:
        message = f"un widget `{kind}` n’a pas de nom : donnez-lui `description=…`, lue par les lecteurs d’écran."
        findings.append(Finding(source.file, "", "widget", message))
    return findings


def check_images(source: CourseNotebook, run: Execution) -> list[Finding]:
    """Images written in the text, or shown by a cell of a lesson, have an alternative text."""
    findings = []
    for cell in source.read().cells:
        texts = [cell.source] if cell.cell_type == "markdown" else []
        if any(not alt.strip() for text in texts for alt in _MARKDOWN_IMAGE.findall(text)):
            findings.append(_no_text(source, cell.id, "écrivez ce qu’elle montre entre les crochets, `![…](…)`."))
        elif any(not _ALT.search(image) for text in texts for image in _IMAGE.findall(text)):
            findings.append(_no_text(source, cell.id, 'ajoutez `alt="…"`.'))
    if not source.is_lesson:
        return findings  # there, figures are the learner's own
    for cell in run.notebook.cells:
        shown = [output.get("data", {}) for output in cell.get("outputs", [])]
        if any("image/png" in data or "image/svg+xml" in data for data in shown):
            findings.append(
                _no_text(source, cell.id, "dans une leçon, montrez-la avec `lesson.render_figure(figure, texte)`.")
            )
        elif any(not _ALT.search(image) for data in shown for image in _IMAGE.findall(str(data.get("text/html", "")))):
            findings.append(_no_text(source, cell.id, 'ajoutez `alt="…"`.'))
    return findings


def check_static_equivalents(source: CourseNotebook) -> list[Finding]:
    """A simulation is followed by the same values as text: a table in one of the two next cells."""
    if not source.is_lesson:
        return []
    cells = source.read().cells
    return [
        Finding(
            source.file, cell.id, "static-equivalent",
            "la simulation n’a pas d’équivalent sans widget : ajoutez dessous un tableau de quelques valeurs repères.",
        )
        for number, cell in enumerate(cells)
        if cell.cell_type == "code"
        and re.search(r"\blesson\.simulation\(|\binteract(ive)?\(", cell.source)
        and not any(after.cell_type == "markdown" and re.search(r"^\|.*\|", after.source, re.M) for after in cells[number + 1 : number + 3])
    ]  # fmt: skip


def _judge_figure(figure: dict[str, Any], in_lesson: bool) -> list[tuple[str, str]]:
    wrong = []
    for axes in figure["axes"]:
        if not (axes["title"] or figure["title"]):
            wrong.append(("figure", "une figure n’a pas de titre : `axes.set_title(…)`."))
        for name, french in (("x", "abscisse"), ("y", "ordonnée")):
            axis = axes[name]
            if axes["polar"] or not axis["shown"]:
                continue
            if not axis["label"].strip():
                wrong.append(
                    ("figure", f'l’axe en {french} n’a pas de grandeur : `axes.set_{name}label("Grandeur (unité)")`.')
                )
            elif not axis["categories"] and not _UNIT.search(axis["label"]):
                wrong.append(
                    (
                        "figure",
                        f"l’axe « {axis['label']} » n’a pas d’unité : écrivez-la entre parenthèses, ou « (sans unité) ».",
                    )
                )
    text = figure["alternative"]
    if text is not None and len(text.strip()) < ALTERNATIVE_MIN_CHARACTERS:
        wrong.append(
            (
                "alternative",
                f"le texte alternatif d’une figure est trop court (« {text} ») : dites ce qu’elle montre, avec ses valeurs.",
            )
        )
    elif text is not None and re.search(r"\d\.\d", text):
        wrong.append(
            (
                "alternative",
                "le texte alternatif d’une figure a un point décimal : `lesson.french(valeur)` écrit la virgule.",
            )
        )
    elif text is None and in_lesson:
        wrong.append(
            (
                "alternative",
                "une figure n’a pas de texte alternatif : montrez-la avec `lesson.render_figure(figure, texte)`.",
            )
        )
    return list(dict.fromkeys(wrong))


def _no_text(source: CourseNotebook, cell: str, what_to_do: str) -> Finding:
    return Finding(source.file, cell, "alternative", f"une image n’a pas de texte alternatif : {what_to_do}")
