"""`pupitre.check`: what passes, what is said, in which order, and that nothing hostile gets through."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pupitre import check
from pupitre.errors import CheckFailed

NBSP = "\u00a0"


def failure_of(action: Callable[[], None]) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        action()
    return caught.value


@pytest.mark.parametrize("value", [25, 25.0, np.float64(25), np.int64(25), 25 + 1e-9])
def test_number_accepts_every_numeric_style(value: Any) -> None:
    check.number(value, 25.0)


@pytest.mark.parametrize(
    ("value", "code", "told"),
    [
        (None, "", "None"),
        (b"25", "", "bytes"),
        (True, "", "un booléen"),
        ((0, 34), "E04", "point"),
        ((12.5, 6), "E04", "point"),
        (25_000.0, "E13", "1 000 fois trop grand"),
        (0.025, "E13", "1 000 fois trop petit"),
        (90.0, "E13", "3,6 fois trop grand"),
        (26.0, "", "26"),
        (float("nan"), "", "nan"),
        (float("inf"), "", "inf"),
        (check, "", "module"),
    ],
)
def test_wrong_number_gets_its_sentence(value: Any, code: str, told: str) -> None:
    failed = failure_of(lambda: check.number(value, 25.0, unit="m/s"))
    assert failed.code == code
    assert told in failed.message
    assert "25" not in failed.message.replace(str(value), "")  # the expected value is never shown


def test_text_instead_of_a_number() -> None:
    failed = failure_of(lambda: check.number("v", 25.0, namespace={"v": "25"}))
    assert failed.message == f"`v`{NBSP}: on attend un nombre{NBSP}; ici, c’est un texte."


def test_known_wrong_value_comes_before_the_unit_factor() -> None:
    failed = failure_of(lambda: check.number(90.0, 25.0, unit="m/s", known={90: ("E99", "Phrase de l’auteur.")}))
    assert (failed.code, failed.message) == ("E99", "Phrase de l’auteur.")


def test_known_value_does_not_catch_its_neighbours() -> None:
    assert failure_of(lambda: check.number(1.413, 1.415, known={1.414: ("E10", "Décalé.")})).code == ""


def test_missing_name_is_a_sentence_and_suggests_the_case() -> None:
    V_ms = 25.0  # noqa: N806
    names = {"V_ms": V_ms}
    failed = failure_of(lambda: check.number("v_ms", 25.0, namespace=names))
    assert failed.code == "E21"
    assert "`V_ms`" in failed.message


def test_length_comes_before_values() -> None:
    assert failure_of(lambda: check.sequence([0, 1, 2, 3], [0, 1, 2])).code == "E10"
    failed = failure_of(lambda: check.sequence((1, 2, 3), (1, 2)))
    assert "3 valeurs au lieu de 2" in failed.message


def test_sequence_accepts_list_tuple_and_array() -> None:
    for value in ([1.0, 2.0], (1, 2), np.array([1.0, 2.0])):
        check.sequence(value, [1, 2])


def test_text_and_boolean() -> None:
    check.text("etat", "gaz", namespace={"etat": "gaz"})
    check.boolean(np.bool_(True), True)
    assert failure_of(lambda: check.boolean(1, True)).message.startswith("`cette valeur`")
    assert failure_of(lambda: check.text("etat", "gaz", namespace={"etat": "Gaz"})).code == ""


def test_function_passes_silently(capsys: pytest.CaptureFixture[str]) -> None:
    check.function(lambda x: x**2, [((3,), 9), ((0.5,), 0.25)])
    assert capsys.readouterr().out == ""


def test_function_with_named_argument() -> None:
    check.function(lambda x, g=9.81: x * g, [((2,), 19.62), ((2, {"g": 1.62}), 3.24)])


def test_function_with_its_own_sentence_for_a_code() -> None:
    own = {"E11": "Il y a n points, mais n − 1 intervalles."}
    failed = failure_of(lambda: check.function(lambda x: x[len(x)], [(([1, 2],), 1)], sentences=own))
    assert (failed.code, failed.message.endswith("intervalles.")) == ("E11", True)
    assert failure_of(lambda: check.function(lambda x: None, [((1,), 1)], sentences=own)).code == "E07"


def shows(x: float) -> None:
    print(x * 2)


def endless(x: float) -> float:
    while True:
        x = x + 1


def leaves(x: float) -> float:
    raise SystemExit


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (shows, "E07"),
        (lambda x: None, "E07"),
        (endless, "E16"),
        (leaves, ""),
        (lambda x: x / 0, ""),
        (lambda x: [1, 2][int(x) + 5], "E11"),
        (lambda x: (0, 5), "E04"),
        (lambda x: 6.0, "E24"),
        (lambda x, y: x, ""),
        (lambda x: x, ""),
    ],
)
def test_wrong_function_gets_its_code(function: Callable[..., Any], code: str) -> None:
    assert failure_of(lambda: check.function(function, [((3.0,), 6.5)], time_limit_s=0.3)).code == code


def test_ignored_argument_is_named_and_hard_coded_result_is_not_confused_with_it() -> None:
    names: dict[str, Any] = {"R1": 60.0}
    exec(
        "def f(a, b):\n    return R1 * b\ndef g(a, b):\n    return 120.0\ndef h(a, b):\n    return [a for _ in range(2)][0] * b",
        names,
    )
    failed = failure_of(lambda: check.function(names["f"], [((60, 2), 120.0), ((5, 2), 10.0)], hidden=True))
    assert failed.code == "E23" and "`a`" in failed.message
    assert failure_of(lambda: check.function(names["g"], [((60, 2), 120.0), ((5, 2), 10.0)])).code == "E24"
    check.function(names["h"], [((60, 2), 120.0), ((5, 2), 10.0)])  # read in an inner scope only


def test_hidden_case_keeps_its_values() -> None:
    failed = failure_of(lambda: check.function(lambda x: x + 77.0, [((123.0,), 456.0)], hidden="aux bornes"))
    assert failed.hidden and failed.code == "E24"
    assert "aux bornes" in failed.message
    assert not any(number in failed.message for number in ("123", "456", "200"))


def test_not_a_function() -> None:
    assert (
        "`f` doit être une fonction" in failure_of(lambda: check.function("f", [((1,), 1)], namespace={"f": 3})).message
    )


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        return True

    def __float__(self) -> float:
        return 25.0

    __hash__ = None  # type: ignore[assignment]


def test_object_equal_to_everything_is_refused() -> None:
    for action in (
        lambda: check.number(Hostile(), 25.0),
        lambda: check.boolean(Hostile(), True),
        lambda: check.equal(Hostile(), "gaz"),
        lambda: check.sequence([Hostile()], [25.0]),
    ):
        assert "Traceback" not in failure_of(action).message


def test_huge_values_and_outputs_are_shortened() -> None:
    def floods(x: float) -> None:
        while True:
            print("x" * 100_000)

    assert failure_of(lambda: check.function(floods, [((1,), 1)], time_limit_s=0.3)).code == "E16"
    assert len(failure_of(lambda: check.text("t", "gaz", namespace={"t": "a" * 10**6})).message) < 200


def test_messages_have_french_spaces_and_no_traceback_is_rendered() -> None:
    failed = failure_of(lambda: check.number(25_000.0, 25.0, unit="m/s"))
    assert f"grand{NBSP}:" in failed.message
    lines = failed._render_traceback_()
    assert lines[0].endswith("(E13)") and lines[1] == failed.message
    assert len(lines) == 2


PROPOSED = {"A": "n = n + 1", "B": "n = 0", "C": "while n < 3:", "D": "print(n)"}


@pytest.mark.parametrize(
    ("ordered", "code"),
    [
        ("B\nC\nA\nD", "E09"),
        ("B\nC\n    D\n    A", "E08"),
        ("B\nC\n    D", "E16"),
        ("C\n    A\nB\nD", "E21"),
        ("B\nQ", ""),
        ("\n \n", "E00"),
        ("B\nD", ""),
    ],
)
def test_wrong_program(ordered: str, code: str) -> None:
    failed = failure_of(lambda: check.program("p", PROPOSED, output="3", namespace={"p": ordered}))
    assert failed.code == code, failed.message


def test_right_program_in_any_indentation() -> None:
    for ordered in ("B\nC\n    A\nD", "\n    B\n    C\n      A\n    D\n", "B\nC\n\tA\nD"):
        check.program("p", PROPOSED, output="3", namespace={"p": ordered})


def test_success_line(capsys: pytest.CaptureFixture[str]) -> None:
    check.success("1.1")
    assert capsys.readouterr().out == f"Test réussi{NBSP}: exercice 1.1.\n"


def test_an_object_among_the_arguments_is_shown_by_its_type() -> None:
    def tirer(n: int, rng: random.Random) -> int:
        return n + rng.randint(1, 6)

    failed = failure_of(lambda: check.function(tirer, [((3, random.Random(1)), 3)]))
    assert "`tirer(3, Random(…))`" in failed.message
