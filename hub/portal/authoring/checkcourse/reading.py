"""A reading of the prose: links that lead somewhere, numbers as French writes them, units beside quantities, spaces.

Laws: few false alarms rather than every fault. An address on the Web is not followed: the proof-reader asks no network.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from hub.portal.authoring.checkcourse.findings import Finding
from hub.portal.authoring.checkcourse.folder import CourseNotebook
from hub.portal.authoring.checkcourse.prose import Passage
from hub.portal.catalogue.coursecontent import ASSIGNMENT_NAME, LESSON_NAME

QUANTITIES = (
    "masse", "vitesse", "tension", "intensité", "résistance", "durée", "distance", "longueur", "hauteur", "altitude", "volume",
    "température", "pression", "énergie", "force", "fréquence", "période", "puissance", "concentration", "accélération",
)  # fmt: skip
"""Quantities that always have a dimension. Counted ones (« un nombre de 12 ») are not here."""
UNITS = (
    "m", "km", "cm", "mm", "µm", "nm", "s", "ms", "µs", "min", "h", "an", "ans", "j", "kg", "g", "mg", "t", "N", "J", "kJ", "MJ", "W", "kW", "MW",
    "Wh", "kWh", "V", "mV", "kV", "A", "mA", "µA", "Ω", "kΩ", "MΩ", "Hz", "kHz", "MHz", "Pa", "hPa", "kPa", "bar", "bars", "K", "°C", "°", "mol", "mmol",
    "µmol", "L", "mL", "µL", "cL", "C", "F", "T", "eV", "ua", "rad", "tr", "im", "%", "‰",
    "mètres", "mètre", "kilomètres", "centimètres", "secondes", "seconde", "minutes", "minute", "heures", "heure", "jours", "années",
    "volts", "volt", "ampères", "newtons", "joules", "watts", "ohms", "hertz", "degrés", "kelvins", "litres", "litre", "grammes", "pascals", "moles", "lancers", "fois",
)  # fmt: skip
_NUMBER = r"[−-]?\d+(?:[\s\u00a0\u202f]\d{3})*(?:,\d+)?(?:[\s\u00a0\u202f]?×[\s\u00a0\u202f]?10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
_QUANTITY = re.compile(
    rf"\b(?P<what>{'|'.join(QUANTITIES)})s?\s+(?:[^\W\d]\w*\s+)?(?:de|est de|vaut|égale à|est égale à|=)[\s\u00a0](?P<number>{_NUMBER})(?P<after>[^\n]{{0,12}})", re.I
)  # fmt: skip
_UNIT_AFTER = re.compile(rf"^(?:[\s\u00a0\u202f]*(?:{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![^\W\d_])|[\s\u00a0]*[à¤(…]|[\s\u00a0]et\b|[\s\u00a0]ou\b|,[\s\u00a0])")  # fmt: skip
_DECIMAL_POINT = re.compile(r"(?<![\w.])(\d+\.\d+)(?![\w.]*\w)")
_BREAKABLE = re.compile(r" [:;?!»](?=\s|$)|« (?=\S)|\d (?:%|€)")
_LINK = re.compile(r"(?<!!)!?\[[^\]]*\]\(\s*<?([^)\s>]*)>?[^)]*\)")
_REFERENCE = re.compile(r"(href|src)\s*=\s*[\"']([^\"']*)[\"']", re.I)


def check_prose(passages: list[Passage], exercises: set[str]) -> Iterator[Finding]:
    """Numbers, units and spaces. `exercises`: numbers such as 3.1, whose point is right."""
    for passage in passages:
        for number in _DECIMAL_POINT.findall(passage.text):
            if number not in exercises and not _is_version(passage.text, number):
                comma = number.replace(".", ",")
                yield Finding(
                    passage.file,
                    passage.cell,
                    "decimal",
                    f"« {number} » : en français, écrivez « {comma} » (ou entre accents graves si c’est du code).",
                )
        for match in _QUANTITY.finditer(passage.text):
            if not _UNIT_AFTER.match(match["after"]):
                said = " ".join(match[0].split())[:60]
                yield Finding(
                    passage.file, passage.cell, "unit", f"« {said} » : l’unité manque après {match['number']}."
                )
        text = re.sub(r"^\s*\|.*$|^\s*[-*+] ", "", passage.text, flags=re.M)
        if passage.is_markdown and (space := _BREAKABLE.search(text)):
            around = text[max(0, space.start() - 20) : space.end() + 10].replace("\n", " ").strip()
            yield Finding(
                passage.file,
                passage.cell,
                "space",
                f"« {around} » : il faut une espace insécable avant « : ; ? ! » % et à l’intérieur des guillemets.",
            )


def check_links(source: CourseNotebook) -> Iterator[Finding]:
    """Links and data files named by a notebook are delivered beside it."""
    beside = {LESSON_NAME, ASSIGNMENT_NAME, *source.files}
    folders = {str(parent) for path in beside for parent in PurePosixPath(path).parents}
    for cell in source.read().cells:
        text = (
            re.sub(r"^(```|~~~).*?^\1[^\n]*$|`[^`\n]*`", "", cell.source, flags=re.S | re.M)
            if cell.cell_type == "markdown"
            else ""
        )
        targets = _LINK.findall(text) + [target for _, target in _REFERENCE.findall(text)]
        for target in targets:
            path = target.split("#")[0].split("?")[0]
            if not target:
                yield Finding(source.file, cell.id, "link", "un lien est vide : écrivez son adresse.")
            elif re.match(r"(https?://[\w.-]+\.\w{2,}|mailto:|data:image/|#)", target) or (
                path and path.rstrip("/") in beside | folders
            ):
                continue
            else:
                yield Finding(
                    source.file,
                    cell.id,
                    "link",
                    f"le lien « {target} » ne mène à rien : le fichier n’est pas livré avec le module (`files` de course.yml).",
                )
        if cell.cell_type == "code":
            for name in re.findall(r"[\"'](data/[^\"'\s{}]+\.\w+)[\"']", cell.source):
                if name not in beside:
                    yield Finding(
                        source.file,
                        cell.id,
                        "link",
                        f"le fichier « {name} » n’est pas livré avec le module (`files` de course.yml).",
                    )


def check_code(source: CourseNotebook) -> Iterator[Finding]:
    """Cells that stop « run all » elsewhere, and a comma where Python wants a point."""
    for cell in source.read().cells:
        if cell.cell_type != "code":
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            continue  # a magic, or an error that the run shows
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "input":
                yield Finding(
                    source.file,
                    cell.id,
                    "input",
                    "`input()` bloque « Tout exécuter » : donnez la valeur dans la cellule.",
                )
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)]
                if bad := {name.split(".")[0] for name in names} & {
                    "requests",
                    "urllib",
                    "http",
                    "socket",
                    "httpx",
                    "subprocess",
                }:
                    yield Finding(
                        source.file,
                        cell.id,
                        "network",
                        f"`{bad.pop()}` : un carnet ne demande rien au réseau ni au système ; livrez les données dans `data/`.",
                    )
            if (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
                and _is_comma_number(node.value, cell.source)
            ):
                yield Finding(
                    source.file,
                    cell.id,
                    "comma",
                    f"`{ast.unparse(node)}` crée un couple : le séparateur décimal de Python est le point.",
                )


def check_ids(source: CourseNotebook) -> Iterator[Finding]:
    """Each cell has an id of its own, kept by version control and by marking."""
    ids = Counter(cell.get("id", "") for cell in json.loads(source.source)["cells"])  # nbformat repairs them silently
    for cell_id, count in ids.items():
        if count > 1:
            yield Finding(
                source.file, cell_id, "id", "cet identifiant de cellule sert deux fois : donnez-lui un autre `id`."
            )
    for cell in source.read().cells:
        meta = cell.metadata.get("nbgrader", {})
        if (
            meta.get("solution")
            and not meta.get("task")
            and cell.cell_type == "code"
            and not re.match(r"\s*#\s*Exercice\s+\w+\.\d+", cell.source)
        ):
            yield Finding(
                source.file,
                cell.id,
                "id",
                "une cellule de réponse commence par `# Exercice 1.1` (son numéro) : sans cette ligne, son test ne la retrouve pas.",
            )


def _is_comma_number(value: ast.expr, code: str) -> bool:
    """`0,34`: two whole numbers, no brackets, and no space after the comma."""
    if not (isinstance(value, ast.Tuple) and len(value.elts) == 2):
        return False
    if not all(isinstance(one, ast.Constant) and type(one.value) is int for one in value.elts):
        return False
    return bool(re.fullmatch(r"\d+,\d+", ast.get_source_segment(code, value) or ""))


def _is_version(text: str, number: str) -> bool:
    return bool(
        re.search(rf"(Python|version|Jupyter\w*|CC BY\S*|numpy|matplotlib)[\s\u00a0]+{re.escape(number)}", text, re.I)
    )
