"""The French of a course, without its code: what is read, and where it stands."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.portal.authoring.checkcourse.folder import CourseFolder, CourseNotebook
from hub.portal.catalogue.coursefile import COURSE_FILE
from hub.portal.catalogue.sheet import parse_sheet

_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.S | re.M)
_INDENTED = re.compile(r"(?:\A|\n[ \t]*\n)((?: {4}|\t)[^\n]*(?:\n(?: {4}|\t)[^\n]*)*)")
_CODE = re.compile(r"`[^`\n]*`|<(code|kbd|pre)\b.*?</\1>", re.S)
_MATH = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.S)
_TAG = re.compile(r"<[^<>]*>")
_TARGET = re.compile(r"(!?\[[^\]]*\])\([^)]*\)")
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+|\b[\w/-]+\.(ipynb|csv|py|yml|svg|pdf|md|json)\b")
_PYTHON_NAMES = frozenset(keyword.kwlist) | frozenset(dir(builtins))
_WORDS_OF_A_SENTENCE = 3


@dataclass(frozen=True)
class Passage:
    """A piece of prose. `text` keeps its lines; code, formulas, tags and addresses are gone."""

    file: str
    cell: str
    text: str
    is_markdown: bool
    names: frozenset[str] = field(default=frozenset(), repr=False)
    """Names of the code beside: they may be named in the prose."""


def list_passages(course: CourseFolder) -> Iterator[Passage]:
    """Notebooks, quizzes, classroom sheets, course.yml, in this order."""
    for notebook in course.notebooks:
        yield from list_notebook_passages(notebook)
    for file, quiz in course.quizzes.items():
        for question in quiz.questions:
            for text in _texts(question.model_dump(exclude={"id"})):
                yield Passage(file, question.id, strip_code(text), True, _PYTHON_NAMES)
    for file, source in course.sheets.items():
        sheet = parse_sheet(source)
        for text in (sheet.header["titre"], *(part.text for part in sheet.parts)):
            yield Passage(file, "", strip_code(text), True, _PYTHON_NAMES | _names_in_text(source.decode("utf-8")))
    about = course.course.model_dump(include={"title", "abstract", "objectives", "public", "keywords"})
    titles = [text for module in course.course.modules for text in (module.title,)]
    badges = [text for badge in course.course.badges for text in (badge.title, badge.description, badge.criteria)]
    for text in [*_texts(about), *titles, *badges]:
        yield Passage(COURSE_FILE, "", strip_code(text), False)


def list_notebook_passages(source: CourseNotebook) -> Iterator[Passage]:
    """Text cells, and the sentences that code cells show (strings of several words that are no Python)."""
    cells = source.read().cells
    names = _PYTHON_NAMES | _names_of(cells)
    for cell in cells:
        if cell.cell_type == "markdown":
            yield Passage(source.file, cell.id, strip_code(cell.source), True, names)
        elif cell.cell_type == "code":
            for text in _list_sentences(cell.source):
                yield Passage(source.file, cell.id, strip_code(text), False, names)


def strip_code(text: str) -> str:
    """Markdown as it is read: no code, no formula, no tag, no address."""
    for pattern, kept in (
        (_FENCE, "\n"),
        (_INDENTED, "\n\n"),
        (_CODE, "¤"),
        (_MATH, "¤"),
        (_TARGET, r"\1"),
        (_TAG, " "),
        (_ADDRESS, "¤"),
    ):
        text = pattern.sub(kept, text)
    return text


def _list_sentences(code: str) -> Iterator[str]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return  # execution says it better
    inside_f_strings: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "¤" for part in node.values]
            inside_f_strings.update(id(part) for part in node.values)
            if is_sentence(text := "".join(map(str, parts))):
                yield text
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside_f_strings
            and is_sentence(node.value)
        ):
            yield node.value


def is_sentence(text: str) -> bool:
    """Several words, and no Python program."""
    if len(re.findall(r"[^\W\d_]{2,}", text)) < _WORDS_OF_A_SENTENCE:
        return False
    if "\n" in text.strip() and re.search(r"^\s*(def|for|while|if|import|from|print|\w+(, \w+)* = )", text, re.M):
        return False
    try:
        ast.parse(text.strip())
    except (SyntaxError, ValueError):
        return True
    return False


def _names_of(cells: list[Any]) -> frozenset[str]:
    found: set[str] = set()
    for cell in cells:
        if cell.cell_type == "code":
            found.update(re.findall(r"[^\W\d]\w*", re.sub(r"#.*|“.*?”", "", _without_sentences(cell.source))))
        else:
            found.update(_names_in_text(cell.source))
    return frozenset(found)


def _names_in_text(text: str) -> frozenset[str]:
    """The names of the programs and pieces of code that a Markdown text holds."""
    blocks = [block[0] for block in re.finditer(r"^```.*?^```", text, re.S | re.M)]
    return frozenset(
        name
        for code in [*blocks, *re.findall(r"`([^`\n]+)`", text)]
        for name in re.findall(r"[^\W\d]\w*", re.sub(r"#.*|\"[^\"\n]*\"", "", code))
    )


def _without_sentences(code: str) -> str:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""
    kept: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            kept.append(node.id)
        elif isinstance(node, ast.arg):
            kept.append(node.arg)
        elif isinstance(node, ast.Attribute):
            kept.append(node.attr)
        elif isinstance(node, ast.FunctionDef):
            kept.append(node.name)
        elif isinstance(node, ast.keyword):
            kept.append(node.arg or "")
        elif isinstance(node, ast.alias):
            kept += [node.name, node.asname or ""]
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and not is_sentence(node.value)
            and "\n" in node.value
        ):
            kept.append(node.value)  # a program that is shown
    return "\n".join(kept)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():
            if key not in ("code", "slug", "route"):
                yield from _texts(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _texts(held)
