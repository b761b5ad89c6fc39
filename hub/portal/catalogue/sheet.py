"""A classroom sheet: one Markdown source per module, from which the learner's and the teacher's versions are made.

    titre: Quelle énergie pour freiner ?      header: « key: value » lines up to the first empty one
    …

    ## Situation                              for everybody
    ::: completer                             the code with gaps; `::: ecrire`: the same task from an empty cell
    ::: professeur                            answers, expected mistakes
    ::: lignes 3                              ruled lines to write on (an empty answer in a notebook)
    :::                                       ends a block; blocks hold no other block

Law: a source is data; it reaches typst as JSON (badges/typesetting.py), and nothing in it is run here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import nbformat.v4
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from badges.typesetting import compile_document

Block = Literal["", "completer", "ecrire", "professeur", "lignes"]
Version = Literal["eleve-completer", "eleve-ecrire", "professeur"]

HEADER = ("titre", "niveau", "programme", "duree", "materiel")
_FENCE = re.compile(r"^:::\s*(?P<name>[a-z]*)\s*(?P<count>\d{1,2})?\s*$")
_HIDDEN: dict[str, set[Block]] = {
    "eleve-completer": {"ecrire", "professeur"},
    "eleve-ecrire": {"completer", "professeur"},
    "professeur": {"lignes"},
}
VERSIONS: tuple[Version, ...] = ("eleve-completer", "eleve-ecrire", "professeur")
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


class SheetError(ValueError):
    """A source that is no sheet; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


@dataclass(frozen=True)
class Part:
    """A run of Markdown for some readers. `count`: how many lines to write on."""

    block: Block
    text: str
    count: int = 0


@dataclass(frozen=True)
class Sheet:
    header: dict[str, str]
    parts: tuple[Part, ...]

    def parts_of(self, version: Version) -> list[Part]:
        return [part for part in self.parts if part.block not in _HIDDEN[version]]


def parse_sheet(source: bytes) -> Sheet:
    """Read a source.

    Raises
    ------
    SheetError
        A key of the header is missing or unknown, a block is unknown, not closed, or one of the three kinds is absent.
    """
    try:
        lines = source.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise SheetError(1, _("la fiche n’est pas en UTF-8")) from error
    header: dict[str, str] = {}
    start = 0
    for start, line in enumerate(lines):
        key, colon, value = line.partition(":")
        if not line.strip():
            break
        if not colon or key.strip() not in HEADER or not value.strip():
            message = _("l’en-tête attend une ligne « clé : valeur » par clé : %(keys)s")
            raise SheetError(start + 1, message % {"keys": ", ".join(HEADER)})
        header[key.strip()] = value.strip()
    if missing := [key for key in HEADER if key not in header]:
        raise SheetError(1, _("il manque « %(key)s » dans l’en-tête") % {"key": missing[0]})
    parts = tuple(_split(lines, start))
    for block in ("completer", "ecrire", "professeur"):
        if not any(part.block == block for part in parts):
            raise SheetError(len(lines), _("la fiche n’a pas de bloc « ::: %(block)s »") % {"block": block})
    return Sheet(header, parts)


def render_pdf(sheet: Sheet, version: Version, *, course: str, module: str, license: str) -> bytes:
    """The printable version, PDF/UA-1."""
    data = {
        "header": sheet.header,
        "course": course,
        "module": module,
        "license": license,
        "version": version,
        "parts": [
            {"block": part.block, "count": part.count, "nodes": _to_nodes(part.text)}
            for part in sheet.parts_of(version)
        ],
    }
    return compile_document("hub.portal.catalogue", "sheet.typ", {"data": json.dumps(data, ensure_ascii=False)})


def render_notebook(sheet: Sheet, version: Version) -> bytes:
    """The same as a notebook that runs anywhere: text cells, and one code cell per block of Python."""
    head = f"# {sheet.header['titre']}\n\n*{sheet.header['niveau']} · {sheet.header['duree']}*"
    cells = [nbformat.v4.new_markdown_cell(head)]  # type: ignore[no-untyped-call]
    for part in sheet.parts_of(version):
        if part.block == "lignes":
            cells.append(nbformat.v4.new_markdown_cell("*Votre réponse\u00a0:*"))  # type: ignore[no-untyped-call]
            continue
        for is_code, text in _split_code(part.text):
            make = nbformat.v4.new_code_cell if is_code else nbformat.v4.new_markdown_cell
            cells.append(make(text))  # type: ignore[no-untyped-call]
    for number, cell in enumerate(cells):
        cell.id = f"fiche-{number}"  # the same source gives the same bytes
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]
    written: str = nbformat.v4.writes(notebook)  # type: ignore[no-untyped-call]
    return written.encode("utf-8")


def _split(lines: list[str], start: int) -> Iterator[Part]:
    block: Block = ""
    count, opened, kept = 0, 0, list[str]()
    in_code = False
    for number, line in enumerate(lines[start:], start + 1):
        in_code ^= line.lstrip().startswith("```")
        found = None if in_code else _FENCE.match(line)
        if not found:
            kept.append(line)
            continue
        name = found["name"]
        if name and block:
            raise SheetError(number, _("un bloc commence dans un autre : fermez le premier par « ::: »"))
        if not name and not block:
            raise SheetError(number, _("« ::: » ferme un bloc qui n’est pas ouvert"))
        if name not in ("", "completer", "ecrire", "professeur", "lignes"):
            raise SheetError(number, _("le bloc « %(name)s » n’existe pas") % {"name": name})
        if block == "lignes" or "".join(kept).strip():
            yield Part(block, "\n".join(kept).strip("\n"), count)
        block, count, opened, kept = name, int(found["count"] or 3), number, []  # type: ignore[assignment]
    if block:
        raise SheetError(opened, _("le bloc « %(name)s » n’est pas fermé") % {"name": block})
    if "".join(kept).strip():
        yield Part("", "\n".join(kept).strip("\n"))


def _split_code(text: str) -> Iterator[tuple[bool, str]]:
    """(is code, text) in order; only blocks of Python become code cells."""
    pieces = re.split(r"^```python\n(.*?)^```[ \t]*$", text, flags=re.S | re.M)
    for number, piece in enumerate(pieces):
        if piece.strip():
            yield number % 2 == 1, piece.strip("\n")


def _to_nodes(text: str) -> list[dict[str, Any]]:
    """Markdown as a tree of plain data, for the template."""
    return [_to_node(child) for child in SyntaxTreeNode(_markdown.parse(text)).children]


def _to_node(node: SyntaxTreeNode) -> dict[str, Any]:
    kind = node.type
    if kind == "inline":
        return {"kind": "inline", "nodes": [_to_node(child) for child in node.children]}
    if kind in ("text", "code_inline", "fence", "code_block"):
        return {"kind": "code" if kind in ("fence", "code_block") else kind, "text": node.content.rstrip("\n"), "info": node.info if kind == "fence" else ""}  # fmt: skip
    held: dict[str, Any] = {"kind": kind, "nodes": [_to_node(child) for child in node.children]}
    if kind == "heading":
        held["level"] = int(node.tag[1])
    return held
