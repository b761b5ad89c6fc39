"""Every text a person sees is good French (the msgid) and has an English translation.

Needs no xgettext: templates become Python by Django's own `templatize`, and Babel reads Python and Jinja. After a change
of a text: `make messages-extract`, then translate what is empty in `locale/en`.
"""

from __future__ import annotations

import importlib.metadata
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_file
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[2]
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|%[.\d]*[sdgf]|%%|\{\w*\}|<[^>]+>|https?://\S+")


@dataclass(frozen=True)
class Text:
    """A msgid, with its plural, and a file that holds it."""

    forms: tuple[str, ...]
    file: str


@dataclass(frozen=True)
class Domain:
    """A folder with a catalogue of its own, and what of it is Jinja rather than Django."""

    folder: str
    catalogue: str
    jinja: tuple[str, ...] = ()

    @property
    def po(self) -> Path:
        return ROOT / self.folder / "locale" / "en" / "LC_MESSAGES" / f"{self.catalogue}.po"

    def texts(self) -> Iterator[Text]:
        folder = ROOT / self.folder
        for path in sorted(folder.rglob("*.py")):
            for _line, message, _comments, _context in extract_from_file("python", path, KEYWORDS):
                yield make_text(message, path)
        for pattern in self.jinja:
            for path in sorted(folder.glob(pattern)):
                options = {"newstyle_gettext": "true", "silent": "false"}
                for _line, message, _comments, _context in extract_from_file("jinja2", path, KEYWORDS, (), options):
                    yield make_text(message, path)
        if not self.jinja:
            for path in sorted(file for file in folder.rglob("templates/**/*") if file.suffix in {".html", ".txt"}):
                source = templatize(path.read_text(encoding="utf-8"))
                # Python's tokenizer minds the indentation, which is the template's.
                lines = "\n".join(line.lstrip() for line in source.splitlines()).encode()
                for _line, message, _comments, _context in extract("python", io.BytesIO(lines), KEYWORDS):
                    yield make_text(message, path)

    def load(self) -> Catalog:
        with self.po.open("rb") as file:
            return read_po(file, locale="en", abort_invalid=True)


def make_text(message: str | tuple[str, ...], path: Path) -> Text:
    return Text((message,) if isinstance(message, str) else tuple(message), str(path.relative_to(ROOT)))


DOMAINS = [
    Domain("hub/portal", "django"),
    Domain("graders", "django"),
    Domain("badges", "django"),
    Domain("hub/jupyter", "hub", jinja=("bridge/templates/*.html", "share/hub-templates/*.html")),
]
each_domain = pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.folder)


@each_domain
def test_every_text_is_in_english(domain: Domain) -> None:
    catalogue = domain.load()
    missing = set()
    for text in domain.texts():
        entry = catalogue.get(text.forms[0])
        said = () if entry is None else (entry.string,) if isinstance(entry.string, str) else tuple(entry.string)
        if entry is None or len(said) != len(text.forms) or not all(said) or entry.fuzzy:
            missing.add(f"{text.file}: {text.forms[0]}")
    assert not missing, "run make messages-extract, then translate"


@each_domain
def test_the_extraction_finds_what_is_in_the_catalogue(domain: Domain) -> None:
    """The test above would pass on an extraction that finds nothing; and a text that went must not be kept."""
    found = {text.forms[0] for text in domain.texts()}
    kept = {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in domain.load() if entry.id}
    assert kept - found == set(), "run make messages-extract"
    assert len(found) > 30


@each_domain
def test_placeholders_and_markup_are_the_same_in_english(domain: Domain) -> None:
    wrong = []
    for entry in domain.load():
        ids = (entry.id,) if isinstance(entry.id, str) else entry.id
        strings = (entry.string,) if isinstance(entry.string, str) else entry.string
        for french, english in zip(ids, strings, strict=True):
            if french and sorted(PLACEHOLDER.findall(french)) != sorted(PLACEHOLDER.findall(english)):
                wrong.append((french, english))
            if french and (french[0] == "\n", french[-1] == "\n") != (english[:1] == "\n", english[-1:] == "\n"):
                wrong.append((french, english))
    assert not wrong


def find_typing_faults(french: str) -> list[str]:
    """What a French printer would send back; plain spaces beside double signs are accepted, glued signs are not."""
    # Markup, placeholders, code and addresses follow other rules.
    plain = re.sub(r"<[^>]+>|`[^`]*`|https?://\S+|\{[^}]*\}|\w+\.yml|\w+: true", "x", french)
    faults = []
    if "'" in plain or '"' in plain:
        faults.append("straight quote")
    if re.search(r"\w[:;?!»]", plain) or re.search(r"«\S", plain):
        faults.append("no space beside a double sign")
    if "..." in plain:
        faults.append("three full stops for …")
    return faults


@each_domain
def test_french_is_typeset_as_french(domain: Domain) -> None:
    faults = {
        (text.file, form, fault) for text in domain.texts() for form in text.forms for fault in find_typing_faults(form)
    }
    assert not faults


@pytest.mark.parametrize(
    ("french", "count"),
    [
        ("Aucun\u00a0: rien n’a changé.", 0),
        ("Aucun : rien", 0),
        ("Aucun: rien", 1),
        ("l'essai", 1),
        ("«\u00a0%(a)s\u00a0»", 0),
        ("«a»", 1),
        ("Chargement...", 1),
        ('Écrivez à <a href="mailto:%(a)s">%(a)s</a>.', 0),
    ],
)
def test_typing_faults_are_found(french: str, count: int) -> None:
    assert len(find_typing_faults(french)) == count


@each_domain
def test_compiled_catalogues_are_installed(domain: Domain) -> None:
    """`make package` compiles them; learners' servers read them from there."""
    installed = {str(path) for path in importlib.metadata.files("pupitre") or ()}
    assert str(domain.po.with_suffix(".mo").relative_to(ROOT)) in installed
