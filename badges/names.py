"""Texts of people as they are signed and printed: composed, on one line, without characters that deceive the eye."""

from __future__ import annotations

import unicodedata

# Bidirectional overrides and isolates: they would make what follows a name read otherwise than it is.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(text: str) -> str:
    """The text in NFC, without control characters and bidirectional overrides, its spaces single."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in composed if c not in _BIDI_CONTROLS)
    return " ".join(kept.split())
