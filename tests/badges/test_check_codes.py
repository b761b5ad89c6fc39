from __future__ import annotations

import re

import pytest

from badges.check_codes import ALPHABET, find_check_code, make_check_code


def test_a_code_is_three_groups_without_ambiguous_letters() -> None:
    codes = {make_check_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", code) for code in codes)
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.parametrize("typed", ["7K3M-9QXT-4D8E", "7k3m9qxt4d8e", " 7K3M 9QXT 4D8E ", "7k3m—9qxt—4d8e"])
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert find_check_code(typed) == "7K3M-9QXT-4D8E"


def test_look_alikes_are_read_as_digits() -> None:
    assert find_check_code("OIL0-1111-ABCD") == "0110-1111-ABCD"


@pytest.mark.parametrize("typed", ["", "7K3M", "7K3M-9QXT-4D8EE", "UUUU-9QXT-4D8E", "７Ｋ３Ｍ-9QXT-4D8E", "é" * 12])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert find_check_code(typed) is None
