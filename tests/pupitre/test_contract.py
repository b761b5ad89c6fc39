"""What an answer promises beside its value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pupitre import CheckFailed, cells, contract


@pytest.fixture(autouse=True)
def sources() -> Iterator[None]:
    yield
    cells.SOURCES.clear()


def define(source: str) -> Any:
    names: dict[str, Any] = {}
    exec(source, names)
    return names["f"]


@pytest.mark.parametrize(
    "source", ["while h > 0:\n    h -= 1", "def f(h):\n    for i in range(3):\n        h += i\n    return h"]
)
def test_a_loop_is_found(source: str) -> None:
    cells.SOURCES["7.3"] = source
    contract.loops("7.3", because="Où est la boucle ?")


@pytest.mark.parametrize("source", ["t = (2 * h / g) ** 0.5", "L = [i for i in range(3)]", "# while h > 0:\nt = 1"])
def test_a_formula_is_no_loop(source: str) -> None:
    cells.SOURCES["7.3"] = source
    with pytest.raises(CheckFailed) as failed:
        contract.loops("7.3", because="Où est la boucle ?")
    assert failed.value.message == "Où est la boucle\u00a0?" and not failed.value.hidden


@pytest.mark.parametrize("source", ["m = sum(L) / len(L)", "import numpy as np\nm = np.mean(L)", "f = sum"])
def test_a_name_to_avoid_is_found(source: str) -> None:
    cells.SOURCES["4.1"] = source
    with pytest.raises(CheckFailed, match="Sans `sum`"):
        contract.avoids("4.1", "sum", "mean", because="Sans `sum`.")


def test_a_comment_or_a_text_uses_no_name() -> None:
    cells.SOURCES["4.1"] = "# sum\ntotal = 0\nprint('sum')"
    contract.avoids("4.1", "sum", "mean", because="Sans `sum`.")


def test_lists_given_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ([3.0, 4.0], 2)
    monkeypatch.setitem(globals(), "f", define("def f(L, k):\n    return [x * k for x in L]"))
    contract.keeps("f", kept, because="La liste change.")
    monkeypatch.setitem(globals(), "f", define("def f(L, k):\n    L[0] = 0\n    return L"))
    with pytest.raises(CheckFailed, match="La liste change") as failed:
        contract.keeps("f", kept, because="La liste change.", hidden=True)
    assert failed.value.hidden
    assert kept == ([3.0, 4.0], 2)


def test_bad_lists_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal: dict[str, Any] = {
        "subject": "f",
        "arguments": ([1], [1, 2]),
        "error": ValueError,
        "because": "Accepté sans rien dire.",
    }
    monkeypatch.setitem(globals(), "f", define("def f(a, b):\n    if len(a) != len(b):\n        raise ValueError"))
    contract.refuses(**refusal)
    monkeypatch.setitem(globals(), "f", define("def f(a, b):\n    return len(a)"))
    with pytest.raises(CheckFailed, match="Accepté sans rien dire"):
        contract.refuses(**refusal)
    monkeypatch.setitem(globals(), "f", define("def f(a, b):\n    return [a[i] for i in range(len(b))]"))
    with pytest.raises(CheckFailed) as failed:
        contract.refuses(**refusal)
    assert failed.value.code == "E11"


def test_a_missing_function_and_an_endless_one_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckFailed) as failed:
        contract.keeps("absente", (1,), because="…")
    assert failed.value.code == "E21"
    monkeypatch.setitem(globals(), "f", define("def f(a):\n    while True:\n        pass"))
    with pytest.raises(CheckFailed) as failed:
        contract.keeps("f", (1,), because="…")
    assert failed.value.code == "E16"
