"""The code printed on an attestation: `ABCD-EFGH-JKLM`, 60 random bits, easy to read aloud and to type.

Crockford's base 32: no I, L, O, U; when typed, O is read as 0, I and L as 1, and case, spaces and dashes do not count.
Source: https://www.crockford.com/base32.html
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
_TYPED = str.maketrans({"O": "0", "I": "1", "L": "1"})


def make_check_code() -> str:
    """Draw a code at random."""
    return _grouped("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))


def find_check_code(typed: str) -> str | None:
    """The code a person meant, or None when it cannot be one."""
    letters = "".join(character for character in typed.upper() if character.isalnum()).translate(_TYPED)
    if len(letters) != LENGTH or any(letter not in ALPHABET for letter in letters):
        return None
    return _grouped(letters)


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + 4] for start in range(0, LENGTH, 4))
