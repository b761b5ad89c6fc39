"""Dates and spaces as documents write them, in the active language."""

from __future__ import annotations

import re
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import get_language


def format_date(day: date) -> str:
    """`1er mars 2027`, which Django's own French format writes `1 mars 2027`; `1 March 2027` in English."""
    text = date_format(day, "j F Y")
    return f"1er{text[1:]}" if day.day == 1 and _is_french() else text


def set_spaces(text: str) -> str:
    """French text whose punctuation never begins a line: no-break spaces, narrow before ; ! ?."""
    if not _is_french():
        return text
    text = re.sub(r" ([;!?])", "\N{NARROW NO-BREAK SPACE}\\1", text)
    return re.sub(r" ([:»])|(«) ", lambda match: (match[2] or "") + "\N{NO-BREAK SPACE}" + (match[1] or ""), text)


def _is_french() -> bool:
    return (get_language() or "fr").startswith("fr")
