"""French spelling by Hunspell, with the dictionary of Grammalecte (npm's `dictionary-fr`) and a list of words of our own.

The list is `dictionary` in the folder that holds the courses, and `dictionnaire.txt` in the course itself: one word per line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from hub.portal.authoring.checkcourse.findings import Finding
from hub.portal.authoring.checkcourse.prose import Passage
from hub.portal.authoring.checkcourse.reading import UNITS

SHARED_LIST, COURSE_LIST = "dictionary", "dictionnaire.txt"
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_NOT_WORDS = re.compile(
    r"\S*(?:[_=^*/()\[\]{}]\S*[^\W\d_]|\w[_=^*\[\]{}]|[₀-₉⁰-⁹⁺⁻²³¹ᵢⱼₐ-ₜᵃ-ᶻⁱⁿ])\S*|\b[A-Z]{1,3}\d[\w-]*"
)
_SUGGESTIONS = 3


class SpellingUnavailable(Exception):
    """What is missing; `str()` says how to have it."""


class Speller(Protocol):
    """Says whether a word is French."""

    def spell(self, word: str) -> bool: ...
    def suggest(self, word: str) -> Iterable[str]: ...


def load_speller(node_modules: Path) -> Speller:
    """Hunspell with the French dictionary.

    Raises
    ------
    SpellingUnavailable
        The library or the dictionary is not installed.
    """
    try:
        from hunspell import Hunspell
    except ImportError as error:
        raise SpellingUnavailable(
            "l’orthographe n’est pas vérifiée : la bibliothèque chunspell manque ; `make install`."
        ) from error
    folder = node_modules / "dictionary-fr"
    if not (folder / "index.dic").is_file():
        raise SpellingUnavailable(
            "l’orthographe n’est pas vérifiée : le dictionnaire français (dictionary-fr) manque ; `make install`."
        )
    speller: Any = Hunspell("index", hunspell_data_dir=str(folder))
    return speller  # type: ignore[no-any-return]


def load_words(folder: Path) -> set[str]:
    """Words of our own for this course; `#` begins a comment."""
    words: set[str] = set()
    for path in (folder.parent / SHARED_LIST, folder / COURSE_LIST):
        if path.is_file():
            lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
            words.update(line for line in lines if line)
    return words


def check_spelling(passages: list[Passage], speller: Speller, words: set[str]) -> Iterator[Finding]:
    """One finding per word and file, where it is first met."""
    seen: set[tuple[str, str]] = set()
    known: dict[str, bool] = {}
    for passage in passages:
        for word in list_words(passage.text):
            if word in passage.names or (passage.file, word) in seen:
                continue
            if word not in known:
                known[word] = is_right(word, speller, words)
            if not known[word]:
                seen.add((passage.file, word))
                yield Finding(passage.file, passage.cell, "spelling", f"« {word} » : {_advise(word, speller)}")


def list_words(text: str) -> Iterator[str]:
    """The words of a prose; formulas, symbols of units and what holds a digit are left out."""
    for match in _WORD.finditer(_NOT_WORDS.sub(" ", text)):
        if len(match[0]) > 1 and match[0] not in UNITS:
            yield match[0]


def is_right(word: str, speller: Speller, words: set[str]) -> bool:
    """In the dictionary or in our list, elided or compound words by their parts."""
    if (
        word in words
        or word.lower() in words
        or speller.spell(word)
        or (word[0].isupper() and speller.spell(word.lower()))
    ):
        return True
    if re.search(r"[^\W\d_][A-ZΔΣ]", word) or word.isupper() or (len(word) == 2 and word[0].isupper()):
        return True  # a symbol or an abbreviation: CuSO, Ec, QCM
    parts = [part for part in re.split(r"['’-]", word) if part]
    return len(parts) > 1 and all(
        len(part) == 1 or part in words or part in UNITS or is_right(part, speller, words) for part in parts
    )


def _advise(word: str, speller: Speller) -> str:
    near = [f"« {other} »" for other in list(speller.suggest(word))[:_SUGGESTIONS]]
    meant = f"{' ou '.join(near)} ? " if near else ""
    return f"{meant}Corrigez, mettez entre accents graves si c’est du code, ou ajoutez le mot à `{COURSE_LIST}`."
