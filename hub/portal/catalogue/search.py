"""How texts are compared when people search."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Lower case, without accents: « Énergie » is found by « energie »."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
