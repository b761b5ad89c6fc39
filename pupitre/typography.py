"""French spaces: a line never begins with « : » or « ? », nor ends with « « »."""

from __future__ import annotations

import re

NO_BREAK_SPACE = "\u00a0"

_CODE = re.compile(r"(`[^`]*`)")


def set_spaces(text: str) -> str:
    """No-break spaces where French typography wants them; what stands between backticks is code and stays."""
    parts = _CODE.split(text)
    parts[::2] = [re.sub(r"(?<=«) | (?=[:;?!»])", NO_BREAK_SPACE, part) for part in parts[::2]]
    return "".join(parts)
