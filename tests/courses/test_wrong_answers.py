"""Typical wrong answers lose the points and get the right diagnostic; right ones in several styles pass.

The answers are in tests/data/wrong/ex-<a>-<b>.txt, one after each line `%% wrong E13: why` or `%% right: style`
(`wrong -`: a sentence without a code).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "data" / "wrong"
EXERCISES = sorted(path.stem.removeprefix("ex-").replace("-", ".") for path in FOLDER.glob("ex-*.txt"))
HEADER = re.compile(r"^%% (?P<kind>wrong|right)(?: (?P<code>E\d\d|-))?: (?P<why>.+)$", re.M)


def load_answers(exercise: str) -> list[tuple[str, str, str, str]]:
    """(kind, expected code, why, answer cell) of every answer of the exercise."""
    text = (FOLDER / f"ex-{exercise.replace('.', '-')}.txt").read_text(encoding="utf-8")
    parts = HEADER.split(text)
    assert not parts[0].strip()
    return [
        (kind, "" if code in (None, "-") else code, why, f"# Exercice {exercise}{answer}")
        for kind, code, why, answer in zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4], strict=True)
    ]


ANSWERS = [(exercise, *answer) for exercise in EXERCISES for answer in load_answers(exercise)]


@pytest.mark.parametrize(
    ("exercise", "kind", "code", "why", "answer"), ANSWERS, ids=[f"{a[0]} {a[1]} {a[3]}" for a in ANSWERS]
)
def test_answer_gets_its_verdict(
    exercise_bench: Any, exercise: str, kind: str, code: str, why: str, answer: str
) -> None:
    verdict = exercise_bench(exercise).try_answer(answer)
    assert verdict.passed is (kind == "right"), verdict
    assert verdict.code == code, verdict
    if kind == "wrong":
        assert verdict.message[0].isupper() or verdict.message[0] in "`«"
        assert verdict.message.rstrip()[-1] in ".?!", verdict.message
        assert "Traceback" not in verdict.message and len(verdict.message) < 240


@pytest.mark.parametrize("exercise", EXERCISES)
def test_each_exercise_has_enough_answers(exercise: str) -> None:
    kinds = [kind for kind, *_ in load_answers(exercise)]
    assert kinds.count("wrong") >= 3
    assert kinds.count("right") >= 2


@pytest.mark.parametrize("exercise", EXERCISES)
def test_hidden_verdict_says_no_hidden_value(exercise_bench: Any, exercise: str) -> None:
    """The sentence about a hidden case contains no number that stands only in the hidden part."""
    bench = exercise_bench(exercise)
    hidden_part = bench.test_cell.split("### BEGIN HIDDEN TESTS")[1]
    for kind, _, _, answer in load_answers(exercise):
        if kind == "wrong" and (verdict := bench.try_answer(answer)).hidden:
            known = re.findall(r'"([^"]*[a-zé]{3}[^"]*)"', hidden_part)  # sentences the author wrote to be read
            told = verdict.message
            for sentence in known:
                told = told.replace(sentence, "")
            numbers = set(re.findall(r"\d+(?:\.\d+)?", told)) - set(re.findall(r"\d+(?:\.\d+)?", bench.visible_part))
            assert not numbers & set(re.findall(r"\d+(?:\.\d+)?", hidden_part)), verdict
