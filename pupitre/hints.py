"""Graded hints of an exercise, opened by trying: after 2 failed tests the first, after 4 the second, after 6 a worked example.

They are the course's content, in `data/indices.json` beside the notebook: {"1.1": ["…", "…", "…"]}.
Failures are counted in this kernel only: a hint costs nothing and is no secret.
Source: pedagogy of the course, « indices gradués, non punitifs » (Aleven & Koedinger 2000).
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from pupitre.typography import set_spaces

FAILURES_FOR = (2, 4, 6)
HINTS_FILE = Path("data/indices.json")

_failures: Counter[str] = Counter()


def count_failure(exercise: str) -> str:
    """One more failed test; the line that offers a hint when one opens, otherwise ""."""
    _failures[exercise] += 1
    if _failures[exercise] not in FAILURES_FOR or not _load_hints(exercise):
        return ""
    number = FAILURES_FOR.index(_failures[exercise]) + 1
    return f'Besoin d\'aide ? Un indice est disponible : exécutez `hint("{exercise}", {number})`.'


def hint(exercise: str, number: int = 1) -> None:
    """Print a hint of this exercise, if enough tests were tried; otherwise say when it opens."""
    texts = _load_hints(exercise)
    if not 1 <= number <= len(texts):
        count = f"Il y a {len(texts)} indices" if texts else "Il n’y a pas d’indice"
        print(f"{count} pour l’exercice {exercise}.")  # noqa: T201  (the notebook shows what is printed)
    elif _failures[exercise] < FAILURES_FOR[number - 1]:
        print(f"L’indice {number} de l’exercice {exercise} s’ouvre après {FAILURES_FOR[number - 1]} tests non réussis.")  # noqa: T201
    else:
        print(f"Indice {number} — {texts[number - 1]}")  # noqa: T201


def _load_hints(exercise: str) -> list[str]:
    try:
        hints = json.loads(HINTS_FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the notebook was taken elsewhere without its data, or the file was edited
        return []
    texts = hints.get(exercise) if isinstance(hints, dict) else None
    return [set_spaces(str(text)) for text in texts][: len(FAILURES_FOR)] if isinstance(texts, list) else []
